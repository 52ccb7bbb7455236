"""A configuration with the files it includes, in the order in which Kannel reads them (cfg_read in gwlib/cfg.c).

Kannel takes an included file's lines in the place of the `include`, so that its first lines belong to the group that
stands open, and closes that group at the file's end unless the file has no octet at all. Of a folder it takes every
file that is in it, hidden ones and editors' leftovers too, in the file system's order, and no folder in it. Names are
looked for from the folder that Kannel was started in. A file that is not there is a panic, and so is one that was
included before under the same name; under another name a cycle never ends.
"""

from __future__ import annotations

import errno
import stat
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from kannelkit.conf.lines import Kind, Line
from kannelkit.conf.read import INCLUDE_IN_A_VALUE, ReadGroup, gathered, shown
from kannelkit.conf.tree import Tree, parse
from kannelkit.findings import Finding, Place, in_order

# A gateway of 10,000 accounts has half a million lines, 15 MB. Beyond these bounds somebody is playing tricks.
_MOST_FILES = 10_000
_MOST_LINES = 2_000_000
_MOST_CHARACTERS = 2**27


@dataclass(frozen=True, slots=True)
class Opened:
    """What is behind a name: a file's text, or a folder's file names in the file system's order.

    `identity` is the same for two names of one file or folder.
    """

    identity: str
    text: str = ""
    entries: tuple[str, ...] | None = None


# Given a name as a configuration spells it, returns what is there; raises OSError where Kannel could not read it.
Opener = Callable[[str], Opened]


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read: the groups in order, what is wrong with lines and includes, the tree of each file by its name."""

    groups: tuple[ReadGroup, ...]
    findings: tuple[Finding, ...]
    trees: Mapping[str, Tree]


def read_files(path: str, opened: Opener) -> Reading:
    """Return the groups of the file and of all that it includes; what cannot be read is a finding and left out."""
    findings: list[Finding] = []
    walk = _Walk(opened, findings)
    groups = tuple(gathered(walk.lines(path), findings))
    return Reading(groups, in_order(findings), walk.trees)


def opener(folder: Path = Path()) -> Opener:
    """Return an opener of real files, which looks for relative names from `folder`, as a Kannel started there does."""

    def opened(name: str) -> Opened:
        if not name or "\0" in name:
            raise FileNotFoundError(errno.ENOENT, "No such file or directory")
        path = folder / name
        status = path.stat()
        identity = str(path.resolve())
        # A slash at the end follows a symbolic link; without it a link to a folder is read as a file without text.
        if stat.S_ISDIR(status.st_mode if name.endswith("/") else path.lstat().st_mode):
            inside = [entry.name for entry in path.iterdir() if not stat.S_ISDIR(entry.lstat().st_mode)]
            return Opened(identity, entries=tuple(inside))
        if stat.S_ISDIR(status.st_mode):
            return Opened(identity)
        if name.endswith("/"):
            raise NotADirectoryError(errno.ENOTDIR, "Not a directory")
        if not stat.S_ISREG(status.st_mode):
            raise OSError(errno.EINVAL, "No regular file")
        with path.open("rb") as file:
            octets = file.read(_MOST_CHARACTERS + 1)
        return Opened(identity, octets.decode("utf-8", "surrogateescape"))

    return opened


@dataclass(slots=True)
class _Open:
    """A file that is being read, or waits for its turn."""

    identity: str
    lines: Iterator[Line]


@dataclass(slots=True)
class _Walk:
    opened: Opener
    findings: list[Finding]
    trees: dict[str, Tree] = field(default_factory=dict)
    spelled: set[str] = field(default_factory=set)  # Kannel's own list of names, from which it never takes one
    begun: set[str] = field(default_factory=set)  # what is being read now: none of it may come in again
    files: int = 0
    line_feeds: int = 0
    characters: int = 0
    full: bool = False

    def lines(self, path: str) -> Iterator[Line]:
        """Yield every line as Kannel comes to it, and a blank one behind each file."""
        stack = self._included(Line(path, 0, "", Kind.INCLUDE, "include", path))
        while stack:
            self.begun.add(stack[-1].identity)
            at = next(stack[-1].lines, None)
            if at is None:
                self.begun.discard(stack.pop().identity)
            elif at.kind is Kind.INCLUDE:
                stack.extend(reversed(self._included(at)))
            else:
                yield at

    def _included(self, at: Line) -> list[_Open]:
        """Return what the include brings in, file by file."""
        name = at.value
        if self.full:
            return []
        if name in self.spelled:
            self._report(
                at, "C114", f"{shown(name)} is included a second time, a circle to Kannel: it panics", "include it once"
            )
            return []
        try:
            first = self.opened(name)
        except OSError as error:
            self._unreadable(at, name, error)
            return []
        if first.entries is None:
            return self._file(at, name, first)
        files: list[_Open] = []
        for entry in first.entries:
            if self.full:
                break
            inside = f"{name}/{entry}"
            try:
                files += self._file(at, inside, self.opened(inside))
            except OSError as error:
                self._unreadable(at, inside, error)
        return files

    def _file(self, at: Line, name: str, found: Opened) -> list[_Open]:
        self.spelled.add(name)
        if found.identity in self.begun:
            self._report(
                at,
                "C115",
                f"{shown(name)} includes itself: Kannel reads until no memory is left",
                "take the include out",
            )
            return []
        self.files += 1
        self.characters += len(found.text)
        self.line_feeds += found.text.count("\n")
        if self.files > _MOST_FILES or self.line_feeds > _MOST_LINES or self.characters > _MOST_CHARACTERS:
            self.full = True
            message = (
                f"more than {_MOST_FILES:,} files, {_MOST_LINES:,} lines or {_MOST_CHARACTERS:,} characters in all"
            )
            self._report(at, "C116", f"{shown(name)} is not read: {message}", "look at what includes what")
            return []
        tree = parse(found.text, name)
        self.trees[name] = tree
        return [_Open(found.identity, _with_end(tree))] if found.text else []

    def _unreadable(self, at: Line, name: str, error: OSError) -> None:
        message = f"cannot read {shown(name)}: {error.strerror or type(error).__name__}"
        if not at.number:
            self._report(at, "C113", message, "name a file that is there and may be read")
        elif at.name != "include":  # the value may be a password: it is not told
            self._report(at, "C103", *INCLUDE_IN_A_VALUE)
        else:
            hint = "make the file, or take the include out"
            if not name.startswith("/"):
                hint += "; Kannel looks for the name from the folder that it is started in"
            self._report(at, "C113", f"{message}; Kannel panics", hint)

    def _report(self, at: Line, rule: str, message: str, hint: str) -> None:
        place = at.value_place if at.number else Place(at.file)
        self.findings.append(Finding(place, rule, message, hint))


def _with_end(tree: Tree) -> Iterator[Line]:
    yield from tree.lines
    yield Line(tree.file, 0, "", Kind.BLANK)

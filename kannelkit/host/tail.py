"""Follows a log that another process writes, renames, cuts and removes.

How lines get lost elsewhere: after a rename the writer goes on in the renamed file until it is told to
re-open, and logrotate has made the new, empty file long before that. So the old descriptor stays open
until a newer file has content, which one writer can only have caused after its last line in the old file,
and until the old one then gives nothing more.

A reader that must not lose or repeat a line over its own restart keeps `position`, in the same transaction as what it
made of the lines, and hands it to the next Tail. Who acts on the present alone begins at the end: what a log said while
nobody read it is no news of a rate, and no counter of that moment bears it out.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from kannelkit.errors import HostError

_MOST_FILES = 8  # open at once; more only where something makes and renames empty files over and over
_READ = 64 * 1024  # twice as fast as 256 KiB, for which malloc maps fresh memory each time
_MARK = 256  # so many octets before the offset are compared to see that the file is still the same text

_HOLE = re.compile(rb"^\0+", re.MULTILINE)
# what logrotate puts behind a log's name: nothing, .1, -20261122, -20261122-1500; and when it compressed the file
_FORMER = re.compile(r"(?:[.-]\d[\d-]*(?P<compressed>\.(?:gz|bz2|xz|zst))?)?")


@dataclass(frozen=True, slots=True)
class Position:
    """How far a log was read: plain values that can be kept anywhere, without a word of the log in them.

    `offset` and `line` are octets from the start of the file: what was read, and where its last, unfinished line
    begins; `within` is whether that is the rest of a line that is left out. `mark` is a digest of what stands before
    `offset`. `changed` is when the file was last written to, in nanoseconds since the epoch.
    """

    inode: int
    offset: int
    line: int
    within: bool
    mark: str
    changed: int


class Tail:
    """The lines of a file that one process appends to, each once and in order, through renames of that file.

    `from_end` leaves out what is in the file now (and the rest of a line that is only half written now); a file that
    comes later is read from its start. `since` goes on where an earlier Tail of this file was, whatever was renamed
    meanwhile, and takes the place of `from_end`. A line longer than `max_line` octets is left out and counted in
    `dropped`. `truncations` counts how often the file was cut to nothing or written anew in place; `missing` is whether
    the file of `since` was gone, or one after it compressed, so that lines may be lost.

    What no reader can save: lines that are cut away (copytruncate) before they were read, and a whole file that came
    and was renamed away between two calls. `problem` says why the file cannot be read now, "" when it can or is not
    there.
    """

    def __init__(
        self,
        path: Path,
        from_end: bool,
        max_line: int = 64 * 1024,
        *,
        most_octets: int = 4 * 1024 * 1024,
        since: Position | None = None,
    ) -> None:
        self.path = path
        self.dropped = 0
        self.truncations = 0
        self.missing = False
        self.problem = ""
        self._max_line = max_line
        self._most_octets = most_octets
        self._files: list[_File] = []  # the one being read first, newer ones behind it
        self._look()
        try:
            self._begin(from_end, since)
        except OSError as error:
            raise self._failure(error) from error

    def read(self) -> list[bytes]:
        """Return the complete lines since the last call, without their line feeds; as `texts` otherwise."""
        lines: list[bytes] = []
        for text in self.texts():
            lines += text.split(b"\n")
            lines.pop()
        return lines

    def texts(self) -> Iterator[bytes]:
        """Yield what was written since the last call in blocks of whole lines, each line with its line feed.

        Never waits. At most about `most_octets` octets are read in one call, a block is at most about 64 KiB and a
        line long; the rest comes with the next calls. NULs before a line (a hole, left where a writer goes on at its
        old place in a file that was cut) are no part of it. Raises HostError when the file system fails.
        """
        room = self._most_octets
        try:
            while True:
                self._look()
                if not self._files:
                    return
                moved_on = len(self._files) > _MOST_FILES or any(file.has_content() for file in self._files[1:])
                while room > 0:
                    octets = self._files[0].next_octets(min(_READ, room))
                    if octets is None:
                        self.truncations += 1
                        continue
                    if not octets:
                        break
                    room -= len(octets)
                    text = self._whole_lines(self._files[0], octets)
                    if text:
                        yield text
                if not moved_on or room <= 0:
                    return
                ended = self._files.pop(0)
                ended.close()
                if ended.partial and not ended.skipping:
                    yield bytes(ended.partial) + b"\n"  # nobody will write the rest of it
        except OSError as error:
            raise self._failure(error) from error

    @property
    def position(self) -> Position | None:
        """How far the lines were taken; None before there were any. Raises HostError when the file system fails."""
        try:
            return self._files[0].position() if self._files else None
        except OSError as error:
            raise self._failure(error) from error

    def close(self) -> None:
        """Give the descriptors back; a later `read` begins with the file that is there then."""
        while self._files:
            self._files.pop().close()

    def __enter__(self) -> Tail:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _failure(self, error: OSError) -> HostError:
        return HostError(f"cannot read {self.path}: {error.strerror}")

    def _begin(self, from_end: bool, since: Position | None) -> None:
        newest = self._files[0] if self._files else None
        if since is None:
            if newest is not None and from_end:
                newest.to_end()
        elif newest is not None and newest.identity[1] == since.inode:
            # not renamed; what stands beside it may be the copy that copytruncate made, of lines that were read
            if not newest.go_on(since):
                self.truncations += 1
        else:
            self._files = []
            self._find(since, newest)
            self._files += [] if newest is None else [newest]

    def _look(self) -> None:
        """Open what stands at the path now, unless it is the newest file that is open already."""
        self.problem = ""
        try:
            found = os.stat(self.path)
            if any(file.identity == (found.st_dev, found.st_ino) for file in self._files):
                return
            if not stat.S_ISREG(found.st_mode):
                self.problem = f"{self.path}: not a file"
                return
            self._open(self.path)
        except FileNotFoundError:
            return
        except OSError as error:
            self.problem = f"{self.path}: {error.strerror}"

    def _open(self, path: Path) -> None:
        """Read this file after those that are open."""
        # not blocking, should somebody put a pipe there this very moment
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        opened = os.fstat(descriptor)  # it may be another one than was found
        identity = (opened.st_dev, opened.st_ino)
        if stat.S_ISREG(opened.st_mode) and all(file.identity != identity for file in self._files):
            self._files.append(_File(descriptor, identity))
        else:
            os.close(descriptor)

    def _find(self, since: Position, newest: _File | None) -> None:
        """Open the file that was being read under the name that it has now, and those between it and the newest."""
        found = sorted(_former(self.path), key=lambda each: each.changed)
        between = [each for each in found if newest is None or each.inode != newest.identity[1]]
        ours = next((each for each in between if each.inode == since.inode and not each.compressed), None)
        if ours is not None and not (self._opens(ours.path) and self._files[0].go_on(since)):
            self.close()  # another file, with a number that was free again
            ours = None
        later = [each for each in between if each.changed > since.changed and each is not ours]
        opened = [not each.compressed and self._opens(each.path) for each in later]
        self.missing = ours is None or not all(opened)

    def _opens(self, path: Path) -> bool:
        """Open this file, too; False where that cannot be done."""
        before = len(self._files)
        with contextlib.suppress(OSError):
            self._open(path)
        return len(self._files) > before

    def _whole_lines(self, file: _File, octets: bytes) -> bytes:
        """Return the lines that end in these new octets of a file, and keep the rest of them for the next ones."""
        end = octets.rfind(b"\n") + 1
        rest = octets[end:]
        text = b""
        if end:
            text = octets[:end]
            if file.skipping:
                text = text[text.index(b"\n") + 1 :]
                file.skipping = False
            elif file.partial:
                text = bytes(file.partial) + text
                file.partial.clear()
            if b"\0" in text:
                text = _HOLE.sub(b"", text)
            text = self._without_overlong(text)
        if not file.skipping:
            file.partial += rest if file.partial else rest.lstrip(b"\0")
            if len(file.partial) > self._max_line:
                self.dropped += 1
                file.partial.clear()
                file.skipping = True
        return text

    def _without_overlong(self, text: bytes) -> bytes:
        """Return whole lines without those that are too long; steps from line end to line end, a line's bound apart."""
        pieces = []
        kept = at = 0
        while len(text) - at > self._max_line + 1:
            end = text.rfind(b"\n", at, at + self._max_line + 1)
            if end < 0:
                self.dropped += 1
                pieces.append(text[kept:at])
                end = text.index(b"\n", at)
                kept = end + 1
            at = end + 1
        return b"".join([*pieces, text[kept:]]) if pieces else text


class _File:
    """One open file and how far it was read."""

    def __init__(self, descriptor: int, identity: tuple[int, int]) -> None:
        self.identity = identity
        self.partial = bytearray()
        self.skipping = False  # until the next line feed: the line is too long or was half written at the start
        self._descriptor = descriptor
        self._offset = 0
        self._mark = b""

    def to_end(self) -> None:
        self._offset = os.fstat(self._descriptor).st_size
        self._mark = self._before(self._offset)
        self.skipping = bool(self._mark) and not self._mark.endswith(b"\n")

    def position(self) -> Position | None:
        if not self._offset:  # there is nothing yet by which the file could be known again
            return None
        status = os.fstat(self._descriptor)
        line = self._offset - len(self.partial)
        return Position(status.st_ino, self._offset, line, self.skipping, _digest(self._mark), status.st_mtime_ns)

    def go_on(self, since: Position) -> bool:
        """Go on at an earlier position; False where the file is not the same text any more, and read from its start."""
        mark = self._before(since.offset)
        if len(mark) < min(_MARK, since.offset) or _digest(mark) != since.mark:
            return False
        self._offset, self.skipping = since.line, since.within
        self._mark = self._before(since.line)
        return True

    def has_content(self) -> bool:
        return os.fstat(self._descriptor).st_size > 0

    def next_octets(self, most: int) -> bytes | None:
        """Return up to `most` new octets, b"" at the end; None when the file was cut or overwritten: it starts anew."""
        mark = self._mark
        new = os.fstat(self._descriptor).st_size - self._offset
        read = b""
        if new >= 0:
            read = os.pread(self._descriptor, len(mark) + min(most, new), self._offset - len(mark))
        if not read.startswith(mark):
            self._offset, self._mark, self.skipping = 0, b"", False
            self.partial.clear()
            return None
        octets = read[len(mark) :]
        self._offset += len(octets)
        self._mark = read[-_MARK:]
        return octets

    def close(self) -> None:
        with contextlib.suppress(OSError):  # a descriptor that only reads: nothing can be lost here
            os.close(self._descriptor)

    def _before(self, offset: int) -> bytes:
        return os.pread(self._descriptor, min(_MARK, offset), max(0, offset - _MARK))


@dataclass(frozen=True, slots=True)
class _Former:
    """A file that is the log, or was it before a rotation."""

    path: Path
    inode: int
    changed: int
    compressed: bool


def _former(log: Path) -> Iterator[_Former]:
    try:
        entries = list(os.scandir(log.parent))
    except FileNotFoundError:
        return
    for entry in entries:
        named = _FORMER.fullmatch(entry.name.removeprefix(log.name)) if entry.name.startswith(log.name) else None
        with contextlib.suppress(FileNotFoundError):  # renamed this very moment, or a link to nowhere
            if named is not None and entry.is_file():
                status = entry.stat()
                compressed = named["compressed"] is not None
                yield _Former(log.with_name(entry.name), status.st_ino, status.st_mtime_ns, compressed)


def _digest(octets: bytes) -> str:
    return hashlib.blake2b(octets, digest_size=16).hexdigest()

"""A kannel.conf as an import sees it: the groups that count, the comments above them, and what Kannel does not use."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass

from kannelkit.conf import GROUPS, Opener, ReadGroup, Tree, check_groups, in_force, read_files
from kannelkit.conf.lines import Kind
from kannelkit.conf.masking import MASK
from kannelkit.errors import InputError
from kannelkit.findings import Finding
from kannelkit.importing.accounts import instances, is_smpp
from kannelkit.importing.taken import as_taken, utf_8
from kannelkit.spec.ignored import ignored

# Over these Kannel gives up, so that there is nothing that runs today; the rest of what `check` finds it puts up with.
_NO_CONFIGURATION = frozenset({"C104", "C107"})

# Far above what one bearerbox carries, with its threads for each link.
_MOST_LINKS = 100_000

_TELLING = 4  # characters; a shorter secret would hide half of what is written
_DIRECTIVE = re.compile(r"[A-Za-z][A-Za-z_-]*\s*=")
_MAY_HOLD_A_SECRET = re.compile(r"passw|\bpwd\b|\bpin\b|secret|парол", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Original:
    """What was read: `files` in the order read, `groups` in force, `comments` above them by the group's id().

    `forgotten` says in words, secrets masked, what Kannel reads and makes no use of, `rewritten` which values are here
    as Kannel takes them because no spec holds them as they are; `dropped` is how many lines of comments stay behind.
    """

    files: tuple[str, ...]
    groups: tuple[ReadGroup, ...]
    comments: Mapping[int, tuple[str, ...]]
    forgotten: tuple[str, ...]
    rewritten: tuple[str, ...]
    dropped: int


def original(path: str, opened: Opener) -> Original:
    """Return what Kannel makes of the file and those that it includes; raises InputError where it would not start."""
    reading = read_files(path, opened)
    findings = list(reading.findings)
    findings += [finding for finding in check_groups(reading.groups, path) if finding.rule in _NO_CONFIGURATION]
    groups = in_force(reading.groups)
    findings += [
        Finding(group.place, "C106", "group smsc has no smsc", "add `smsc = ...`: Kannel cannot do without")
        for group in groups
        if group.name == "smsc" and "smsc" not in group.values
    ]
    findings += _too_many_links(groups)
    if findings:
        raise InputError(findings)
    linked = tuple(group for group in groups if not is_smpp(group) or instances(group))
    forgotten = tuple(_forgotten(reading.groups, groups, linked))
    linked, rewritten = as_taken(linked)
    comments, dropped = _comments(reading.trees.values(), linked, set(_secrets(reading.groups)))
    return Original(
        files=tuple(reading.trees),
        groups=linked,
        comments=comments,
        forgotten=forgotten,
        rewritten=rewritten,
        dropped=dropped,
    )


def _too_many_links(groups: Iterable[ReadGroup]) -> Iterator[Finding]:
    links = 0
    for group in groups:
        if group.name == "smsc":
            links += instances(group)
            if links > _MOST_LINKS:
                place = group.value_places.get("instances", group.place)
                yield Finding(place, "C108", f"more than {_MOST_LINKS:,} links in all", "write fewer instances")
                return


def shown(group: ReadGroup, name: str, value: str) -> str:
    """Return `name = value` as it may be shown: without the value of a secret or of an address, which may hold one."""
    directive = GROUPS[group.name].directives.get(name)
    hidden = value and directive is not None and (directive.secret or directive.kind == "url")
    return f"{name} = {MASK if hidden else value}"


def _forgotten(every: Iterable[ReadGroup], in_force: Iterable[ReadGroup], linked: Iterable[ReadGroup]) -> Iterator[str]:
    winners = {group.name: group for group in in_force}
    count = {id(group) for group in in_force}
    makes_links = {id(group) for group in linked}
    for group in every:
        lines = ", ".join(shown(group, name, value) for name, value in group.values.items() if name != "group")
        if id(group) not in count:
            yield f"{group.place}: group {group.name}, because the one at {winners[group.name].place} wins: {lines}"
            continue
        if id(group) not in makes_links:
            yield f"{group.place}: group {group.name}, because it stands for no link: {lines}"
            continue
        for at in group.lines:
            winner = group.places[at.name]
            if at.place != winner:
                yield f"{at.place}: {shown(group, at.name, at.value)}, because line {winner.line} wins"


def _secrets(groups: Iterable[ReadGroup]) -> Iterator[str]:
    for group in groups:
        directives = GROUPS[group.name].directives
        for at in group.lines:
            directive = directives.get(at.name)
            if directive is not None and directive.secret and len(at.value) >= _TELLING:
                yield at.value


def _comments(
    trees: Iterable[Tree], groups: Iterable[ReadGroup], secrets: Set[str]
) -> tuple[Mapping[int, tuple[str, ...]], int]:
    """Return the comments above each group, and how many lines of comments stay behind.

    A block in which a directive is commented out stays behind whole, and so does a line that may hold a secret: what
    was commented out is often an old password.
    """
    first = {(group.place.file, group.lines[0].number): id(group) for group in groups}
    carried: dict[int, tuple[str, ...]] = {}
    lines_read = lines_carried = 0
    for tree in trees:
        above: list[str] = []
        block: list[str] = []
        for at in tree.lines:
            if at.kind is Kind.COMMENT:
                lines_read += _says_something(at.value)
                block.append(utf_8(at.value))
                continue
            above += _fit(block, secrets)
            block = []
            if at.kind is Kind.BLANK:
                continue
            if above and (group := first.get((at.file, at.number))) is not None:
                carried[group] = tuple(above)
                lines_carried += len(above)
            above = []
    return carried, lines_read - lines_carried


def _fit(block: Iterable[str], secrets: Set[str]) -> list[str]:
    words = [line.strip("# \t") for line in block]
    if any(_DIRECTIVE.match(line) for line in words):
        return []
    return [
        line
        for line in words
        if _says_something(line)
        and not _MAY_HOLD_A_SECRET.search(line)
        and secrets.isdisjoint(word.strip("\"'()[]<>.,;:!?") for word in line.split())
        and not ignored(f"# {line}").comments
    ]


def _says_something(line: str) -> bool:
    return any(character.isalnum() for character in line)

"""A configuration text, line by line: each line exactly as it stands, and what Kannel takes it for.

Follows expand_file() and the first half of cfg_read() in gwlib/cfg.c: a line that ends in one backslash goes on in the
next one, two or more at the end are one fewer and join nothing; then blanks around the whole are dropped, `#` at the
beginning makes a comment, and the letters `include` anywhere in what has an equals sign name a file to read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import Enum
from typing import NamedTuple

from kannelkit.conf.write import BLANKS
from kannelkit.findings import Place


class Kind(Enum):
    """What Kannel takes a line for; BROKEN is one without an equals sign, over which it gives up."""

    BLANK = "blank"
    COMMENT = "comment"
    DIRECTIVE = "directive"
    INCLUDE = "include"
    BROKEN = "broken"


class Line(NamedTuple):
    """One line with those that backslashes join to it; `raw` has their line feeds, but not the one at its own end.

    `name` and `value` are what Kannel reads in a directive; an include's value is the file, a comment's its words.
    """

    raw: str
    kind: Kind
    name: str = ""
    value: str = ""

    def joined(self) -> str:
        """Return the line as one, without the backslashes that join its parts."""
        *parts, last = self.raw.split("\n")
        return "".join(part[:-1] for part in parts) + (last[:-1] if last.endswith("\\") else last)

    def value_index(self) -> int:
        """Return where in `joined()` the value begins, or would begin when it is empty."""
        joined = self.joined()
        index = joined.find("=") + 1
        rest = joined[index:].lstrip(BLANKS)
        return len(joined) - len(rest) if rest else index


class Placed(NamedTuple):
    """A line where it stands: the file and the number of its first line there, from 1."""

    file: str
    number: int
    line: Line

    @property
    def place(self) -> Place:
        """Where the line's first word is."""
        joined = self.line.joined()
        return self._place(len(joined) - len(joined.lstrip(BLANKS)))

    @property
    def value_place(self) -> Place:
        """Where the value is, its quotes included."""
        return self._place(self.line.value_index())

    def _place(self, index: int) -> Place:
        """Return the place of a character of the joined line; columns count characters, not octets."""
        *parts, _ = self.line.raw.split("\n")
        number = self.number
        for part in parts:
            if index < len(part) - 1:
                break
            index -= len(part) - 1
            number += 1
        return Place(self.file, number, index + 1)


def lines_of(text: str) -> Iterator[Line]:
    """Yield the lines of a text; joined by line feeds, their `raw` is the text again."""
    parts: list[str] = []
    for raw in text.split("\n"):
        if not raw.endswith("\\"):
            if not parts:
                yield _line(raw, raw)
                continue
            parts.append(raw)
        else:
            parts.append(raw)
            if not raw.endswith("\\\\"):
                continue
        yield _joined(parts)
        parts = []
    if parts:
        yield _joined(parts)


def placed(lines: Iterable[Line], file: str) -> Iterator[Placed]:
    """Yield the lines with their numbers in the file."""
    number = 1
    for line in lines:
        yield Placed(file, number, line)
        number += 1 + line.raw.count("\n")


def _joined(parts: list[str]) -> Line:
    raw = "\n".join(parts)
    return _line(raw, Line(raw, Kind.BLANK).joined())


def _line(raw: str, joined: str) -> Line:
    stripped = joined.strip(BLANKS)
    if not stripped:
        return Line(raw, Kind.BLANK)
    if stripped[0] == "#":
        return Line(raw, Kind.COMMENT, "", stripped[1:].strip(BLANKS))
    name, equals, value = stripped.partition("=")
    if not equals:
        return Line(raw, Kind.BROKEN)
    value = value.strip(BLANKS)
    if value and value[0] == '"' == value[-1]:
        value = _unwrapped(value)
    return Line(raw, Kind.INCLUDE if "include" in stripped else Kind.DIRECTIVE, name.strip(BLANKS), value)


def _unwrapped(value: str) -> str:
    inner = value[1:-1]
    if "\\" not in inner:
        return inner
    out: list[str] = []
    at = 0
    while at < len(inner):
        if inner[at] == "\\" and at + 1 < len(inner):
            at += 1
            if inner[at] not in '\\"':
                out.append("\\")
        out.append(inner[at])
        at += 1
    return "".join(out)

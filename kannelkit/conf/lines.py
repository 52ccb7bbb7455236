"""A configuration text, line by line: each line exactly as it stands, and what Kannel takes it for.

Follows expand_file() and the first half of cfg_read() in gwlib/cfg.c: a line that ends in one backslash goes on in the
next one, two or more at the end are one fewer and join nothing; then blanks around the whole are dropped, `#` at the
beginning makes a comment, and the letters `include` anywhere in what has an equals sign name a file to read.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from functools import partial
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
    """One line with those that backslashes join to it: the file, its number there (of its first line, from 1), `raw` as
    it stands, with inner line feeds but not the one at its end, and what Kannel takes it for.

    `name` and `value` are what Kannel reads in a directive; an include's value is the file, a comment's its words.
    """

    file: str
    number: int
    raw: str
    kind: Kind
    name: str = ""
    value: str = ""

    @property
    def place(self) -> Place:
        """Where its first word is."""
        joined = self.joined()
        return self._place(len(joined) - len(joined.lstrip(BLANKS)))

    @property
    def value_place(self) -> Place:
        """Where the value is, its quotes included."""
        return self._place(self.value_index())

    def joined(self) -> str:
        """Return the line as one, without the backslashes that join its parts."""
        return _joined(self.raw)

    def value_index(self) -> int:
        """Return where in `joined()` the value begins, or would begin when it is empty."""
        joined = self.joined()
        index = joined.find("=") + 1
        rest = joined[index:].lstrip(BLANKS)
        return len(joined) - len(rest) if rest else index

    def _place(self, index: int) -> Place:
        """Return the place of a character of the joined line; columns count characters, not octets."""
        *parts, _ = self.raw.split("\n")
        number = self.number
        for part in parts:
            if index < len(part) - 1:
                break
            index -= len(part) - 1
            number += 1
        return Place(self.file, number, index + 1)


# Most lines are directives: for them, what Line(...) does without its detour, and what Kind.X looks up each time.
_made = partial(tuple.__new__, Line)
_DIRECTIVE, _INCLUDE = Kind.DIRECTIVE, Kind.INCLUDE


def lines_of(text: str, file: str) -> Iterator[Line]:
    """Yield the lines of a text; joined by line feeds, their `raw` is the text again."""
    parts: list[str] = []
    for number, raw in enumerate(text.split("\n"), start=1):
        if not raw.endswith("\\"):
            if not parts:
                yield _line(file, number, raw, raw)
                continue
            parts.append(raw)
        else:
            parts.append(raw)
            if not raw.endswith("\\\\"):
                continue
        yield _line_of_parts(file, number, parts)
        parts = []
    if parts:
        yield _line_of_parts(file, number, parts)


def _line_of_parts(file: str, last: int, parts: list[str]) -> Line:
    raw = "\n".join(parts)
    return _line(file, last - len(parts) + 1, raw, _joined(raw))


def _joined(raw: str) -> str:
    *parts, last = raw.split("\n")
    return "".join([part[:-1] for part in parts]) + (last[:-1] if last.endswith("\\") else last)


def _line(file: str, number: int, raw: str, joined: str) -> Line:
    stripped = joined.strip(BLANKS)
    if not stripped:
        return Line(file, number, raw, Kind.BLANK)
    if stripped[0] == "#":
        return Line(file, number, raw, Kind.COMMENT, "", stripped[1:].strip(BLANKS))
    name, equals, value = stripped.partition("=")
    if not equals:
        return Line(file, number, raw, Kind.BROKEN)
    value = value.strip(BLANKS)
    if value and value[0] == '"' == value[-1]:
        value = _unwrapped(value)
    kind = _INCLUDE if "include" in stripped else _DIRECTIVE
    return _made((file, number, raw, kind, name.strip(BLANKS), value))


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

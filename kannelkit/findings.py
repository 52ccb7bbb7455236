"""What was found wrong in an input, and where: values that a person can act on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, order=True, slots=True)
class Place:
    """A spot in a file. Lines and columns count from 1; 0 stands for "the file as a whole"."""

    file: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        if not self.line:
            return self.file
        return f"{self.file}:{self.line}:{self.column}" if self.column else f"{self.file}:{self.line}"


@dataclass(frozen=True, order=True, slots=True)
class Finding:
    """One thing that is wrong: its place, the id of the rule it breaks, and what to do about it.

    Neither `message` nor `hint` ever holds a secret's value.
    """

    place: Place
    rule: str
    message: str
    hint: str = ""

    def __str__(self) -> str:
        first = f"{self.place}: {self.rule}: {self.message}"
        return f"{first}\n  hint: {self.hint}" if self.hint else first


def in_order(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return the findings by file, line and column, each one once."""
    return tuple(sorted(set(findings)))

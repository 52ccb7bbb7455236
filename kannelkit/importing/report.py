"""What an import did and what there is to do, as a value, as lines for a person and as a table for a program."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from kannelkit.findings import Finding


@dataclass(frozen=True, slots=True)
class Report:
    """What was read and made, and in words, without secrets: what differs, what is left out, what could be shorter.

    `mend` are the findings that comments in the spec silence, `lacking` what the spec needs before kannelkit can run
    its gateway; both are placed in the spec.
    """

    files: tuple[str, ...]
    groups: int
    links: int  # groups smsc of SMPP links
    accounts: int
    differences: tuple[str, ...]
    left_out: tuple[str, ...]
    mend: tuple[Finding, ...]
    lacking: tuple[Finding, ...]
    hints: tuple[str, ...]

    def table(self) -> dict[str, Any]:
        """Return the report as JSON can hold it."""
        return {
            "files": list(self.files),
            "groups": self.groups,
            "smpp_groups": self.links,
            "accounts": self.accounts,
            "differences": list(self.differences),
            "left_out": list(self.left_out),
            "findings": [_row(finding) for finding in self.mend],
            "lacking": [_row(finding) for finding in self.lacking],
            "hints": list(self.hints),
        }

    def lines(self, spec: str) -> Iterator[str]:
        """Yield the report for a person; `spec` is how the spec is called on a command line."""
        more = len(self.files) - 1
        others = f" and {_count(more, 'file')} that it includes" if more else ""
        yield f"read {self.files[0]}{others}: {_count(self.groups, 'group')}"
        if self.accounts:
            yield f"{_count(self.links, 'SMPP group')} became {_count(self.accounts, 'account')}"
        yield from _part("Kannel will read the same groups, but for this:", self.differences)
        yield from _part("Left out:", self.left_out)
        yield from _part("To mend, each silenced by a comment in the spec:", _told(self.mend))
        yield from _part("Before kannelkit can run it (generate and lint work already):", _told(self.lacking))
        yield from _part("To know:", self.hints)
        yield from _part("Next:", [f"kannelkit lint {spec}", f"kannelkit plan {spec}"])


def _row(finding: Finding) -> dict[str, object]:
    return {
        "file": finding.place.file,
        "line": finding.place.line,
        "column": finding.place.column,
        "rule": finding.rule,
        "message": finding.message,
        "hint": finding.hint,
    }


def _told(findings: Iterable[Finding]) -> list[str]:
    return [
        f"{finding.place}: {finding.rule}: {finding.message}" + (f" ({finding.hint})" if finding.hint else "")
        for finding in findings
    ]


def _part(heading: str, texts: Sequence[str]) -> Iterator[str]:
    if texts:
        yield ""
        yield heading
        yield from (f"  {text}" for text in texts)


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"

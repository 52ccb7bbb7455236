"""Findings as text for people, as JSON for programs, and as SARIF 2.1.0 for code scanning."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from urllib.parse import quote

from kannelkit.conf import GROUPS
from kannelkit.findings import Finding
from kannelkit.lint.rules import RULES, Severity

_BY_LETTER: Mapping[str, Severity] = {"S": "error", "C": "error", "E": "error", "W": "warning", "I": "hint"}
_LEVELS: Mapping[Severity, str] = {"error": "error", "warning": "warning", "hint": "note"}
_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def severity(rule: str) -> Severity:
    """Return how bad it is when the rule is broken: its id's letter says so."""
    return _BY_LETTER[rule[0]]


def counted(findings: Iterable[Finding]) -> dict[Severity, int]:
    """Return how many findings there are of each severity."""
    counts: dict[Severity, int] = {"error": 0, "warning": 0, "hint": 0}
    for finding in findings:
        counts[severity(finding.rule)] += 1
    return counts


def summary(findings: Sequence[Finding], files: Sequence[str]) -> str:
    """Return one line for people: how much was found, where, and how to know more."""
    where = files[0] if len(files) == 1 else f"{len(files)} files"
    if not findings:
        return f"nothing found in {where}"
    parts = [f"{count} {name}{'s' * (count != 1)}" for name, count in counted(findings).items() if count]
    worst = min(findings, key=lambda finding: list(_LEVELS).index(severity(finding.rule)))
    return f"{', '.join(parts)} in {where}; `kannelkit explain {worst.rule}` says more"


def as_json(findings: Iterable[Finding]) -> str:
    """Return the findings as one JSON array; line and column are 0 where a finding is about a file as a whole."""
    return json.dumps(
        [
            {
                "file": finding.place.file,
                "line": finding.place.line,
                "column": finding.place.column,
                "rule": finding.rule,
                "severity": severity(finding.rule),
                "message": finding.message,
                "hint": finding.hint,
            }
            for finding in findings
        ],
        ensure_ascii=False,
        indent=2,
    )


def as_sarif(findings: Sequence[Finding], version: str) -> str:
    """Return a SARIF 2.1.0 log with one run; `version` is kannelkit's."""
    used = sorted({finding.rule for finding in findings}, key=list(RULES).index)
    run = {
        "tool": {"driver": {"name": "kannelkit", "version": version, "rules": [_descriptor(name) for name in used]}},
        "columnKind": "unicodeCodePoints",
        "results": [_result(finding, used.index(finding.rule)) for finding in findings],
    }
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, ensure_ascii=False, indent=2)


def _descriptor(name: str) -> dict[str, object]:
    rule = RULES[name]
    return {
        "id": rule.id,
        "shortDescription": {"text": rule.title},
        "fullDescription": {"text": rule.about},
        "help": {"text": f"{rule.remedy}\n\nSource: {rule.source}"},
        "defaultConfiguration": {"level": _LEVELS[rule.severity]},
    }


def _result(finding: Finding, index: int) -> dict[str, object]:
    region = {"startLine": max(finding.place.line, 1)}
    if finding.place.column:
        region["startColumn"] = finding.place.column
    text = f"{finding.message}\n{finding.hint}" if finding.hint else finding.message
    return {
        "ruleId": finding.rule,
        "ruleIndex": index,
        "level": _LEVELS[severity(finding.rule)],
        "message": {"text": text},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": quote(finding.place.file, safe="/.-_~", errors="surrogateescape")},
                    "region": region,
                }
            }
        ],
    }


@cache
def _telling() -> re.Pattern[str]:
    """Return what a line says that holds a secret, or may."""
    names = {name for group in GROUPS.values() for name, each in group.directives.items() if each.secret}
    return re.compile(rf"\b(?:{'|'.join(sorted(names))}|secret|passw|env|file)\b", re.IGNORECASE)


def source_line(finding: Finding, texts: Mapping[str, str]) -> Iterator[str]:
    """Yield the line that the finding is about and a caret below its column; nothing where it may hold a secret.

    A secret may also stand below its name, so that a line counts with those above it that belong to it.
    """
    if finding.place.file not in texts:
        return
    lines = texts[finding.place.file].split("\n")
    number = finding.place.line
    if not 0 < number <= len(lines):
        return
    line, telling = lines[number - 1], _telling()
    above = lines[max(number - 4, 0) : number - 1]
    if telling.search(line) or any(telling.search(each) and not _ends(each) for each in above):
        return
    if len(line) <= 160 and line.isprintable():
        yield f"    {line}"
        if finding.place.column:
            yield " " * (3 + finding.place.column) + "^"


def _ends(line: str) -> bool:
    """Return whether a line that names a secret surely holds all of it: NAME = VALUE without a continuation."""
    return re.fullmatch(r"[ \t]*[A-Za-z-]+[ \t]*=.*[^\\]", line) is not None

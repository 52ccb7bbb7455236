"""Findings as people and programs see them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kannelkit.findings import Finding, Place
from kannelkit.lint import report
from kannelkit.lint.rules import RULES

HOUSE = Path(__file__).parents[2]

# texts with a line that a finding is about, and whether it may be shown
LINES = [
    ("group = core\nadmin-port = 99999", 2, True),
    ("admin-password = hidden", 1, False),
    ("smsc-password: hidden", 1, False),
    ("  - {username: app, password: hidden}", 1, False),
    ("smsc-password:\n  hidden", 2, False),
    ("smsc-password: >\n  one\n  hidden", 3, False),
    ("admin-password = one\\\nhidden", 2, False),
    ("admin-password = one\nadmin-port = 1", 2, True),
    ("password:\n  file: secrets/hidden", 2, False),
    ("throughput: 30", 9, False),
]


@pytest.mark.parametrize(("text", "line", "is_shown"), LINES)
def test_a_line_is_shown_unless_it_may_hold_a_secret(text: str, line: int, is_shown: bool) -> None:
    finding = Finding(Place("f", line, 3), "S201", "")
    assert bool(list(report.source_line(finding, {"f": text}))) is is_shown


def test_the_caret_stands_below_the_column() -> None:
    finding = Finding(Place("f", 1, 6), "W201", "")
    line, caret = report.source_line(finding, {"f": "port = 99999"})
    assert line[caret.index("^")] == "="


def test_the_summary_counts_and_names_the_worst() -> None:
    findings = [Finding(Place("f", 1), rule, "") for rule in ("I310", "W201", "E121", "E121")]
    assert report.summary(findings, ["f"]) == "2 errors, 1 warning, 1 hint in f; `kannelkit explain E121` says more"
    assert report.summary([], ["a", "b"]) == "nothing found in 2 files"


places = st.builds(Place, st.text(min_size=1), st.integers(0, 10**6), st.integers(0, 10**6))
findings = st.lists(st.builds(Finding, places, st.sampled_from(sorted(RULES)), st.text(), st.text()))


@given(findings)
def test_any_finding_can_be_written(found: list[Finding]) -> None:
    rows = json.loads(report.as_json(found))
    assert [(row["rule"], row["message"]) for row in rows] == [(each.rule, each.message) for each in found]
    log = json.loads(report.as_sarif(found, "1"))["runs"][0]
    assert [each["ruleId"] for each in log["results"]] == [each.rule for each in found]
    assert all(log["tool"]["driver"]["rules"][each["ruleIndex"]]["id"] == each["ruleId"] for each in log["results"])


def table() -> str:
    """Return the table of all rules in docs/lint.md."""
    rows = [
        f"| {each.id} | {each.severity} | {each.title.replace('|', '/')} | {'yes' if each.shown else ''} |"
        for each in RULES.values()
    ]
    return "\n".join(["| rule | severity | what is wrong | shown on a real Kannel |", "|---|---|---|---|", *rows])


def test_the_documentation_lists_every_rule() -> None:
    assert table() in (HOUSE / "docs/lint.md").read_text()

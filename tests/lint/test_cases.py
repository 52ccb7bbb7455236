"""Every rule has a file that breaks it and nothing else, and one that does not."""

from __future__ import annotations

import os
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from kannelkit.conf import opener
from kannelkit.findings import Finding
from kannelkit.lint import look
from kannelkit.lint.facts import Certificate, Facts, Rotation, Seen
from kannelkit.lint.rules import RULES

FOLDER = Path(__file__).parent / "cases"
CASES = sorted(path for path in FOLDER.iterdir() if re.fullmatch(r"[A-Z]\d{3}-(bad|good)\.(conf|yaml)", path.name))
SPEC_FINDINGS = Path(__file__).parents[1] / "cases/spec-findings"
# Rules without a case of their own here, and why.
ELSEWHERE = {
    "C116": "10,000 files or 2,000,000 lines: tests/conf/test_include.py brings the bounds down",
    "S001": "a file that is not there: tests/cli/test_lint.py",
    **dict.fromkeys(("S320", "S321", "S322", "S323", "S324"), "a provider's file: tests/providers"),
    "S318": "no fault of a spec that is only looked at; `up` finds it",
    "S319": "no fault of a spec that is only looked at; `up` finds it",
}


def facts_of(case: Path) -> Facts | None:
    """Return what is pretended to be seen on the machine: the TOML file beside the case."""
    beside = case.with_suffix(".toml")
    if not beside.exists():
        return None
    table: dict[str, Any] = tomllib.loads(beside.read_text())
    certificates = {
        (row.pop("certificate"), row.pop("key")): Certificate(**row) for row in table.get("certificates", ())
    }
    rotations = tuple(Rotation(**{**row, "patterns": tuple(row["patterns"])}) for row in table.get("rotations", ()))
    files = {os.path.abspath(case.parent / path): Seen(**row) for path, row in table.get("files", {}).items()}
    return Facts(table["now"], files, certificates, rotations)


def found_in(case: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Finding, ...]:
    monkeypatch.chdir(FOLDER)  # what an include names is looked for from there
    name = case.name
    looked = look.conf(name, opener()) if case.suffix == ".conf" else look.spec(case.read_text(), case, {}, name)
    return look.findings(looked, facts_of(case))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.stem)
def test_a_case_is_found_for_what_it_is(case: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = re.search(r"^# finds (.*)$", case.read_bytes().decode(), re.MULTILINE)
    assert expected
    found = found_in(case, monkeypatch)
    assert {finding.rule for finding in found} == set(expected[1].split()) - {"nothing"}
    assert all(finding.message and finding.hint for finding in found)
    assert all(finding.place.file == case.name for finding in found)


@pytest.mark.parametrize("name", RULES)
def test_every_rule_has_a_bad_and_a_good_case(name: str) -> None:
    bad = any(path.name.startswith(f"{name}-bad.") for path in CASES)
    good = any(path.name.startswith(f"{name}-good.") for path in CASES)
    if name in ELSEWHERE:
        assert (bad, good) == (False, False)
    elif name.startswith("S") and not bad:  # the specs under tests/cases/specs are the good ones
        assert any(SPEC_FINDINGS.glob(f"{name.lower()}-*.yaml"))
    else:
        assert (bad, good) == (True, True)

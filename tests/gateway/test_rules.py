"""What `send` can find is explained, rule by rule, and stands in its documentation."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from kannelkit.gateway.rules import RULES
from kannelkit.lint.rules import Rule

HOUSE = Path(__file__).parents[2]


def named_in_the_source() -> set[str]:
    found = set()
    for path in (HOUSE / "kannelkit").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found |= set(re.findall(r"^M\d{3}$", node.value))
    return found


def test_every_rule_is_explained_and_no_other() -> None:
    assert list(RULES) == sorted(named_in_the_source())


def test_the_documentation_has_every_rule() -> None:
    assert set(re.findall(r"\bM\d{3}\b", (HOUSE / "docs/send.md").read_text())) == set(RULES)


@pytest.mark.parametrize("each", RULES.values(), ids=lambda each: str(each.id))
def test_an_entry_says_all_there_is_to_say(each: Rule) -> None:
    for text in (each.title, each.about, each.remedy, each.source, each.bad, each.good):
        assert text.strip() == text != ""
    assert each.about.endswith(".")
    assert each.remedy.endswith(".")
    assert not each.title.endswith(".")
    assert each.bad != each.good

"""The registry knows every rule that the source can name, and no other; and what it says of them holds."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path

import pytest

from kannelkit.lint import look
from kannelkit.lint.report import severity
from kannelkit.lint.rule import CHECKS, rule
from kannelkit.lint.rules import RULES, Rule

HOUSE = Path(__file__).parents[2]
SOURCES = sorted((HOUSE / "kannelkit").rglob("*.py"))
TESTS = sorted((HOUSE / "tests").rglob("test_*.py"))


def named_in_the_source() -> set[str]:
    """Return every text in the source that is the id of a rule, docstrings left out."""
    found = set()
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found |= set(re.findall(r"^[SCEWI]\d{3}$", node.value))
    return found


def test_the_registry_and_the_source_name_the_same_rules() -> None:
    assert set(RULES) == named_in_the_source()


def test_every_rule_of_lints_own_is_looked_at() -> None:
    assert look.MODULES
    from_comments = {"I390", "W290"}
    assert set(CHECKS) | from_comments == {name for name in RULES if name[0] in "EWI"}


@pytest.mark.parametrize("name", RULES)
def test_an_id_begins_with_the_letter_of_its_severity(name: str) -> None:
    assert severity(name) == RULES[name].severity


def test_the_registry_is_in_order_of_kind_and_number() -> None:
    names = list(RULES)
    assert names == sorted(names, key=lambda name: ("SCEWI".index(name[0]), name))


@pytest.mark.parametrize("each", RULES.values(), ids=lambda each: str(each.id))
def test_an_entry_says_all_there_is_to_say(each: Rule) -> None:
    for text in (each.title, each.about, each.remedy, each.source, each.bad, each.good):
        assert text.strip() == text != ""
    assert each.about.endswith(".")
    assert each.remedy.endswith((".", "?"))
    assert not each.title.endswith(".")
    assert each.bad != each.good


def test_a_test_that_is_said_to_show_an_effect_is_there() -> None:
    sources = "".join(path.read_text() for path in TESTS)
    assert {each.shown for each in RULES.values() if each.shown and f"def {each.shown}(" not in sources} == set()


def test_two_functions_cannot_be_one_rule() -> None:
    taken = next(iter(CHECKS))
    with pytest.raises(ValueError, match=taken):
        rule(taken)(lambda subject: ())


def test_the_registry_is_plain_toml() -> None:
    path = HOUSE / "kannelkit/lint/rules.toml"
    assert list(tomllib.loads(path.read_text())) == list(RULES)

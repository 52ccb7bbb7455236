"""The table of directives is Kannel's own, row by row."""

from __future__ import annotations

from pathlib import Path

import pytest

from kannelkit.conf import GROUPS
from tests.conf.judge import kannel_reads

# One value of each kind that Kannel's reader takes.
SAMPLE = "1"


@pytest.mark.kannel
@pytest.mark.parametrize("group", GROUPS)
def test_kannel_knows_every_row(tmp_path: Path, group: str) -> None:
    lines = "".join(f"{name} = {SAMPLE}\n" for name in GROUPS[group].directives)
    groups = kannel_reads(f"group = {group}\n{lines}", tmp_path)
    assert groups == [(group, dict.fromkeys(GROUPS[group].directives, SAMPLE))]


# Kannel's reader stops at the first stranger, so that the judge has to be asked once for each; a sample is enough to
# see that it does.
STRANGERS = [
    (home, name)
    for home, group in GROUPS.items()
    for other in GROUPS.values()
    for name in list(other.directives)[::25]
    if name not in group.directives
]


@pytest.mark.kannel
@pytest.mark.parametrize(("group", "directive"), STRANGERS)
def test_kannel_refuses_a_directive_elsewhere(tmp_path: Path, group: str, directive: str) -> None:
    assert kannel_reads(f"group = {group}\n{directive} = {SAMPLE}\n", tmp_path) is None


@pytest.mark.kannel
@pytest.mark.parametrize("group", GROUPS)
def test_repeatable_is_what_kannel_keeps(tmp_path: Path, group: str) -> None:
    name = next(iter(GROUPS[group].directives))
    groups = kannel_reads("".join(f"group = {group}\n{name} = {number}\n\n" for number in (1, 2)), tmp_path)
    assert groups is not None
    assert len(groups) == (2 if GROUPS[group].repeatable else 1)


def test_passwords_are_secret() -> None:
    secret = {(group.name, row.name) for group in GROUPS.values() for row in group.directives.values() if row.secret}
    likely = {
        (group.name, name)
        for group in GROUPS.values()
        for name in group.directives
        if name.endswith("password") and not name.startswith("generic-param")
    }
    assert likely <= secret


def test_every_row_says_what_it_means_in_a_sentence_of_its_own() -> None:
    for group in GROUPS.values():
        for row in group.directives.values():
            assert row.about.endswith(".")
            assert row.section
        assert set(group.required) <= set(group.directives)

"""What other settings mean for accounts that run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from kannelkit.relay.reloading import told, turns
from kannelkit.relay.settings import RelayAccount, RelaySettings
from tests.relay.running import account

A = account(1)
B = replace(A, name="b", unit="b")
C = replace(A, name="c", unit="c")


def named(*accounts: RelayAccount) -> RelaySettings:
    return RelaySettings(Path("/nowhere"), accounts)


GROUP = (replace(A, unit="both", ceiling=30.0), replace(B, unit="both", ceiling=30.0))
CASES: list[tuple[str, tuple[RelayAccount, ...], tuple[RelayAccount, ...], list[Any]]] = [
    ("nothing", (A, B), (B, A), [[], [], []]),
    ("an inherited socket is no change", (A,), (replace(A, listen_descriptor=7),), [[], [], []]),
    ("one changes", (A, B), (A, replace(B, window=5)), [["b"], [], []]),
    ("one comes, one goes", (A, B), (A, C), [[], ["c"], ["b"]]),
    ("all go", (A, B), (), [[], [], ["acc", "b"]]),
    ("one of a group changes", GROUP, (GROUP[0], replace(GROUP[1], window=5)), [["b"], [], []]),
    ("the group's limit changes", GROUP, (GROUP[0], replace(GROUP[1], ceiling=20.0)), [["acc", "b"], [], []]),
    ("what lowered it goes", (GROUP[0], replace(GROUP[1], ceiling=20.0)), GROUP[:1], [["acc"], [], ["b"]]),
]


@pytest.mark.parametrize(("before", "after", "found"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_what_is_the_same_is_left_alone(
    before: tuple[RelayAccount, ...], after: tuple[RelayAccount, ...], found: list[Any]
) -> None:
    done = told(turns(named(*before), named(*after)), {each.name: each for each in before})
    assert [done["changed"], done["added"], done["removed"]] == found


def test_accounts_of_one_unit_end_before_any_of_them_starts_and_wait_for_no_other_unit() -> None:
    after = [replace(each, window=5) for each in (*GROUP, C)]
    found = turns(named(*GROUP, C), named(*after))
    assert [turn.end for turn in found] == [("acc", "b"), ("c",)]
    assert [[each.name for each in turn.start] for turn in found] == [["acc", "b"], ["c"]]

"""The figures of the table of laws, from counts that can be added up by hand."""

from __future__ import annotations

import pytest

from tests.benchmarks.laws_figures import (
    Delivered,
    Followed,
    RateChange,
    answered,
    longest_gap,
    mean,
    missed,
    rates,
    reached,
    share,
)
from tests.benchmarks.laws_rows import CHANGES, ROWS

BEST = Delivered(30, 30.0, 0.0, 0.0, 1, 0, 0)
MISSED = [
    (Delivered(60, 29.1, 0.01, 0.002, 2, 0, 0), BEST, True, []),
    (
        Delivered(60, 29.0, 0.011, 0.0021, 2, 1, 1),
        BEST,
        True,
        ["goodput", "refused", "refused later", "lost", "doubled"],
    ),
    (Delivered(60, 30.0, 0.0, 0.0, 2, 0, 3), BEST, False, []),
    (Delivered(60, 30.0, 0.07, 0.03, 2, 0, 0), Delivered(28, 24.0, 0.07, 0.07, 1, 0, 0), True, []),
    (Delivered(60, 30.0, 0.0, 0.0, 2, 0, 0, disturbed=True), BEST, True, ["the other account"]),
]


@pytest.mark.parametrize(("own", "best", "in_order", "expected"), MISSED)
def test_what_a_row_misses(own: Delivered, best: Delivered, in_order: bool, expected: list[str]) -> None:
    assert missed(own, best, in_order=in_order) == expected


def test_the_mean_of_runs() -> None:
    one = Delivered(60, 30.0, 0.02, 0.0, 2, 1, 0, changes=1, slots=(30, 0, 30), note="a")
    other = Delivered(60, 28.0, 0.04, 0.01, 3, 0, 2, changes=3, slots=(28, 2), disturbed=True)
    expected = Delivered(60, 29.0, 0.03, 0.005, 3, 1, 2, changes=3, slots=(29, 1), note="a", disturbed=True)
    assert mean([one, other]) == expected
    assert mean([one]) is one


@pytest.mark.parametrize(
    ("followed", "expected"),
    [
        (Followed(3.0, 4.1, 120.0, 0, 0, 4), []),
        (Followed(3.1, 3.2, 121.0, 1, 1, 4), ["fall", "rise", "lost", "doubled"]),
        (Followed(None, None, None, 0, 0, 0), ["fall", "rise"]),
    ],
)
def test_what_a_change_misses(followed: Followed, expected: list[str]) -> None:
    assert followed.missed() == expected


def test_the_limit_is_reached_from_where_five_seconds_hold_it() -> None:
    second = [10] + [0] * 9
    assert reached(second * 6, 10) == 0.0
    # of the five bursts from 2.1 s on, which are the ones at 3 s to 7 s, none is missing
    assert reached(second + [0] * 20 + second * 6, 10) == pytest.approx(2.1)
    assert reached(([5] + [0] * 9) * 20, 10) is None
    assert reached([], 10) is None


def test_a_fall_is_answered_by_the_first_rate_that_is_low_enough() -> None:
    refused = [3, 0, 0, 0, 0, 0, 4, 0, 0]  # the fall is at 0.3 s, the first refusal after it at 0.6 s
    changes = [RateChange(at - 0.5, at, rate) for at, rate in ((0.1, 5), (0.5, 60), (1.0, 30), (2.6, 20), (3.0, 10))]
    assert answered(refused, 0.3, 20, changes) == pytest.approx((1.5, 2.0))
    assert answered(refused, 0.3, 1, changes) == (None, None)
    assert answered([0] * 9, 0.3, 20, changes) == (None, None)


def test_changes_of_rate_are_read_off_the_events() -> None:
    events: list[dict[str, object]] = [
        {"at": 100.5, "kind": "rate", "account": "a", "after": 30, "links_away_ms": 250},
        {"at": 101.0, "kind": "rate", "account": "b", "after": 20},
        {"at": 102.0, "kind": "started", "account": "a", "after": 3},
        {"at": 103.0, "kind": "rate", "account": "a"},
    ]
    assert rates(events, "a", 100.0) == [RateChange(0.25, 0.5, 30)]


def test_shares_and_gaps() -> None:
    assert share([3, 0], [0, 1]) == 0.25
    assert share([], []) == 0.0
    assert longest_gap([1, 0, 0, 1, 0]) == pytest.approx(0.2)


def test_every_row_has_a_name_of_its_own() -> None:
    names = [str(row) for row in (*ROWS, *CHANGES)]
    assert len(set(names)) == len(names)

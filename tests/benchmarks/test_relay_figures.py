"""The figures and rows of the relay's table, from counts that can be added up by hand."""

from __future__ import annotations

import random

import pytest

from kannelkit.simulator import Law
from tests.benchmarks.laws_smsc import Slots
from tests.benchmarks.relay_figures import Change, Counted, Figures, figures, followed, settled, told
from tests.benchmarks.relay_rows import Row, batches, changes, named, rows

SLIDING = Row(Law.SLIDING_WINDOW, 10.0, 0.05)
PUNISHING = Row(Law.PUNISHING, 10.0, 0.05)
CHANGES = Row(Law.SLIDING_WINDOW, 60.0, 0.05, low=20.0)
SHARED = Row(Law.SLIDING_WINDOW, 10.0, 0.05, accounts=2)
GOOD = Figures(600, 0.985, 0.0029, 0.0, 3.0, 0, 0)
BAD = Figures(600, 0.9, 0.003, 0.0, None, 2, 1)
MISSED = [
    (SLIDING, GOOD, []),
    (SLIDING, BAD, ["goodput", "refused", "lost", "doubled"]),
    (PUNISHING, BAD, ["lost", "doubled"]),
    (PUNISHING, Figures(600, 0.89, 0.5, 0.5, None, 0, 0), ["goodput"]),
    (CHANGES, Figures(600, 0.5, 0.5, 0.5, None, 0, 0, changes=(Change(2.0, 30.0),)), []),
    (
        CHANGES,
        Figures(600, 0.5, 0.5, 0.5, None, 0, 0, changes=(Change(2.1, 30.0), Change(2.0, None))),
        ["fall", "rise"],
    ),
    (SHARED, Figures(600, 1.0, 0.0, 0.0, 0.0, 0, 0, shares=(0.48, 0.52)), []),
    (SHARED, Figures(600, 1.0, 0.0, 0.0, 0.0, 0, 0, shares=(0.47, 0.53)), ["shares"]),
]


@pytest.mark.parametrize(("row", "found", "expected"), MISSED)
def test_what_a_row_misses(row: Row, found: Figures, expected: list[str]) -> None:
    assert found.missed(row) == expected
    assert found.line(row).startswith("!" if expected else " ")
    assert found.plain(row)["misses"] == expected


COUNTED = [
    (Counted(100, 0, (100,)), 0, 0),
    (Counted(103, 3, (60, 40)), 0, 3),
    # 2 were told to be accepted and are not there, and 5 have no answer
    (Counted(98, 0, (100,), unanswered=5), 7, 0),
    # 4 have no answer, of which the SMSC has 3: gone from the client's sight, and doubled by none
    (Counted(103, 0, (100,), unanswered=4), 4, 0),
    # the SMSC has 3 that the client was told to send again
    (Counted(103, 0, (100,), handed_back=3), 0, 3),
]


@pytest.mark.parametrize(("counted", "lost", "doubled"), COUNTED)
def test_what_is_lost_and_doubled(counted: Counted, lost: int, doubled: int) -> None:
    assert (counted.lost, counted.twice) == (lost, doubled)


def test_figures_are_of_the_span_that_begins_with_the_first_submit() -> None:
    # a second of nothing, ten seconds of 9 accepted, and in the first five of those 1 refused; then what drained
    accepted = [0] * 10 + ([9] + [0] * 9) * 10 + [500] * 10
    refused = [0] * 10 + ([1] + [0] * 9) * 5 + [0] * 60
    found = figures(SLIDING, 10.0, 1.0, Slots(0.1, 0.0, accepted, refused), Counted(590, 0, (590,)), [])
    assert (found.accepted, found.refused, found.refused_later) == (0.9, 5 / 95, 0.0)
    assert found.within is None
    assert (found.shares, found.changes) == ((), ())


def test_each_account_has_its_share() -> None:
    found = figures(SHARED, 1.0, 0.0, Slots(0.1, 0.0, [1] * 10, [0] * 10), Counted(10, 0, (4, 6)), [])
    assert found.shares == (0.4, 0.6)


def test_a_fall_is_settled_when_the_new_limit_is_used_and_kept_to() -> None:
    second = [2] * 10
    assert settled(second * 10, [0] * 100, 20.0) == 0.0
    assert settled([0] * 15 + second * 12, [0] * 135, 20.0) == pytest.approx(1.0)  # half a second is a twentieth
    assert settled([0] * 16 + second * 12, [0] * 136, 20.0) == pytest.approx(1.1)
    assert settled(second * 9, [0] * 90, 20.0) is None  # too short to say
    # refused as much as accepted for 2 s: 10 of the last slots' 210 are 5 %
    assert settled(second * 12, [2] * 20 + [0] * 100, 20.0) == pytest.approx(1.5)
    assert settled(second * 20, [2] * 200, 20.0) is None


def test_changes_are_followed_each_until_the_next() -> None:
    accepted = [6] * 10 + [0] * 10 + [2] * 190 + [2] * 30 + [6] * 60 + [2] * 210
    timeline = Slots(0.1, 5.0, accepted, [0] * len(accepted))
    first, second = followed(CHANGES, timeline, [(6.0, 26.0), (35.0, 55.9)], 56.0)
    assert first.fall == pytest.approx(0.5)
    assert first.rise == pytest.approx(2.7)
    assert second == Change(0.0, None)


def test_changes_are_told_in_words() -> None:
    assert told([]) == "no changes: the run is too short"
    assert told([Change(1.5, 20.0), Change(0.5, 31.0)]) == (
        "2 changes: falls settled in 1.0 s, 1.5 s at the most, rises used in 25.5 s, 31.0 s at the most, 1 above 30 s"
    )
    assert told([Change(None, 1.0)]) == (
        "1 changes: 1 falls not settled before the next change, rises used in 1.0 s, 1.0 s at the most"
    )


def test_limits_change_with_time_to_settle_and_to_rise() -> None:
    moments = changes(600.0, random.Random(1))
    assert 4 <= len(moments) <= 7
    flat = [moment for pair in moments for moment in pair]
    gaps = [after - before for before, after in zip([0.0, *flat], [*flat, 600.0], strict=True)]
    assert min(gaps) >= 30.0
    assert min(gaps[::2]) >= 50.0  # before each fall, and at the end
    assert changes(60.0, random.Random(1)) == []


def test_every_row_has_a_name_of_its_own_and_is_measured_once() -> None:
    every = rows()
    assert len({str(row) for row in every}) == len(every)
    plan = batches(every, 600.0, 60.0, 6000.0)
    assert sorted(str(row) for batch in plan for row in batch.rows) == sorted(map(str, every))
    assert [batch.seconds for batch in plan[:3]] == [600.0, 600.0, 600.0]
    assert all(batch.rate <= 6000 for batch in plan)
    assert {batch.seconds for batch in plan if batch.rows[0].limit == 3000} == {60.0}
    assert len(batches(every, 600.0, 60.0, 1.0)) == 1 + sum(row.limit > 60 for row in every)


def test_rows_are_chosen_by_what_their_names_contain() -> None:
    assert [str(row) for row in named(["sliding, 7.5/s, 50 ms"], rows())] == [
        "sliding, 7.5/s, 50 ms",
        "sliding, 7.5/s, 50 ms, 4 connections",
    ]
    assert [str(row) for row in named(["shared by 2", "60 -> 20 -> 60/s, 1 ms"], rows())][:4] == [
        "sliding, 60 -> 20 -> 60/s, 1 ms",
        "fixed, 60 -> 20 -> 60/s, 1 ms",
        "bucket, 60 -> 20 -> 60/s, 1 ms",
        "sliding, 30/s, 50 ms, shared by 2",
    ]

"""Figures from what a simulator would have counted."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kannelkit.demo.figures import (
    LONGEST_WAIT,
    START_SECONDS,
    Half,
    Standing,
    as_dict,
    half,
    is_over,
    seconds_to_limit,
    standing,
)
from kannelkit.simulator.counters import Counters, Slots, Timeline

LIMIT = 30
Burst = tuple[float, int, int]  # when (simulator's seconds), how many accepted, how many refused


def timeline(bursts: list[Burst]) -> tuple[Counters, Slots]:
    """Return what the simulator tells of these bursts."""
    counted = Timeline()
    for at, accepted, refused in bursts:
        for _ in range(accepted):
            counted.accepted(at)
        for _ in range(refused):
            counted.refused(at)
    accepted, refused = sum(burst[1] for burst in bursts), sum(burst[2] for burst in bursts)
    first, last = (bursts[0][0], bursts[-1][0]) if bursts else (None, None)
    counters = Counters(
        submits=accepted + refused, accepted=accepted, refused=refused, binds=1, first_submit=first, last_submit=last
    )
    return counters, counted.slots()


def of(bursts: list[Burst], seconds: int) -> Half:
    counters, slots = timeline(bursts)
    return half(seconds, LIMIT, counters, slots, counters.accepted, counters)


# Kannel alone at twice the limit: the first pause comes after its second burst
ALONE: list[Burst] = [(3.05, 30, 30), *((4.05 + 2 * each, 30, 30) for each in range(10))]
# with kannelkit: one burst too large, then one a second
SUPERVISED: list[Burst] = [(3.05, 30, 30), *((4.25 + each, 30, 0) for each in range(20))]


def test_kannel_alone_delivers_half() -> None:
    assert of(ALONE, 10) == Half(15.0, 0.5, 210, 0, None, (30, 30, 0, 30, 0, 30, 0, 30, 0, 30, 0, 30, 0), 0, 0)


def test_kannelkit_delivers_the_limit_and_its_start_is_told_apart() -> None:
    found = of(SUPERVISED, 10)
    assert (found.accepted_per_second, found.refused_share, found.refused) == (30.0, 0.0, 30)
    assert found.seconds_to_limit == pytest.approx(1.2)


def test_a_refused_burst_in_the_span_counts() -> None:
    bursts = [*SUPERVISED[:6], (9.25, 1, 29), *((11.25 + each, 30, 0) for each in range(9))]
    found = of(bursts, 10)
    assert found.accepted_per_second == pytest.approx((9 * 30 + 1 - 30) / 10)
    assert found.refused_share == pytest.approx(29 / (29 + 241))
    assert found.refused == 59


def test_the_drain_does_not_count() -> None:
    assert of([*SUPERVISED[:15], (18.0, 500, 0)], 10) == of(SUPERVISED, 10)


def test_a_gateway_that_stops_sending_is_measured_to_the_end() -> None:
    found = of(SUPERVISED[:6], 10)
    assert found.accepted_per_second == pytest.approx(3 * 30 / (10 + LONGEST_WAIT))


def test_a_gateway_that_never_goes_on_delivers_nothing() -> None:
    found = of(SUPERVISED[:1], 10)
    assert (found.accepted_per_second, found.refused_share, found.seconds_to_limit) == (0.0, 0.0, None)


def test_nothing_submitted_is_no_half() -> None:
    with pytest.raises(ValueError, match="nothing was submitted"):
        of([], 10)


@pytest.mark.parametrize(("binds", "changes"), [(0, 0), (1, 0), (2, 1), (4, 3)])
def test_a_bind_after_the_first_is_a_change(binds: int, changes: int) -> None:
    counters, slots = timeline(SUPERVISED)
    counters.binds = binds
    assert half(10, LIMIT, counters, slots, 0, Counters()).changes == changes


@pytest.mark.parametrize(
    ("taken", "accepted", "doubled", "lost"),
    [(100, 100, 0, 0), (100, 98, 0, 2), (100, 103, 3, 0), (100, 100, 1, 1)],
    ids=["all once", "two lost", "three doubled", "one doubled hides none that is lost"],
)
def test_lost_and_doubled(taken: int, accepted: int, doubled: int, lost: int) -> None:
    counters, slots = timeline(SUPERVISED)
    found = half(10, LIMIT, counters, slots, taken, Counters(accepted=accepted, doubled=doubled))
    assert (found.lost, found.doubled) == (lost, doubled)
    assert found.whole is (lost == doubled == 0)


@pytest.mark.parametrize(
    ("now", "over"),
    [(3.2, False), (16.0, False), (16.27, False), (16.5, True), (30.0, True)],
    ids=["begun", "before its last burst", "the last burst's slot may still fill", "after", "long after"],
)
def test_a_span_is_over_when_the_burst_that_ends_it_is_counted(now: float, over: bool) -> None:
    counters, slots = timeline([burst for burst in SUPERVISED if burst[0] <= now])
    assert is_over(10, counters, slots, now) is over


def test_a_span_is_over_when_no_burst_comes_to_end_it() -> None:
    counters, slots = timeline(SUPERVISED[:6])
    end = 6.25 + 10 + LONGEST_WAIT
    assert not is_over(10, counters, slots, end - 0.1)
    assert is_over(10, counters, slots, end + 0.2)
    assert not is_over(10, Counters(), Slots(0.1, 0.0, [0], [0]), 100.0)


AT_LIMIT = {
    "from the first second": ([30, 30, 30, 30], [0, 0, 0, 0], 0.0),
    "after a pause": ([30, 0, 30, 30, 30], [30, 0, 0, 0, 0], 2.0),
    "not while more than a twentieth is refused": ([30, 30, 30, 30, 30], [0, 5, 0, 0, 0], 2.0),
    "with a few refused": ([30, 30, 30, 30], [0, 2, 0, 0], 0.0),
    "never, every other second": ([30, 0, 30, 0, 30, 0], [30, 0, 30, 0, 30, 0], None),
    "never, too slow": ([28, 28, 28, 28, 28], [0, 0, 0, 0, 0], None),
    "never, not for long enough": ([0, 0, 30, 30], [0, 0, 0, 0], None),
    "never, nothing": ([], [], None),
}


@pytest.mark.parametrize("case", AT_LIMIT)
def test_seconds_to_limit(case: str) -> None:
    accepted, refused, seconds = AT_LIMIT[case]
    assert seconds_to_limit(accepted, refused, 1.0, LIMIT) == seconds


def test_how_it_stands_is_of_the_last_two_seconds() -> None:
    _, slots = timeline(SUPERVISED)
    assert standing(1.0, 4.06, slots) == Standing(1.0, 15.0, 15.0)
    assert standing(9.0, 12.2, slots) == Standing(9.0, 30.0, 0.0)


def test_as_dict_is_rounded_and_never_is_null() -> None:
    never = of(SUPERVISED[:1], 10)
    found = as_dict(LIMIT, Half(14.987, 0.49996, 5, 0, None, (), 0, 0), of(SUPERVISED, 10))
    assert found == {
        "limit": 30,
        "alone": {"accepted_per_second": 14.99, "refused_share": 0.5},
        "supervised": {
            "accepted_per_second": 30.0,
            "refused_share": 0.0,
            "changes": 0,
            "lost": 0,
            "doubled": 0,
            "seconds_to_limit": 1.2,
        },
    }
    supervised = as_dict(LIMIT, never, never)["supervised"]
    assert isinstance(supervised, dict)
    assert supervised["seconds_to_limit"] is None


@given(
    start=st.floats(0, 100),
    period=st.floats(1.0, 1.1),
    size=st.integers(1, 60),
    seconds=st.integers(4, 60),
)
def test_bursts_of_any_phase_and_period_give_their_own_rate(
    start: float, period: float, size: int, seconds: int
) -> None:
    count = int((START_SECONDS + seconds + 2 * LONGEST_WAIT) / period) + 2
    found = of([(start + each * period, size, 0) for each in range(count)], seconds)
    # both edges are known to a tenth of a second
    assert found.accepted_per_second == pytest.approx(size / period, rel=0.11 / seconds)
    assert found.refused_share == 0.0

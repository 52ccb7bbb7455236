"""When a rate may rise: soon where nothing speaks against it, ever more rarely where it was refused."""

from __future__ import annotations

from itertools import pairwise

import pytest

from kannelkit.throttle.ascent import Ascent, Cost
from kannelkit.throttle.values import Settings


def _ascent(refuted: int = 0, ceiling: int | None = 1000) -> Ascent:
    return Ascent(Settings(ceiling), refuted)


def _waits(ascent: Ascent, throughput: int, until: float = 4000.0) -> float | None:
    """Return the second at which a step is due, while messages wait."""
    return next((float(at) for at in range(1, int(until)) if ascent.step(throughput, at, 1.0, waiting=True)), None)


def test_a_rate_that_was_never_refused_rises_after_raise_after() -> None:
    assert _waits(_ascent(), 30) == 20


def test_only_seconds_in_which_messages_wait_count() -> None:
    ascent = _ascent()
    for at in range(100):
        assert ascent.step(30, float(at), 1.0, waiting=False) is None
    assert _waits(ascent, 30) == 20


@pytest.mark.parametrize("throughput", [1, 5, 30, 500])
def test_refused_steps_are_ever_rarer(throughput: int) -> None:
    waits = [_ascent(refuted).wait(throughput, 0.0) for refuted in range(2, 5)]
    assert all(b >= 2 * a for a, b in pairwise(waits))
    assert _ascent(100).wait(throughput, 0.0) == 3600


def test_what_a_step_costs_makes_it_rarer() -> None:
    waits = []
    for cost in Cost:
        ascent = _ascent(2)
        ascent.costs(cost)
        waits.append(ascent.wait(30, 0.0))
    assert waits == sorted(waits)
    assert waits[0] == 60
    assert waits[1] > 300  # a second's messages in five minutes would be more than they are worth


def test_a_limit_that_fell_is_looked_for_soon_and_used_at_once() -> None:
    ascent = _ascent()
    ascent.lowered(60, 0.0, ran_well=True)
    assert _waits(ascent, 20) == 60
    assert ascent.step(20, 61.0, 1.0, waiting=True) == 22
    ascent.changed(20, 61.0, raised=True)
    due = [ascent.step(22, 61.0 + second, 1.0, waiting=True) for second in range(1, 22)]
    assert next(rate for rate in due if rate) == 60


def test_a_rate_that_fell_long_ago_is_looked_for_no_more_often_than_others() -> None:
    ascent = _ascent()
    ascent.lowered(60, 0.0, ran_well=True)
    ascent.costs(Cost.LATE)
    assert ascent.wait(20, 100.0) == 60
    assert ascent.wait(20, 1000.0) > 300


def test_steps_that_are_not_refused_grow_threefold() -> None:
    ascent, rate, at = _ascent(), 20, 0.0
    steps: list[int] = []
    while len(steps) < 4:
        at += 1
        after = ascent.step(rate, at, 1.0, waiting=True)
        if after is not None:
            steps.append(after - rate)
            ascent.changed(rate, at, raised=True)
            rate = after
    assert steps == [2, 6, 18, 4 * 27]
    assert ascent.base == 20
    for second in range(60):
        ascent.step(1000, at + second, 1.0, waiting=True)
    assert ascent.base is None  # that is where it lives now


def test_a_rate_that_ran_well_until_seconds_before_the_proof_is_the_one_that_fell() -> None:
    ascent = _ascent()
    ascent.lowered(60, 100.0, ran_well=True, proved=False)
    ascent.lowered(52, 102.0, ran_well=False)
    assert _waits(ascent, 20) == 60
    ascent = _ascent()
    ascent.lowered(60, 100.0, ran_well=True, proved=False)
    ascent.lowered(52, 150.0, ran_well=False)
    ascent.costs(Cost.LATE)
    assert ascent.wait(20, 150.0) > 300


@pytest.mark.parametrize(("after", "at", "soon"), [(20, 150.0, True), (45, 150.0, False), (20, 230.0, False)])
def test_a_deep_fall_is_one_though_the_rate_was_a_little_lower_for_a_minute(after: int, at: float, soon: bool) -> None:
    ascent = _ascent()
    ascent.lowered(60, 100.0, ran_well=True, proved=False, after=52)
    ascent.lowered(52, at, ran_well=False, after=after)
    ascent.costs(Cost.LATE)
    assert (ascent.wait(20, at) == 60) is soon


def test_a_refusal_that_changes_nothing_puts_a_step_off() -> None:
    ascent = _ascent()
    for at in range(1, 15):
        ascent.step(30, float(at), 1.0, waiting=True)
    ascent.refused()
    assert _waits(ascent, 30) == 20


def test_nothing_rises_above_the_ceiling_or_on_a_slow_link_often() -> None:
    assert _waits(_ascent(ceiling=30), 30) is None
    slow = _ascent()
    slow.slow = True
    assert _waits(slow, 30) == 300

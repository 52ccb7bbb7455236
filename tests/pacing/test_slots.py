"""Submits leave evenly, a lone one at once, and never more than the rate has room for."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from kannelkit.pacing.slots import LATE, Slots


def leave(slots: Slots, seconds: float, late: float = 0.0) -> list[float]:
    """Let as many leave as may, each `late` seconds after its moment."""
    now, left = 0.0, []
    while now < seconds:
        left.append(now)
        slots.take(now)
        now += slots.wait(now) + late
    return left


@given(st.floats(0.5, 500.0), st.floats(0.0, LATE / 2))
def test_a_second_holds_no_more_than_the_rate_and_what_is_caught_up(rate: float, late: float) -> None:
    left = leave(Slots(rate), 3.0, late)
    most = rate * (1.0 + LATE) + 1.0
    assert all(sum(at <= each < at + 1.0 for each in left) <= most + 1e-6 for at in left)


@given(st.floats(0.5, 200.0))
def test_waking_late_costs_no_speed(rate: float) -> None:
    assert len(leave(Slots(rate), 10.0, LATE / 2)) >= 10.0 * rate - 1.0


def test_a_lone_one_leaves_at_once_and_so_does_the_allowance() -> None:
    slots = Slots(10.0, allowance=3.0)
    together = 0
    while slots.wait(5.0) == 0.0:
        slots.take(5.0)
        together += 1
    assert together == 3
    assert slots.rested(5.3 + LATE)


def test_another_rate_owes_in_submits() -> None:
    slots = Slots(1.0)
    slots.take(0.0)
    slots.pace(10.0, 0.5)
    assert math.isclose(slots.wait(0.5), 0.05, abs_tol=LATE)


def test_no_limit_never_waits() -> None:
    slots = Slots(math.inf)
    for _ in range(100):
        slots.take(0.0)
    assert slots.wait(0.0) == 0.0

"""The clock knows where the seconds of the wall clock begin."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from kannelkit.simulator.clock import Clock


async def test_edge_is_where_a_second_of_the_wall_clock_begins() -> None:
    clock = Clock(asyncio.get_running_loop())
    past = clock.date(clock.edge).microsecond
    assert min(past, 1_000_000 - past) < 10  # microseconds, to which dates are rounded
    assert 0 <= clock.edge < 1


async def test_dates_follow_the_moments() -> None:
    clock = Clock(asyncio.get_running_loop())
    assert clock.date(90.5) - clock.date(0) == timedelta(seconds=90.5)
    assert clock.now() <= clock.now()

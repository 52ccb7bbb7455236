"""The clock knows where the seconds of the wall clock begin."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

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


@given(st.lists(st.floats(0, 1e7), min_size=1, max_size=300))
def test_minutes_are_those_of_the_dates(moments: list[float]) -> None:
    loop = asyncio.new_event_loop()
    try:
        clock = Clock(loop)
    finally:
        loop.close()
    for moment in moments:
        date = clock.date(moment)
        if 10 < date.second < 50 or 1000 < date.microsecond < 999_000:  # dates are rounded
            assert clock.minute(moment) == f"{date:%y%m%d%H%M}"

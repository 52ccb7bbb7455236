"""Signs of life are due in time, and only where they are asked for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kannelkit.supervise.heartbeat import Heartbeat

NOT_ASKED: list[dict[str, str]] = [
    {},
    {"WATCHDOG_USEC": ""},
    {"WATCHDOG_USEC": "0"},
    {"WATCHDOG_USEC": "-5"},
    {"WATCHDOG_USEC": "1.5"},
    {"WATCHDOG_USEC": "soon"},
    {"WATCHDOG_USEC": "1000000", "WATCHDOG_PID": "8"},
]


@pytest.mark.parametrize("environment", NOT_ASKED, ids=str)
def test_it_is_never_due_where_nobody_asks(environment: dict[str, str]) -> None:
    heartbeat = Heartbeat(environment, 7)
    assert not any(heartbeat.due(now) for now in (0.0, 1.0, 1e6))


@pytest.mark.parametrize("environment", [{}, {"WATCHDOG_PID": "7"}], ids=str)
def test_it_is_due_at_once_and_twice_in_the_time_allowed(environment: dict[str, str]) -> None:
    heartbeat = Heartbeat({"WATCHDOG_USEC": "60000000", **environment}, 7)
    assert [now for now in range(100, 200) if heartbeat.due(float(now))] == [100, 130, 160, 190]


@given(
    seconds=st.integers(1, 1000),
    steps=st.lists(st.floats(0.001, 0.5), min_size=1, max_size=200),
)
def test_who_looks_often_enough_is_never_late(seconds: int, steps: list[float]) -> None:
    """However the looks fall, as long as none comes after half the time, no sign is later than the time allowed."""
    heartbeat = Heartbeat({"WATCHDOG_USEC": str(seconds * 1_000_000)}, 7)
    now = last = 0.0
    assert heartbeat.due(now)
    for step in steps:
        now += step * seconds * 0.999
        if heartbeat.due(now):
            assert now - last <= seconds
            last = now
    assert now - last <= seconds

"""Course: every submit is in one of the last 300 seconds, once; time passes, and what is old goes."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kannelkit.supervise.course import SECONDS, Course, Curve, Flow, Minute


def course(*readings: tuple[float, int, int]) -> Course:
    """Return what is remembered after these readings of one account: when, accepted and refused in total."""
    made = Course()
    for at, accepted, refused in readings:
        made.sampled(at, {"a": (accepted, refused)})
    return made


@pytest.mark.parametrize(
    ("readings", "at", "accepted", "refused"),
    [
        ([(10.0, 500, 7)], 10.9, [], []),
        ([(10.0, 500, 7)], 12.0, [0, 0], [0, 0]),
        ([(10.0, 500, 0), (10.2, 530, 0), (10.8, 531, 4), (11.1, 560, 4)], 12.0, [31, 29], [4, 0]),
        ([(10.0, 500, 0), (10.2, 530, 0)], 10.9, [], []),
        # a reading that took long
        ([(10.0, 0, 0), (13.1, 61, 1)], 14.0, [0, 20, 20, 21], [0, 0, 0, 1]),
        ([(10.0, 0, 0), (11.5, 4, 0)], 14.0, [0, 4, 0, 0], [0, 0, 0, 0]),
        # counts that begin anew
        ([(10.0, 500, 9), (11.1, 3, 0), (12.1, 8, 0)], 13.0, [0, 0, 5], [0, 0, 0]),
    ],
)
def test_each_second_has_what_came_in_it(
    readings: list[tuple[float, int, int]], at: float, accepted: list[int], refused: list[int]
) -> None:
    assert course(*readings).curve("a", at) == Curve(tuple(accepted), tuple(refused))


def test_how_fast_it_was() -> None:
    steady = course(*((100.0 + second, 30 * second, second) for second in range(31)))
    assert steady.accepted("a", 131.0) == Flow(30, 30.0, 29.03)  # 30 each second but the first
    assert steady.refused("a", 131.0) == Flow(1, 1.0, 0.97)
    assert steady.accepted("a", 136.0) == Flow(0, 15.0, 25.0)
    assert steady.accepted("a", 100.5) is None
    assert steady.accepted("nobody", 131.0) is None
    assert steady.curve("nobody", 131.0) == Curve()


@pytest.mark.parametrize(
    ("readings", "at", "minute"),
    [
        ([(10.0, 500, 7)], 10.9, Minute(0, 0)),
        ([(10.0, 500, 7)], 12.0, Minute(0, 0)),
        ([(10.0, 0, 0), (11.5, 30, 10), (13.5, 42, 20)], 20.0, Minute(42, 20, 9, 7)),
        ([(10.0, 0, 0), (11.5, 30, 10), (13.5, 42, 20)], 72.0, Minute(12, 10, 60, 59)),
        ([(10.0, 0, 0), (11.5, 30, 10), (13.5, 42, 20)], 74.0, Minute(0, 0)),
    ],
)
def test_the_last_minute_in_numbers(readings: list[tuple[float, int, int]], at: float, minute: Minute) -> None:
    assert course(*readings).minute("a", at) == minute
    assert course(*readings).minute("nobody", at) is None


def test_what_is_older_than_five_minutes_is_forgotten() -> None:
    old = course((10.0, 0, 0), (10.5, 100, 0), (11.0, 150, 0))
    assert old.curve("a", 310.0).accepted == (100, 50, *[0] * 298)
    assert old.curve("a", 311.0).accepted == (50, *[0] * 299)
    assert old.curve("a", 400.0).accepted == (0,) * 300
    old.sampled(5000.0, {"a": (157, 0)})
    assert sum(old.curve("a", 5001.0).accepted) <= 7


def test_an_account_that_is_gone_takes_no_memory() -> None:
    two = Course()
    two.sampled(10.0, {"a": (0, 0), "b": (0, 0)})
    two.sampled(12.0, {"b": (5, 0)})
    assert two.curve("a", 13.0) == Curve()
    assert sum(two.curve("b", 13.0).accepted) == 5


@given(st.lists(st.tuples(st.floats(0, 40), st.integers(0, 500), st.integers(0, 50)), max_size=40))
def test_nothing_is_lost_or_counted_twice(steps: list[tuple[float, int, int]]) -> None:
    times = list(itertools.accumulate((step[0] for step in steps), initial=7.0))[1:]
    accepted = list(itertools.accumulate(step[1] for step in steps))
    refused = list(itertools.accumulate(step[2] for step in steps))
    made = course((7.0, 0, 0), *zip(times, accepted, refused, strict=True))
    end = int(times[-1] if times else 7.0) + 1
    curve = made.curve("a", end)
    assert len(curve.accepted) == len(curve.refused) == min(SECONDS, end - 7)
    if end - 7 <= SECONDS:
        assert (sum(curve.accepted), sum(curve.refused)) == (sum(step[1] for step in steps), sum(s[2] for s in steps))

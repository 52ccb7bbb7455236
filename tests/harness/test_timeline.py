"""The figures of the benchmarks, from timelines that can be counted by hand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.harness.timeline import Timeline, bursts, doubled, lost, measure, seconds_to_limit, span


def per_second(*sizes: int) -> list[float]:
    """Return a burst of so many messages, 1 ms apart, at the start of each second."""
    return [second * 1000.0 + message for second, size in enumerate(sizes) for message in range(size)]


def test_rates_count_a_half_open_span() -> None:
    timeline = Timeline(5000, accepted=[0, 1000, 1999, 2000], refused=[1500, 3000])
    rates = measure(timeline, 1000, 2000)
    assert (rates.accepted_per_second, rates.refused) == (2, 1)
    assert rates.refused_share == pytest.approx(1 / 3)


def test_an_empty_span_is_refused() -> None:
    with pytest.raises(ValueError, match="empty span"):
        measure(Timeline(1, [0], []), 10, 10)


@pytest.mark.parametrize(
    ("accepted", "refused", "expected"),
    [
        ([100.0], [700.0, 900.0], (5700, 65700)),
        ([100.0], [], (5100, 65100)),
        ([], [], None),
    ],
    ids=["from the first refusal", "from the first acceptance", "before anything"],
)
def test_the_span(accepted: list[float], refused: list[float], expected: tuple[float, float] | None) -> None:
    assert span(Timeline(1e6, accepted, refused), 60) == expected


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        ([10] * 8, 0.0),
        ([10, 0, 5, 0, 5] + [10] * 8, 4.0),  # from the half burst at 4 s on: 45 of 50 are too few, 5 s are 10 a second
        ([5] * 20, None),
    ],
    ids=["at once", "after a slow start", "never"],
)
def test_seconds_to_limit(sizes: list[int], expected: float | None) -> None:
    timeline = Timeline(len(sizes) * 1000.0, per_second(*sizes), [])
    reached = seconds_to_limit(timeline, 10)
    assert reached == (None if expected is None else pytest.approx(expected, abs=1.01))


def test_bursts_end_at_a_gap() -> None:
    assert bursts([0, 10, 40, 1000, 1300]) == [(0, 40, 3), (1000, 1000, 1), (1300, 1300, 1)]


@given(st.lists(st.floats(0, 1e6), max_size=60).map(sorted))
def test_bursts_hold_every_message(times: list[float]) -> None:
    assert sum(size for _, _, size in bursts(times)) == len(times)


def test_lost_and_doubled_are_judged_by_message() -> None:
    messages = {"1|a": [1, 0], "2|b": [2, 1], "3|c": [0, 4]}
    assert lost(["1|a", "2|b", "3|c", "4|d"], messages) == ["3|c", "4|d"]
    assert doubled(messages) == {"2|b": 2}

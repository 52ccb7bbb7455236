"""How soon answers came within the last minute."""

from __future__ import annotations

import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kannelkit.relay.lately import Lately

DELAYS = st.lists(st.floats(0.0001, 100.0), min_size=1, max_size=300)


@given(DELAYS)
def test_the_median_and_the_99th_percentile_are_told_to_some_per_cent(delays: list[float]) -> None:
    lately = Lately()
    for delay in delays:
        lately.answered(delay, 1000.0, refused=False)
    told = lately.minute(1000.0)
    ordered = sorted(delays)
    assert told.median == pytest.approx(statistics.median_low(ordered), rel=0.07)
    assert told.most == pytest.approx(ordered[-(len(ordered) // 100) - 1], rel=0.07)
    assert (told.answers, lately.answers) == (len(delays), len(delays))
    assert lately.seconds == pytest.approx(sum(delays))


def test_what_is_older_than_a_minute_is_forgotten_and_the_totals_are_not() -> None:
    lately = Lately()
    for second in range(200):
        lately.answered(0.01 if second < 100 else 1.0, float(second), refused=second % 10 == 0)
    told = lately.minute(199.0)
    assert told.median == pytest.approx(1.0, rel=0.07)
    assert 55 <= told.answers <= 60
    assert 5 <= told.refused <= 6
    assert lately.minute(300.0).answers == 0
    assert lately.minute(300.0).median is None
    assert lately.answers == 200


@pytest.mark.parametrize(("delay", "least", "most"), [(0.0, 0.0, 1e-4), (1e-9, 0.0, 1e-4), (1e9, 100.0, 1e9)])
def test_no_delay_is_too_short_or_too_long(delay: float, least: float, most: float) -> None:
    lately = Lately()
    lately.answered(delay, 7.0, refused=True)
    told = lately.minute(7.0)
    assert (told.answers, told.refused) == (1, 1)
    assert told.median is not None
    assert least < told.median < most


def test_a_long_rest_costs_nothing() -> None:
    lately = Lately()
    lately.answered(0.1, 0.0, refused=False)
    lately.answered(0.2, 1e9, refused=False)
    assert lately.minute(1e9).answers == 1

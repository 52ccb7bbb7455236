"""How long it takes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kannelkit.demo.figures import START_SECONDS
from kannelkit.demo.show import LEAST_SECONDS, span_of


def test_the_shortest_one_still_measures() -> None:
    assert span_of(LEAST_SECONDS) == 4


@given(st.integers(LEAST_SECONDS, 1800))
def test_both_halves_fit_and_hold_whole_pauses(seconds: int) -> None:
    span = span_of(seconds)
    assert span % 2 == 0
    assert span >= 4
    assert 2 * (START_SECONDS + span) < seconds
    assert span >= seconds / 3 - 8


@given(st.integers(LEAST_SECONDS, 1800))
def test_more_time_is_never_a_shorter_span(seconds: int) -> None:
    assert span_of(seconds) <= span_of(seconds + 1)

"""The laws of the limits. Moments are multiples of 1/1024 s, which floats hold exactly."""

from __future__ import annotations

from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kannelkit.simulator import limits
from kannelkit.simulator.limits import FixedWindow, Law, Limit, Punishing, SlidingWindow, TokenBucket

# gaps that are often nothing (bursts), often small and sometimes whole seconds
GAPS = st.lists(st.one_of(st.just(0), st.integers(0, 64), st.integers(0, 3000)), min_size=1, max_size=200)
LIMITS = st.integers(0, 20)
# a limit, what a window of it admits, and in how many seconds
WINDOWS = [(0, 0, 1), (1, 1, 1), (30, 30, 1), (30.0, 30, 1), (7.5, 15, 2), (0.5, 1, 2), (2.2, 11, 5), (0.1, 1, 10)]
FRACTIONS = st.integers(1, 200).map(lambda tenths: tenths / 10)


def arrivals(gaps: list[int], start: int = 0) -> list[float]:
    return [(start + moment) / 1024 for moment in accumulate(gaps)]


def admitted(limit: Limit, moments: list[float]) -> list[float]:
    return [moment for moment in moments if limit.admits(moment)]


def most_in_a_second(moments: list[float]) -> int:
    return max((sum(first <= each < first + 1 for each in moments) for first in moments), default=0)


@given(gaps=GAPS, limit=LIMITS)
def test_sliding_window_holds_in_any_second(gaps: list[int], limit: int) -> None:
    assert most_in_a_second(admitted(SlidingWindow(limit), arrivals(gaps))) <= limit


@given(gaps=GAPS, limit=LIMITS)
def test_sliding_window_refuses_only_when_the_last_second_is_full(gaps: list[int], limit: int) -> None:
    law = SlidingWindow(limit)
    before: list[float] = []
    for moment in arrivals(gaps):
        full = sum(moment - each < 1 for each in before) >= limit
        assert law.admits(moment) is not full
        if not full:
            before.append(moment)


@given(gaps=GAPS, limit=LIMITS, edge=st.integers(-2048, 2048))
def test_fixed_window_admits_the_first_of_each_second_of_the_clock(gaps: list[int], limit: int, edge: int) -> None:
    moments = arrivals(gaps)
    seconds = [(moment - edge / 1024) // 1 for moment in moments]
    expected = [moment for place, moment in enumerate(moments) if seconds[:place].count(seconds[place]) < limit]
    assert admitted(FixedWindow(limit, edge / 1024), moments) == expected


@pytest.mark.parametrize(("limit", "most", "seconds"), WINDOWS)
def test_a_window_is_as_long_as_makes_its_limit_whole(limit: float, most: int, seconds: int) -> None:
    assert limits.window(limit) == (most, seconds)


@pytest.mark.parametrize("limit", [-1, -0.5, 7.25, 1 / 3, float("nan"), float("inf")])
def test_what_is_no_limit(limit: float) -> None:
    with pytest.raises(ValueError, match="one decimal at the most"):
        limits.window(limit)


@given(limit=FRACTIONS, law=st.sampled_from(Law))
def test_a_fraction_is_what_passes_in_the_long_run(limit: float, law: Law) -> None:
    moments = [tick / 64 for tick in range(64 * 60)]
    passed = admitted(limits.make(law, limit), [0.0, *moments] if law is not Law.PUNISHING else moments[:: 64 * 10])
    if law is Law.PUNISHING:
        assert len(passed) == 6
    else:
        burst = max(1, limit) if law is Law.TOKEN_BUCKET else 0
        assert 60 * limit - 1 <= len(passed) <= 60 * limit + burst


@given(gaps=GAPS, limit=FRACTIONS)
def test_a_sliding_window_of_a_fraction_holds_wherever_it_begins(gaps: list[int], limit: float) -> None:
    most, seconds = limits.window(limit)
    moments = arrivals(gaps)
    law = SlidingWindow(limit)
    before: list[float] = []
    for moment in moments:
        full = sum(moment - each < seconds for each in before) >= most
        assert law.admits(moment) is not full
        if not full:
            before.append(moment)


@given(gaps=GAPS, limit=FRACTIONS, edge=st.integers(-2048, 2048))
def test_a_fixed_window_of_a_fraction_is_of_the_clock(gaps: list[int], limit: float, edge: int) -> None:
    most, seconds = limits.window(limit)
    moments = arrivals(gaps)
    windows = [(moment - edge / 1024) // seconds for moment in moments]
    expected = [moment for place, moment in enumerate(moments) if windows[:place].count(windows[place]) < most]
    assert admitted(FixedWindow(limit, edge / 1024), moments) == expected


@given(gaps=GAPS, limit=FRACTIONS)
def test_a_bucket_of_a_fraction_refills_by_fractions(gaps: list[int], limit: float) -> None:
    passed = admitted(limits.make(Law.TOKEN_BUCKET, limit), arrivals(gaps))
    for first, start in enumerate(passed):
        for last in range(first, len(passed)):
            assert last - first + 1 <= max(1, limit) + (passed[last] - start) * limit + 1e-9


def test_a_limit_that_becomes_a_fraction_counts_what_it_admitted() -> None:
    fixed = limits.change(limits.make(Law.FIXED_WINDOW, 10), limits.make(Law.FIXED_WINDOW, 10))
    assert len(admitted(fixed, [2.5] * 20)) == 10
    fixed = limits.change(fixed, limits.make(Law.FIXED_WINDOW, 7.5))
    assert len(admitted(fixed, [3.5] * 20)) == 5
    assert len(admitted(fixed, [4.0] * 20)) == 15
    sliding = limits.make(Law.SLIDING_WINDOW, 10)
    assert len(admitted(sliding, [2.5] * 20)) == 10
    sliding = limits.change(sliding, limits.make(Law.SLIDING_WINDOW, 7.5))
    assert len(admitted(sliding, [3.5] * 20)) == 5
    assert len(admitted(sliding, [4.5] * 20)) == 10


@given(gaps=GAPS, limit=st.integers(1, 32), burst=st.integers(1, 40))
def test_token_bucket_admits_at_most_its_burst_and_its_rate(gaps: list[int], limit: int, burst: int) -> None:
    passed = admitted(TokenBucket(limit, burst), arrivals(gaps))
    for first, start in enumerate(passed):
        for last in range(first, len(passed)):
            assert last - first + 1 <= burst + (passed[last] - start) * limit


@given(limit=st.integers(1, 32), burst=st.integers(1, 40), pause=st.integers(0, 4096))
def test_token_bucket_fills_up_to_its_burst(limit: int, burst: int, pause: int) -> None:
    bucket = TokenBucket(limit, burst)
    assert len(admitted(bucket, [0.0] * 100)) == burst
    assert len(admitted(bucket, [pause / 1024] * 100)) == min(burst, pause * limit // 1024)


@given(gaps=GAPS, limit=LIMITS, seconds=st.integers(1, 6))
def test_punishing_admits_nothing_for_a_while_after_an_excess(gaps: list[int], limit: int, seconds: int) -> None:
    law, window = Punishing(limit, seconds), SlidingWindow(limit)
    until = 0.0
    for moment in arrivals(gaps):
        if moment < until:
            assert not law.admits(moment)
        else:
            within = window.admits(moment)
            assert law.admits(moment) is within
            until = until if within else moment + seconds


def test_a_punishment_outlasts_a_change_of_the_limit() -> None:
    law = limits.make(Law.PUNISHING, 1)
    assert admitted(law, [0.0, 0.5]) == [0.0]
    law = limits.change(law, limits.make(Law.PUNISHING, 100))
    assert admitted(law, [5.0, 5.5, 5.6]) == [5.5, 5.6]


@pytest.mark.parametrize("law", Law)
@given(gaps=GAPS, limit=st.integers(1, 20))
def test_nobody_below_the_limit_is_refused(law: Law, gaps: list[int], limit: int) -> None:
    moments = arrivals([gap + 1024 // limit + 1 for gap in gaps])
    assert admitted(limits.make(law, limit), moments) == moments


@pytest.mark.parametrize("law", Law)
def test_a_limit_of_nothing_admits_nothing(law: Law) -> None:
    assert admitted(limits.make(law, 0), [0.0, 0.5, 10.0]) == []


@given(gaps=GAPS, first=st.integers(1, 20), second=st.integers(1, 20), place=st.integers(0, 200))
def test_a_changed_limit_forgets_nothing(gaps: list[int], first: int, second: int, place: int) -> None:
    moments = arrivals(gaps)
    law = limits.make(Law.SLIDING_WINDOW, first)
    before = admitted(law, moments[:place])
    law = limits.change(law, limits.make(Law.SLIDING_WINDOW, second))
    after = admitted(law, moments[place:])
    for moment in after:  # the second that ends with a message admitted under the new limit keeps to it
        assert sum(moment - 1 < each <= moment for each in before + after) <= max(first, second)
        assert sum(each <= moment and moment - each < 1 for each in after) <= second


CHANGES = [
    (Law.SLIDING_WINDOW, Law.SLIDING_WINDOW, True),
    (Law.FIXED_WINDOW, Law.FIXED_WINDOW, True),
    (Law.TOKEN_BUCKET, Law.TOKEN_BUCKET, True),
    (Law.PUNISHING, Law.PUNISHING, True),
    (Law.SLIDING_WINDOW, Law.PUNISHING, False),
    (Law.SLIDING_WINDOW, Law.TOKEN_BUCKET, False),
    (Law.FIXED_WINDOW, Law.SLIDING_WINDOW, False),
]


@pytest.mark.parametrize(("before", "after", "kept"), CHANGES)
def test_only_another_law_begins_afresh(before: Law, after: Law, kept: bool) -> None:
    old = limits.make(before, 5)
    new = limits.change(old, limits.make(after, 7, 9))
    assert (new is old) is kept
    assert (new.law, new.limit) == (after, 7)
    if isinstance(new, TokenBucket):
        assert new.burst == 9

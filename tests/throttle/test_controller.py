"""The controller against a model of Kannel's burst sender and a provider's limit."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kannelkit.throttle.controller import AccountRate
from kannelkit.throttle.values import Learnt, Sample, Settings
from tests.harness.kannel_model import simulate
from tests.harness.model_laws import Law, fixed, sliding

_PHASES = st.floats(0, 0.999)
_DELAYS = st.sampled_from([0.005, 0.05, 0.3])
_LOOKS = st.floats(0.005, 0.034)


def _rate(ceiling: int | None, **more: float) -> AccountRate:
    return AccountRate("a", Settings(ceiling, int(more.pop("floor", 1)), more.pop("raise_after", 20.0)))


def test_kannel_alone_above_the_limit_delivers_half_and_has_half_refused() -> None:
    # what the real one does: so the model is one of Kannel
    run = simulate(None, sliding(lambda _: 30), seconds=60, throughput=60)
    assert run.per_second(5, 60) == pytest.approx(15.0, rel=0.05)
    assert len(run.refused) / (len(run.refused) + len(run.accepted)) == pytest.approx(0.5, abs=0.03)


@given(limit=st.integers(2, 200), factor=st.floats(1.2, 8), delay=_DELAYS, phase=_PHASES, look=_LOOKS)
@settings(max_examples=60, deadline=None)
def test_saturated_from_above_one_change_leads_to_the_limit(
    limit: int, factor: float, delay: float, phase: float, look: float
) -> None:
    ceiling = max(limit + 1, int(limit * factor))
    rate = _rate(ceiling)
    run = simulate(
        rate,
        sliding(lambda _: limit),
        seconds=40,
        throughput=ceiling,
        delay=delay,
        bind=2 * delay,
        phase=phase,
        look=look,
        seed=None,
    )
    assert [made.after for _, made in run.decisions] == [limit]
    assert rate.throughput == limit
    at = run.refused[0]
    best = simulate(
        None,
        sliding(lambda _: limit),
        seconds=40,
        throughput=limit,
        delay=delay,
        bind=2 * delay,
        phase=phase,
        look=look,
        seed=None,
    )
    assert run.per_second(at + 5, 40) >= 0.9 * best.per_second(5, 40)


@given(speed=st.floats(35, 400), phase=_PHASES, delay=_DELAYS)
@settings(max_examples=40, deadline=None)
def test_traffic_that_begins_slowly_leads_to_the_limit(speed: float, phase: float, delay: float) -> None:
    rate = _rate(60)
    run = simulate(
        rate, sliding(lambda _: 30), seconds=60, throughput=60, arrivals=lambda at: at * speed, phase=phase, delay=delay
    )
    assert rate.throughput == 30
    assert len(run.decisions) <= 2


@given(limit=st.integers(1, 100), phase=_PHASES, window=_PHASES)
@settings(max_examples=40, deadline=None)
def test_a_fixed_window_is_found_too(limit: int, phase: float, window: float) -> None:
    rate = _rate(3 * limit)
    simulate(rate, fixed(lambda _: limit, window), seconds=60, throughput=3 * limit, phase=phase)
    assert rate.throughput is not None
    # a first burst over the edge of two of its windows shows their sum; the next ones correct it
    assert limit <= rate.throughput <= limit + 1


@given(low=st.integers(5, 40), phase=_PHASES, at=st.floats(10, 12))
@settings(max_examples=30, deadline=None)
def test_a_limit_that_falls_is_followed(low: int, phase: float, at: float) -> None:
    rate = _rate(60)
    run = simulate(rate, sliding(lambda now: 60 if now < at else low), seconds=60, throughput=60, phase=phase)
    assert rate.throughput == low
    assert len(run.decisions) <= 2


def test_a_limit_that_rises_is_found_by_steps_that_grow() -> None:
    rate = AccountRate("a", Settings(60), Learnt(20, refuted=1))
    run = simulate(rate, sliding(lambda _: 60), seconds=150, throughput=20)
    assert rate.throughput == 60
    steps = [made.after - (made.before or 0) for _, made in run.decisions[:-1]]
    assert steps == sorted(steps)
    # a new link's second burst comes too early: no more than that one is refused after each change
    assert len(run.refused) <= sum(made.after for _, made in run.decisions)


def test_steps_up_are_ever_rarer_where_they_are_refused() -> None:
    rate = _rate(60)
    run = simulate(rate, sliding(lambda _: 30), seconds=1200, throughput=60)
    raised = [at for at, made in run.decisions if made.kind == "raise"]
    gaps = [b - a for a, b in pairwise(raised)]
    assert 2 <= len(raised) <= 5
    assert all(b > 1.5 * a for a, b in pairwise(gaps))
    assert rate.throughput == 30
    assert run.per_second(100, 1200) >= 28


@given(
    ceiling=st.integers(1, 120),
    floor=st.integers(1, 10),
    limits=st.lists(st.integers(0, 150), min_size=1, max_size=6),
    speed=st.floats(0.1, 200),
    phase=_PHASES,
    delay=_DELAYS,
    windowed=st.booleans(),
)
@settings(max_examples=60, deadline=None)
def test_whatever_the_provider_does_the_bounds_hold(
    ceiling: int, floor: int, limits: list[int], speed: float, phase: float, delay: float, windowed: bool
) -> None:
    floor = min(floor, ceiling)
    law: Law = (fixed if windowed else sliding)(lambda at: limits[int(at / 15) % len(limits)])
    run = simulate(
        _rate(ceiling, floor=floor, raise_after=5.0),
        law,
        seconds=90,
        throughput=ceiling,
        arrivals=lambda at: at * speed,
        phase=phase,
        delay=delay,
    )
    for _, made in run.decisions:
        assert floor <= made.after <= ceiling
        assert made.before is not None
        assert (made.after < made.before) == (made.kind == "lower")


def _samples(rate: AccountRate, rows: list[tuple[float, int, int]]) -> list[object]:
    return [made for at, accepted, waiting in rows if (made := rate.sampled(Sample(at, accepted, waiting, 0, True)))]


def test_refusals_that_the_queue_contradicts_move_nothing() -> None:
    """A forged line: the log says that 30 were refused, but no message waits for another try."""
    rate = _rate(30)
    made = _samples(rate, [(at / 4, at // 8, 0) for at in range(40)])
    for _ in range(30):
        rate.refused(10.0)
    made += _samples(rate, [(10.1, 5, 0), (10.3, 5, 0), (11.4, 6, 0)])
    assert made == []
    assert rate.doubted == 30


@given(
    forged=st.lists(st.floats(3, 25), max_size=400),
    every=st.one_of(st.none(), st.floats(0.02, 1.5)),
    delay=_DELAYS,
    phase=_PHASES,
    look=_LOOKS,
)
@settings(max_examples=60, deadline=None)
def test_forged_refusals_among_accepted_messages_move_nothing(
    forged: list[float], every: float | None, delay: float, phase: float, look: float
) -> None:
    """Whoever can write into the log, at whatever moments, cannot slow down an account that sends as fast as it may."""
    lies = [*forged, *([3 + number * every for number in range(int(20 / every))] if every else [])]
    run = simulate(
        _rate(30), lambda _: True, seconds=28, throughput=30, delay=delay, phase=phase, look=look, forged=lies
    )
    assert run.decisions == []


def test_a_few_refusals_at_a_rate_that_is_accepted_are_drift() -> None:
    rate = _rate(30)
    accepted = 0
    for second in range(30):
        for quarter in range(4):
            at = second + quarter / 4
            if quarter == 1:
                accepted += 30
            assert rate.sampled(Sample(at, accepted, 500, 0, True)) is None
        if second == 20:
            for _ in range(29):
                rate.refused(second + 0.99)
    assert rate.throughput == 30


def test_a_little_less_than_a_rate_that_ran_well_has_to_come_twice() -> None:
    rate = _rate(30)
    rate.begun(0.0, rested=True)
    rows = [(second + quarter / 4, 30 * (second + (quarter > 0)), 500) for second in range(10) for quarter in range(4)]
    assert _samples(rate, [*rows, (10.9, 300, 500)]) == []
    rate.refused(11.3)  # the burst after a rest of more than a second: 29 of 30
    assert _samples(rate, [(11.35, 329, 500), (11.4, 329, 500)]) == []
    rate.refused(13.1)
    made = _samples(rate, [(13.2, 358, 500)])
    assert [str(one) for one in made] == ["a: 1 of 30 refused in 1 s, accepted 29: throughput 30 -> 29"]


def test_long_messages_are_counted_in_submits() -> None:
    """Kannel counts a message of three parts once; the provider's limit is one of parts."""
    rate = _rate(60)
    rate.begun(0.0, rested=True)
    rate.sampled(Sample(0.0, 0, 1000, None, True, parts=3.0))
    for _ in range(30):
        rate.refused(0.2)
    assert rate.sampled(Sample(0.4, 9, 1000, None, True, parts=3.0)) is None  # more answers may come
    made = rate.sampled(Sample(0.95, 9, 1000, None, True, parts=3.0))
    assert made is not None
    assert made.after == 30


def test_without_a_ceiling_the_first_refusals_set_a_throughput() -> None:
    rate = _rate(None)
    assert rate.learnt is None
    rate.begun(0.0, rested=True)
    for _ in range(170):
        rate.refused(0.1)
    made = _samples(rate, [(0.2, 30, 870)])
    assert [str(one) for one in made] == ["a: 170 of 200 refused in 1 s, accepted 30: throughput unlimited -> 30"]


def test_what_was_learnt_stays_within_the_bounds_of_today() -> None:
    assert AccountRate("a", Settings(20), Learnt(30)).throughput == 20
    assert AccountRate("a", Settings(60, floor=5), Learnt(2)).throughput == 5
    assert AccountRate("a", Settings(60), Learnt(30, 3)).learnt == Learnt(30, 3)
    assert AccountRate("a", Settings(60)).learnt is None


def test_one_decision_at_a_time_and_another_one_when_it_failed() -> None:
    rate = _rate(60)
    rate.begun(0.0, rested=True)
    for _ in range(30):
        rate.refused(0.1)
    assert len(_samples(rate, [(0.2, 30, 870), (0.3, 30, 870), (0.6, 30, 870)])) == 1
    rate.abandoned()
    for _ in range(30):
        rate.refused(2.1)
    made = _samples(rate, [(2.2, 60, 840)])
    assert len(made) == 1
    assert rate.throughput == 60


def test_a_step_after_which_the_bind_is_closed_is_taken_back_at_once() -> None:
    rate = AccountRate("a", Settings(60, links=2), Learnt(30, 2))
    at = 0.0
    decision = None
    while decision is None:
        at += 0.25
        decision = rate.sampled(Sample(at, int(30 * at), 500, 0, True))
    assert decision.kind == "raise"
    rate.changed(decision.after, at)
    for quarter in range(12):
        assert rate.sampled(Sample(at + quarter / 4, int(30 * at), 500, 0, True)) is None
    rate.refused(at + 3.0)
    made = rate.sampled(Sample(at + 3.1, int(30 * at), 500, 0, False))
    assert made is not None
    assert made.after == 30
    assert rate.wait > 1000  # a bind is worth more than a step


def test_a_start_right_behind_another_bearerbox_proves_nothing() -> None:
    rate = AccountRate("a", Settings(60), Learnt(30))
    rate.begun(0.0)
    assert rate.sampled(Sample(0.1, 0, 40, 0, online=True)) is None
    for _ in range(8):
        rate.refused(0.3)  # the window is full of what the other one sent
    assert rate.sampled(Sample(0.31, 1, 39, 0, online=True)) is None
    assert rate.sampled(Sample(0.6, 1, 39, 0, online=True)) is None
    assert rate.throughput == 30


def test_a_burst_is_judged_before_the_next_one_that_is_on_its_way_is_answered() -> None:
    rate = AccountRate("a", Settings(60))
    rate.begun(0.0, rested=True)
    assert rate.sampled(Sample(0.1, 0, 240, 60, online=True)) is None
    assert rate.sampled(Sample(1.04, 30, 180, 90, online=True)) is None
    for _ in range(30):
        rate.refused(1.05)
    looks = (Sample(1.06 + number / 20, 30, 210, 60, online=True) for number in range(18))
    decisions = [decision for sample in looks if (decision := rate.sampled(sample))]
    assert [decision.after for decision in decisions] == [30]

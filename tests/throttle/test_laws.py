"""The controller against every law that providers are known to have, in a model of Kannel's sender."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from kannelkit.throttle.controller import AccountRate
from kannelkit.throttle.values import Learnt, Settings
from tests.harness.kannel_model import Run, simulate
from tests.harness.model_laws import Law, bucket, fixed, punishing, sliding

_DELAYS = st.sampled_from([0.001, 0.005, 0.05, 0.3, 1.0, 2.0])
_SEEDS = st.integers(0, 1000)

# the name of a law -> what makes it of a limit that may change
LAWS: dict[str, Callable[[Callable[[float], int]], Law]] = {
    "sliding": sliding,
    "fixed": lambda limit: fixed(limit, 0.37),
    "bucket of a second": lambda limit: bucket(limit, limit(0)),
    "bucket of two seconds": lambda limit: bucket(limit, 2 * limit(0)),
    "punishing": lambda limit: punishing(sliding(limit)),
}


@dataclass
class _Outcome:
    rate: AccountRate
    run: Run
    best: Run
    after: list[int] = field(default_factory=list)


def _against(law: str, limit: int, *, links: int = 1, ceiling: int | None = None, **more: object) -> _Outcome:
    """Run the controller from twice the limit, and Kannel alone at the limit."""
    ceiling = ceiling or 2 * limit
    rate = AccountRate("a", Settings(ceiling, links=links))
    common = {"seconds": 300.0, "links": links, **more}
    run = simulate(rate, LAWS[law](lambda _: limit), throughput=ceiling, **common)  # type: ignore[arg-type]  # by name
    best = simulate(None, LAWS[law](lambda _: limit), throughput=limit, **common)  # type: ignore[arg-type]  # by name
    return _Outcome(rate, run, best, [made.after for _, made in run.decisions])


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("delay", [0.005, 0.05, 0.3])
@pytest.mark.parametrize("limit", [2, 5, 30])
def test_five_minutes_from_twice_the_limit_bring_nearly_what_the_best_constant_brings(
    law: str, delay: float, limit: int
) -> None:
    out = _against(law, limit, delay=delay, bind=delay)
    assert len(out.run.accepted) >= 0.97 * len(out.best.accepted)


@pytest.mark.parametrize("law", ["sliding", "fixed", "bucket of a second"])
@pytest.mark.parametrize("delay", [0.005, 0.05, 0.3])
def test_little_is_refused_where_a_constant_rate_is_refused_nothing(law: str, delay: float) -> None:
    out = _against(law, 30, delay=delay, bind=delay, seed=None)
    assert out.best.refused_share(30, 300) == 0
    assert out.run.refused_share(0, 300) < 0.01
    assert out.run.refused_share(30, 300) < 0.002


@pytest.mark.parametrize("law", ["sliding", "fixed", "bucket of a second"])
@given(limit=st.integers(1, 40), delay=st.sampled_from([0.001, 0.02, 0.1, 0.5]), seed=_SEEDS)
@settings(max_examples=12, deadline=None)
def test_a_window_is_found_in_one_change_and_a_bucket_of_its_size_in_a_few(
    law: str, limit: int, delay: float, seed: int
) -> None:
    out = _against(law, limit, delay=delay, bind=delay, seed=seed, seconds=60.0)
    if law == "sliding":
        assert out.after == [limit]
    assert out.after[0] <= 1.5 * limit + 1
    assert len(out.after) <= 4
    assert limit - 1 <= (out.rate.throughput or 0) <= limit + max(1, limit // 20)


@pytest.mark.parametrize("law", ["sliding", "fixed"])
@pytest.mark.parametrize("delay", [0.005, 0.05, 0.3])
@given(seed=_SEEDS, fell=st.floats(40, 80), lasts=st.floats(5, 120))
@settings(max_examples=5, deadline=None)
def test_a_fall_is_answered_at_once_and_a_rise_is_used_within_two_minutes(
    law: str, delay: float, seed: int, fell: float, lasts: float
) -> None:
    def limit(at: float) -> int:
        return 20 if fell <= at < fell + lasts else 60

    rate = AccountRate("a", Settings(60))
    end = fell + lasts + 140
    run = simulate(rate, LAWS[law](limit), seconds=end, throughput=60, delay=delay, bind=delay, seed=seed)
    first = min(at for at in run.refused if at >= fell)
    lowered = next(at for at, made in run.decisions if made.kind == "lower" and at >= first)
    assert lowered - first <= 3 + 2 * delay
    assert rate.throughput is not None
    assert rate.throughput >= 0.95 * 60
    assert next(at for at, made in run.decisions if made.after >= 57 and at >= fell) <= fell + lasts + 120


def test_a_rise_that_nobody_announced_is_used_within_two_minutes() -> None:
    rate = AccountRate("a", Settings(120))
    run = simulate(rate, fixed(lambda at: 20 if at < 60 else 60), seconds=200, throughput=120)
    assert rate.throughput == 60
    assert next(at for at, made in run.decisions if made.after >= 57 and at > 60) <= 180


@given(
    law=st.sampled_from(sorted(LAWS)),
    limit=st.integers(1, 60),
    factor=st.floats(1, 4),
    delay=_DELAYS,
    disorder=st.sampled_from([0.0, 1.0]),
    window=st.sampled_from([10, 100, 2000]),
    links=st.integers(1, 3),
    seed=_SEEDS,
    speed=st.one_of(st.just(1e6), st.floats(0.1, 100)),
    bursts=st.sampled_from([None, 5.0, 30.0]),
)
@settings(max_examples=60, deadline=None)
def test_under_a_constant_law_the_rate_comes_to_rest_within_its_bounds(
    law: str,
    limit: int,
    factor: float,
    delay: float,
    disorder: float,
    window: int,
    links: int,
    seed: int,
    speed: float,
    bursts: float | None,
) -> None:
    """Whatever the law, the way and the traffic: never above the ceiling or below the floor, and no swinging."""
    ceiling = max(links, int(limit * factor))

    def arrivals(at: float) -> float:
        return speed * (at if bursts is None else at // bursts * bursts)

    rate = AccountRate("a", Settings(ceiling, links=links))
    run = simulate(
        rate,
        LAWS[law](lambda _: limit),
        seconds=240,
        throughput=ceiling,
        arrivals=arrivals,
        delay=delay,
        disorder=disorder,
        window=window,
        links=links,
        seed=seed,
    )
    for _, made in run.decisions:
        assert made.before is not None
        assert links <= made.after <= ceiling
        assert (made.after < made.before) == (made.kind == "lower")
    for throughput, shares in run.settled:
        assert sum(shares) == throughput
    raised = [at for at, made in run.decisions if made.kind == "raise"]
    assert len(run.decisions) <= 16
    assert len(raised) <= 8


@pytest.mark.parametrize("delay", [0.01, 0.3])
def test_a_limit_of_each_connection_is_used_by_all(delay: float) -> None:
    laws: Sequence[Law] = [sliding(lambda _: 15) for _ in range(2)]
    rate = AccountRate("a", Settings(60, links=2))
    run = simulate(rate, laws, seconds=60, throughput=60, delay=delay, bind=delay, seed=None)
    assert rate.throughput == 30
    assert len(run.decisions) <= 2


def test_a_provider_that_closes_the_bind_is_not_tried_again_soon() -> None:
    rate = AccountRate("a", Settings(60))
    run = simulate(rate, sliding(lambda _: 30), seconds=300, throughput=60, closes=True)
    assert run.decisions[0][1].after == 30
    assert run.per_second(20, 300) >= 0.9 * 30


def test_two_binds_that_are_both_closed_for_an_excess_prove_a_limit() -> None:
    rate = AccountRate("a", Settings(60, links=2))
    run = simulate(rate, sliding(lambda _: 30), seconds=60, throughput=60, links=2, closes=True, reconnect=10.0)
    assert rate.throughput == 30
    assert run.per_second(20, 60) >= 0.9 * 30


@pytest.mark.parametrize("speed", [100.0, 200.0, 400.0])
@pytest.mark.parametrize("links", [1, 2])
def test_a_first_burst_that_trickles_into_a_bucket_does_not_pass_for_the_limit(links: int, speed: float) -> None:
    rate = AccountRate("a", Settings(60, links=links))
    law = bucket(lambda _: 30, 30)
    simulate(rate, law, seconds=40, throughput=60, links=links, arrivals=lambda at: max(0.0, at - 1.5) * speed)
    assert rate.throughput is not None
    assert 30 <= rate.throughput <= 32  # as much flows in while a burst is written


@given(
    law=st.sampled_from(["each", "sliding", "punishing"]),
    links=st.integers(2, 3),
    first=st.floats(0.2, 2.0),
    speed=st.floats(120, 800),
    seed=_SEEDS,
)
@settings(max_examples=30, deadline=None)
def test_links_whose_pauses_take_turns_come_to_the_limit(
    law: str, links: int, first: float, speed: float, seed: int
) -> None:
    """Traffic that begins slowly and at any moment parts the links' bursts, so that the window is never empty."""
    assume(law != "punishing" or links == 2)  # of three, one nearly always sends while a punishment ends
    limit = 30 * links
    shared = sliding(lambda _: limit)
    laws = {
        "each": [sliding(lambda _: 30) for _ in range(links)],
        "sliding": [shared] * links,
        "punishing": [punishing(shared)] * links,
    }
    rate = AccountRate("a", Settings(2 * limit, links=links))
    run = simulate(
        rate,
        laws[law],
        seconds=60,
        throughput=2 * limit,
        links=links,
        arrivals=lambda at: max(0.0, at - first) * speed,
        seed=seed,
    )
    assert rate.throughput is not None
    assert 0.9 * limit <= rate.throughput <= 1.1 * limit
    assert run.per_second(30, 60) >= 0.7 * limit


@pytest.mark.parametrize("seed", [11, 23, 48])
def test_four_links_that_share_a_fixed_second_do_not_go_back_to_twice_its_limit(seed: int) -> None:
    chance = random.Random(seed)
    first, speed, phase = chance.uniform(0.2, 2.0), chance.uniform(120, 800), chance.random()
    rate = AccountRate("a", Settings(80, links=4))
    laws = [fixed(lambda _: 40, phase)] * 4
    simulate(
        rate, laws, seconds=60, throughput=80, links=4, arrivals=lambda at: max(0.0, at - first) * speed, seed=seed
    )
    assert rate.throughput is not None
    assert 36 <= rate.throughput <= 44


@given(phase=st.floats(0, 0.999), delay=st.floats(0.005, 0.5), links=st.integers(1, 2))
@settings(max_examples=30, deadline=None)
def test_where_a_punishment_ends_in_the_midst_of_a_burst_what_is_accepted_of_it_is_no_limit(
    phase: float, delay: float, links: int
) -> None:
    rate = AccountRate("a", Settings(60, links=links))
    law = punishing(sliding(lambda _: 30))
    simulate(rate, law, seconds=40, throughput=60, links=links, delay=delay, bind=delay, phase=phase)
    assert rate.throughput is not None
    assert rate.throughput >= 29


def test_a_full_queue_of_the_provider_is_not_our_speed() -> None:
    rate = AccountRate("a", Settings(60))
    run = simulate(rate, lambda _: True, seconds=120, throughput=60, other_refusals=lambda at: int(at) % 5 == 0)
    assert run.decisions == []


@given(
    lies=st.lists(st.floats(3, 110), max_size=200),
    every=st.one_of(st.none(), st.floats(0.3, 3)),
    limit=st.integers(2, 60),
    links=st.integers(1, 3),
    seed=_SEEDS,
)
@settings(max_examples=40, deadline=None)
def test_lines_that_no_refusal_wrote_make_no_account_slower_than_it_is(
    lies: list[float], every: float | None, limit: int, links: int, seed: int
) -> None:
    forged = [*lies, *([3 + number * every for number in range(int(100 / every))] if every else [])]
    ceiling = max(limit, links)
    rate = AccountRate("a", Settings(ceiling, links=links))
    run = simulate(rate, lambda _: True, seconds=120, throughput=ceiling, links=links, forged=forged, seed=seed)
    assert run.decisions == []


def test_what_was_learnt_is_where_it_begins() -> None:
    rate = AccountRate("a", Settings(60), Learnt(30, 2))
    run = simulate(rate, sliding(lambda _: 30), seconds=60, throughput=30)
    assert run.decisions == []

"""Random providers and random traffic against the controller, in a model of Kannel's sender.

KANNELKIT_PROVIDERS says how many of them are tried by each test, for an hour's run by hand.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from kannelkit.throttle.controller import AccountRate
from kannelkit.throttle.values import Settings
from tests.harness.kannel_model import Run, simulate
from tests.harness.model_laws import Law, bucket, fixed, punishing, sliding

_COUNT = int(os.environ.get("KANNELKIT_PROVIDERS", "50"))
_SECONDS = 240.0
# so many submits of one run at the most: larger limits run for a shorter time
_SUBMITS = 20_000

# the name of a law -> what makes one of it: its limit in SMS per second at a moment, and a share of a second
LAWS: dict[str, Callable[[Callable[[float], int], float], Law]] = {
    "sliding": lambda limit, _: sliding(limit),
    "fixed": fixed,
    "small bucket": lambda limit, part: bucket(limit, max(1, int(limit(0) * part))),
    "bucket": lambda limit, part: bucket(limit, max(1, int(limit(0) * (1 + 5 * part)))),
    "punishing": lambda limit, part: punishing(sliding(limit), 1 + 9 * part),
}

# how messages come -> how many have come by a moment, of a provider that takes so many a second
TRAFFIC: dict[str, Callable[[float, float], float]] = {
    "all there": lambda _, __: 1e9,
    "trickles": lambda at, limit: 0.5 * limit * at,
    "too many": lambda at, limit: 1.5 * limit * at,
    "bursts": lambda at, limit: 3 * limit * (1 + at // 5),
    "rare bursts": lambda at, limit: 20 * limit * (1 + at // 60),
    "comes and goes": lambda at, limit: 2 * limit * (at // 40 * 20 + min(20, at % 40)),
}


@dataclass(frozen=True)
class Provider:
    """One provider, the way to it and what is sent there; see `simulate`."""

    law: str
    limit: int
    part: float
    factor: float
    delay: float
    disorder: float
    window: int
    links: int
    each: bool  # the limit is one of each connection
    traffic: str
    closes: bool
    reconnect: float
    down: tuple[float, float] | None
    queue_full: bool
    others: bool
    every: float
    seed: int

    @property
    def ceiling(self) -> int:
        """SMS per second, where Kannel and the controller begin."""
        return max(self.links, int(self.limit * self.factor))

    @property
    def seconds(self) -> float:
        """How long it is tried."""
        return min(_SECONDS, max(60.0, _SUBMITS / self.ceiling))

    def laws(self, limit: Callable[[float], int]) -> Law | Sequence[Law]:
        """Return a fresh law for all links, or one for each."""
        make = LAWS[self.law]
        if self.each:
            return [make(lambda at: max(1, limit(at) // self.links), self.part) for _ in range(self.links)]
        return make(limit, self.part)

    def run(self, rate: AccountRate | None, limit: Callable[[float], int] | None = None) -> Run:
        """Run the model; without `rate` Kannel alone at the ceiling."""
        return simulate(
            rate,
            self.laws(limit or (lambda _: self.limit)),
            seconds=self.seconds,
            throughput=self.ceiling,
            arrivals=lambda at: TRAFFIC[self.traffic](at, self.limit),
            delay=self.delay,
            disorder=self.disorder,
            window=self.window,
            links=self.links,
            closes=self.closes,
            reconnect=self.reconnect,
            down=self.down,
            other_refusals=(lambda at: at % 7 < 0.3) if self.queue_full else None,
            others=(lambda at: int(20 * at) % 3) if self.others else None,
            every=self.every,
            phase=self.part,
            seed=self.seed,
        )


_SELDOM = st.sampled_from([False, False, False, True])
PROVIDERS = st.builds(
    Provider,
    law=st.sampled_from(sorted(LAWS)),
    limit=st.one_of(st.integers(1, 10), st.integers(10, 100), st.integers(100, 2000)),
    part=st.floats(0, 0.999),
    factor=st.sampled_from([1.0, 1.1, 1.5, 2.0, 3.0]),
    delay=st.sampled_from([0.001, 0.005, 0.05, 0.3, 1.0, 2.0]),
    disorder=st.sampled_from([0.0, 0.2, 1.0]),
    window=st.sampled_from([10, 50, 300, 2000]),
    links=st.sampled_from([1, 1, 2, 3]),
    each=_SELDOM,
    traffic=st.sampled_from(sorted(TRAFFIC)),
    closes=_SELDOM,
    reconnect=st.sampled_from([1.0, 10.0]),
    down=st.one_of(st.none(), st.none(), st.tuples(st.floats(1, 60), st.floats(61, 120))),
    queue_full=_SELDOM,
    others=_SELDOM,
    every=st.sampled_from([0.25, 1.0]),
    seed=st.integers(0, 10_000),
)


def _in_bounds(provider: Provider, run: Run) -> None:
    for _, made in run.decisions:
        assert made.before is not None
        assert provider.links <= made.after <= provider.ceiling
        assert (made.after < made.before) == (made.kind == "lower")
    for throughput, shares in run.settled:
        assert sum(shares) == throughput
        assert min(shares) >= 1


@given(provider=PROVIDERS)
@settings(max_examples=_COUNT)
def test_under_a_constant_law_the_rate_keeps_its_bounds_and_comes_to_rest(provider: Provider) -> None:
    rate = AccountRate("a", Settings(provider.ceiling, links=provider.links))
    run = provider.run(rate)
    _in_bounds(provider, run)
    turns = sum(a.kind != b.kind for (_, a), (_, b) in pairwise(run.decisions))
    assert turns <= 5
    assert len(run.decisions) <= 16


# one link of two is down, and the other one alone is refused a little: that is not the account's limit
_ONE_IS_DOWN = Provider(
    law="bucket",
    limit=10,
    part=0.0,
    factor=1.1,
    delay=0.001,
    disorder=0.0,
    window=10,
    links=2,
    each=True,
    traffic="comes and goes",
    closes=False,
    reconnect=1.0,
    down=(1.0, 61.0),
    queue_full=False,
    others=False,
    every=0.25,
    seed=0,
)


@given(provider=PROVIDERS)
@example(provider=_ONE_IS_DOWN)
@settings(max_examples=_COUNT)
def test_nobody_is_worse_off_than_with_kannel_alone(provider: Provider) -> None:
    """What learning costs is little, and a rate that was found delivers no less than the one that was configured."""
    # a bind that is closed takes the answers with it that are on their way: what was accepted is then not known
    assume(not (provider.closes and provider.disorder))
    # of a few a second, one more or less is much, and Kannel's period is a second and the answer's delay
    assume(provider.limit >= 10)
    # a link that is down lends its share to the others, which is not the doing of the controller (see test_shares)
    assume(provider.each or provider.down is None or provider.links == 1)
    rate = AccountRate("a", Settings(provider.ceiling, links=provider.links))
    run, alone = provider.run(rate), provider.run(None)
    learning = 10 * provider.limit  # seconds' worth
    assert len(run.accepted) >= 0.9 * len(alone.accepted) - learning
    assert len(run.refused) <= 1.5 * len(alone.refused) + learning


@given(provider=PROVIDERS, limits=st.lists(st.integers(1, 300), min_size=1, max_size=5))
@settings(max_examples=_COUNT)
def test_whatever_limit_comes_next_the_bounds_hold(provider: Provider, limits: list[int]) -> None:
    rate = AccountRate("a", Settings(provider.ceiling, links=provider.links, raise_after=5.0))
    _in_bounds(provider, provider.run(rate, lambda at: limits[int(at / 30) % len(limits)]))


@given(provider=PROVIDERS, share=st.floats(0.01, 1.0), every=st.floats(0.5, 20))
@settings(max_examples=_COUNT // 2)
def test_refusals_of_other_kinds_move_nothing(provider: Provider, share: float, every: float) -> None:
    """A queue that is full, a number that is not valid: whatever it is, and however often, it is not our speed."""
    rate = AccountRate("a", Settings(provider.ceiling, links=provider.links))
    run = simulate(
        rate,
        lambda _: True,
        seconds=provider.seconds / 2,
        throughput=provider.ceiling,
        arrivals=lambda at: TRAFFIC[provider.traffic](at, provider.limit),
        delay=provider.delay,
        disorder=provider.disorder,
        window=provider.window,
        links=provider.links,
        other_refusals=lambda at: at % every < share * every,
        seed=provider.seed,
    )
    assert run.decisions == []
    assert rate.throughput == provider.ceiling

"""A model of Kannel's sender and a provider's limit in simulated time, to try the controller without waiting.

What it models of gw/smsc/smsc_smpp.c: a second's allowance leaves in one burst, in periods that begin with the link
and then at the first look after the last one is over; a link with messages looks every floor(1000 / throughput) ms,
counted from the last answer; at the most `window` submits are unanswered; after a throttling error the link is silent
until the wall clock is two whole seconds on, and an error of another kind ends that silence; a refused message waits
`resend` seconds; a new link sends at once. Of TCP: a burst's first submit leaves alone, the rest when it is
acknowledged, 40 ms later or with its answer (Nagle's algorithm and delayed acknowledgements).

What a machine does besides is chance, from a seed: a wake-up comes a little late, sometimes some milliseconds late.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from itertools import count
from math import ceil, floor, inf
from random import Random

from kannelkit.render.links import shares
from kannelkit.throttle.controller import AccountRate
from kannelkit.throttle.moment import Moment
from kannelkit.throttle.values import Decision, Sample
from tests.harness.model_laws import Law

_ACKNOWLEDGED = 0.04  # seconds, Linux's delayed acknowledgement
_TICK = 0.0005  # seconds, how unevenly that comes
_SUBMIT = 30e-6  # seconds that writing and reading one submit takes
_LOOK = 0.12e-3  # seconds that a look costs besides its wait
_CHUNK = 25  # submits at the most that are judged and answered together
_LATE = 0.3e-3  # seconds, the usual lateness of a wake-up
_HICCUP = (0.03, 4e-3)  # how often it is later, and by how much on average
# no quiet moment for a change within this time, and it is given up (kannelkit/supervise/links.py)
_MOMENT_SECONDS = 30.0
# the counters are read so soon after a refusal, and while it is followed (kannelkit/supervise/watch.py)
_SOON = 0.05
# nor is a new link waited for longer
_BACK_SECONDS = 15.0


@dataclass
class Run:
    """What came of a run: accepted and refused submits by their time, and the decisions."""

    accepted: list[float] = field(default_factory=list)
    refused: list[float] = field(default_factory=list)
    decisions: list[tuple[float, Decision]] = field(default_factory=list)
    stopped: list[tuple[float, int]] = field(default_factory=list)  # when a link was stopped, and for which rate
    settled: list[tuple[int, tuple[int, ...]]] = field(default_factory=list)  # each rate in force, the links' shares

    def per_second(self, begin: float, end: float) -> float:
        """Return the accepted submits per second between two times."""
        return sum(begin <= at < end for at in self.accepted) / (end - begin)

    def refused_share(self, begin: float, end: float) -> float:
        """Return which share of the submits between two times was refused."""
        refused = sum(begin <= at < end for at in self.refused)
        return refused / max(1, refused + sum(begin <= at < end for at in self.accepted))


class _Kind(IntEnum):
    ARRIVES = 0
    ANSWERED = 1
    CLOSES = 2
    LOOKS = 3
    FORGED = 4
    SAMPLED = 5
    GOES_DOWN = 6


@dataclass
class _Link:
    number: int
    throughput: int
    law: Law
    online_at: float
    period_from: float = 0.0
    in_period: int = 0
    pause_until: float = -inf
    pending: int = 0
    woken: float = 0.0
    look: float = inf  # the one look that counts; others in the heap are stale
    last_arrival: float = -inf
    bind: int = 0  # answers to an earlier bind never come
    closing: bool = False
    idle: bool = False
    renewed: bool = False


class Simulation:
    """One account on one Kannel, its provider and, unless `rate` is None, its controller; see `simulate`."""

    def __init__(
        self,
        rate: AccountRate | None,
        laws: Sequence[Law],
        *,
        throughput: int,
        arrivals: Callable[[float], float],
        delay: float,
        bind: float,
        phase: float,
        look: float | None,
        resend: float,
        every: float,
        window: int,
        disorder: float,
        closes: bool,
        reconnect: float,
        down: tuple[float, float] | None,
        other_refusals: Callable[[float], bool] | None,
        others: Callable[[float], int] | None,
        seed: int | None,
    ) -> None:
        self.run = Run()
        self._rate = rate
        self._moment = Moment(len(laws))
        self._arrivals = arrivals
        self._delay, self._bind, self._phase, self._look = delay, bind, phase, look
        self._resend, self._every, self._window, self._disorder = resend, every, window, disorder
        self._closes, self._reconnect, self._down = closes, reconnect, down
        self._other, self._others = other_refusals, others
        self._chance = Random(seed) if seed is not None else None
        self._links = [
            _Link(number, share, law, bind)
            for number, (share, law) in enumerate(zip(shares(throughput, len(laws)), laws, strict=True))
        ]
        self._again: deque[float] = deque()
        self._sent = self._accepted = 0
        self._last_answer = -inf
        self._decision: Decision | None = None
        self._decided = 0.0
        self._changing: list[_Link] = []
        self._sample_at = 0.0
        self._events: list[tuple[float, int, _Kind, _Link | None, tuple[int, int, int]]] = []
        self._number = count()

    def until(self, seconds: float, forged: Iterable[float]) -> Run:
        """Run for some seconds."""
        for each in self._links:
            self._look_at(each, each.online_at)
        for at in forged:
            self._put(at, _Kind.FORGED, None)
        if self._down is not None:
            self._put(self._down[0], _Kind.GOES_DOWN, self._links[-1])
        if self._rate is not None:
            self._rate.begun(0.0, rested=True)
            self._sample(0.0)
        events = self._events
        while events and events[0][0] < seconds:
            at, _, kind, link, what = heapq.heappop(events)  # what: accepted or sent, refused, bind
            if kind is _Kind.SAMPLED:
                if at == self._sample_at:
                    self._sampled(at)
            elif link is None:
                assert self._rate is not None
                self._rate.refused(at)
            elif kind is _Kind.GOES_DOWN:
                self._unbound(link, at)
            elif kind is _Kind.LOOKS:
                if at == link.look:
                    link.woken = at
                    self._send(link, at)
            elif what[2] == link.bind:
                if kind is _Kind.ARRIVES:
                    self._arrives(link, at, what[0])
                elif kind is _Kind.ANSWERED:
                    self._answered(link, at, what[0], what[1])
                else:
                    self._unbound(link, at)
        return self.run

    def _put(self, at: float, kind: _Kind, link: _Link | None, what: tuple[int, int, int] = (0, 0, 0)) -> None:
        heapq.heappush(self._events, (at, next(self._number), kind, link, what))

    def _look_at(self, link: _Link, at: float) -> None:
        link.look = at + self._late()
        self._put(link.look, _Kind.LOOKS, link)

    def _late(self) -> float:
        if self._chance is None:
            return 0.0
        late = self._chance.expovariate(1 / _LATE)
        if self._chance.random() < _HICCUP[0]:
            late += self._chance.expovariate(1 / _HICCUP[1])
        return late

    def _random(self) -> float:
        return 0.5 if self._chance is None else self._chance.random()

    # -- Kannel ----------------------------------------------------------------------------------------------------

    def _send(self, link: _Link, at: float) -> None:
        if at < link.online_at:
            return self._look_at(link, link.online_at)
        if at < link.pause_until:
            return self._look_at(link, link.pause_until)
        fresh = int(min(1e9, self._arrivals(at))) - self._sent
        again = 0
        if self._again and self._again[0] <= at:
            again = sum(1 for due in self._again if due <= at)
        if link.idle and not fresh + again:
            return self._look_at(link, at + 0.02)  # nobody has woken it
        link.idle = False
        if at >= link.period_from + 1.0:
            link.period_from, link.in_period = at, 0
        wanted = min(link.throughput - link.in_period, self._window - link.pending)
        number = min(wanted, fresh + again)
        if number > 0:
            for _ in range(min(again, number)):
                self._again.popleft()
            self._sent += max(0, number - again)
            self._leave(link, at, number)
        if number < wanted:
            link.idle = True
            return self._look_at(link, at + 0.02)  # nothing waits: the next message wakes the link
        # a full window is woken by an answer, a full period ends at a look
        target = link.period_from + 1.0 if link.in_period >= link.throughput else at + 1.0
        interval = (self._look if self._look is not None else floor(1000 / link.throughput) / 1000) + _LOOK
        return self._look_at(link, link.woken + max(1, ceil((target - link.woken) / interval)) * interval)

    def _leave(self, link: _Link, at: float, number: int) -> None:
        link.in_period += number
        alone = at > link.last_arrival + _ACKNOWLEDGED
        link.pending += number
        moment = max(at, link.last_arrival)
        if alone:
            self._put(moment, _Kind.ARRIVES, link, (1, 0, link.bind))
            number -= 1
            moment += min(_ACKNOWLEDGED - self._random() * _TICK, self._delay) + self._late()
        while number:
            size = min(_CHUNK, max(3, number // 4), number)
            number -= size
            moment += size * _SUBMIT
            self._put(moment, _Kind.ARRIVES, link, (size, 0, link.bind))
        link.last_arrival = moment

    def _arrives(self, link: _Link, at: float, number: int) -> None:
        if link.closing:
            return  # the provider reads no more of this bind
        after = self._delay * (1 + self._random() * self._disorder)
        if self._other is not None and self._other(at):
            self._put(at + after, _Kind.ANSWERED, link, (0, -number, link.bind))
            return
        accepted = sum(link.law(at) for _ in range(number))
        refused = number - accepted
        if refused and self._closes:
            refused, link.closing = 1, True
            self._put(at + after + _TICK, _Kind.CLOSES, link, (0, 0, link.bind))
        self.run.accepted += [at] * accepted
        self.run.refused += [at] * refused
        self._put(at + after, _Kind.ANSWERED, link, (accepted, refused, link.bind))

    def _unbound(self, link: _Link, at: float) -> None:
        """The bind is gone: what is unanswered is sent again."""
        self._again.extendleft([at] * link.pending)
        link.bind, link.pending, link.closing = link.bind + 1, 0, False
        self._binds(link, at + self._reconnect)
        self._look_at(link, link.online_at)

    def _binds(self, link: _Link, at: float) -> None:
        """The link connects from `at` on, but not while it is down."""
        if self._down is not None and link is self._links[-1] and self._down[0] <= at < self._down[1]:
            at = self._down[1]
        link.online_at = at + self._bind

    def _answered(self, link: _Link, at: float, accepted: int, refused: int) -> None:
        link.pending -= accepted + abs(refused)
        self._accepted += accepted
        self._last_answer = link.woken = at
        self._again.extend([at + self._resend] * abs(refused))
        if refused < 0:
            link.pause_until = -inf
        elif refused:
            link.pause_until = floor(at + self._phase) + 2 - self._phase
            if self._rate is not None:
                for _ in range(refused):
                    self._rate.refused(at)
                self._moment.refused(at, link.pause_until, link.number)
                self._sample(min(self._sample_at, at + _SOON))
        self._send(link, at)

    # -- the supervisor --------------------------------------------------------------------------------------------

    def _sampled(self, at: float) -> None:
        rate = self._rate
        assert rate is not None
        online = all(at >= link.online_at for link in self._links)
        waiting = int(min(1e6, self._arrivals(at) - self._sent)) + len(self._again)
        in_flight: int | None = sum(link.pending for link in self._links)
        if self._others is not None and (in_flight or self._others(at)):
            in_flight = None  # of several accounts nobody can say whose submits these are
        sample = Sample(at, self._accepted, waiting, in_flight, online)
        self._moment.sampled(sample)
        made = rate.sampled(sample)
        if made is not None:
            self._decision, self._decided = made, at
            self._changing = list(self._links)
            self.run.decisions.append((at, made))
        if self._decision is not None:
            self._change(rate, self._decision, at, online)
        self._sample(at + (0.02 if self._decision is not None else _SOON if rate.busy else self._every))

    def _sample(self, at: float) -> None:
        self._sample_at = at
        self._put(at, _Kind.SAMPLED, None)

    def _change(self, rate: AccountRate, decision: Decision, at: float, online: bool) -> None:
        waited = at - self._decided >= _BACK_SECONDS
        if not self._changing:
            if online or waited:
                self._decision = None
                rate.changed(decision.after, at)
                self.run.settled.append((decision.after, tuple(each.throughput for each in self._links)))
            return
        if not waited and any(link.renewed and at < link.online_at for link in self._links):
            return
        link = self._changing[0]
        good = self._moment.good(at, rate.throughput) or at < link.online_at
        if not good and at - self._decided < _MOMENT_SECONDS:
            return
        if not good and len(self._changing) == len(self._links):
            self._decision = None
            rate.abandoned()
            return
        del self._changing[0]
        self._decided = at
        self.run.stopped.append((at, decision.after))
        # stopped with nothing in flight; started when the provider's window is empty
        begins = max(at + 0.02, self._last_answer + 1.0)
        self._again.extendleft([at] * link.pending)
        link.bind, link.pending, link.pause_until, link.closing = link.bind + 1, 0, -inf, False
        link.throughput = shares(decision.after, len(self._links))[link.number]
        link.period_from, link.in_period = begins, 0
        self._binds(link, begins)
        link.renewed = True
        self._look_at(link, link.online_at)


def simulate(
    rate: AccountRate | None,
    law: Law | Sequence[Law],
    *,
    seconds: float,
    throughput: int,
    arrivals: Callable[[float], float] = lambda _: 1e9,
    delay: float = 0.05,
    bind: float | None = None,
    phase: float = 0.3,
    look: float | None = None,
    resend: float = 5.0,
    every: float = 0.25,
    window: int = 1000,
    links: int = 1,
    disorder: float = 0.0,
    closes: bool = False,
    reconnect: float = 1.0,
    down: tuple[float, float] | None = None,
    other_refusals: Callable[[float], bool] | None = None,
    others: Callable[[float], int] | None = None,
    forged: Iterable[float] = (),
    seed: int | None = 0,
) -> Run:
    """Run an account's links for `seconds`; `arrivals(at)` is how many messages have come in by then.

    `rate` None is Kannel alone. A sequence of laws has one for each of as many links (a limit per connection), one law
    is shared by all `links`. `bind` is how long a link is on its way (default: twice the answers' `delay`), `phase` the
    wall clock's fraction of a second at the start, `every` how often the counters are read. Answers take up to
    1 + `disorder` times `delay`. `closes`: the provider closes a bind over which an excess came, with that as its last
    answer; it is bound anew `reconnect` seconds later. The last link loses its bind at the first moment of `down` and
    finds the provider again at the second. While `other_refusals(at)`, every submit is refused for another reason than
    speed. `others(at)` is how many submits of other accounts are unanswered, where there are such accounts. At the
    times in `forged` somebody else writes a line into the log that looks like a refusal. `seed` is that of chance;
    None: nothing is left to it.
    """
    simulation = Simulation(
        rate,
        law if isinstance(law, Sequence) else [law] * links,
        throughput=throughput,
        arrivals=arrivals,
        delay=delay,
        bind=2 * delay if bind is None else bind,
        phase=phase,
        look=look,
        resend=resend,
        every=every,
        window=window,
        disorder=disorder,
        closes=closes,
        reconnect=reconnect,
        down=down,
        other_refusals=other_refusals,
        others=others,
        seed=seed,
    )
    return simulation.until(seconds, forged)

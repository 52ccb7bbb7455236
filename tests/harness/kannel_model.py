"""A model of Kannel's sender and a provider's limit in simulated time, to try the controller without waiting.

What it models of gw/smsc/smsc_smpp.c: a second's allowance leaves in one burst, in periods that begin with the link
and then at the first look after the last one is over; after a throttling error the link is silent until the wall
clock is two whole seconds on; a refused message waits `resend` seconds; a new link sends at once.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from kannelkit.throttle.controller import AccountRate
from kannelkit.throttle.values import Decision, Sample

Law = Callable[[float], bool]

_STEP = 0.005


def sliding(limit: Callable[[float], int]) -> Law:
    """Return a law that accepts at most `limit(at)` submits in any second."""
    window: deque[float] = deque()

    def accepts(at: float) -> bool:
        while window and window[0] <= at - 1.0 + 1e-9:  # times are sums of steps
            window.popleft()
        if len(window) >= limit(at):
            return False
        window.append(at)
        return True

    return accepts


def fixed(limit: Callable[[float], int], phase: float = 0.0) -> Law:
    """Return a law that accepts at most `limit(at)` submits in each second of the provider's clock."""
    state = {"second": -1, "count": 0}

    def accepts(at: float) -> bool:
        second = int(at + phase)
        if second != state["second"]:
            state["second"], state["count"] = second, 0
        state["count"] += 1
        return state["count"] <= limit(at)

    return accepts


@dataclass
class Run:
    """What came of a run: accepted and refused submits by their time, and the decisions."""

    accepted: list[float] = field(default_factory=list)
    refused: list[float] = field(default_factory=list)
    decisions: list[tuple[float, Decision]] = field(default_factory=list)

    def per_second(self, begin: float, end: float) -> float:
        """Return the accepted submits per second between two times."""
        return sum(begin <= at < end for at in self.accepted) / (end - begin)


def simulate(
    rate: AccountRate | None,
    law: Law,
    *,
    seconds: float,
    throughput: int,
    arrivals: Callable[[float], float] = lambda _: 1e9,
    delay: float = 0.05,
    bind: float = 0.1,
    phase: float = 0.3,
    look: float = 0.033,
    resend: float = 5.0,
    every: float = 0.25,
    forged: Iterable[float] = (),
) -> Run:
    """Run one link for `seconds`; `arrivals(at)` is how many messages have come in by then.

    `rate` None is Kannel alone. `phase` is the wall clock's fraction of a second at the start, `look` how often the
    link looks, `every` how often the counters are read. At the times in `forged` somebody else writes a line into the
    log that looks like a refusal.
    """
    run = Run()
    answers: deque[tuple[float, bool]] = deque()
    waiting_again: deque[float] = deque()
    sent = accepted = 0
    online_at, period_from, in_period = bind, 0.0, 0
    pause_until = float("-inf")
    next_look = next_sample = 0.0
    decision: Decision | None = None
    last_answer = float("-inf")
    lies = deque(sorted(forged))
    for step in range(int(seconds / _STEP)):
        at = step * _STEP
        while answers and answers[0][0] <= at:
            _, ok = answers.popleft()
            last_answer = at
            if ok:
                accepted += 1
            else:
                pause_until = int(at + phase) + 2 - phase
                waiting_again.append(at + resend)
                if rate is not None:
                    rate.refused(at)
        while lies and lies[0] <= at:
            lies.popleft()
            if rate is not None:
                rate.refused(at)
        again = sum(1 for due in waiting_again if due <= at)
        fresh = arrivals(at) - sent
        if at >= online_at and at >= next_look and at >= pause_until:
            next_look = at + look
            if at >= period_from + 1.0:
                period_from, in_period = at, 0
            while in_period < throughput and fresh + again >= 1:
                if again:
                    again -= 1
                    waiting_again.popleft()
                else:
                    sent += 1
                    fresh -= 1
                in_period += 1
                ok = law(at + delay / 2)
                (run.accepted if ok else run.refused).append(at)
                answers.append((at + delay, ok))
        if rate is None:
            continue
        waiting = int(min(1e6, fresh)) + len(waiting_again)
        if at >= next_sample:
            next_sample = at + (0.05 if rate.busy else every)
            made = rate.sampled(Sample(at, accepted, waiting, len(answers), at >= online_at))
            if made is not None:
                decision = made
                run.decisions.append((at, made))
        # the supervisor: the links are stopped with nothing in flight, started when the provider's window is empty
        if decision is not None and not answers and at >= online_at:
            begins = max(at, last_answer + 1.0)
            period_from, in_period, online_at, pause_until = begins, 0, begins + bind, float("-inf")
            rate.sampled(Sample(at, accepted, waiting, 0, False))
            throughput = decision.after
            decision = None
        if throughput != rate.throughput and at >= online_at:
            rate.changed(throughput, at)
    return run

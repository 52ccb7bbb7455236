"""A paced sender before a provider's law, in simulated time: what was accepted, what was refused, and when."""

from __future__ import annotations

import heapq
import math
import random
from bisect import bisect_right
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from kannelkit.pacing.limit import Learnt, Limit, Sent
from kannelkit.pacing.slots import Slots

_LOOK_EVERY = 0.05  # seconds between two looks of the sender
_CAUGHT_UP = 0.1  # seconds: what the sender catches up of the time in which it had no processor
_NEVER = -math.inf


class Law(Protocol):
    """What a provider lets through."""

    def admits(self, now: float) -> bool:
        """Return whether what arrives at `now` is within the limit, and count it if so."""


class Sliding:
    """At most `number` in any `seconds`."""

    def __init__(self, number: int, seconds: float = 1.0) -> None:
        self.number = number
        self.seconds = seconds
        self.admitted: deque[float] = deque()

    def admits(self, now: float) -> bool:
        admitted = self.admitted
        while admitted and now - admitted[0] >= self.seconds:
            admitted.popleft()
        if len(admitted) >= self.number:
            return False
        admitted.append(now)
        return True


class Fixed:
    """At most `number` in each `seconds`, of which one begins at `edge`."""

    def __init__(self, number: int, seconds: float = 1.0, edge: float = 0.0) -> None:
        self.number = number
        self.seconds = seconds
        self.edge = edge
        self._which: int | None = None
        self._admitted = 0

    def admits(self, now: float) -> bool:
        which = math.floor((now - self.edge) / self.seconds)
        if which != self._which:
            self._which, self._admitted = which, 0
        if self._admitted >= self.number:
            return False
        self._admitted += 1
        return True


class Bucket:
    """`number` a second in the long run, `burst` of them at once; full at the start."""

    def __init__(self, number: float, burst: float) -> None:
        self.number = number
        self.burst = burst
        self._tokens = burst
        self._filled = 0.0

    def admits(self, now: float) -> bool:
        self._tokens = min(self.burst, self._tokens + (now - self._filled) * self.number)
        self._filled = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True


class Punishing:
    """Another law, and nothing at all for `seconds` after an excess."""

    def __init__(self, law: Law, seconds: float = 5.0) -> None:
        self.law = law
        self.seconds = seconds
        self._until = _NEVER

    def admits(self, now: float) -> bool:
        if now < self._until:
            return False
        if self.law.admits(now):
            return True
        self._until = now + self.seconds
        return False


class Changing:
    """The laws of one provider one after another, each from a moment on; `number` of a window is taken over."""

    def __init__(self, law: Law, changes: Sequence[tuple[float, float]]) -> None:
        self.law = law
        self.changes = deque(changes)

    def admits(self, now: float) -> bool:
        while self.changes and now >= self.changes[0][0]:
            number = self.changes.popleft()[1]
            law = self.law.law if isinstance(self.law, Punishing) else self.law
            assert isinstance(law, Sliding | Fixed | Bucket)
            law.number = number if isinstance(law, Bucket) else round(number * law.seconds)
        return self.law.admits(now)


@dataclass(frozen=True, slots=True)
class Stalls:
    """Moments at which something stands still, at random: every so many seconds on average, from least to most seconds.

    What stands still each time is the sender, the way there, or the way back. What waited comes all together after it.
    """

    every: float = 4.0
    least: float = 0.005
    most: float = 0.05


@dataclass(frozen=True, slots=True)
class Way:
    """How submits go and answers come: seconds there and back, what that varies by, and over how many connections.

    `late` is by how much the sender wakes up late. Out of order, a submit may overtake another one.
    """

    delay: float = 0.05
    jitter: float = 0.001
    connections: int = 1
    in_order: bool = True
    late: float = 0.001
    stalls: Stalls | None = None


class Standstill:
    """Stretches of time in which nothing moves."""

    def __init__(self) -> None:
        self._begins: list[float] = []
        self._ends: list[float] = []

    def add(self, begin: float, end: float) -> None:
        """One more, after the others."""
        self._begins.append(begin)
        self._ends.append(end)

    def over(self, moment: float) -> float:
        """Return when what would move at a moment moves."""
        place = bisect_right(self._begins, moment) - 1
        return max(moment, self._ends[place]) if place >= 0 else moment


def standstills(stalls: Stalls | None, seconds: float, chance: random.Random) -> tuple[Standstill, ...]:
    """Return those of the sender, the way there and the way back."""
    found = (Standstill(), Standstill(), Standstill())
    moment = 0.0
    while stalls is not None and moment < seconds:
        moment += chance.expovariate(1.0 / stalls.every)
        end = moment + chance.uniform(stalls.least, stalls.most)
        chance.choice(found).add(moment, end)
        moment = end
    return found


@dataclass(slots=True)
class Outcome:
    """What happened: the moments at which accepted and refused submits left, and the limits that were believed."""

    seconds: float
    limit: Limit
    slots: Slots
    accepted: list[float] = field(default_factory=list)
    refused: list[float] = field(default_factory=list)
    believed: list[tuple[float, float]] = field(default_factory=list)

    def per_second(self, begin: float = 0.0, end: float = math.inf) -> float:
        """Accepted per second between two moments."""
        end = min(end, self.seconds)
        return sum(begin <= each < end for each in self.accepted) / (end - begin)

    @property
    def share_refused(self) -> float:
        """Of all submits, as a fraction."""
        return len(self.refused) / max(1, len(self.refused) + len(self.accepted))

    def refused_between(self, begin: float, end: float = math.inf) -> int:
        """How many that left between two moments were refused."""
        return sum(begin <= each < end for each in self.refused)


_ARRIVES, _ANSWERED = 0, 1


class Model:
    """A sender that always has more to send, or has what `arrivals` says."""

    def __init__(
        self, law: Law, ceiling: float, way: Way, *, seed: int = 0, learnt: Learnt | None = None, allows: bool = True
    ) -> None:
        self.limit = Limit(ceiling, learnt)
        self.slots = Slots(self.limit.rate)
        self._law = law
        self._way = way
        self._allows = allows
        self._chance = random.Random(seed)
        self._events: list[tuple[float, int, int, Sent, bool]] = []
        self._number = 0
        self._last_there = [_NEVER] * way.connections
        self._last_back = [_NEVER] * way.connections
        self._standing = random.Random(seed + 1)  # of its own: without it the rest is as it was
        self._ours, self._there, self._back = standstills(None, 0.0, self._standing)

    def run(self, seconds: float, arrivals: Sequence[float] | None = None) -> Outcome:
        """Send for so many seconds; `arrivals` are moments, in order, at which one more is to be sent."""
        limit, slots, events, chance, late = self.limit, self.slots, self._events, self._chance.random, self._way.late
        outcome = Outcome(seconds, limit, slots)
        now = next_look = caught_up = 0.0
        next_at = math.inf  # when the next one should leave, where it is the rate that it waits for
        self._ours, self._there, self._back = standstills(self._way.stalls, seconds, self._standing)
        waiting: deque[float] | None = None if arrivals is None else deque(arrivals)
        limited = False
        while now < seconds:
            while events and events[0][0] <= now:
                self._event(outcome)
            if now >= next_look:
                limit.look(now, limited)
                limited = False
                next_look = now + _LOOK_EVERY
            rate = limit.rate
            if rate != slots.rate and not math.isclose(rate, slots.rate, rel_tol=1e-9):
                slots.pace(rate, now)
                outcome.believed.append((now, limit.limit))
            if self._allows:
                slots.allow(limit.allowance)
            wakes = min(next_look, events[0][0]) if events else next_look
            if waiting is not None and (not waiting or waiting[0] > now):
                wakes = min(wakes, waiting[0] if waiting else math.inf)
            else:
                wait = max(slots.wait(now), limit.wait(now))
                if wait <= 0.0:
                    if waiting is not None:
                        waiting.popleft()
                    self._leave(now, caught_up)
                    continue
                limited, next_at = True, now + wait
                wakes = min(wakes, next_at + late * chance())
            now = self._ours.over(max(wakes, now + 1e-7))
            caught_up = now - min(_CAUGHT_UP, max(0.0, now - next_at))
            next_at = math.inf
        return outcome

    def _leave(self, now: float, caught_up: float) -> None:
        sent = self.limit.sent(now)
        self.slots.take(caught_up)
        self._number += 1
        self._push(self._last_there, now, _ARRIVES, sent, False)

    def _push(self, last: list[float], now: float, kind: int, sent: Sent, admitted: bool) -> None:
        way = self._way
        arrives = now + way.delay / 2 + self._chance.random() * way.jitter
        arrives = self._back.over(arrives) if kind else self._there.over(arrives)
        if way.in_order:
            which = self._number % way.connections
            arrives = last[which] = max(last[which], arrives)
        self._number += kind
        heapq.heappush(self._events, (arrives, self._number, kind, sent, admitted))

    def _event(self, outcome: Outcome) -> None:
        now, _, kind, sent, admitted = heapq.heappop(self._events)
        if kind == _ARRIVES:
            self._push(self._last_back, now, _ANSWERED, sent, self._law.admits(now))
        elif admitted:
            outcome.accepted.append(sent.at)
            self.limit.accepted(sent, now)
        else:
            outcome.refused.append(sent.at)
            self.limit.refused(sent, now)

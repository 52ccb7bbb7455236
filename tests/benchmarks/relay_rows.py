"""The rows of the relay's table: limits of which it knows nothing, and those that change or are shared."""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import product

from kannelkit.simulator import Law

LIMITS = (1.0, 7.5, 30.0, 300.0, 3000.0)  # SMS per second
DELAYS = (0.001, 0.05, 0.3)  # seconds
CONNECTIONS = (1, 4)
MANY = 30.0  # SMS per second: so many and fewer are measured at once, whatever their number
QUICK = 1000.0  # SMS per second, from which on there is room for few at once, for a shorter time
HIGH, LOW = 60.0, 20.0  # SMS per second: a limit that changes
_STAYS_LOW = (30.0, 40.0)  # seconds, by chance
_STAYS_HIGH = (50.0, 60.0)  # a rise may take 30 s
_LAWS = {
    Law.SLIDING_WINDOW: "sliding",
    Law.FIXED_WINDOW: "fixed",
    Law.TOKEN_BUCKET: "bucket",
    Law.PUNISHING: "punishing",
}


@dataclass(frozen=True, slots=True)
class Row:
    """One limit at a provider: `limit` in SMS per second, the answers' `delay` in seconds, `links` connections.

    Two `accounts` share one login and its limit. A limit with a `low` falls to it and rises again, many times.
    """

    law: Law
    limit: float
    delay: float
    links: int = 1
    accounts: int = 1
    low: float = 0.0

    @property
    def ceiling(self) -> float:
        """What the relay is told, in SMS per second: twice the limit."""
        return 2 * self.limit

    @property
    def window(self) -> int:
        """How many submits a client leaves unanswered, as kannelkit has bearerbox do it: of two seconds, and ten."""
        return int(2 * self.ceiling) + 10

    def __str__(self) -> str:
        limit = f"{self.limit:g} -> {self.low:g} -> {self.limit:g}/s" if self.low else f"{self.limit:g}/s"
        words = [_LAWS[self.law], limit, f"{self.delay * 1000:g} ms"]
        if self.links > 1:
            words.append(f"{self.links} connections")
        if self.accounts > 1:
            words.append(f"shared by {self.accounts}")
        return ", ".join(words)


def rows() -> list[Row]:
    """Return every row."""
    laws = (Law.SLIDING_WINDOW, Law.FIXED_WINDOW, Law.TOKEN_BUCKET)
    found = [Row(*each) for each in product(laws, LIMITS, DELAYS, CONNECTIONS)]
    found += [Row(*each) for each in product((Law.PUNISHING,), LIMITS, DELAYS, CONNECTIONS)]
    found += [Row(law, HIGH, delay, low=LOW) for law, delay in product(laws, DELAYS)]
    return found + [Row(law, 30.0, 0.05, accounts=2) for law in (*laws, Law.PUNISHING)]


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows that are measured at once, for so many seconds."""

    name: str
    rows: tuple[Row, ...]
    seconds: float

    @property
    def rate(self) -> float:
        """What all of them accept, in SMS per second."""
        return sum(row.limit for row in self.rows)


def batches(wanted: Iterable[Row], seconds: float, quick_seconds: float, rate: float) -> list[Batch]:
    """Return the rows in the order in which they are measured: slow ones all at once, the others by their limit.

    No more are measured at once than have `rate` SMS per second together, but one at the least; those with quick
    limits for `quick_seconds`.
    """
    wanted = list(wanted)
    slow = tuple(row for row in wanted if row.limit <= MANY or row.low)
    found = [Batch(f"up to {MANY:g}/s, and what changes", slow, seconds)] if slow else []
    for limit in sorted({row.limit for row in wanted if row not in slow}):
        own = [row for row in wanted if row.limit == limit and row not in slow]
        own.sort(key=lambda row: row.delay)  # so that those of one batch have several delays: an SMSC for each
        count = math.ceil(len(own) / max(1, rate // limit))
        for place in range(count):
            name = f"{limit:g}/s" + (f", {place + 1} of {count}" if count > 1 else "")
            found.append(Batch(name, tuple(own[place::count]), seconds if limit < QUICK else quick_seconds))
    return found


def changes(seconds: float, chance: random.Random) -> list[tuple[float, float]]:
    """Return the moments, at random, at which a limit falls and rises: as many pairs as have room in so many seconds.

    The first fall comes when the limit is known, and after each rise there is time to use it.
    """
    found: list[tuple[float, float]] = []
    fall = chance.uniform(*_STAYS_HIGH)
    while (rise := fall + chance.uniform(*_STAYS_LOW)) + _STAYS_HIGH[0] <= seconds:
        found.append((fall, rise))
        fall = rise + chance.uniform(*_STAYS_HIGH)
    return found


def named(wanted: Sequence[str], among: Iterable[Row]) -> list[Row]:
    """Return the rows whose names contain one of these texts; all where there is none."""
    return [row for row in among if not wanted or any(text in str(row) for text in wanted)]

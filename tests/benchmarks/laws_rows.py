"""The rows of the table of laws with the real Kannel: providers, traffic, and the constants that may be the best."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from kannelkit.simulator import Law


class Traffic(StrEnum):
    """How messages come."""

    SATURATES = "saturates"  # there are always more
    TRICKLES = "trickles"  # two thirds of the limit, one by one
    BURSTS = "comes in bursts"  # ten seconds' worth, every 20 s


@dataclass(frozen=True, slots=True)
class Row:
    """One provider: `limit` in SMS per second, a bucket's `burst`, the answers' `delay` in seconds, the traffic.

    `best` are the constant throughputs, over all links, of which one is the best: where there are several, short runs
    of the real Kannel find it. `per_connection`: each link has the limit for itself. `neighbour`: an account beside it
    on the same gateway sends half of its own limit of 30, and is not to be disturbed. `before`: so many
    messages for each second of a run wait before the first bind, because a machine that takes messages at such a speed
    has no time to send them; more than it can send.
    """

    name: str
    law: Law = Law.SLIDING_WINDOW
    limit: float = 30
    best: tuple[float, ...] = ()
    burst: int | None = None
    delay: float = 0.05
    in_order: bool = True
    links: int = 1
    per_connection: bool = False
    window: int = 1000
    rejected: float = 0.0
    traffic: Traffic = Traffic.SATURATES
    neighbour: bool = False
    before: float = 0.0

    @property
    def all_links(self) -> float:
        """Return what the account may do over all its links, in SMS per second."""
        return self.limit * self.links if self.per_connection else self.limit

    @property
    def candidates(self) -> tuple[float, ...]:
        """Return the constant throughputs to try."""
        return self.best or (self.all_links,)

    def __str__(self) -> str:
        return f"{self.name}, {self.limit:g}/s, {self.delay * 1000:g} ms"


_FIXED, _BUCKET = Law.FIXED_WINDOW, Law.TOKEN_BUCKET

ROWS = (
    # laws
    Row("sliding second", best=(30, 29, 28)),
    Row("fixed second", _FIXED, best=(30, 29)),
    Row("bucket of 1 s", _BUCKET, best=(30, 29)),
    Row("bucket of 2 s", _BUCKET, best=(30, 31), burst=60),
    Row("bucket of 1/3 s", _BUCKET, best=(10, 11, 12), burst=10),
    Row("punishing 5 s", Law.PUNISHING, best=(30, 28, 26, 22, 15)),
    Row("closing the bind", Law.CLOSING, best=(30, 29, 28, 25)),
    # limits
    Row("sliding second", limit=1),
    Row("sliding second", limit=5),
    Row("sliding second", limit=100, best=(100, 95, 80)),
    Row("fixed second", _FIXED, limit=100, best=(100, 98)),
    Row("bucket of 1 s", _BUCKET, limit=100, best=(100, 98)),
    # delays
    Row("sliding second", delay=0.001, best=(30, 29)),
    Row("sliding second", delay=0.005, best=(30, 29)),
    Row("sliding second", delay=0.3, best=(30, 29, 28)),
    Row("sliding second", delay=1.0, best=(30, 29, 28)),
    Row("sliding second", delay=2.0, best=(30, 29, 28)),
    Row("fixed second", _FIXED, delay=1.0, best=(30, 29)),
    Row("bucket of 1 s", _BUCKET, delay=1.0, best=(30, 29)),
    Row("out of order", delay=0.3, in_order=False, best=(30, 29, 28)),
    Row("out of order", delay=1.0, in_order=False, best=(30, 29, 28)),
    # links
    Row("one limit, 2 links", links=2, best=(30, 28, 26, 20)),
    Row("one limit, 3 links", limit=90, links=3, best=(90, 84, 78, 60)),
    Row("one limit, 4 links", links=4, best=(30, 28)),
    Row("one fixed second, 2 links", _FIXED, links=2, best=(30, 28)),
    Row("one bucket of 1 s, 2 links", _BUCKET, links=2, best=(30, 28)),
    Row("per connection, 2 links", links=2, per_connection=True, best=(60, 58)),
    # windows
    Row("window of 10", window=10, best=(30, 29)),
    Row("window of 10", window=10, delay=0.3, best=(30, 29)),
    Row("window of 300", window=300, best=(30, 29)),
    Row("window of 2000", window=2000, best=(30, 29)),
    # traffic
    Row("traffic trickles", traffic=Traffic.TRICKLES),
    Row("traffic comes in bursts", traffic=Traffic.BURSTS, best=(30, 29)),
    Row("traffic comes in bursts, fixed second", _FIXED, traffic=Traffic.BURSTS, best=(30, 29)),
    Row("5 % told 0x14", rejected=0.05, best=(30, 31, 32)),
    Row("another account beside it", neighbour=True, best=(30, 29)),
    # these have the machine to themselves; large bursts take long to write, and touch unless much room is left
    Row("sliding second", limit=500, best=(500, 400, 300, 250)),
    Row("sliding second", limit=2000, best=(2000, 1500, 1000), window=2000, before=1500),
)


@dataclass(frozen=True, slots=True)
class Change:
    """A limit that falls and rises again while the gateway runs, in SMS per second."""

    name: str
    law: Law = Law.SLIDING_WINDOW
    delay: float = 0.05
    high: int = 60
    low: int = 20

    def __str__(self) -> str:
        return f"{self.name}, {self.high} -> {self.low} -> {self.high}, {self.delay * 1000:g} ms"


CHANGES = (
    Change("sliding second"),
    Change("sliding second", delay=0.3),
    Change("fixed second", _FIXED),
    Change("bucket of 1 s", _BUCKET),
)

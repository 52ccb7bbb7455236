"""The relay with a real bearerbox, beside Kannel alone at a constant throughput and kannelkit's `pacing: log`."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass

from kannelkit.simulator import Law
from tests.benchmarks.laws_figures import Delivered
from tests.benchmarks.laws_progress import Progress, Room
from tests.benchmarks.laws_rows import Row
from tests.benchmarks.laws_run import delivered
from tests.benchmarks.relay_figures import GOODPUT, GOODPUT_PUNISHED, REFUSED

_FIXED, _BUCKET = Law.FIXED_WINDOW, Law.TOKEN_BUCKET
ROWS = (
    Row("sliding", best=(29, 28)),
    Row("fixed", _FIXED, best=(30, 29)),
    Row("bucket", _BUCKET, best=(30, 29)),
    Row("punishing", Law.PUNISHING, best=(28, 26)),
    Row("sliding", limit=7.5, best=(7.5, 7)),
    Row("sliding, 4 connections", links=4, best=(28, 24)),
    Row("sliding", limit=300, best=(290, 270)),
)
# a limit that Kannel does not reach; its messages wait before the first bind, for smsbox takes too few a second
FULL = Row("all that it can", limit=5000, best=(0,), before=5500)
FULL_SECONDS = 10.0
FULL_RELAY = 0.95  # of that limit: less than half of these seconds lie behind the cold start

_EACH = 30  # SMS per second that count as one gateway
_AROUND = 25.0  # seconds that a run takes besides: start, drain, stop
HEAD = (
    f"  {'':34} {'Kannel, best constant':^24} {'pacing: log':^23} {'relay':^31}\n"
    f"  {'':34} {'rate':>6} {'of limit':>8} {'refused':>8} {'of limit':>8} {'refused':>7} {'later':>6}"
    f" {'of limit':>8} {'refused':>7} {'later':>6} {'lost':>4} {'doubled':>7}"
)


@dataclass(frozen=True, slots=True)
class Beside:
    """What three gateways made of one row."""

    row: Row
    constant: Delivered
    log: Delivered
    relay: Delivered

    def missed(self) -> list[str]:
        """Return which aims the relay misses."""
        found = []
        punishing = self.row.law is Law.PUNISHING
        if self.relay.accepted < (GOODPUT_PUNISHED if punishing else GOODPUT) * self.row.limit:
            found.append("goodput")
        if self.relay.refused >= REFUSED and not punishing:
            found.append("refused")
        counts = (("lost", self.relay.lost), ("doubled", self.relay.doubled))
        return found + [name for name, count in counts if count]

    def line(self) -> str:
        """Return the row as a line of the table."""
        limit, misses, constant, log, relay = self.row.limit, self.missed(), self.constant, self.log, self.relay
        told = f"  misses: {', '.join(misses)}" if misses else ""
        return (
            f"{'!' if misses else ' '} {self.row!s:34} {constant.throughput:6g} {constant.accepted / limit:8.2%}"
            f" {constant.refused:8.2%} {log.accepted / limit:8.2%} {log.refused:7.2%} {log.refused_later:6.2%}"
            f" {relay.accepted / limit:8.2%} {relay.refused:7.2%} {relay.refused_later:6.2%}"
            f" {relay.lost:4} {relay.doubled:7}{told}"
        )

    def plain(self) -> dict[str, object]:
        """Return the row as plain values."""
        runs = {"constant": self.constant, "log": self.log, "relay": self.relay}
        return {"row": str(self.row), "misses": self.missed(), **{name: plain(run) for name, run in runs.items()}}


def plain(run: Delivered) -> dict[str, object]:
    """Return a run's figures without its timeline."""
    return {name: value for name, value in asdict(run).items() if name != "slots"}


def takes(rows: Sequence[Row], seconds: float, at_once: int) -> float:
    """Return about how many minutes all runs take."""
    runs = Runs(seconds, at_once)
    runs.expect(rows)
    return runs.progress.minutes


class Runs:
    """Runs gateways, some at once."""

    def __init__(self, seconds: float, at_once: int) -> None:
        self._seconds = seconds
        self._room = Room(at_once)
        self.progress = Progress(at_once)

    def expect(self, rows: Sequence[Row]) -> None:
        """Expect the runs of these rows."""
        for row in rows:
            for _ in range(len(row.candidates) + 2):
                self.progress.expect(self._seconds + _AROUND, self._weight(row))

    async def all_of(self, rows: Sequence[Row], told: Callable[[Beside], None]) -> None:
        """Run every row, and tell each when it is there; raises an ExceptionGroup where one cannot be measured."""
        self.expect(rows)
        async with self.progress.told(), asyncio.TaskGroup() as group:
            for row in sorted(rows, key=lambda row: -row.limit):  # the heavy ones first: the others fill the gaps
                group.create_task(self._beside(row, told))

    async def _beside(self, row: Row, told: Callable[[Beside], None]) -> None:
        async with asyncio.TaskGroup() as group:
            constants = [group.create_task(self._run(row, "Kannel", each)) for each in row.candidates]
            log = group.create_task(self._run(row, "kannelkit", 2 * row.limit))
            relay = group.create_task(self._run(row, "relay", 2 * row.limit))
        best = max((each.result() for each in constants), key=lambda run: run.accepted)
        self.progress.clear()
        told(Beside(row, best, log.result(), relay.result()))

    async def _run(self, row: Row, who: str, throughput: float) -> Delivered:
        async with self._place(row, f"{row}: {who} at {throughput:g}"):
            return await delivered(row, who, throughput, self._seconds)

    @asynccontextmanager
    async def _place(self, row: Row, name: str) -> AsyncIterator[None]:
        weight = self._weight(row)
        async with self._room.place(weight), self.progress.run(name, self._seconds + _AROUND, weight):
            yield

    def _weight(self, row: Row) -> int:
        return min(self._room.size, math.ceil(row.limit / _EACH))


async def full(row: Row) -> tuple[Delivered, Delivered]:
    """Return what Kannel alone without a throughput and the relay deliver of a limit that Kannel does not reach."""
    alone = await delivered(row, "Kannel", 0, FULL_SECONDS)
    return alone, await delivered(row, "relay", 2 * row.limit, FULL_SECONDS)

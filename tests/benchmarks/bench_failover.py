"""What befalls a provider's first host, and how soon messages go to the second: four troubles, and the way home.

`python -m tests.benchmarks.bench_failover [--after S] [--back-after S]`. Both hosts are node's SMSC; 30 messages a
second come all the time. From the trouble's begin until the second host takes messages may last `after` and 5 s. The
way home, from the trouble's end until the first host takes messages, may last four times `back-after`: a host that
takes connections is tried meanwhile, in vain, and then waits twice as long. Kannel alone has no second host.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from collections import Counter
from collections.abc import Awaitable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kannelkit.supervise.memory import Memory
from tests.harness.gateway import stored
from tests.harness.load import load
from tests.harness.node_smsc import NodeSmsc
from tests.harness.supervised import Supervised

_SPEED = 30.0
_MARGIN = 5.0
_RETURNS = 4
_RUNS_WELL = 6.0  # seconds before the trouble: longer than a bind may then last
_LASTS = 20.0  # seconds that a trouble goes on after the move
_PATIENCE = 120.0

Change = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Trouble:
    """What is changed at the first host, and what ends it; `cut` closes the binds that are there."""

    name: str
    begin: Change
    end: Change
    cut: bool = False


TROUBLES = (
    Trouble("stops answering", {"silent": True}, {"silent": False}),
    Trouble("refuses connections", {"away": True}, {"away": False}),
    Trouble("refuses binds", {"bind_status": 0x0D}, {"bind_status": 0}, cut=True),
    Trouble("closes each bind after 5 s", {"close_binds_after": 5000}, {"close_binds_after": 0}),
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one trouble; times in seconds, None for never."""

    trouble: Trouble
    away: float | None
    home: float | None
    lost: int
    doubled: int
    told: int
    cut: int

    def good(self, after: float, back_after: float) -> bool:
        """Return whether it is within what is promised."""
        in_time = self.away is not None and self.away <= after + _MARGIN
        at_home = self.home is not None and self.home <= _RETURNS * back_after
        return in_time and at_home and not self.lost and self.doubled <= self.told + self.cut


async def outcome(trouble: Trouble, after: float, back_after: float) -> Outcome:
    """Run one gateway through a trouble and home again."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="kannelkit-failover-")))
        primary = await stack.enter_async_context(NodeSmsc(delay_ms=20))
        backup = await stack.enter_async_context(NodeSmsc(delay_ms=20))
        second = {"backup-host": "127.0.0.1", "backup-port": backup.port}
        failover = {"failover": {"after": int(after), "back-after": int(back_after)}}
        gateway = Supervised(folder, primary.port, 100, account=second, spec={"supervisor": failover})
        await stack.enter_async_context(gateway)
        # as long as a return may take that failed once: without a message nobody sees that it has come
        count = int(_SPEED * (_RUNS_WELL + after + _LASTS + _RETURNS * back_after))
        sending = asyncio.create_task(load(gateway.sendsms_port, count, speed=_SPEED))
        await _taking(primary)
        await asyncio.sleep(_RUNS_WELL)
        await primary.change(**trouble.begin)
        if trouble.cut:
            await primary.close_binds()
        away = await _timed(_taking(backup))
        await asyncio.sleep(_LASTS)
        await primary.change(**trouble.end)
        home = await _timed(_taking(primary))
        sent = await sending
        async with asyncio.timeout(_PATIENCE):
            while await stored(gateway.admin_port) != 0:
                await asyncio.sleep(0.2)
        arrived: Counter[str] = Counter()
        cut = 0
        for smsc in (primary, backup):
            arrived.update({key: accepted for key, (accepted, _) in (await smsc.messages()).items()})
            cut += sum(event.get("unanswered", 0) for event in (await smsc.timeline()).events)
        told = _told(folder / "state" / "state.db")
    return Outcome(
        trouble,
        away,
        home,
        sum(not arrived[key] for key in sent.accepted),
        sum(times - 1 for times in arrived.values() if times),
        told,
        cut,
    )


async def _timed(what: Awaitable[None]) -> float | None:
    clock = asyncio.get_running_loop().time
    began = clock()
    try:
        async with asyncio.timeout(_PATIENCE):
            await what
    except TimeoutError:
        return None
    return clock() - began


async def _taking(smsc: NodeSmsc) -> None:
    """Wait until the SMSC takes messages."""
    before = (await smsc.counters())["accepted"]
    while (await smsc.counters())["accepted"] == before:
        await asyncio.sleep(0.05)


def _told(path: Path) -> int:
    """Return how many submits kannelkit said may arrive twice."""
    memory = Memory(path, read_only=True)
    try:
        moves = [event for _, event in memory.history(kinds=["failover"])]
    finally:
        memory.close()
    return sum(int(str(move.data["unanswered"] or 0)) for move in moves)


async def _all(after: float, back_after: float) -> bool:
    head = "the first host"
    print(f"  {head:30} {'second host after':>18} {'home after':>11} {'lost':>5} {'doubled':>8} {'unanswered':>11}")
    good = True
    for found in await asyncio.gather(*(outcome(trouble, after, back_after) for trouble in TROUBLES)):
        well = found.good(after, back_after)
        good &= well
        away, home = ("never" if each is None else f"{each:.1f} s" for each in (found.away, found.home))
        unanswered = f"{found.told + found.cut}"
        print(
            f"{'' if well else '!':1} {found.trouble.name:30} {away:>18} {home:>11} {found.lost:5} {found.doubled:8}"
            f" {unanswered:>11}"
        )
    return good


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; return 1 where a promise is not kept."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.bench_failover", description=__doc__)
    parser.add_argument("--after", type=int, default=10, help="supervisor.failover.after, in seconds")
    parser.add_argument("--back-after", type=int, default=15, help="supervisor.failover.back-after, in seconds")
    options = parser.parse_args(arguments)
    return 0 if asyncio.run(_all(options.after, options.back_after)) else 1


if __name__ == "__main__":
    sys.exit(main())

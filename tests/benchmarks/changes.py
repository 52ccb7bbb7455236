"""Changes of rate forced under load on an account with one bind: `python -m tests.benchmarks.changes`.

The judge is the foreign SMSC: it closes the older bind of a login, and it knows every message it accepted.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass
from itertools import cycle, islice, pairwise
from pathlib import Path

import aiohttp

from kannelkit.errors import GatewayError
from tests.benchmarks.run import drained
from tests.harness.embedded import Embedded
from tests.harness.gateway import ADMIN_PASSWORD, Gateway, stored
from tests.harness.kannel_alone import KannelAlone
from tests.harness.load import load
from tests.harness.node_smsc import NodeSmsc
from tests.harness.supervised import Supervised
from tests.harness.timeline import doubled, lost

Change = Callable[[int], Awaitable[None]]  # brings the account to a rate in SMS per second; may return before it is

_DRAIN_SECONDS = 180.0
_LOAD_SPEED = 500.0
_GOLDEN = 0.618  # its multiples' fractions spread evenly over the second


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the SMSC saw: `binds` answered after the first, and the seconds from each demand to its bind."""

    asked: int
    binds: int
    missing: int
    lost: int
    doubled: int
    seconds: tuple[float, ...]
    longest_gap: float
    complete: bool


async def _bound(smsc: NodeSmsc, count: int, seconds: float) -> bool:
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    while loop.time() < deadline:
        counters = await smsc.counters()
        if counters["bound"] >= count and counters["open"]:
            return True
        await asyncio.sleep(0.05)
    return False


async def forced_changes(
    gateway: Gateway,
    smsc: NodeSmsc,
    change: Change,
    *,
    rates: Sequence[int],
    count: int = 20,
    pause: float = 1.0,
    patience: float = 45.0,
    say: Callable[[str], None] = lambda line: None,
) -> Outcome:
    """Ask for `count` changes, going round `rates`, while messages wait, and judge all messages afterwards.

    Each next change is asked for `pause` seconds, and a part of a second that differs each time, after the bind
    of the one before it, so that the demands fall into all parts of Kannel's one-second periods; a bind that does
    not come within `patience` seconds is counted as missing.
    """
    # A change takes about 1.5 s, and while a link is away nothing leaves: this is enough for a backlog to the end.
    messages = int(max(rates) * (pause + 2.5) * count)
    loop = asyncio.get_running_loop()
    sent = await load(gateway.sendsms_port, messages, speed=_LOAD_SPEED)
    first = (await smsc.counters())["bound"]
    took: list[float] = []
    missing = 0
    for number, rate in enumerate(islice(cycle(rates), count)):
        before = (await smsc.counters())["bound"]
        asked = loop.time()
        try:
            await change(rate)
        except GatewayError as error:  # "it was not done": no bind will come
            missing += 1
            say(f"change {number + 1} to {rate}: {error}")
            await asyncio.sleep(pause)
            continue
        if await _bound(smsc, before + 1, patience):
            took.append(loop.time() - asked)
            say(f"change {number + 1} to {rate}: bound again after {took[-1]:.2f} s")
        else:
            missing += 1
            say(f"change {number + 1} to {rate}: no bind within {patience:g} s")
        await asyncio.sleep(pause + number * _GOLDEN % 1)
    if not await stored(gateway.admin_port):
        say("the backlog ended before the changes did: they were not all made under load")
    under_load = await smsc.timeline()
    complete = await drained(gateway, smsc, _DRAIN_SECONDS)
    keys = await smsc.messages()
    accepted = under_load.accepted
    return Outcome(
        asked=count,
        binds=(await smsc.counters())["bound"] - first,
        missing=missing,
        lost=len(lost(sent.accepted, keys)),
        doubled=sum(times - 1 for times in doubled(keys).values()),
        seconds=tuple(round(each, 3) for each in took),
        longest_gap=max((b - a for a, b in pairwise(accepted)), default=0.0) / 1000,
        complete=complete,
    )


def stop_and_start(gateway: KannelAlone) -> Change:
    """Return the change an operator would script: edit kannel.conf, stop-smsc, start-smsc.

    It discards and doubles messages; that the judge sees it shows that the judge can.
    """

    async def change(rate: int) -> None:
        gateway.rewrite(rate)
        async with aiohttp.ClientSession() as session:
            for command in ("stop-smsc", "start-smsc"):
                url = f"http://127.0.0.1:{gateway.admin_port}/{command}"
                async with session.get(url, params={"smsc": "bench", "password": ADMIN_PASSWORD}) as answer:
                    await answer.read()
                await asyncio.sleep(0.3)

    return change


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.changes", description=__doc__)
    parser.add_argument("--changes", type=int, default=20)
    parser.add_argument("--rates", default="20,30", help="SMS per second, gone round")
    parser.add_argument("--delay", type=float, default=50, help="ms to the answer")
    parser.add_argument("--pause", type=float, default=1.0, help="seconds between a bind and the next change")
    parser.add_argument("--coalesced", type=float, default=0, metavar="MS", help="answers of so long in one segment")
    parser.add_argument("--closes-at-unbind", action="store_true", help="the SMSC closes instead of answering")
    parser.add_argument("--naive", action="store_true", help="Kannel alone with stop-smsc and start-smsc instead")
    parser.add_argument("--json", action="store_true")
    return parser.parse_args(arguments)


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


async def _measure(options: argparse.Namespace) -> Outcome:
    rates = [int(word) for word in options.rates.split(",")]
    with tempfile.TemporaryDirectory(prefix="kannelkit-bench-", ignore_cleanup_errors=True) as made:
        smsc = NodeSmsc(
            delay_ms=options.delay,
            coalesce_ms=options.coalesced,
            at_unbind="close" if options.closes_at_unbind else "answer",
        )
        async with smsc, AsyncExitStack() as stack:
            gateway: Gateway
            if options.naive:
                alone = await stack.enter_async_context(KannelAlone(Path(made), smsc.port, rates[-1]))
                gateway, change = alone, stop_and_start(alone)
            else:
                ceiling = Supervised(Path(made), smsc.port, max(rates))
                embedded = await stack.enter_async_context(Embedded(ceiling))
                gateway, change = embedded, embedded.change
            return await forced_changes(
                gateway, smsc, change, rates=rates, count=options.changes, pause=options.pause, say=_say
            )


def main(arguments: Sequence[str] | None = None) -> int:
    """Make the changes and print what came of them; return 1 when a message was lost or doubled."""
    options = _arguments(arguments)
    outcome = asyncio.run(_measure(options))
    if options.json:
        print(json.dumps(asdict(outcome)))
    else:
        for name, value in asdict(outcome).items():
            print(f"{name:12} {value}")
    return 1 if outcome.lost or outcome.doubled or outcome.missing or not outcome.complete else 0


if __name__ == "__main__":
    sys.exit(main())

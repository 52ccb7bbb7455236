"""The relay's table: many limits behind one relay process, each with a client that is quicker than bearerbox."""

from __future__ import annotations

import asyncio
import json
import os
import random
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from tests.benchmarks.laws_smsc import Smsc
from tests.benchmarks.relay_client import Client, connected
from tests.benchmarks.relay_figures import Counted, Figures, figures
from tests.benchmarks.relay_load import Lateness, Load
from tests.benchmarks.relay_rows import Batch, Row, changes
from tests.harness import child

LEAN = ("tests.benchmarks.lean_smsc",)
_START_SECONDS = 60.0
_STOP_SECONDS = 30.0
_DRAIN_SECONDS = 40.0  # longer than the relay holds a submit for
_TOLD_EVERY = 30.0
_LOOK_EVERY = 0.1
_PASSWORD = "test"
AROUND = 20.0  # seconds that a batch takes besides

Told = Callable[[Row, Figures], None]


class _Limit:
    """One row while it runs."""

    def __init__(self, row: Row, number: int) -> None:
        self.row = row
        self.login = f"r{number}"
        self.clients: list[Client] = []
        self.moments: list[tuple[float, float]] = []
        """When the limit fell and rose, in the SMSC's seconds."""

    @property
    def names(self) -> list[str]:
        """Return the names of the relay's accounts."""
        return [f"{self.login}-{each}" for each in range(self.row.accounts)]

    def at_smsc(self) -> str:
        """Return the SMSC's account."""
        row = self.row
        return f"{self.login}:{_PASSWORD}@{row.limit:g},law={row.law},binds={row.links * row.accounts}"

    def settings(self, port: int) -> list[dict[str, Any]]:
        """Return the relay's accounts, which go to this port."""
        one = {
            "listen_system_id": self.login,
            "listen_password": _PASSWORD,
            "hosts": [{"host": "127.0.0.1", "port": port}],
            "login": {"system_id": self.login, "password": _PASSWORD},
            "unit": self.login,
            "connections": self.row.links,
            "ceiling": self.row.ceiling,
        }
        return [{"name": name, **one} for name in self.names]

    async def change(self, smsc: Smsc, seconds: float, chance: random.Random) -> None:
        """Have the limit fall and rise."""
        clock = asyncio.get_running_loop().time
        begin = clock()
        began = begin - await smsc.now()
        for fall, rise in changes(seconds, chance):
            at = []
            for after, limit in ((fall, self.row.low), (rise, self.row.limit)):
                await asyncio.sleep(begin + after - clock())
                await smsc.limit(self.login, limit)
                at.append(clock() - began)
            self.moments.append((at[0], at[1]))

    async def figures(self, smsc: Smsc, seconds: float) -> Figures:
        """Return the figures of so many seconds, after which nothing is sent any more and the limit is lifted."""
        timeline = await smsc.timeline(self.login)
        await smsc.limit(self.login, None)
        await asyncio.gather(*(client.stop(_DRAIN_SECONDS) for client in self.clients))
        totals = await smsc.counters(self.login)
        counted = Counted(
            totals["accepted"],
            totals["doubled"],
            tuple(client.accepted for client in self.clients),
            sum(client.unanswered for client in self.clients),
            sum(client.refused.total() for client in self.clients),
        )
        return figures(self.row, seconds, totals["first_submit"] or 0.0, timeline, counted, self.moments)


async def measured(batch: Batch, told: Told, say: Callable[[str], None], seed: int) -> str:
    """Run a batch, tell the figures of each row, and return how busy the processors were, in words.

    Raises RuntimeError, OSError or TimeoutError where it cannot be measured.
    """
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="kannelkit-relay-")))
        limits = [_Limit(row, number) for number, row in enumerate(batch.rows)]
        smscs: dict[float, Smsc] = {}
        for delay in sorted({row.delay for row in batch.rows}):
            accounts = [each.at_smsc() for each in limits if each.row.delay == delay]
            smsc = Smsc(folder / f"smsc-{delay:g}", accounts, ["--delay", f"{delay:g}"], program=LEAN)
            smscs[delay] = await stack.enter_async_context(smsc)
        settings = [each for limit in limits for each in limit.settings(smscs[limit.row.delay].port)]
        ports, pid = await stack.enter_async_context(_relay(folder, settings))
        series = 0
        for limit in limits:
            for name in limit.names:
                limit.clients.append(await connected(ports[name], limit.row.window, series))
                series += 1
                stack.callback(limit.clients[-1].close)
        pids = {"relay": [pid], "SMSC": [smsc.pid for smsc in smscs.values()], "clients": [os.getpid()]}
        load = Load(pids)
        binds = [(client, limit.login) for limit in limits for client in limit.clients]
        await asyncio.gather(*(client.bind(login.encode(), _PASSWORD.encode()) for client, login in binds))
        clients = [client for client, _ in binds]
        late = Lateness()
        async with (
            _in_background(_progress(batch, clients, load, say)),
            _in_background(late.watch()),
            asyncio.TaskGroup() as group,
        ):
            for number, limit in enumerate(limits):
                if limit.row.low:
                    chance = random.Random(seed * 1000 + number)
                    group.create_task(limit.change(smscs[limit.row.delay], batch.seconds, chance))
            await asyncio.sleep(batch.seconds + 1.0)  # the last one's first submit came a moment after its bind
        busy = f"{load.text()}; {late.text()}"
        for limit, found in zip(
            limits,
            await asyncio.gather(*(each.figures(smscs[each.row.delay], batch.seconds) for each in limits)),
            strict=True,
        ):
            told(limit.row, found)
            for client in limit.clients:
                if client.ended:
                    say(f"{limit.row}: {client.ended}")
    return busy


@asynccontextmanager
async def _in_background(work: Awaitable[None]) -> AsyncIterator[None]:
    task = asyncio.ensure_future(work)
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _progress(batch: Batch, clients: Sequence[Client], load: Load, say: Callable[[str], None]) -> None:
    clock = asyncio.get_running_loop().time
    begin = clock()
    before = 0
    while True:
        await asyncio.sleep(_TOLD_EVERY)
        accepted = sum(client.accepted for client in clients)
        say(
            f"{batch.name}: {clock() - begin:.0f} of {batch.seconds:g} s, "
            f"{(accepted - before) / _TOLD_EVERY:,.0f} SMS a second, {load.text()}"
        )
        before = accepted


@asynccontextmanager
async def _relay(folder: Path, accounts: list[dict[str, Any]]) -> AsyncIterator[tuple[dict[str, int], int]]:
    """Run a relay; give its ports by account, and its pid."""
    path, output = folder / "relay.json", folder / "relay.out"
    path.touch(mode=0o600)
    path.write_text(json.dumps({"state_dir": str(folder / "state"), "accounts": accounts}))
    words = (sys.executable, "-m", "kannelkit", "relay", "--json", "--settings", str(path))
    process = await child.start(*words, output=output)
    try:
        ports: dict[str, int] = {}
        async with asyncio.timeout(_START_SECONDS):
            while len(ports) < len(accounts):
                if process.returncode is not None:
                    raise RuntimeError(f"the relay did not start: {output.read_text()[-1000:]}")
                await asyncio.sleep(_LOOK_EVERY)
                whole = [line for line in output.read_text().splitlines(keepends=True) if line.endswith("}\n")]
                said = [json.loads(line) for line in whole]
                ports = {each["account"]: each["port"] for each in said if "port" in each}
        yield ports, process.pid
        if process.returncode is not None:
            raise RuntimeError(f"the relay ended: {output.read_text()[-1000:]}")
    finally:
        await child.stop(process, _STOP_SECONDS)

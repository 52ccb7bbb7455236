"""`kannelkit up` as a program that is watched, asked and killed, and the simulator it is bound to."""

from __future__ import annotations

import asyncio
import re
import signal
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from kannelkit.host import processes
from kannelkit.host.processes import ProcessId
from kannelkit.simulator import AccountRules, Behaviour, Simulator
from kannelkit.supervise.memory import Memory
from kannelkit.throttle.values import Learnt
from tests.harness.gateway import emptied, online, status_xml
from tests.harness.ports import free_ports
from tests.harness.supervised import Supervised

PATIENCE = 90.0  # seconds for what must come
LOGIN = "bench"


class Up(Supervised):
    """`kannelkit up` that can be watched and killed; `core` holds further directives of group core."""

    core: dict[str, Any]

    def __init__(self, folder: Path, smsc: Simulator, throughput: int = 60, **more: Any) -> None:
        self.core = more.pop("core", {})
        super().__init__(folder, smsc.port, throughput, **more)

    def spec(self) -> dict[str, Any]:
        spec = super().spec()
        spec["core"] |= self.core
        return spec

    @property
    def state(self) -> Path:
        return self.folder / "state"

    @property
    def log(self) -> Path:
        return self.state / "log" / "bearerbox.log"

    def said(self) -> str:
        """Return what `kannelkit up` has told so far, over all its starts."""
        return self.output.read_text(errors="replace")

    async def saying(self, pattern: str, times: int = 1) -> str:
        """Wait until it has told something so often, and return the last of it."""
        await until(lambda: len(re.findall(pattern, self.said())) >= times, self.said)
        found = list(re.finditer(pattern, self.said()))
        return found[times - 1][0]

    async def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send kannelkit alone a signal and return its exit code."""
        assert self._process is not None
        self._process.send_signal(number)
        async with asyncio.timeout(PATIENCE):
            code = await self._process.wait()
        self._process = None
        return code

    def boxes(self) -> dict[str, ProcessId]:
        """Return the boxes that are kept in the state-dir and live."""
        if not (self.state / "state.db").exists():
            return {}
        memory = Memory(self.state / "state.db", read_only=True)
        try:
            return {name: process for name, process in memory.boxes().items() if processes.alive(process)}
        finally:
            memory.close()

    def learnt(self) -> dict[str, Learnt]:
        memory = Memory(self.state / "state.db", read_only=True)
        try:
            return memory.learnt()
        finally:
            memory.close()

    async def stop(self) -> None:
        await super().stop()
        for process in self.boxes().values():  # kannelkit was killed and no other one came
            processes.kill(process)


async def until(holds: Callable[[], Any], otherwise: Callable[[], object] = lambda: "") -> None:
    """Wait until something holds; fail, with what `otherwise` says, when it does not come to."""
    try:
        async with asyncio.timeout(PATIENCE):
            while not holds():
                await asyncio.sleep(0.05)
    except TimeoutError:
        pytest.fail(f"did not come to hold within {PATIENCE} s: {otherwise()}")


async def drained(gateway: Supervised) -> None:
    """Wait until bearerbox keeps no message any more."""
    await emptied(gateway.admin_port, PATIENCE)


@asynccontextmanager
async def simulator(limit: int | None = None, port: int = 0, **behaviour: Any) -> AsyncIterator[Simulator]:
    port = port or free_ports(1)[0]  # which stays the test's while nobody listens there
    async with Simulator([AccountRules(LOGIN, "secret", limit)], Behaviour(delay=0.02, **behaviour), port=port) as smsc:
        yield smsc


def arrived(smsc: Simulator) -> tuple[int, int]:
    """Return how many messages the SMSC accepted, and how many of them a second time."""
    counters = smsc.account(LOGIN).counters
    return counters.accepted, counters.doubled


async def until_answered(gateway: Supervised) -> None:
    """Wait until smsbox listens and bearerbox knows it."""

    def listens() -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", gateway.sendsms_port)) == 0

    await until(listens)
    async with asyncio.timeout(PATIENCE):
        while not online(await status_xml(gateway.admin_port)):
            await asyncio.sleep(0.1)

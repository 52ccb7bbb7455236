"""The provider: `kannelkit simulate` in a process of its own, asked and told through its control port.

A process of its own, because it is the judge: neither the load nor the supervisor may delay what it counts.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import aiohttp

from kannelkit.demo.ending import to_the_end
from kannelkit.demo.ports import LOOPBACK, free_ports
from kannelkit.errors import GatewayError
from kannelkit.host.files import write_whole
from kannelkit.simulator.counters import Counters, Slots
from kannelkit.simulator.rules import AccountRules

_START_SECONDS = 15.0
_STOP_SECONDS = 5.0
_LOOK_EVERY = 0.05


@dataclass(frozen=True, slots=True)
class Seen:
    """What the provider saw of one login: totals and the timeline. Times are seconds since the provider's start."""

    now: float
    counters: Counters
    slots: Slots


class Provider:
    """A running simulator."""

    def __init__(self, session: aiohttp.ClientSession, port: int, control_port: int) -> None:
        self.port = port
        self._session = session
        self._url = f"http://{LOOPBACK}:{control_port}"

    async def seen(self, login: str) -> Seen:
        """Return what it saw of a login so far. Raises GatewayError where it does not answer."""
        told = await self._ask("GET", "/counters")
        slots = Slots(**await self._ask("GET", f"/timeline?account={login}"))  # whole, up to the moment of the counters
        account = told["accounts"][login]
        return Seen(told["seconds"], Counters(**{each.name: account[each.name] for each in fields(Counters)}), slots)

    async def lift(self, login: str) -> None:
        """Let every message of a login through from now on. Raises GatewayError."""
        await self._ask("POST", "/limit", {"account": login, "limit": None})

    async def _ask(self, method: str, path: str, body: Mapping[str, object] | None = None) -> dict[str, Any]:
        try:
            async with self._session.request(method, self._url + path, json=body) as response:
                answer: dict[str, Any] = await response.json()
        except (aiohttp.ClientError, TimeoutError) as error:
            raise GatewayError(f"the simulator does not answer: {type(error).__name__}") from error
        if response.status != 200:
            raise GatewayError(f"the simulator answers: {answer.get('error', response.status)}")
        return answer


@asynccontextmanager
async def provider(folder: Path, accounts: Iterable[AccountRules], delay: float) -> AsyncIterator[Provider]:
    """Run a simulator with these accounts that answers after `delay` seconds.

    Raises GatewayError where it does not start.
    """
    port, control_port = free_ports(2)
    # in a file, because other users of the machine can read a program's arguments
    write_whole(
        folder / "accounts", "".join(f"{each.login}:{each.password}@{each.limit}\n" for each in accounts), 0o600
    )
    words = ["--accounts", str(folder / "accounts"), "--delay", f"{delay:g}", "--port", str(port)]
    said = folder / "simulator.out"
    with said.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "kannelkit", "simulate", *words, "--control-port", str(control_port)),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,  # Ctrl-C in the terminal is for this process alone, which then stops it in turn
            env={**os.environ, "NO_COLOR": "1"},
        )
    try:
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as session:
            running = Provider(session, port, control_port)
            await _answers(running, process, said)
            yield running
    finally:
        await to_the_end(_stop(process))


async def _answers(running: Provider, process: asyncio.subprocess.Process, said: Path) -> None:
    clock = asyncio.get_running_loop().time
    deadline = clock() + _START_SECONDS
    while True:
        try:
            await running._ask("GET", "/counters")
        except GatewayError:
            if process.returncode is None and clock() < deadline:
                await asyncio.sleep(_LOOK_EVERY)
                continue
            words = said.read_text(errors="replace").strip().removeprefix("error: ")
            raise GatewayError(f"the simulator did not start: {words or 'no answer'}") from None
        return


async def _stop(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.terminate()
        try:
            await asyncio.wait_for(process.wait(), _STOP_SECONDS)
        except TimeoutError:
            process.kill()
            await process.wait()

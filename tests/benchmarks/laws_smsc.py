"""The SMSC in the other end as a process of its own: `kannelkit simulate`, which knows every law; its control port."""

from __future__ import annotations

import asyncio
import sys
import time
from asyncio.subprocess import Process
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import aiohttp

from tests.harness import child
from tests.harness.ports import free_ports

_START_SECONDS = 20.0
_STOP_SECONDS = 10.0
_LOOK_EVERY = 0.05
_SIMULATE = ("kannelkit", "simulate")


@dataclass(frozen=True, slots=True)
class Slots:
    """Submits by slots of `slot` seconds, the first of which begins at `start`, in seconds since the SMSC's start."""

    slot: float
    start: float
    accepted: Sequence[int]
    refused: Sequence[int]


class Smsc:
    """A simulator with these accounts (`login:password@limit,rule=value`) and these further options.

    `program` is the module that is one, and what stands before the options.
    """

    def __init__(
        self, folder: Path, accounts: Sequence[str], options: Sequence[str], program: Sequence[str] = _SIMULATE
    ) -> None:
        self.port = self._control_port = 0
        self._folder = folder
        self._program = program
        self._words = [word for account in accounts for word in ("--account", account)] + list(options)
        self._process: Process | None = None
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._folder.mkdir(parents=True, exist_ok=True)
        self.port, self._control_port = free_ports(2)
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30))
        async with AsyncExitStack() as stack:
            stack.push_async_callback(self._stop)  # a start that is broken off leaves no process behind
            ports = ("--port", str(self.port), "--control-port", str(self._control_port))
            words = (sys.executable, "-m", *self._program, *ports, *self._words)
            self._process = await child.start(*words, output=self._folder / "smsc.out")
            async with asyncio.timeout(_START_SECONDS):
                while not await self._answers():
                    await asyncio.sleep(_LOOK_EVERY)
            stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stop()

    @property
    def pid(self) -> int:
        """Return the pid; raise RuntimeError where it does not run."""
        if self._process is None:
            raise RuntimeError("the SMSC does not run")
        return self._process.pid

    async def counters(self, login: str) -> dict[str, Any]:
        """Return an account's totals."""
        counters = await self._ask("GET", "/counters")
        found: dict[str, Any] = counters["accounts"][login]
        return found

    async def timeline(self, login: str) -> Slots:
        """Return what an account did by slots of time."""
        return Slots(**await self._ask("GET", "/timeline", {"account": login}))

    async def limit(self, login: str, limit: float | None) -> None:
        """Change an account's limit, in SMS per second; None lifts it."""
        await self._ask("POST", "/limit", {"account": login, "limit": "none" if limit is None else str(limit)})

    async def behave(self, **changes: str) -> None:
        """Change the behaviour by name."""
        await self._ask("POST", "/behaviour", changes)

    async def away(self, away: bool) -> None:
        """Refuse connections, or take them again."""
        await self._ask("POST", "/refuse" if away else "/listen")

    async def now(self) -> float:
        """Return the seconds since its start."""
        seconds: float = (await self._ask("GET", "/counters"))["seconds"]
        return seconds

    async def until(self, moment: float) -> None:
        """Return when it is `moment`, in seconds since its start."""
        while (missing := moment - await self.now()) > 0:
            await asyncio.sleep(missing)

    async def began(self) -> float:
        """Return the moment of its start in seconds since the epoch."""
        return time.time() - await self.now()

    async def _answers(self) -> bool:
        if self._process is not None and self._process.returncode is not None:
            raise RuntimeError(f"the SMSC did not start: {(self._folder / 'smsc.out').read_text(errors='replace')}")
        try:
            await self._ask("GET", "/counters")
        except aiohttp.ClientError:
            return False
        return True

    async def _ask(self, method: str, path: str, values: dict[str, str] | None = None) -> dict[str, Any]:
        assert self._session is not None, "not started"
        url = f"http://127.0.0.1:{self._control_port}{path}"
        query, form = (values, None) if method == "GET" else (None, values)
        async with self._session.request(method, url, params=query, data=form) as answer:
            told: dict[str, Any] = await answer.json()
        if answer.status != 200:
            raise RuntimeError(f"the SMSC answers {path}: {told}")
        return told

    async def _stop(self) -> None:
        if self._session is not None:
            await self._session.close()
        await child.stop(self._process, _STOP_SECONDS)
        self._process = None

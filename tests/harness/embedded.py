"""The supervisor inside the test's own event loop, for what has no command: a change of rate on demand."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import TracebackType
from typing import Self

from kannelkit.cli.prepared import prepared
from kannelkit.supervise.memory import Event
from kannelkit.supervise.supervisor import Supervisor
from tests.harness.gateway import online, wait_for
from tests.harness.supervised import Supervised

_START_SECONDS = 90.0


class Embedded:
    """A gateway run by kannelkit's Supervisor; `change` brings its account to a rate, whatever the rate controller
    thinks; `events` is what it told."""

    def __init__(self, supervised: Supervised) -> None:
        """Take the spec, the folder and the ports from `supervised`, which is not started itself."""
        self._supervised = supervised
        self.folder: Path = supervised.folder
        self.events: list[Event] = []
        self._supervisor: Supervisor | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def admin_port(self) -> int:
        return self._supervised.admin_port

    @property
    def sendsms_port(self) -> int:
        return self._supervised.sendsms_port

    async def start(self) -> None:
        """Start it and return when the link is online; raise RuntimeError otherwise, and what the supervisor raises."""
        self._supervisor = Supervisor(prepared(self._supervised.write()), self.events.append)
        self._task = asyncio.create_task(self._supervisor.run())
        ready = asyncio.create_task(wait_for(self.admin_port, _START_SECONDS, online))
        await asyncio.wait({self._task, ready}, return_when=asyncio.FIRST_COMPLETED)
        if ready.done() and ready.result():
            return
        ready.cancel()
        await self.stop()
        raise RuntimeError("the supervisor did not bring the link online")

    async def change(self, rate: int) -> None:
        """Bring the account to `rate` SMS per second; raise GatewayError where it was not done."""
        assert self._supervisor is not None, "not started"
        await self._supervisor.change("bench", rate)

    async def stop(self) -> None:
        """Stop it and its boxes in order."""
        if self._supervisor is not None and self._task is not None:
            self._supervisor.stop()
            await self._task
        self._supervisor = self._task = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

"""The gateway of `Supervised`, but run inside the test's own process, where a change of rate can be forced."""

from __future__ import annotations

import asyncio
import contextlib

import yaml

from kannelkit.host.secrets import keep
from kannelkit.spec import load
from kannelkit.supervise.memory import Event
from kannelkit.supervise.supervisor import Supervisor
from tests.harness.ports import free_ports
from tests.harness.supervised import Supervised


class InProcess(Supervised):
    """kannelkit's supervisor as an object; `events` holds what it told."""

    events: list[Event]
    supervisor: Supervisor
    _running: asyncio.Task[None]

    async def start(self) -> None:
        """Write the spec, run the supervisor and return when it says that it is ready."""
        self.folder.mkdir(parents=True, exist_ok=True)
        if not self.admin_port:
            self.admin_port, self._smsbox_port, self.sendsms_port = free_ports(3)
        self.path.touch(mode=0o600)
        self.path.write_text(yaml.safe_dump(self.spec(), sort_keys=False))
        self.events = []
        spec = load(self.path, {})
        spec = spec.with_made(keep(spec.state_dir, spec.to_make()))
        self.supervisor = Supervisor(spec, self.events.append, {})
        self._running = asyncio.create_task(self.supervisor.run())
        ready = asyncio.create_task(self.supervisor.ready.wait())
        await asyncio.wait({self._running, ready}, return_when=asyncio.FIRST_COMPLETED)
        ready.cancel()
        if self._running.done():
            self._running.result()

    async def stop(self) -> None:
        """Ask for an end in order and wait for it."""
        self.supervisor.stop()
        with contextlib.suppress(asyncio.CancelledError):
            await self._running

    async def change(self, throughput: int) -> None:
        """Bring the one account to a throughput now."""
        await self.supervisor.change("bench", throughput)

    def told(self, kind: str) -> list[Event]:
        """Return the events of one kind so far."""
        return [event for event in self.events if event.kind == kind]

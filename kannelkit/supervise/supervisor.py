"""Runs one gateway: starts or adopts its boxes, keeps them running, holds its accounts at their limit, stops it."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from typing import Protocol

import aiohttp

from kannelkit.errors import GatewayError, HostError, KannelkitError
from kannelkit.gateway.admin import Admin
from kannelkit.host import notify
from kannelkit.host.files import make_folder
from kannelkit.spec import Spec
from kannelkit.supervise.applying import Applying, Asked, Faults
from kannelkit.supervise.changes import Changes
from kannelkit.supervise.configuration import configure, known
from kannelkit.supervise.control import Control
from kannelkit.supervise.failover import Failover
from kannelkit.supervise.heartbeat import ALIVE, Heartbeat
from kannelkit.supervise.journal import Journal, Listener, in_one_line
from kannelkit.supervise.links import Brought
from kannelkit.supervise.lock import Lock
from kannelkit.supervise.memory import Memory
from kannelkit.supervise.own import OwnBoxes
from kannelkit.supervise.requests import Requests
from kannelkit.supervise.running import Boxes, Running

_TICK = 0.05
_READY_SECONDS = 30.0
# bearerbox silent for this long is told; it may be busy stopping links or making a long status
_SILENT_SECONDS = 10.0


class Upkeep(Protocol):
    """What sees to it that the boxes are there, or sees when they are."""

    @property
    def attached(self) -> bool:
        """Whether there is a bearerbox to be asked."""

    @property
    def may_change(self) -> bool:
        """Whether its links may be changed now."""

    async def begin(self, now: float) -> None:
        """Begin with the boxes at `now` (loop time). Raises KannelkitError."""

    async def keep(self, now: float) -> None:
        """See to the boxes; called some twenty times a second."""

    async def end(self) -> None:
        """Leave the boxes as they are to be left."""


class KeptBoxes(Boxes, Protocol):
    """The boxes of a gateway, and what keeps them."""

    def upkeep(self, changes: Changes, applying: Applying, spec: Spec) -> Upkeep:
        """Return what keeps them; `spec` is what they are to run from."""


class Supervisor:
    """One gateway under supervision. `run` returns when `stop` was called, and its own boxes have ended.

    `spec` has all its passwords; `listener` is given every event. Raises HostError and GatewayError where the gateway
    cannot be started; once it runs, nothing that Kannel, a provider or a log says ends it. `load` reads the spec file
    anew, for a change of it to be applied, and `faults` finds what it would be wrong to begin: see Applying. `boxes`
    says whose the boxes are, unless told otherwise kannelkit's own; `put` puts a text in their kannel.conf's place.
    """

    def __init__(
        self,
        spec: Spec,
        listener: Listener,
        environment: Mapping[str, str] | None = None,
        load: Callable[[], Spec] | None = None,
        faults: Faults = lambda spec: (),
        boxes: Callable[[Running], KeptBoxes] = OwnBoxes,
        put: Callable[[str], None] | None = None,
    ) -> None:
        self.ready = asyncio.Event()
        self._spec = spec
        self._load = load or (lambda: spec)
        self._faults = faults
        self._boxes = boxes
        self._put = put
        self._environment = os.environ if environment is None else environment
        self._heartbeat = Heartbeat(self._environment, os.getpid())
        self._listener = listener
        self._stopping = asyncio.Event()
        self._supervising = False
        self._asked: list[asyncio.Task[None]] = []
        self._silent_since: float | None = None
        self._silence_told = False
        self._last_trouble = ""
        self._told_system = False

    def stop(self) -> None:
        """Ask for an end in order; safe to call again and from a signal handler of the loop."""
        self._stopping.set()

    async def run(self) -> None:
        """Begin with the boxes, supervise them until `stop`, then leave them as whoever keeps them does."""
        clock = asyncio.get_running_loop().time
        spec = self._spec
        async with AsyncExitStack() as stack:
            make_folder(spec.state_dir)
            stack.enter_context(Lock(spec.state_dir / "lock"))
            memory = Memory(spec.state_dir / "state.db")
            stack.callback(memory.close)
            session = await stack.enter_async_context(aiohttp.ClientSession())
            admin = Admin(session, spec.admin_port, spec.admin_password, spec.admin_host)
            configuration = configure(spec, known(memory), self._put)
            journal = Journal(memory, self._listener)
            self._running = Running(configuration, admin, memory, journal, self._stopping.is_set)
            boxes = self._running.boxes = self._boxes(self._running)
            self._changes = Changes(self._running)
            self._applying = Applying(self._running, self._changes, self._load, self._faults)
            self._failover = Failover(self._running, self._changes)
            self._requests = Requests(
                self._running, self._changes, self._applying, journal, spec.path, self._failover.by_hand
            )
            self._upkeep = boxes.upkeep(self._changes, self._applying, spec)
            stack.callback(self._running.watch.close)
            stack.callback(self._running.relay.close)
            await self._upkeep.begin(clock())
            try:
                async with Control(spec.state_dir, self._requests.answer):
                    self._supervising = True
                    await self._supervise(clock)
            finally:
                # on an error of our own the boxes go on sending: the next kannelkit takes them on
                await self._cancel()
            self._notify(notify.STOPPING)
            await self._upkeep.end()

    def reload(self) -> None:
        """Apply the spec file as it is now, unless somebody has to agree to that; a signal handler may call it.

        Before the boxes run it does nothing: the spec was read just now.
        """
        if not self._supervising:
            return
        self._asked = [task for task in self._asked if not task.done()]
        self._asked.append(asyncio.create_task(self._reload()))

    async def change(self, account: str, throughput: int) -> Brought:
        """Bring an account to a throughput now, whatever the controller thinks. Raises GatewayError, KeyError."""
        return await self._changes.change(account, throughput)

    # -- other configurations ----------------------------------------------------------------------------------

    async def _reload(self) -> None:
        try:
            done = await self._applying.apply(Asked(), lambda event: None)
        except KannelkitError as error:
            self._running.say("apply-refused", f"the spec is not applied: {in_one_line(error)}")
        else:
            if not done["changes"]:
                self._running.say("applied", "the spec was read again: nothing changes for the boxes")

    async def _cancel(self) -> None:
        for task in self._asked:
            task.cancel()
        await asyncio.gather(*self._asked, return_exceptions=True)
        await self._applying.cancel()
        await self._failover.cancel()
        await self._changes.cancel()
        await self._running.relay.cancel()

    # -- running -----------------------------------------------------------------------------------------------

    async def _supervise(self, clock: Callable[[], float]) -> None:
        began = clock()
        while not self._stopping.is_set():
            now = clock()
            if self._heartbeat.due(now):
                self._notify(ALIVE)
            if self._upkeep.attached:
                try:
                    await self._running.watch.tick()
                    self._heard()
                except GatewayError as error:
                    self._unheard(now, clock(), error)
                    self._failover.unheard()
                except HostError as error:
                    self._trouble(error)
            else:
                began, self._silent_since = now, None
                self._failover.unheard()
            await self._upkeep.keep(now)
            self._requests.sampled(now)
            troubles = self._running.watch.take_troubles()
            self._requests.heard(troubles)
            self._failover.heard(troubles, may_act=self._upkeep.may_change)
            if self._upkeep.may_change:
                self._failover.act(now)
                self._changes.act(now)
            else:
                self._changes.leave()
            if not self.ready.is_set():
                self._tell_ready(now - began)
            try:
                await asyncio.wait_for(self._stopping.wait(), _TICK)
            except TimeoutError:
                continue

    def _tell_ready(self, seconds: float) -> None:
        running = self._running
        status = running.watch.status
        if status is None:
            if not self._upkeep.attached:  # whoever waits for this one may be who starts the boxes
                self._tell_system_ready()
            return
        bound = {link.admin_id for link in status.links if link.online}
        wanted = [name for account in running.configuration.accounts for name in account.sending_ids]
        away = [name for name in wanted if name not in bound]
        if away and seconds < _READY_SECONDS:
            return
        self.ready.set()
        if away:
            running.say("ready", f"running, but not bound: {', '.join(away)}", away=away)
        else:
            smsbox = running.configuration.spec.smsbox
            where = f", sendsms on port {smsbox.port('sendsms-port')}" if "sendsms-port" in smsbox.values else ""
            running.say("ready", f"ready: {len(wanted)} of {len(wanted)} links online{where}")
        self._tell_system_ready()

    def _tell_system_ready(self) -> None:
        if not self._told_system:
            self._told_system = True
            self._notify(notify.READY)

    def _heard(self) -> None:
        if self._silence_told:
            self._running.say("answers", "bearerbox answers again")
        self._silent_since, self._silence_told = None, False

    def _unheard(self, asked: float, now: float, error: KannelkitError) -> None:
        if self._silent_since is None:
            self._silent_since = asked
        if now - self._silent_since >= _SILENT_SECONDS and not self._silence_told:
            self._silence_told = True
            self._running.say("silent", f"bearerbox has not answered for {_SILENT_SECONDS:.0f} s: {error.args[0]}")

    def _trouble(self, error: HostError) -> None:
        if error.message != self._last_trouble:  # a full disk or a lost right would be told twenty times a second
            self._last_trouble = error.message
            self._running.say("warning", error.message)

    def _notify(self, word: str) -> None:
        try:
            notify.notify(self._environment, word)
        except HostError as error:
            self._running.say("warning", in_one_line(error))

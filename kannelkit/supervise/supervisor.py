"""Runs one gateway: starts or adopts its boxes, keeps them running, holds its accounts at their limit, stops it."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack

import aiohttp

from kannelkit.errors import GatewayError, HostError, KannelkitError
from kannelkit.gateway.admin import Admin
from kannelkit.host import notify
from kannelkit.host.files import make_folder
from kannelkit.host.ports import is_free
from kannelkit.host.processes import ProcessId, who_listens
from kannelkit.host.tail import Tail
from kannelkit.render import Account, accounts
from kannelkit.spec import Spec
from kannelkit.supervise.boxes import Box
from kannelkit.supervise.conffile import ConfFile
from kannelkit.supervise.doubts import Doubts
from kannelkit.supervise.journal import Journal, Listener
from kannelkit.supervise.links import Brought, Recreation
from kannelkit.supervise.lock import Lock
from kannelkit.supervise.memory import Memory
from kannelkit.supervise.revive import Revival
from kannelkit.supervise.watch import Watch
from kannelkit.throttle.controller import AccountRate
from kannelkit.throttle.values import Decision, Settings

_TICK = 0.05
_ANSWER_SECONDS = 20.0
_READY_SECONDS = 30.0
# bearerbox silent for this long is told; it may be busy stopping links or making a long status
_SILENT_SECONDS = 10.0


class Supervisor:
    """One gateway under supervision. `run` returns when `stop` was called and the boxes have ended.

    `spec` has all its passwords; `listener` is given every event. Raises HostError and GatewayError where the gateway
    cannot be started; once it runs, nothing that Kannel, a provider or a log says ends it.
    """

    def __init__(self, spec: Spec, listener: Listener, environment: Mapping[str, str] | None = None) -> None:
        self.spec = spec
        self.ready = asyncio.Event()
        self._environment = os.environ if environment is None else environment
        self._listener = listener
        self._stopping = asyncio.Event()
        self._one_change = {account.smsc_id: asyncio.Lock() for account in accounts(spec)}
        self._changes: dict[str, asyncio.Task[None]] = {}
        self._restart_at: dict[str, float] = {}
        self._silent_since: float | None = None
        self._silence_told = False
        self._last_trouble = ""
        self._doubts = Doubts()

    def stop(self) -> None:
        """Ask for an end in order; safe to call again and from a signal handler of the loop."""
        self._stopping.set()

    async def run(self) -> None:
        """Start or adopt the boxes, supervise them until `stop`, then stop them in order."""
        clock = asyncio.get_running_loop().time
        async with AsyncExitStack() as stack:
            for folder in self.spec.folders():
                make_folder(folder)
            stack.enter_context(Lock(self.spec.state_dir / "lock"))
            self.memory = Memory(self.spec.state_dir / "state.db")
            stack.callback(self.memory.close)
            self.journal = Journal(self.memory, self._listener)
            session = await stack.enter_async_context(aiohttp.ClientSession())
            self.admin = Admin(session, self.spec.admin_port, self.spec.admin_password, self.spec.admin_host)
            self._prepare()
            stack.callback(self.watch.close)
            try:
                await self._bring_up(clock())
            except KannelkitError:
                for box in (self.smsbox, self.bearerbox):
                    if box.ours:  # what was adopted goes on
                        await box.stop()
                raise
            try:
                await self._supervise(clock)
            finally:
                # on an error of our own the boxes go on sending: the next kannelkit adopts them
                await self._cancel_changes()
            await self._bring_down()

    async def change(self, account: str, throughput: int) -> Brought:
        """Bring an account to a throughput now, whatever the controller thinks. Raises GatewayError, KeyError."""
        rate = self.watch.rates[account]
        async with self._one_change[account]:
            self.memory.learn(account, rate.learnt_with(throughput), time.time(), settled=False)
            try:
                brought = await self._recreation.bring(self.watch.accounts[account], throughput)
            except KannelkitError:
                self.memory.learn(account, rate.learnt, time.time())
                raise
            self.conf.accept(account)
            rate.changed(throughput, asyncio.get_running_loop().time(), slow=brought.slow)
            self.memory.learn(account, rate.learnt, time.time())
            return brought

    # -- starting ----------------------------------------------------------------------------------------------

    def _prepare(self) -> None:
        learnt = self.memory.learnt()
        settings = self.spec.supervisor
        rates = {}
        # a finite number of tries means that a refused message may be gone instead of waiting again
        requeues = self.spec.core.get("sms-resend-retry") in (None, "-1")
        for account in accounts(self.spec):
            bounds = Settings(account.ceiling, account.floor, settings.raise_after, requeues)
            rates[account.smsc_id] = AccountRate(account.smsc_id, bounds, learnt.get(account.smsc_id))
        in_force = {name: rate.throughput for name, rate in rates.items() if rate.throughput is not None}
        self.conf = ConfFile(self.spec, in_force)
        self.accounts: tuple[Account, ...] = accounts(self.spec, in_force)
        self.watch = Watch(self.admin, self.accounts, rates)
        self._revival = Revival(self.accounts)
        self._recreation = Recreation(self.admin, self.watch, self.conf.begin, self.conf.give_up, self._note)
        folder = self.spec.files.bearerbox_log.parent
        self.bearerbox = Box("bearerbox", self.conf.path, folder / "bearerbox.out", self._keep)
        self.smsbox = Box("smsbox", self.conf.path, folder / "smsbox.out", self._keep)

    async def _bring_up(self, now: float) -> None:
        known = self.memory.boxes()
        adopted = self.bearerbox.adopt(known.get("bearerbox"))
        smsbox_adopted = self.smsbox.adopt(known.get("smsbox"))
        if adopted:
            assert self.bearerbox.process is not None  # noqa: S101 - adopted
            self._say("adopted", f"bearerbox runs already (pid {self.bearerbox.process.pid}): adopted")
            changed = not self.conf.is_current()
            self.conf.write()
            self._follow(from_end=True)
            if changed:
                self._say("spec-changed", "the spec changed since the boxes were started: stop and start to apply it")
            for name in self.memory.unsettled():
                if name in self.watch.rates:
                    self._again(name)
        else:
            if smsbox_adopted:
                await self.smsbox.kill()  # as in _keep_running: it lost its bearerbox
                smsbox_adopted = False
            self._check_ports()
            for name in self.memory.unsettled():
                self.memory.learn(name, self.memory.learnt()[name], time.time())  # new links take it from the file
            self.conf.write()
            await self._start_bearerbox(now)
        if smsbox_adopted:
            assert self.smsbox.process is not None  # noqa: S101 - adopted
            self._say("adopted", f"smsbox runs already (pid {self.smsbox.process.pid}): adopted")
        else:
            await self._start_smsbox(now)

    def _check_ports(self) -> None:
        ports = {
            "admin-port": (self.spec.admin_host, self.spec.admin_port),
            "smsbox-port": ("127.0.0.1", self.spec.smsbox_port),
        }
        if not self.smsbox.running:
            ports["sendsms-port"] = (self.spec.sendsms_host, self.spec.sendsms_port)
        for directive, (host, port) in ports.items():
            if not is_free(host, port):
                whom = who_listens(host, port) or "another program"
                raise HostError(f"{directive} {port} is in use by {whom}", f"stop it, or set {directive} in the spec")

    async def _start_bearerbox(self, now: float) -> None:
        process = self.bearerbox.start(now)
        self._follow(from_end=False)
        deadline = asyncio.get_running_loop().time() + _ANSWER_SECONDS
        while True:
            try:
                await self.watch.look()
                break
            except GatewayError as error:
                if self._stopping.is_set():
                    raise GatewayError("stopped while bearerbox was starting") from error
                if not self.bearerbox.running:
                    said = self.bearerbox.last_words()
                    text = f"bearerbox {self.bearerbox.exit_text()}{said}"
                    raise GatewayError(text, f"see {self.spec.files.bearerbox_log}") from error
                if asyncio.get_running_loop().time() >= deadline:
                    raise
            await asyncio.sleep(_TICK)
        self._say("started", f"bearerbox started (pid {process.pid})", pid=process.pid)

    async def _start_smsbox(self, now: float) -> None:
        process = self.smsbox.start(now)
        self._say("started", f"smsbox started (pid {process.pid})", pid=process.pid)

    def _follow(self, *, from_end: bool) -> None:
        assert self.bearerbox.process is not None  # noqa: S101 - started or adopted just before
        files = self.spec.files
        logs = dict.fromkeys((files.bearerbox_log, *files.links_logs))
        # a start reads from the end too: what an earlier bearerbox wrote is told apart by its process id
        self.watch.attach(self.bearerbox.process.pid, [Tail(path, from_end=True) for path in logs])

    # -- running -----------------------------------------------------------------------------------------------

    async def _supervise(self, clock: Callable[[], float]) -> None:
        began = clock()
        while not self._stopping.is_set():
            now = clock()
            await self._keep_running(now)
            try:
                await self.watch.tick()
                self._heard()
            except GatewayError as error:
                self._unheard(now, clock(), error)
            except HostError as error:
                self._trouble(error)
            self._act(now)
            if not self.ready.is_set():
                self._tell_ready(now - began)
            try:
                await asyncio.wait_for(self._stopping.wait(), _TICK)
            except TimeoutError:
                continue

    def _tell_ready(self, seconds: float) -> None:
        status = self.watch.status
        if status is None:
            return
        bound = {link.admin_id for link in status.links if link.online}
        wanted = [name for account in self.accounts for name in account.primary_ids]
        away = [name for name in wanted if name not in bound]
        if away and seconds < _READY_SECONDS:
            return
        self.ready.set()
        if away:
            self._say("ready", f"running, but not bound: {', '.join(away)}", away=away)
        else:
            links = f"{len(wanted)} of {len(wanted)} links online"
            self._say("ready", f"ready: {links}, sendsms on port {self.spec.sendsms_port}")
        try:
            notify.notify(self._environment, notify.READY)
        except HostError as error:
            self._say("warning", str(error))

    async def _keep_running(self, now: float) -> None:
        for box in (self.bearerbox, self.smsbox):
            if box.running:
                continue
            if box.name not in self._restart_at:
                wait = box.ended(now)
                self._restart_at[box.name] = now + wait
                said = f"{box.name} {box.exit_text()}{box.last_words()}"
                self._say("ended", f"{said}: started again {f'in {wait:.0f} s' if wait else 'now'}", box=box.name)
                if box is self.bearerbox and self.smsbox.running:
                    # it takes nothing any more, and in 10 s it would start another one that nobody knows (restart_box
                    # in gw/shared.c); what it has not acknowledged is in bearerbox's store
                    await self.smsbox.kill()
                    self._restart_at[self.smsbox.name] = now
            if now < self._restart_at[box.name] or (box is self.smsbox and not self.bearerbox.running):
                continue
            del self._restart_at[box.name]
            try:
                if box is self.bearerbox:
                    await self._cancel_changes()
                    for name in self.memory.unsettled():  # cut off: the new links run at what was in force before
                        if name in self.watch.rates:
                            self.memory.learn(name, self.watch.rates[name].learnt, time.time())
                    self.conf.write()
                    await self._start_bearerbox(now)
                else:
                    await self._start_smsbox(now)
            except KannelkitError as error:
                self._say("warning", f"{box.name} did not start: {error.args[0]}", box=box.name)

    def _act(self, now: float) -> None:
        for name, decision in list(self.watch.decisions.items()):
            if name not in self._changes:
                del self.watch.decisions[name]
                self._changes[name] = asyncio.create_task(self._carry_out(decision))
        for name, task in list(self._changes.items()):
            if task.done():
                del self._changes[name]
                if not task.cancelled() and (error := task.exception()) is not None:
                    self.watch.rates[name].abandoned()
                    self._note(name, f"a change failed for a reason of kannelkit's own, please report it: {error!r}")
        self._revive(now)
        for name, refusals in self._doubts.due(self.watch.rates, now).items():
            self._note(name, f"{refusals} refusals in the log, but no such messages wait for another try: not believed")

    async def _carry_out(self, decision: Decision) -> None:
        began = asyncio.get_running_loop().time()
        try:
            brought = await self.change(decision.account, decision.after)
        except KannelkitError as error:
            self.watch.rates[decision.account].abandoned()
            self._note(decision.account, f"throughput stays at {decision.before}: {error.args[0]}")
            return
        except asyncio.CancelledError:
            self.watch.rates[decision.account].abandoned()  # or it would wait for the end of this change for ever
            raise
        back = f"links back in {brought.away * 1000:.0f} ms" if brought.online else "links not back yet"
        self.journal.tell(
            "rate",
            f"{decision}, {back}",
            decision.account,
            direction=decision.kind,
            before=decision.before,
            after=decision.after,
            refused=decision.refused,
            submits=decision.submits,
            accepted=decision.accepted,
            seconds=round(decision.seconds, 1),
            links_away_ms=round(brought.away * 1000),
            took_ms=round((asyncio.get_running_loop().time() - began) * 1000),
            slow=brought.slow,
        )

    def _again(self, name: str) -> None:
        """An earlier change of rate was cut off: bring the account to what the file says."""
        throughput = self.watch.rates[name].throughput
        if throughput is not None:
            self._changes[name] = asyncio.create_task(self._finish(name, throughput))

    async def _finish(self, name: str, throughput: int) -> None:
        try:
            await self.change(name, throughput)
        except KannelkitError as error:
            self._note(name, f"its links may not run at throughput {throughput}: {error.args[0]}")
            return
        self._note(name, f"a change of rate was cut off: finished, throughput {throughput}")

    def _revive(self, now: float) -> None:
        if self.watch.status is None:
            return
        for account, name in self._revival.due(self.watch.status, now, self._changes):
            if account not in self._changes:
                self._changes[account] = asyncio.create_task(self._start_dead(account, name))

    async def _start_dead(self, account: str, name: str) -> None:
        try:
            await self.admin.start_link(name)
        except KannelkitError as error:
            self._note(account, f"{name} is dead and cannot be started: {error.args[0]}")
            return
        self._note(account, f"{name} was dead (was its bind refused? see the log): started again")

    def _heard(self) -> None:
        if self._silence_told:
            self._say("answers", "bearerbox answers again")
        self._silent_since, self._silence_told = None, False

    def _unheard(self, asked: float, now: float, error: KannelkitError) -> None:
        if self._silent_since is None:
            self._silent_since = asked
        if now - self._silent_since >= _SILENT_SECONDS and not self._silence_told:
            self._silence_told = True
            self._say("silent", f"bearerbox has not answered for {_SILENT_SECONDS:.0f} s: {error.args[0]}")

    def _trouble(self, error: HostError) -> None:
        if error.message != self._last_trouble:  # a full disk or a lost right would be told twenty times a second
            self._last_trouble = error.message
            self._say("warning", error.message)

    # -- stopping ----------------------------------------------------------------------------------------------

    async def _cancel_changes(self) -> None:
        tasks = list(self._changes.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._changes.clear()

    async def _bring_down(self) -> None:
        """Stop smsbox first, so that nothing more is accepted, then bearerbox, which writes its store."""
        try:
            notify.notify(self._environment, notify.STOPPING)
        except HostError as error:
            self._say("warning", str(error))
        for box in (self.smsbox, self.bearerbox):
            if box.running:
                in_order = await box.stop()
                self._say("stopped", f"{box.name} stopped" + ("" if in_order else ", by force"), box=box.name)

    def _keep(self, name: str, process: ProcessId | None) -> None:
        """Keep which process a box is; a full disk is no reason to let the gateway down."""
        try:
            self.memory.box(name, process)
        except HostError as error:
            self._say("warning", f"after a crash {name} could not be found again: {error.args[0]}", box=name)

    def _say(self, kind: str, text: str, **data: object) -> None:
        self.journal.tell(kind, text, None, **data)

    def _note(self, account: str, text: str) -> None:
        self.journal.tell("note", f"{account}: {text}", account)

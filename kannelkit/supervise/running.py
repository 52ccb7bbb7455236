"""A gateway's boxes while kannelkit is with them: started, adopted, followed and stopped, from one configuration."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from kannelkit.errors import GatewayError, HostError
from kannelkit.gateway.admin import Admin
from kannelkit.host.ports import is_free
from kannelkit.host.processes import ProcessId, who_listens
from kannelkit.host.tail import Tail
from kannelkit.plan.values import Box as WordOfBox
from kannelkit.spec import Spec
from kannelkit.spec.model import reached_at
from kannelkit.supervise.boxes import Box
from kannelkit.supervise.configuration import Configuration
from kannelkit.supervise.journal import Journal
from kannelkit.supervise.memory import Memory
from kannelkit.supervise.watch import Watch

_TICK = 0.05
_ANSWER_SECONDS = 20.0
# smsbox takes requests before it has reached bearerbox, and one that comes within these milliseconds is its end:
# "Assertion `conn != NULL' failed" (main in gw/smsbox.c opens its port first; seen under load, once in ten starts)
_SMSBOX_ATTEMPTS = 6
_SMSBOX_LOOKS = 5


class Running:
    """The boxes of one gateway, and what is known of them. Everything that acts on the gateway shares this.

    `configuration` is what the boxes run with; `take` puts another one in its place. `stopping` is whether an end was
    asked for, so that no start waits in vain.
    """

    def __init__(
        self,
        configuration: Configuration,
        admin: Admin,
        memory: Memory,
        journal: Journal,
        stopping: Callable[[], bool],
    ) -> None:
        self.configuration = configuration
        self.admin = admin
        self.memory = memory
        self.watch = Watch(admin, configuration.accounts, configuration.rates)
        self._journal = journal
        self._stopping = stopping
        log = configuration.spec.files.bearerbox_log
        folder = configuration.spec.state_dir if log is None else log.parent
        self.bearerbox = Box("bearerbox", configuration.conf.path, folder / "bearerbox.out", self.keep)
        self.smsbox = Box("smsbox", configuration.conf.path, folder / "smsbox.out", self.keep)
        self.busy: set[str] = set()  # boxes that are being stopped and started by somebody
        self._boxes = {"bearerbox": self.bearerbox, "smsbox": self.smsbox}

    def take(self, configuration: Configuration) -> None:
        """Go on with another configuration, with which the boxes run already."""
        now = asyncio.get_running_loop().time()
        former, self.configuration = self.configuration, configuration
        spec = configuration.spec
        self.admin.move(spec.admin_port, spec.admin_password, spec.admin_host)
        self.watch.follow(configuration.accounts, configuration.rates)
        self.watch.follow_logs(Tail(path, from_end=True) for path in _logs(spec) if path not in _logs(former.spec))
        for name, rate in configuration.rates.items():
            if former.rates.get(name) is not rate:
                rate.begun(now)
            if rate.throughput is not None:
                rate.changed(rate.throughput, now)
            try:
                self.memory.learn(name, rate.learnt, time.time())
            except HostError as error:
                self.say("warning", f"the rate of {name} is not kept: {error.args[0]}")

    def free_ports_or_raise(self, wanted: Spec | None = None) -> None:
        """Raise HostError where a port that the boxes will listen on is taken; with a spec that is wanted instead of
        theirs, by others than they.
        """
        spec = self.configuration.spec if wanted is None else wanted
        own = set() if wanted is None else set(_ports(self.configuration.spec).values())
        for directive, (host, port) in _ports(spec).items():
            if (host, port) in own or (directive == "sendsms-port" and wanted is None and self.smsbox.running):
                continue
            if not is_free(host, port):
                whom = who_listens(host, port) or "another program"
                raise HostError(f"{directive} {port} is in use by {whom}", f"stop it, or set {directive} in the spec")

    async def start_bearerbox(self, now: float) -> None:
        """Start bearerbox and return when it answers. Raises GatewayError."""
        process = self.bearerbox.start(now)
        self.follow()
        clock = asyncio.get_running_loop().time
        deadline = clock() + _ANSWER_SECONDS
        while True:
            try:
                await self.watch.look()
                break
            except GatewayError as error:
                if self._stopping():
                    raise GatewayError("stopped while bearerbox was starting") from error
                if not self.bearerbox.running:
                    said = self.bearerbox.last_words()
                    text = f"bearerbox {self.bearerbox.exit_text()}{said}"
                    raise GatewayError(text, f"see {self.configuration.spec.files.bearerbox_log}") from error
                if clock() >= deadline:
                    raise
            await asyncio.sleep(_TICK)
        self.say("started", f"bearerbox started (pid {process.pid})", pid=process.pid)

    async def start_smsbox(self, now: float) -> None:
        """Start smsbox. Raises GatewayError."""
        process = self.smsbox.start(now)
        self.say("started", f"smsbox started (pid {process.pid})", pid=process.pid)

    def follow(self) -> None:
        """Follow the logs of the bearerbox that runs, from their ends: what an earlier one wrote is old."""
        assert self.bearerbox.process is not None  # noqa: S101 - started or adopted just before
        logs = _logs(self.configuration.spec)
        self.watch.attach(self.bearerbox.process.pid, [Tail(path, from_end=True) for path in logs])

    # -- stopped and started by whoever changes the configuration

    def alive(self) -> bool:
        """Return whether bearerbox's process is there."""
        return self.bearerbox.running

    async def stop(self, name: WordOfBox) -> None:
        """Stop a box in order; nobody else starts it again until `start` has started it, or it is taken from `busy`."""
        self.busy.add(name)
        await self._boxes[name].stop()

    async def start(self, name: WordOfBox, core: Mapping[str, str]) -> None:
        """Start a box with what is in the file, whose group core is `core`; return when it works with the others.

        Raises GatewayError.
        """
        now = asyncio.get_running_loop().time()
        if name == "bearerbox":
            self.command_as(core)
            await self.start_bearerbox(now)
        elif name == "smsbox":
            for attempt in range(1, _SMSBOX_ATTEMPTS + 1):
                await self.start_smsbox(now)
                try:
                    await self._smsbox_connected()
                    break
                except GatewayError:
                    if self.smsbox.running or attempt == _SMSBOX_ATTEMPTS:
                        raise
        self.busy.discard(name)

    def command_as(self, core: Mapping[str, str]) -> None:
        """Command bearerbox at the port and with the password of this group core."""
        self.admin.move(int(core["admin-port"]), core["admin-password"], reached_at(core.get("admin-interface")))

    async def _smsbox_connected(self) -> None:
        clock = asyncio.get_running_loop().time
        deadline = clock() + _ANSWER_SECONDS
        seen = 0
        while seen < _SMSBOX_LOOKS:  # bearerbox knows it a little before it is out of danger itself
            seen = seen + 1 if any(box.type == "smsbox" for box in (await self.watch.look()).boxes) else 0
            if not self.smsbox.running:
                raise GatewayError(f"smsbox {self.smsbox.exit_text()}{self.smsbox.last_words()}")
            if clock() >= deadline:
                raise GatewayError(f"smsbox has not reached bearerbox {_ANSWER_SECONDS:.0f} s after its start")
            await asyncio.sleep(_TICK)

    async def bring_down(self) -> None:
        """Stop smsbox first, so that nothing more is accepted, then bearerbox, which writes its store."""
        for box in (self.smsbox, self.bearerbox):
            if box.running:
                in_order = await box.stop()
                self.say("stopped", f"{box.name} stopped" + ("" if in_order else ", by force"), box=box.name)

    def say(self, kind: str, text: str, **data: object) -> None:
        """Tell an event of the whole gateway."""
        self._journal.tell(kind, text, None, **data)

    def note(self, account: str, text: str) -> None:
        """Tell what a person should know of an account."""
        self._journal.tell("note", f"{account}: {text}", account)

    def tell(self, kind: str, text: str, account: str, **data: object) -> None:
        """Tell an event of an account."""
        self._journal.tell(kind, text, account, **data)

    def keep(self, name: str, process: ProcessId | None) -> None:
        """Keep which process a box is; a full disk is no reason to let the gateway down."""
        try:
            self.memory.box(name, process)
        except HostError as error:
            self.say("warning", f"after a crash {name} could not be found again: {error.args[0]}", box=name)


def _ports(spec: Spec) -> dict[str, tuple[str, int]]:
    """Return where the boxes listen, by directive."""
    return {
        "admin-port": (spec.admin_host, spec.admin_port),
        "smsbox-port": ("127.0.0.1", spec.smsbox_port),
        "sendsms-port": (spec.sendsms_host, spec.sendsms_port),
    }


def _logs(spec: Spec) -> tuple[Path, ...]:
    """Return the logs in which bearerbox tells of refusals, each once."""
    log = spec.files.bearerbox_log
    return tuple(dict.fromkeys((*([] if log is None else [log]), *spec.files.links_logs)))

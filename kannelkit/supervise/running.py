"""One gateway while kannelkit is with it: what it runs with, what is seen of it, what is told and kept of it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

from kannelkit.errors import HostError
from kannelkit.gateway.admin import Admin
from kannelkit.host.processes import ProcessId
from kannelkit.host.tail import Tail
from kannelkit.plan.values import Box as WordOfBox
from kannelkit.plan.values import Plan
from kannelkit.spec import Spec
from kannelkit.spec.model import reached_at
from kannelkit.supervise.configuration import Configuration
from kannelkit.supervise.journal import Journal
from kannelkit.supervise.memory import Memory
from kannelkit.supervise.relay import Relay
from kannelkit.supervise.relaysettings import folder
from kannelkit.supervise.watch import Watch


class RunningBox(Protocol):
    """One box as everybody sees it, whoever runs it; `process` is the last that was known of it."""

    name: str
    process: ProcessId | None

    @property
    def running(self) -> bool:
        """Whether the box's process is there now."""


class Boxes(Protocol):
    """A gateway's boxes, and what of a change of the configuration only whoever runs them can do."""

    @property
    def bearerbox(self) -> RunningBox:
        """Return the box that has the links."""

    @property
    def smsbox(self) -> RunningBox:
        """Return the box that takes messages from applications."""

    def alive(self) -> bool:
        """Return whether bearerbox's process is there."""

    def allow_or_raise(self, plan: Plan) -> None:
        """Raise GatewayError where a plan takes what cannot be done with these boxes, or not now."""

    def changeable_or_raise(self) -> None:
        """Raise GatewayError where the links may not be changed now."""

    def prepare(self, spec: Spec) -> None:
        """Make the folders that the boxes will need with a spec. Raises HostError, also where a port is taken."""

    async def stop(self, name: WordOfBox) -> None:
        """Stop a box in order; nobody else starts it again until `start` has started it, or `released` was called."""

    async def start(self, name: WordOfBox, core: Mapping[str, str]) -> None:
        """Start a box with what is in the file, whose group core is `core`; return when it works with the others.

        Raises GatewayError.
        """

    async def down(self) -> None:
        """Have no box run until `start` has started it, or `released` was called: bearerbox has ended."""

    def released(self) -> None:
        """Nothing is changed any more: whoever runs the boxes keeps them running."""


class Running:
    """One gateway and what is known of it. Everything that acts on the gateway shares this.

    `configuration` is what the boxes run with; `take` puts another one in its place. `stopping` is whether an end was
    asked for, so that nothing is waited for in vain. `boxes` is put in its place by whoever makes this.
    """

    boxes: Boxes

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
        self.stopping = stopping
        self._journal = journal
        self.relay = Relay(folder(configuration.spec), self, self.holds)

    def holds(self) -> Mapping[str, float]:
        """Return the rates that somebody holds accounts to which the relay paces, in SMS per second."""
        paused = self.memory.paused()
        # what was paused while bearerbox paced it stays at that
        learnt = {unit: float(each.throughput) for unit, each in self.memory.learnt().items()}
        rates = {unit: rate for unit, rate in (learnt | self.memory.held()).items() if unit in paused}
        relayed = self.configuration.relayed & rates.keys()
        return {each.smsc_id: rates[each.unit] for each in self.configuration.accounts if each.unit in relayed}

    @property
    def bearerbox(self) -> RunningBox:
        """The box that has the links."""
        return self.boxes.bearerbox

    @property
    def smsbox(self) -> RunningBox:
        """The box that takes messages from applications."""
        return self.boxes.smsbox

    def take(self, configuration: Configuration) -> None:
        """Go on with another configuration, with which the boxes run already."""
        now = asyncio.get_running_loop().time()
        former, self.configuration = self.configuration, configuration
        spec = configuration.spec
        self.admin.move(spec.admin_port, spec.admin_password, spec.admin_host)
        self.watch.follow(configuration.accounts, configuration.rates)
        self.watch.follow_logs(Tail(path, from_end=True) for path in logs_of(spec) if path not in logs_of(former.spec))
        for name, rate in configuration.rates.items():
            if former.rates.get(name) is not rate:
                rate.begun(now)
            if rate.throughput is not None:
                rate.changed(rate.throughput, now)
            if name in configuration.relayed:
                continue  # what is kept of it is what somebody holds it to
            try:
                self.memory.learn(name, rate.learnt, time.time())
            except HostError as error:
                self.say("warning", f"the rate of {name} is not kept: {error.args[0]}")

    def follow(self, process: ProcessId) -> None:
        """Follow the logs of this bearerbox from their ends: what an earlier one wrote is old."""
        logs = logs_of(self.configuration.spec)
        self.watch.attach(process.pid, [Tail(path, from_end=True) for path in logs])

    def command_as(self, core: Mapping[str, str]) -> None:
        """Command bearerbox at the port and with the password of this group core."""
        self.admin.move(int(core["admin-port"]), core["admin-password"], reached_at(core.get("admin-interface")))

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


def logs_of(spec: Spec) -> tuple[Path, ...]:
    """Return the logs in which bearerbox tells of refusals, each once."""
    log = spec.files.bearerbox_log
    return tuple(dict.fromkeys((*([] if log is None else [log]), *spec.files.links_logs, *spec.supervisor.logs)))

"""Boxes that kannelkit runs itself: started or adopted, kept running, stopped in order."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping

from kannelkit.errors import GatewayError, HostError, KannelkitError
from kannelkit.host.files import make_folder
from kannelkit.host.ports import is_free
from kannelkit.host.processes import ProcessId, who_listens
from kannelkit.plan.compare import plan as plan_between
from kannelkit.plan.values import Box as WordOfBox
from kannelkit.plan.values import Plan
from kannelkit.spec import Spec
from kannelkit.supervise.applying import Applying
from kannelkit.supervise.boxes import Box
from kannelkit.supervise.changes import Changes
from kannelkit.supervise.configuration import configure, known
from kannelkit.supervise.kept import keep, kept
from kannelkit.supervise.relaysettings import relay_accounts
from kannelkit.supervise.running import Running

_TICK = 0.05
_ANSWER_SECONDS = 20.0
# smsbox takes requests before it has reached bearerbox, and one that comes within these milliseconds is its end:
# "Assertion `conn != NULL' failed" (main in gw/smsbox.c opens its port first; seen under load, once in ten starts)
_SMSBOX_ATTEMPTS = 6
_SMSBOX_LOOKS = 5


class OwnBoxes:
    """bearerbox and smsbox as kannelkit's own processes; see running.Boxes."""

    def __init__(self, running: Running) -> None:
        configuration = running.configuration
        log = configuration.spec.files.bearerbox_log
        folder = configuration.spec.state_dir if log is None else log.parent
        self.bearerbox = Box("bearerbox", configuration.conf.path, folder / "bearerbox.out", running.keep)
        self.smsbox = Box("smsbox", configuration.conf.path, folder / "smsbox.out", running.keep)
        self.busy: set[str] = set()  # boxes that are being stopped and started by somebody
        self._running = running
        self._boxes = {"bearerbox": self.bearerbox, "smsbox": self.smsbox}

    def upkeep(self, changes: Changes, applying: Applying, spec: Spec) -> Upkeep:
        """Return what keeps them running, from `spec` unless adopted ones run from another."""
        return Upkeep(self, self._running, changes, applying, spec)

    def alive(self) -> bool:
        """Return whether bearerbox's process is there."""
        return self.bearerbox.running

    def allow_or_raise(self, plan: Plan) -> None:
        """Allow every plan."""

    def prepare(self, spec: Spec) -> None:
        """Make the folders that the boxes will need with a spec. Raises HostError, also where a port is taken."""
        self.free_ports_or_raise(spec)
        for folder in spec.folders():
            make_folder(folder)

    def changeable_or_raise(self) -> None:
        """Raise GatewayError while there is no bearerbox whose links could be changed."""
        if not self.alive():
            raise GatewayError("bearerbox is not running", "it is started again by itself: try again in a moment")

    async def stop(self, name: WordOfBox) -> None:
        """Stop a box in order; nobody else starts it again until `start` has started it, or `released` was called."""
        self.busy.add(name)
        await self._boxes[name].stop()

    async def start(self, name: WordOfBox, core: Mapping[str, str]) -> None:
        """Start a box with what is in the file, whose group core is `core`; return when it works with the others.

        Raises GatewayError.
        """
        now = asyncio.get_running_loop().time()
        if name == "bearerbox":
            self._running.command_as(core)
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

    async def down(self) -> None:
        """End a smsbox that has lost its bearerbox; nobody else starts the two again."""
        self.busy.update(self._boxes)
        await self.smsbox.kill()

    def released(self) -> None:
        """Nothing is changed any more."""
        self.busy.clear()

    # -- started and stopped by whoever keeps them

    def free_ports_or_raise(self, wanted: Spec | None = None) -> None:
        """Raise HostError where a port that the boxes will listen on is taken; with a spec that is wanted instead of
        theirs, by others than they.
        """
        running = self._running.configuration.spec
        spec = running if wanted is None else wanted
        own = set() if wanted is None else set(_ports(running).values())
        for directive, (host, port) in _ports(spec).items():
            if (host, port) in own or (directive == "sendsms-port" and wanted is None and self.smsbox.running):
                continue
            if not is_free(host, port):
                whom = who_listens(host, port) or "another program"
                raise HostError(f"{directive} {port} is in use by {whom}", f"stop it, or set {directive} in the spec")

    async def start_bearerbox(self, now: float) -> None:
        """Start bearerbox and return when it answers. Raises GatewayError."""
        running = self._running
        process = self.bearerbox.start(now)
        running.follow(process)
        clock = asyncio.get_running_loop().time
        deadline = clock() + _ANSWER_SECONDS
        while True:
            try:
                await running.watch.look()
                break
            except GatewayError as error:
                if running.stopping():
                    raise GatewayError("stopped while bearerbox was starting") from error
                if not self.bearerbox.running:
                    said = self.bearerbox.last_words()
                    text = f"bearerbox {self.bearerbox.exit_text()}{said}"
                    raise GatewayError(text, f"see {running.configuration.spec.files.bearerbox_log}") from error
                if clock() >= deadline:
                    raise
            await asyncio.sleep(_TICK)
        running.say("started", f"bearerbox started (pid {process.pid})", pid=process.pid)

    async def start_smsbox(self, now: float) -> None:
        """Start smsbox. Raises GatewayError."""
        process = self.smsbox.start(now)
        self._running.say("started", f"smsbox started (pid {process.pid})", pid=process.pid)

    async def _smsbox_connected(self) -> None:
        clock = asyncio.get_running_loop().time
        deadline = clock() + _ANSWER_SECONDS
        seen = 0
        while seen < _SMSBOX_LOOKS:  # bearerbox knows it a little before it is out of danger itself
            boxes = (await self._running.watch.look()).boxes
            seen = seen + 1 if any(box.type == "smsbox" for box in boxes) else 0
            if not self.smsbox.running:
                raise GatewayError(f"smsbox {self.smsbox.exit_text()}{self.smsbox.last_words()}")
            if clock() >= deadline:
                raise GatewayError(f"smsbox has not reached bearerbox {_ANSWER_SECONDS:.0f} s after its start")
            await asyncio.sleep(_TICK)


class Upkeep:
    """Brings the boxes up or adopts them, starts one again that ends, and stops both in the end."""

    # they are there but for moments, and are waited for while they start
    attached = True
    may_change = True

    def __init__(self, boxes: OwnBoxes, running: Running, changes: Changes, applying: Applying, spec: Spec) -> None:
        self._boxes = boxes
        self._running = running
        self._changes = changes
        self._applying = applying
        self._spec = spec
        self._restart_at: dict[str, float] = {}

    async def begin(self, now: float) -> None:
        """Adopt the boxes or start them. Raises KannelkitError; then none runs that was started here."""
        try:
            await self._bring_up(now)
        except KannelkitError:
            for box in (self._boxes.smsbox, self._boxes.bearerbox):
                if box.ours:  # what was adopted goes on
                    await box.stop()
            if self._running.relay.ours:
                await self._running.relay.stop()
            raise

    async def end(self) -> None:
        """Stop smsbox first, so that nothing more is accepted, then bearerbox, which writes its store; then the relay,
        which bearerbox has taken leave of by then.
        """
        for box in (self._boxes.smsbox, self._boxes.bearerbox):
            if box.running:
                in_order = await box.stop()
                self._running.say("stopped", f"{box.name} stopped" + ("" if in_order else ", by force"), box=box.name)
        await self._running.relay.stop()

    async def keep(self, now: float) -> None:
        """Start a box again that has ended."""
        running, boxes = self._running, self._boxes
        await running.relay.keep(now)
        for box in (boxes.bearerbox, boxes.smsbox):
            if box.running or box.name in boxes.busy:
                continue
            if self._applying.under_way and not boxes.bearerbox.running:
                # whoever changes the configuration notices, and starts both
                if box is boxes.bearerbox and boxes.smsbox.running:
                    await boxes.smsbox.kill()  # as below
                continue
            if box.name not in self._restart_at:
                wait = box.ended(now)
                self._restart_at[box.name] = now + wait
                said = f"{box.name} {box.exit_text()}{box.last_words()}"
                running.say("ended", f"{said}: started again {f'in {wait:.0f} s' if wait else 'now'}", box=box.name)
                if box is boxes.bearerbox and boxes.smsbox.running:
                    # it takes nothing any more, and in 10 s it would start another one that nobody knows (restart_box
                    # in gw/shared.c); what it has not acknowledged is in bearerbox's store
                    await boxes.smsbox.kill()
                    self._restart_at[boxes.smsbox.name] = now
            if now < self._restart_at[box.name] or (box is boxes.smsbox and not boxes.bearerbox.running):
                continue
            del self._restart_at[box.name]
            try:
                if box is boxes.bearerbox:
                    await self._changes.cancel()
                    for name in running.memory.unsettled():  # cut off: the new links run at what was in force before
                        if name in running.watch.rates:
                            running.memory.learn(name, running.watch.rates[name].learnt, time.time())
                    running.configuration.conf.write()
                    await boxes.start_bearerbox(now)
                else:
                    await boxes.start_smsbox(now)
            except KannelkitError as error:
                running.say("warning", f"{box.name} did not start: {error.args[0]}", box=box.name)

    # -- starting

    async def _bring_up(self, now: float) -> None:
        running, boxes, memory = self._running, self._boxes, self._running.memory
        for folder in self._spec.folders():
            make_folder(folder)
        known_boxes = memory.boxes()
        adopted = boxes.bearerbox.adopt(known_boxes.get("bearerbox"))
        smsbox_adopted = boxes.smsbox.adopt(known_boxes.get("smsbox"))
        await self._applying.clean()
        running.relay.adopt(known_boxes.get("relay"))
        if not adopted:
            await running.relay.bring(relay_accounts(self._spec))
        if adopted:
            assert boxes.bearerbox.process is not None  # noqa: S101 - adopted
            running.say("adopted", f"bearerbox runs already (pid {boxes.bearerbox.process.pid}): adopted")
            if not self._adopt(boxes.bearerbox.process):
                await running.relay.bring(relay_accounts(running.configuration.spec))
        else:
            if smsbox_adopted:
                await boxes.smsbox.kill()  # as in `keep`: it lost its bearerbox
                smsbox_adopted = False
            boxes.free_ports_or_raise()
            for name in memory.unsettled():
                memory.learn(name, memory.learnt()[name], time.time())  # new links take it from the file
            keep(self._spec)
            running.configuration.conf.write()
            await boxes.start_bearerbox(now)
        if smsbox_adopted:
            assert boxes.smsbox.process is not None  # noqa: S101 - adopted
            running.say("adopted", f"smsbox runs already (pid {boxes.smsbox.process.pid}): adopted")
        else:
            await boxes.start_smsbox(now)

    def _adopt(self, bearerbox: ProcessId) -> bool:
        """Go on with what the boxes run with, which need not be what the spec says now; return whether a change of it
        was cut off, and is taken back.
        """
        running, memory = self._running, self._running.memory
        cut_off = memory.unsettled()
        spec = kept(self._spec.state_dir)
        if spec is None:  # an older kannelkit started the boxes
            changed = not running.configuration.conf.is_current()
            running.configuration.conf.write()
            keep(self._spec)
            advice = "stop and start to apply it"
        else:
            wanted = running.configuration.conf.text
            running.take(configure(spec, known(memory)))
            self._changes.follow()
            changed = bool(plan_between(running.configuration.conf.text, wanted, None).changes)
            advice = f"kannelkit apply {self._spec.path}"
        running.follow(bearerbox)
        if changed:
            running.say("spec-changed", f"the spec changed since the boxes were started: {advice}")
        if spec is not None and self._applying.cut_off(cut_off):
            self._applying.take_back_soon()
            return True
        for name in cut_off & running.watch.rates.keys():
            self._changes.again(name)
        return False


def _ports(spec: Spec) -> dict[str, tuple[str, int]]:
    """Return where the boxes listen, by directive."""
    return {
        "admin-port": (spec.admin_host, spec.admin_port),
        "smsbox-port": ("127.0.0.1", spec.smsbox_port),
        "sendsms-port": (spec.sendsms_host, spec.sendsms_port),
    }

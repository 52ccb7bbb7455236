"""Boxes that something else runs (systemd, an init script): found, followed through their restarts, never touched.

What kannelkit does with them is what bearerbox's administration port and its kannel.conf allow: links are made anew,
routes changed. What takes a restart is told, with what to type. The relay is kannelkit's own.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path

from kannelkit.errors import GatewayError, HostError, KannelkitError
from kannelkit.gateway.status import GatewayStatus
from kannelkit.host.found import Sought, find
from kannelkit.host.processes import ProcessId, alive, who_listens
from kannelkit.host.replaced import replaceable_or_raise
from kannelkit.plan.values import Box as WordOfBox
from kannelkit.plan.values import Change, Plan, Restart, Step
from kannelkit.render import kannel_conf
from kannelkit.spec import Spec
from kannelkit.supervise.applying import Applying
from kannelkit.supervise.changes import Changes
from kannelkit.supervise.journal import in_one_line
from kannelkit.supervise.relaybeside import RelayBeside
from kannelkit.supervise.running import Running, logs_of
from kannelkit.supervise.sharedconf import SharedConf
from kannelkit.supervise.startedfrom import StartedFrom

# seconds between two looks for a box that is not there and at a file that others may change, and two tries to write
_SEEK_EVERY = 1.0
_COMPARE_EVERY = 1.0
_TRY_EVERY = 5.0
_WONDER_EVERY = 10.0
_ABSENT = "bearerbox is not running"
_UNSEEN = "bearerbox's links have not been seen yet"


class AttachedBox:
    """One box of somebody else's."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.process: ProcessId | None = None

    @property
    def running(self) -> bool:
        """Whether the box's process is there now."""
        return self.process is not None and alive(self.process)


class AttachedBoxes:
    """bearerbox and smsbox as somebody else's processes, with `shared` as their kannel.conf; see running.Boxes.

    `load` reads the spec file anew, and raises KannelkitError.
    """

    def __init__(self, running: Running, shared: SharedConf, load: Callable[[], Spec]) -> None:
        self.bearerbox = AttachedBox("bearerbox")
        self.smsbox = AttachedBox("smsbox")
        self._running = running
        self._shared = shared
        self._load = load

    def sought(self, spec: Spec, name: WordOfBox) -> Sought:
        """Return what a box of the spec's gateway is known by."""
        port: int | None = spec.admin_port
        if name != "bearerbox":
            port = spec.sendsms_port if "sendsms-port" in spec.smsbox.values else None
        return Sought(name, spec.supervisor.pid_files.get(name), port, self._shared.path)

    def upkeep(self, changes: Changes, applying: Applying, spec: Spec) -> Attending:
        """Return what follows them through their restarts."""
        return Attending(self, self._running, changes, applying, self._shared, self._load)

    def alive(self) -> bool:
        """Return whether bearerbox's process is there."""
        return self.bearerbox.running

    def allow_or_raise(self, plan: Plan) -> None:
        """Raise GatewayError where a plan takes a restart, or the links may not be changed now."""
        path = self._shared.path
        restarted = {box: None for box in _restarted(plan.steps) if box in ("bearerbox", "smsbox")}
        if restarted:
            why = "; ".join(_named(change) for change in plan.changes if restarted.keys() & _restarted(change.steps))
            spec = self._running.configuration.spec
            raise GatewayError(
                f"this takes a restart of {' and '.join(restarted)}, which something else runs: {why}",
                f"kannelkit generate {spec.path} -o {path}, as the user that owns the file; then {_how(restarted)}: "
                "kannelkit watch goes on with the spec as it is then",
            )
        self._closed_or_foreign()

    def changeable_or_raise(self) -> None:
        """Raise GatewayError where the links may not be changed now."""
        if not self.alive():
            raise GatewayError(_ABSENT, "start Kannel first; kannelkit watch waits for it")
        self._closed_or_foreign()

    def _closed_or_foreign(self) -> None:
        if self._shared.closed:
            raise GatewayError(
                f"nothing is changed now: {self._shared.closed}", "kannelkit watch tells what is to be done"
            )
        if self._shared.foreign():
            hint = "kannelkit watch tells what is to be done"
            raise GatewayError(f"{self._shared.path} was changed by somebody else", hint)

    def prepare(self, spec: Spec) -> None:
        """Make nothing: folders are made by whoever runs Kannel, as the user that it runs as."""

    async def stop(self, name: WordOfBox) -> None:
        """Refuse. Raises GatewayError."""
        raise GatewayError(f"kannelkit does not run {name}, and does not stop it")

    async def start(self, name: WordOfBox, core: Mapping[str, str]) -> None:
        """Leave the start to whoever runs the box."""

    async def down(self) -> None:
        """Leave the boxes to whoever runs them."""

    def released(self) -> None:
        """Nothing is changed any more."""


def _restarted(steps: Iterable[Step]) -> list[WordOfBox]:
    return [box for step in steps if isinstance(step, Restart) for box in step.boxes]


def _how(restarted: Collection[WordOfBox]) -> str:
    if "bearerbox" in restarted:
        return "stop Kannel, and start it when its boxes have ended"
    return "end the smsbox, and have it started again if run_kannel_box or systemd does not do it"


def _named(change: Change) -> str:
    """Return what a change is of, without a value."""
    name = f"{change.group} {change.name}".strip()
    if change.action != "update":
        return f"{change.action} {name}"
    return f"{name}: {', '.join(directive.name for directive in change.directives)}"


class Attending:
    """Attaches to the boxes, and again when they were restarted; changes nothing while it does not know their links."""

    def __init__(
        self,
        boxes: AttachedBoxes,
        running: Running,
        changes: Changes,
        applying: Applying,
        shared: SharedConf,
        load: Callable[[], Spec],
    ) -> None:
        self._boxes = boxes
        self._running = running
        self._changes = changes
        self._applying = applying
        self._shared = shared
        self._load = load
        self._started_from = StartedFrom(running, changes, shared)
        self._relay = RelayBeside(running, applying)
        self._restarted = False
        self._seen = False  # whether the links of the bearerbox that runs are known
        self._foreign = False
        self._seek_at = self._try_at = self._compare_at = self._wonder_at = 0.0
        self._told = ""

    @property
    def attached(self) -> bool:
        """Whether there is a bearerbox to be asked."""
        return self._boxes.bearerbox.process is not None

    @property
    def may_change(self) -> bool:
        """Whether its links may be changed now."""
        return self._seen and not self._shared.closed and not self._foreign

    async def begin(self, now: float) -> None:
        """Look at the file, and attach to the boxes that are there.

        Raises HostError where this user lacks a right, or the file is not what the spec stands for, and KannelkitError
        where the relay does not start.
        """
        spec, path = self._running.configuration.spec, self._shared.path
        if not os.path.lexists(path) and os.access(path.parent, os.X_OK):
            hint = f"kannelkit generate {spec.path} -o {path}, as the user that Kannel runs as; then start Kannel"
            raise HostError(f"{path} is not there", hint)
        text = self._shared.read()
        replaceable_or_raise(path)
        for log in logs_of(spec):
            _readable_or_raise(log)
        await self._applying.clean()
        self._started_from.take_first(text)
        await self._relay.begin(cut_off=self._started_from.cut_off)
        self._seek(now)
        if not self.attached:
            self._running.say("waiting", f"{_ABSENT}: waiting until something starts it")
        self._restarted = not self.attached

    async def keep(self, now: float) -> None:
        """See which boxes ended and came, and whether the file is still as it was."""
        undisturbed = not self._applying.under_way and not self._started_from.cut_off
        await self._relay.keep(now, may_bring=undisturbed)
        for box in (self._boxes.bearerbox, self._boxes.smsbox):
            if box.process is not None and not alive(box.process):
                await self._ended(box)
        if now >= self._seek_at:
            self._seek(now)
        if self._applying.under_way:
            return  # what is being applied ends or is taken back first, with whichever bearerbox
        status = self._running.watch.status
        if not self._seen and status is not None and now >= self._try_at:
            self._try_at = now + _TRY_EVERY
            try:
                self._known(status)
            except HostError as error:  # a full disk, for instance
                self._shared.closed = _UNSEEN
                self._tell_once(f"no rate is changed: {in_one_line(error)}")
        if now >= self._compare_at:
            self._compare_at = now + _COMPARE_EVERY
            self._compare()

    async def end(self) -> None:
        """Leave the boxes alone."""
        relay = ", and the relay with those it learnt" if await self._relay.end() else ""
        self._running.say("left", f"kannelkit ends; Kannel runs on with the rates in its file{relay}")

    # -- boxes that come and go --------------------------------------------------------------------------------

    def _seek(self, now: float) -> None:
        self._seek_at = now + _SEEK_EVERY
        spec, boxes = self._running.configuration.spec, self._boxes
        try:
            if boxes.bearerbox.process is None:
                found = find(boxes.sought(spec, "bearerbox"))
                if found is not None:
                    self._attach(found)
                elif now >= self._wonder_at:
                    self._wonder_at = now + _WONDER_EVERY
                    self._wonder(spec)
            wanted = spec.smsbox.there or "smsbox" in spec.supervisor.pid_files
            if wanted and boxes.smsbox.process is None:
                found = find(boxes.sought(spec, "smsbox"))
                if found is not None:
                    boxes.smsbox.process = found
                    self._running.keep("smsbox", found)
                    said = f"smsbox runs (pid {found.pid}): attached"
                    self._running.say("attached", said, box="smsbox", pid=found.pid)
                    self._smsbox_came()
        except HostError as error:
            self._tell_once(in_one_line(error))

    def _smsbox_came(self) -> None:
        """A change for smsbox alone is in force with its restart."""
        status = self._running.watch.status
        if not self._seen or self._shared.closed or status is None or self._applying.under_way:
            return
        if self._shared.foreign() and self._started_from.take_with_smsbox(self._shared.look(), self._load, status):
            self._started_from.behind = frozenset()  # no link was made anew
            self._shared.read()
            self._foreign = False
            configuration = self._running.configuration
            configuration.conf.write()
            what = f"smsbox was started with what {configuration.spec.path} stands for now"
            self._running.say("applied", f"{what}: it is in force")

    def _wonder(self, spec: Spec) -> None:
        """Tell of a bearerbox that this user cannot see, which would be waited for in vain."""
        whom = who_listens(spec.admin_host, spec.admin_port)
        if whom is not None:
            self._tell_once(
                f"admin-port {spec.admin_port} is in use by {whom}, in which bearerbox is not to be seen: run as the "
                "user that Kannel runs as, or name its pid file (supervisor.pid-files.bearerbox)"
            )

    def _tell_once(self, text: str) -> None:
        if text != self._told:
            self._told = text
            self._running.say("warning", text)

    async def _ended(self, box: AttachedBox) -> None:
        running = self._running
        pid = 0 if box.process is None else box.process.pid
        box.process = None
        running.keep(box.name, None)
        running.say("ended", f"{box.name} (pid {pid}) ended: waiting until something starts it again", box=box.name)
        if box is self._boxes.bearerbox:
            self._seen, self._restarted = False, True
            self._shared.closed = ""  # what was under way is taken back in the file, before the next start
            running.watch.status = None
            await self._changes.cancel()

    def _attach(self, process: ProcessId) -> None:
        """Follow a bearerbox that is new here."""
        running = self._running
        self._boxes.bearerbox.process = process
        running.keep("bearerbox", process)
        running.watch.status = None
        running.follow(process)
        self._try_at = 0.0
        self._told = ""
        if not self._applying.under_way:
            self._shared.closed = _UNSEEN

    def _known(self, status: GatewayStatus) -> None:
        """bearerbox has shown its links: see whether they are those of its file, and go on with them.

        Raises HostError where the file or what is kept of it cannot be written.
        """
        running = self._running
        pid = 0 if self._boxes.bearerbox.process is None else self._boxes.bearerbox.process.pid
        if self._restarted:  # it may have been started with another file than the one that was seen last
            why = self._started_from.take_again(self._shared.read(), self._load)
            self._foreign = False
            if why:
                self._close(why)
                return
        there = {link.admin_id for link in status.links}
        accounts = running.configuration.accounts
        absent = [link.admin_id for account in accounts for link in account.links if link.admin_id not in there]
        if absent and not self._started_from.cut_off:
            # without its parking link an account's messages are discarded while its links are made anew
            self._close(f"bearerbox runs without {', '.join(absent)}: it was started with another file")
            return
        self._shared.closed = ""
        if self._started_from.cut_off:
            self._started_from.cut_off = False
            self._applying.take_back_soon()
        else:
            running.configuration.conf.write()
            for unit in self._started_from.behind & running.watch.rates.keys():
                self._changes.again(unit, "the file may have held another rate than the one learnt")
            self._started_from.behind = frozenset()
        online = {link.admin_id for link in status.links if link.online}
        wanted = [name for account in accounts for name in account.sending_ids]
        bound = sum(name in online for name in wanted)
        self._seen = True
        said = f"bearerbox runs (pid {pid}): attached, {bound} of {len(wanted)} links online"
        running.say("attached", said, box="bearerbox", pid=pid)

    def _close(self, why: str) -> None:
        """Leave every link as it is until bearerbox was restarted."""
        self._shared.closed, self._seen = why, True
        self._running.say(
            "warning", f"{why}; no rate is changed until Kannel is restarted with what the spec stands for"
        )

    # -- the file ----------------------------------------------------------------------------------------------

    def _compare(self) -> None:
        """See whether the file is still as it was left."""
        if not self.attached:
            return  # it is looked at when bearerbox is there again
        foreign = self._shared.foreign()
        if foreign == self._foreign:
            return
        self._foreign = foreign
        running, path = self._running, self._shared.path
        if not foreign:
            running.say("conf-file", f"{path} is as it was: rates are changed again")
            return
        spec = running.configuration.spec
        with contextlib.suppress(KannelkitError):
            if not self._shared.closed and self._shared.look() == kannel_conf(spec):  # generated anew
                self._shared.read()
                self._foreign = False
                running.configuration.conf.write()
                return
        running.say(
            "conf-file",
            f"{path} was changed by somebody else: no rate is changed until it is as it was, or Kannel is restarted "
            "with what the spec stands for",
        )


def _readable_or_raise(log: Path) -> None:
    try:
        with log.open("rb"):
            return
    except FileNotFoundError:
        return  # Kannel makes it when it starts
    except OSError as error:
        raise HostError(
            f"this user may not read {log}: {error.strerror}",
            "run as the user that Kannel runs as: run_kannel_box makes logs that nobody else may read",
        ) from error

"""What the state-dir of a gateway says of it: the spec that runs, sides, rates, boxes, who supervises."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from kannelkit.health import sources
from kannelkit.host.processes import ProcessId, alive
from kannelkit.host.secrets import kept as kept_passwords
from kannelkit.render import Account, kannel_conf
from kannelkit.spec import Spec
from kannelkit.supervise.configuration import Known, configure, known
from kannelkit.supervise.kept import FILE
from kannelkit.supervise.kept import kept as kept_spec
from kannelkit.supervise.lock import holder
from kannelkit.supervise.memory import Event, KeptSide, Memory
from kannelkit.supervise.overview import Readings
from kannelkit.supervise.readings import process_of, turn

_ADMIN = "core.admin-password"
_MOST_EVENTS = 20
# what accounts in force depend on: the spec, passwords made for it, what is known of rates and sides
_Key = tuple[Spec, Mapping[str, str], Known]


@dataclass(frozen=True, slots=True)
class Kept:
    """What is known without asking bearerbox.

    `spec` is the one that runs, where one is kept and runs, with its passwords as far as they are known; `processes`
    are the boxes, `started` whether a kannelkit started them. Not `readable` where the state-dir could not be read.
    """

    spec: Spec
    accounts: tuple[Account, ...]
    readings: Readings
    processes: Mapping[str, ProcessId] = field(default_factory=dict)
    started: bool = False
    unapplied: bool | None = None
    readable: bool = True

    @property
    def password(self) -> str | None:
        """The password for administration commands, None where it is not made yet."""
        return None if _ADMIN in self.spec.to_make() else self.spec.admin_password


class StateDir:
    """Looks into a state-dir again and again; what has not changed is not read again."""

    def __init__(self) -> None:
        self._spec: Spec | None = None
        self._file: object = None
        self._running: Spec | None = None
        self._unapplied: bool | None = None
        self._others: dict[str, ProcessId] = {}
        self._in_force: tuple[_Key, tuple[Spec, tuple[Account, ...]]] | None = None

    def look(self, spec: Spec) -> Kept:
        """Return what is kept for a spec's gateway. Raises HostError where something may not be read."""
        pid = holder(spec.state_dir / "lock")
        path = spec.state_dir / "state.db"
        started: dict[str, ProcessId] = {}
        of_gateway, readings = Known(), Readings(at=0.0)
        if path.exists():
            memory = Memory(path, read_only=True)
            try:
                started = {name: process for name, process in memory.boxes().items() if alive(process)}
                of_gateway = known(memory)
                readings = _readings(memory, memory.sides(), memory.newest("failover"))
            finally:
                memory.close()
        # a Kannel that something else runs, or one whose state is lost
        processes = started or self._foreign(spec)
        running = self._of_state_dir(spec) if started else None
        runs, in_force = self._accounts(running, spec, of_gateway)
        return Kept(
            spec=runs,
            accounts=in_force,
            readings=_with(readings, processes, pid),
            processes=processes,
            started=bool(started),
            unapplied=self._unapplied if started else None,
        )

    def _foreign(self, spec: Spec) -> Mapping[str, ProcessId]:
        """Return the boxes that something else runs; they are searched for only while they are not known."""
        for name in ("bearerbox", "smsbox"):
            known = self._others.pop(name, None)
            found = known if known is not None and alive(known) else sources.foreign(spec, name)
            if found is not None:
                self._others[name] = found
        return dict(self._others)

    def _accounts(self, running: Spec | None, spec: Spec, of_gateway: Known) -> tuple[Spec, tuple[Account, ...]]:
        """Return the spec that runs, with the passwords that were made for it, and its accounts."""
        made = kept_passwords(spec.state_dir) if running is None else {}
        key = running or spec, made, of_gateway
        if self._in_force is None or not (self._in_force[0][0] is key[0] and self._in_force[0][1:] == key[1:]):
            runs = spec.with_made(made) if running is None else running
            self._in_force = key, (runs, configure(runs, of_gateway).accounts)
        return self._in_force[1]

    def _of_state_dir(self, spec: Spec) -> Spec | None:
        """Return the spec that is kept, and note whether it says something else than this one."""
        file = _signature(spec.state_dir / FILE)
        if spec is not self._spec or file != self._file:
            self._running = kept_spec(spec.state_dir)
            self._unapplied = None if self._running is None else not _same(self._running, spec)
            self._spec, self._file = spec, file
        return self._running


def _readings(memory: Memory, sides: Mapping[str, KeptSide], moves: Mapping[str, Event]) -> Readings:
    return Readings(
        at=0.0,
        throughputs={name: learnt.throughput for name, learnt in memory.learnt().items()},
        unsettled=memory.unsettled(),
        paused=memory.paused(),
        events=memory.events(_MOST_EVENTS),
        changes=memory.newest("rate"),
        turns={name: turn(kept, moves.get(name)) for name, kept in sides.items()},
    )


def _with(readings: Readings, processes: Mapping[str, ProcessId], supervisor: int | None) -> Readings:
    seen = {name: process_of(process) for name, process in processes.items()}
    return dataclasses.replace(readings, processes=seen, supervisor=supervisor)


def _same(running: Spec, spec: Spec) -> bool:
    made = kept_passwords(spec.state_dir)
    if any(name not in made for name in spec.to_make()):
        return False
    return kannel_conf(running) == kannel_conf(spec, made=made)


def _signature(path: Path) -> tuple[int, int, int] | None:
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns

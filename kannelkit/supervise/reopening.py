"""Has the boxes open their logs anew after a rotation: no reload, no new bind, no line lost."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from kannelkit.errors import HostError
from kannelkit.host import processes
from kannelkit.host.found import Sought, find
from kannelkit.host.processes import ProcessId
from kannelkit.spec import Spec
from kannelkit.supervise.memory import Memory

# What opens the logs anew and does nothing else. SIGHUP and SIGUSR2 have bearerbox read its configuration again.
SIGNALS: Mapping[str, signal.Signals] = {"bearerbox": signal.SIGQUIT, "smsbox": signal.SIGHUP}

_LOOK_EVERY = 0.05  # seconds


@dataclass(frozen=True, slots=True)
class Reopened:
    """What became of one box; `pid` is None where it does not run, `behind` are logs that it still writes elsewhere."""

    box: str
    pid: int | None
    behind: tuple[Path, ...] = ()


def running(spec: Spec) -> dict[str, ProcessId]:
    """Return the boxes of the spec's gateway that run now, by name: kannelkit's own, or those that it watches.

    Raises HostError.
    """
    return _started(spec) if spec.supervisor.conf_file is None else _watched(spec, spec.supervisor.conf_file)


def _started(spec: Spec) -> dict[str, ProcessId]:
    path = spec.state_dir / "state.db"
    if not path.exists():
        return {}
    memory = Memory(path, read_only=True)
    try:
        kept = memory.boxes()
    finally:
        memory.close()
    return {box: process for box, process in kept.items() if _is_box(box, process, spec.files.kannel_conf)}


def _is_box(box: str, process: ProcessId, conf_file: Path) -> bool:
    words = processes.command_line(process)
    return bool(words) and Path(words[0]).name == box and str(conf_file) in words[1:]


def _watched(spec: Spec, conf_file: Path) -> dict[str, ProcessId]:
    ports = {
        "bearerbox": spec.admin_port if "admin-port" in spec.core.values else None,
        "smsbox": spec.sendsms_port if "sendsms-port" in spec.smsbox.values else None,
    }
    found = {box: find(Sought(box, spec.supervisor.pid_files.get(box), port, conf_file)) for box, port in ports.items()}
    return {box: process for box, process in found.items() if process is not None}


def reopen(
    boxes: Mapping[str, ProcessId],
    logs: Sequence[Path],
    seconds: float,
    *,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[Reopened]:
    """Tell each box to open its logs anew, and yield what became of it, at the latest after `seconds`.

    Raises HostError where this user may not do that.
    """
    for box, number in SIGNALS.items():
        process = boxes.get(box)
        if process is None:
            yield Reopened(box, None)
            continue
        deadline = clock() + seconds
        # a box that begins has no handler yet, and the signal would end it
        while not _catches(process, number) and processes.alive(process) and clock() < deadline:
            sleep(_LOOK_EVERY)
        missed = set(_behind(process, logs))
        if _catches(process, number):
            processes.send_signal(process, number)
        # a box closes the old file before it opens the new one (gwlib/log.c, log_reopen): both are waited for
        while clock() < deadline and processes.alive(process):
            missed.update(_behind(process, logs))
            if not missed - _held(process, logs):
                break
            sleep(_LOOK_EVERY)
        behind = _behind(process, logs)
        yield Reopened(box, process.pid if processes.alive(process) else None, behind)


def _catches(process: ProcessId, number: signal.Signals) -> bool:
    """Return whether the process has a handler for the signal (SigCgt in /proc/PID/status)."""
    try:
        status = Path(f"/proc/{process.pid}/status").read_text("ascii", "replace")
    except (FileNotFoundError, ProcessLookupError):
        return False
    masks = [line.split()[1] for line in status.splitlines() if line.startswith("SigCgt:")]
    return bool(masks) and bool(int(masks[0], 16) >> (number - 1) & 1)


def _opened(process: ProcessId) -> Iterator[tuple[str, os.stat_result]]:
    """Yield the name and the state of each file that the process has open."""
    folder = f"/proc/{process.pid}/fd"
    try:
        numbers = os.listdir(folder)
    except (FileNotFoundError, ProcessLookupError):
        return
    except PermissionError as error:
        raise HostError(
            f"this user may not look at process {process.pid}", "run as the user that started it, or as root"
        ) from error
    for number in numbers:
        try:
            yield os.readlink(f"{folder}/{number}"), os.stat(f"{folder}/{number}")
        except OSError:  # closed meanwhile
            continue


def _held(process: ProcessId, logs: Sequence[Path]) -> set[Path]:
    """Return the logs that the process has open under their own names."""
    opened = [state for _, state in _opened(process)]
    return {log for log in logs if any(_is(log, state) for state in opened)}


def _behind(process: ProcessId, logs: Sequence[Path]) -> tuple[Path, ...]:
    """Return the logs that the process still writes under another name: into what was rotated away."""
    names = {os.path.realpath(log): log for log in logs}
    behind = set()
    for target, opened in _opened(process):
        for name, log in names.items():
            # the kernel follows a rename: what was rotated away shows as its new name, bearerbox.log.1 for instance
            follows = target.removeprefix(name) if target.startswith(name) else "/"
            if (
                (not follows or follows[0] in ".- ")
                and (target == name or target not in names)
                and not _is(log, opened)
            ):
                behind.add(log)
    return tuple(sorted(behind))


def _is(log: Path, opened: os.stat_result) -> bool:
    try:
        return os.path.samestat(log.stat(), opened)
    except OSError:
        return False

"""Has the boxes open their logs anew after a rotation: no reload, no new bind, no line lost."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from kannelkit.errors import HostError
from kannelkit.host import processes
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


def started(spec: Spec) -> dict[str, ProcessId]:
    """Return the boxes that kannelkit started for the spec and that run now, by name. Raises HostError."""
    path = spec.state_dir / "state.db"
    if not path.exists():
        return {}
    memory = Memory(path, read_only=True)
    try:
        kept = memory.boxes()
    finally:
        memory.close()
    return _ours(kept.items(), spec.files.kannel_conf)


def watched(spec: Spec) -> dict[str, ProcessId]:
    """Return the boxes that the spec's pid files name and that run now, by name. Raises HostError.

    Debian's run_kannel_box writes its own pid there: the box is its child.
    """
    found: list[tuple[str, ProcessId]] = []
    for box, path in spec.supervisor.pid_files.items():
        try:
            text = path.read_text("ascii", "replace").strip()
        except FileNotFoundError:
            continue
        except OSError as error:
            raise HostError(f"{path}: {error.strerror}", "run as root, or as Kannel's user") from error
        if text.isdecimal() and len(text) < 10:
            found += [(box, process) for pid in _family(int(text)) if (process := processes.current(pid)) is not None]
    return _ours(found, spec.supervisor.conf_file)


def _family(pid: int) -> tuple[int, ...]:
    try:
        return (pid, *(child.pid for child in psutil.Process(pid).children()))
    except psutil.Error:
        return ()


def _ours(found: Iterable[tuple[str, ProcessId]], conf_file: Path | None) -> dict[str, ProcessId]:
    """Return those that are the box whose name they have, and run from the file where one is given."""
    ours = {}
    for box, process in found:
        words = processes.command_line(process)
        if words and Path(words[0]).name == box and (conf_file is None or str(conf_file) in words[1:]):
            ours[box] = process
    return ours


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
        if _catches(process, number):
            processes.send_signal(process, number)
        while (behind := _behind(process, logs)) and clock() < deadline:
            sleep(_LOOK_EVERY)
        yield Reopened(box, process.pid if processes.alive(process) else None, behind)


def _catches(process: ProcessId, number: signal.Signals) -> bool:
    """Return whether the process has a handler for the signal (SigCgt in /proc/PID/status)."""
    try:
        status = Path(f"/proc/{process.pid}/status").read_text("ascii", "replace")
    except (FileNotFoundError, ProcessLookupError):
        return False
    masks = [line.split()[1] for line in status.splitlines() if line.startswith("SigCgt:")]
    return bool(masks) and bool(int(masks[0], 16) >> (number - 1) & 1)


def _behind(process: ProcessId, logs: Sequence[Path]) -> tuple[Path, ...]:
    """Return the logs that the process still writes under another name: into what was rotated away."""
    folder = f"/proc/{process.pid}/fd"
    try:
        numbers = os.listdir(folder)
    except (FileNotFoundError, ProcessLookupError):
        return ()
    except PermissionError as error:
        raise HostError(
            f"this user may not look at process {process.pid}", "run as the user that started it, or as root"
        ) from error
    names = {os.path.realpath(log): log for log in logs}
    behind = set()
    for number in numbers:
        try:
            target = os.readlink(f"{folder}/{number}")
            opened = os.stat(f"{folder}/{number}")
        except OSError:  # closed meanwhile
            continue
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

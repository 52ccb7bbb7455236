"""The process of a program that somebody else started, found by its pid file, its port or its command line."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil

from kannelkit.errors import HostError
from kannelkit.host.processes import ProcessId, command_line, current

_MOST = 32  # octets of a pid file that are looked at
_PARACHUTE = frozenset({"-P", "--parachute"})


@dataclass(frozen=True, slots=True)
class Sought:
    """What a process is known by: its program's `name`; the rest where it is known.

    `pid_file` holds the process id of it or of what started it and waits for it (run_kannel_box, a parachute); `port`
    is one on which it listens, `argument` one of its arguments, as a path.
    """

    name: str
    pid_file: Path | None
    port: int | None
    argument: Path


def find(sought: Sought) -> ProcessId | None:
    """Return the process that is sought; None where it does not run, or cannot be told from others of its name.

    The port tells for certain, where this user may see whose it is; then the pid file; then the command line. Raises
    HostError where the pid file may not be read.
    """
    parents = _parents()
    named = {pid: parent for pid, (parent, name) in parents.items() if name == sought.name[:15]}
    # of a process and its child of the same name the child does the work; the parent waits up to 35 s before it starts
    # another one (parachute_start in gwlib/utils.c)
    parents_of_some = set(named.values())
    workers = [
        pid
        for pid, parent in named.items()
        if pid not in parents_of_some and (parent in named or not _PARACHUTE.intersection(_arguments(pid)))
    ]
    # read in any case, so that a lack of rights is told while it does not matter yet
    from_file = None if sought.pid_file is None else _pid_in(sought.pid_file)
    if not workers:
        return None
    listeners = _listeners(sought.port)
    for seen in (
        [pid for pid in workers if pid in listeners],
        [pid for pid in workers if from_file is not None and from_file in _line(pid, parents)],
        [pid for pid in workers if _has_argument(pid, sought.argument)],
    ):
        if len(seen) == 1:
            return current(seen[0])
    return None


def _parents() -> Mapping[int, tuple[int, str]]:
    """Return the parent and the name (its first 15 octets) of every process that is seen."""
    found = {}
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            stat = Path(f"/proc/{entry}/stat").read_bytes()
        except OSError:  # it has ended, or is hidden from this user
            continue
        name, _, rest = stat.partition(b"(")[2].rpartition(b")")
        state, parent = rest.split()[:2]
        if state not in (b"Z", b"X", b"x"):
            found[int(entry)] = (int(parent), os.fsdecode(name))
    return found


def _line(pid: int, parents: Mapping[int, tuple[int, str]]) -> Iterator[int]:
    """Yield a process and those from which it descends."""
    seen = set()
    while pid in parents and pid not in seen:
        seen.add(pid)
        yield pid
        pid = parents[pid][0]


def _pid_in(path: Path) -> int | None:
    try:
        with path.open("rb") as file:
            octets = file.read(_MOST).strip()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise HostError(f"cannot read {path}: {error.strerror}", "let this user read it") from error
    # 1 is what every process descends from
    return int(octets) if octets.isdigit() and int(octets) > 1 else None


def _listeners(port: int | None) -> frozenset[int]:
    """Return the processes that listen on a TCP port, as far as this user may see that."""
    return frozenset(
        each.pid
        for each in psutil.net_connections("tcp")
        if port is not None
        and each.status == psutil.CONN_LISTEN
        and each.laddr
        and each.laddr.port == port
        and each.pid
    )


def _arguments(pid: int) -> tuple[str, ...]:
    process = current(pid)
    return () if process is None else command_line(process)[1:]


def _has_argument(pid: int, path: Path) -> bool:
    wanted = os.path.realpath(path)
    return any(word == str(path) or os.path.realpath(word) == wanted for word in _arguments(pid) if "/" in word)

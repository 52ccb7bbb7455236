"""Processes by pid and start time, so that a signal never goes to a stranger who got the pid later."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from dataclasses import dataclass
from pathlib import Path

import psutil

from kannelkit.errors import HostError

_TICKS = os.sysconf("SC_CLK_TCK")
_LOOK_EVERY = 0.02  # seconds


@dataclass(frozen=True, slots=True)
class ProcessId:
    """One process of this machine's present run: no later process has both the pid and the start time.

    `started` is the kernel's: seconds from the boot to the start, in steps of 1/100 s, so that setting the clock does
    not change it (field 22 of /proc/PID/stat). One that is kept in a file is worth something only while `boot_id()` is
    the same.
    """

    pid: int
    started: float


def boot_id() -> str:
    """Return what the kernel calls its present run; it is another one after every boot."""
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def current(pid: int) -> ProcessId | None:
    """Return the process that has this pid now; None where there is none or it has ended (a zombie has)."""
    if pid <= 0:
        return None
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return None
    # the second field is the program's name in parentheses and may itself hold blanks and parentheses
    fields = stat.rpartition(b")")[2].split()
    if fields[0] in (b"Z", b"X", b"x"):
        return None
    return ProcessId(pid, int(fields[19]) / _TICKS)


def alive(process: ProcessId) -> bool:
    """Return whether this very process still runs."""
    return current(process.pid) == process


def stopped(process: ProcessId) -> bool:
    """Return whether a signal such as SIGSTOP keeps this very process from doing anything; False when it is gone."""
    try:
        stat = Path(f"/proc/{process.pid}/stat").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat.rpartition(b")")[2].split()[0] in (b"T", b"t") and alive(process)


def command_line(process: ProcessId) -> tuple[str, ...]:
    """Return the program and its arguments; () when it is gone or belongs to the kernel."""
    try:
        octets = Path(f"/proc/{process.pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return ()
    if not alive(process):
        return ()
    return tuple(os.fsdecode(word) for word in octets.removesuffix(b"\0").split(b"\0")) if octets else ()


def send_signal(process: ProcessId, number: signal.Signals) -> bool:
    """Send a signal to this very process; return False when it is gone. Raises HostError where that is not allowed."""
    try:
        # the descriptor stands for one process: a pid that is used anew after the check is not hit
        descriptor = os.pidfd_open(process.pid)
    except ProcessLookupError:
        return False
    except OSError as error:
        raise HostError(f"cannot reach process {process.pid}: {error.strerror}") from error
    try:
        if not alive(process):
            return False
        signal.pidfd_send_signal(descriptor, number)
    except ProcessLookupError:
        return False
    except PermissionError as error:
        raise HostError(
            f"this user may not send {number.name} to process {process.pid}",
            "run as the user that started it, or as root",
        ) from error
    finally:
        os.close(descriptor)
    return True


def terminate(process: ProcessId) -> bool:
    """Send SIGTERM to this very process; return False when it is gone. Raises HostError where that is not allowed."""
    return send_signal(process, signal.SIGTERM)


def kill(process: ProcessId) -> bool:
    """Send SIGKILL to this very process; return False when it is gone. Raises HostError where that is not allowed."""
    return send_signal(process, signal.SIGKILL)


async def wait_gone(process: ProcessId, seconds: float) -> bool:
    """Wait until this process has ended, at most `seconds`; return whether it has. It need not be a child."""
    clock = asyncio.get_running_loop().time
    deadline = clock() + seconds
    while alive(process):
        if clock() >= deadline:
            return False
        await asyncio.sleep(_LOOK_EVERY)
    return True


async def end(process: ProcessId, seconds: float) -> bool:
    """Send SIGTERM, wait up to `seconds`, then SIGKILL; return whether SIGTERM was enough. Raises HostError."""
    if not terminate(process) or await wait_gone(process, seconds):
        return True
    kill(process)
    await wait_gone(process, seconds)
    return False


def who_listens(host: str, port: int) -> str | None:
    """Return who holds a TCP port for connections to `host` now, "nginx (pid 123)" for instance; None when nobody.

    Another user's process is "another process (not visible to this user)" unless this one is root. Raises HostError
    when `host` is no address of anything.
    """
    wanted = _addresses(host)
    # "tcp" holds the sockets of IPv4 and IPv6
    for connection in psutil.net_connections("tcp"):
        if connection.status != psutil.CONN_LISTEN or not connection.laddr or connection.laddr.port != port:
            continue
        address = connection.laddr.ip
        if not (address in wanted or _is_any(address) or any(_is_any(one) for one in wanted)):
            continue
        return _describe(connection.pid)
    return None


def _describe(pid: int | None) -> str:
    if pid is None:
        return "another process (not visible to this user)"
    try:
        name = psutil.Process(pid).name()
    except psutil.Error:
        return f"process {pid}"
    return f"{''.join(c for c in name if c.isprintable())} (pid {pid})"


def _addresses(host: str) -> set[str]:
    try:
        return {str(info[4][0]) for info in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)}
    except OSError as error:
        raise HostError(f"{host} is no address: {error.strerror}", "write one of this machine, as 127.0.0.1") from error


def _is_any(address: str) -> bool:
    return address in ("0.0.0.0", "::", "")  # noqa: S104 - compared, nothing is bound

"""The single looks at a machine of which an observation is made: each can fail, hang or lie by itself."""

from __future__ import annotations

import os
import socket
import stat
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import psutil

from kannelkit.conf.values import TRUE
from kannelkit.errors import HostError
from kannelkit.health.observed import BoxSeen, Certificate, LogFile, Place, Store
from kannelkit.host.found import Sought, find
from kannelkit.host.observe import content
from kannelkit.host.processes import ProcessId, alive
from kannelkit.spec import Spec
from kannelkit.supervise.running import logs_of

_TICKS = os.sysconf("SC_CLK_TCK")
_LOG_OCTETS = 4 * 1024 * 1024
# a store with more has its size in status.xml; looking at each file would take too long
_MOST_STORED = 20_000
_PART = 10  # a busy process uses at least this part of a core
_MEGABYTE = 1024 * 1024


def box(process: ProcessId) -> BoxSeen | None:
    """Return what is seen of a box's process; None where it has ended."""
    try:
        one = psutil.Process(process.pid)
        with one.oneshot():
            memory, since = one.memory_info().rss, one.create_time()
    except psutil.Error:
        return None
    letter = state(process)
    if letter is None:
        return None
    descriptors = most = None
    try:
        descriptors = one.num_fds()
        most = one.rlimit(psutil.RLIMIT_NOFILE)[0]
    except psutil.Error:
        pass  # another user's
    return BoxSeen(process.pid, since, letter, memory, descriptors, most if most and most > 0 else None)


def _stat(process: ProcessId) -> list[bytes] | None:
    if not alive(process):
        return None
    try:
        octets = Path(f"/proc/{process.pid}/stat").read_bytes()
    except OSError:
        return None
    return octets.rpartition(b")")[2].split()


def state(process: ProcessId) -> str | None:
    """Return the kernel's letter for what the process does; None where it has ended."""
    fields = _stat(process)
    return None if fields is None else fields[0].decode().upper()


class Pulse:
    """Whether bearerbox does something: uses the processor, or writes."""

    def __init__(self, process: ProcessId | None, files: Sequence[Path]) -> None:
        self._process = process
        self._files = files
        self._begun = time.monotonic()
        self._before = self._used(), self._sizes()

    def felt(self) -> str:
        """Return what showed since this was made, in words, "" where nothing did."""
        used, sizes = self._used(), self._sizes()
        seconds = time.monotonic() - self._begun
        grown = [
            file.name for file, before, now in zip(self._files, self._before[1], sizes, strict=True) if now > before
        ]
        if grown:
            return f"{grown[0]} grows"
        spent = used - self._before[0]
        return f"it used the processor for {spent:.1f} s" if spent * _PART > seconds else ""

    def _used(self) -> float:
        fields = None if self._process is None else _stat(self._process)
        return 0.0 if fields is None else (int(fields[11]) + int(fields[12])) / _TICKS

    def _sizes(self) -> list[int]:
        return [_size(file) for file in self._files]


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def foreign(spec: Spec, name: str) -> ProcessId | None:
    """Return the process of a box that no kannelkit started; None where it is not seen."""
    port: int | None = None
    if name == "bearerbox":
        port = spec.admin_port
    elif "sendsms-port" in spec.smsbox.values:
        port = spec.sendsms_port
    try:
        return find(Sought(name, spec.supervisor.pid_files.get(name), port, spec.files.kannel_conf))
    except (HostError, psutil.Error, OSError):
        return None


def refused(host: str, port: int, seconds: float) -> bool:
    """Return whether nothing listens there."""
    try:
        socket.create_connection((host, port), timeout=seconds).close()
    except ConnectionRefusedError:
        return True
    except OSError:
        return False
    return False


def certificates(spec: Spec) -> tuple[Certificate, ...]:
    """Return what is in the certificate file of each account that uses one; each file is read once."""
    secured = [
        account
        for account in spec.smpp_accounts
        if account.group.get("ssl-client-certkey-file") and (account.group.get("use-ssl") or "").lower() in TRUE
    ]
    if not secured:
        return ()
    from kannelkit.certs.inspect import inspect  # cryptography, which a gateway without TLS does not need

    read: dict[Path, tuple[float | None, tuple[str, ...]]] = {}
    found = []
    for account in secured:
        path = spec.path.parent / (account.group.get("ssl-client-certkey-file") or "")
        if path not in read:
            octets = content(str(path))
            if octets is None:
                read[path] = None, ("it cannot be read",)
            else:
                contents = inspect(octets)
                expires = contents.valid_until
                missing = () if contents.key or contents.locked else ("it holds no private key",)
                read[path] = None if expires is None else expires.timestamp(), (*contents.problems, *missing)
        found.append(Certificate(account.smsc_id, path, *read[path]))
    return tuple(found)


def places(spec: Spec, bearerbox: ProcessId | None = None) -> tuple[Place, ...]:
    """Return the folders in which logs and queues lie, one for each file system where they are there."""
    files = spec.files
    wanted: dict[Path, str] = {}
    for path, what in (
        *((log.parent, "logs") for log in (*logs_of(spec), files.access_log, files.smsbox_log) if log is not None),
        (files.store if spec.core.get("store-type") == "spool" else files.store and files.store.parent, "store"),
        (files.dlr_spool, "delivery receipts"),
        (spec.state_dir, "state") if spec.supervisor.conf_file is None else (None, ""),
    ):
        if path is not None:
            wanted.setdefault(path, what)
    found: dict[object, Place] = {}
    for path, what in wanted.items():
        device, place = _place(path, what, bearerbox)
        found.setdefault(device, place)
    return tuple(found.values())


def _place(path: Path, what: str, bearerbox: ProcessId | None) -> tuple[object, Place]:
    try:
        device, disk = path.stat().st_dev, os.statvfs(path)
    except OSError as error:
        trouble = "is gone" if isinstance(error, FileNotFoundError) else str(error.strerror)
        return path, Place(path, what, trouble=trouble, hidden=isinstance(error, PermissionError))
    if disk.f_flag & os.ST_RDONLY and _read_only_to(bearerbox, path):
        return path, Place(path, what, trouble="is on a file system that is read-only")
    inodes = disk.f_favail / disk.f_files if disk.f_files else None
    share = disk.f_bavail / disk.f_blocks if disk.f_blocks else None
    return device, Place(path, what, disk.f_bavail * disk.f_frsize, 1.0 if share is None else share, inodes)


def _read_only_to(process: ProcessId | None, path: Path) -> bool:
    """Return whether what is read-only to us is so to a box, too: to a hardened service everything is."""
    try:
        if process is None:
            return not os.statvfs("/").f_flag & os.ST_RDONLY
        return bool(os.statvfs(f"/proc/{process.pid}/root{path.absolute()}").f_flag & os.ST_RDONLY)
    except OSError:  # the box is another user's
        return False


def logs(spec: Spec) -> tuple[LogFile, ...]:
    """Return the logs that the spec names, and whether each is there."""
    files = spec.files
    followed = logs_of(spec)
    wanted = dict.fromkeys((*followed, *(log for log in (files.access_log, files.smsbox_log) if log is not None)))
    return tuple(LogFile(path, *_there(path, path in followed)) for path in wanted)


def _there(path: Path, followed: bool) -> tuple[bool | None, bool, str]:
    try:
        path.stat()
    except FileNotFoundError:
        return False, followed, "is gone"
    except PermissionError as error:
        return None, followed, str(error.strerror)
    except OSError as error:
        return False, followed, str(error.strerror)
    return True, followed, ""


def end_of(path: Path | None) -> bytes | None:
    """Return the last whole lines of a log, 4 MiB at the most; None where it cannot be read."""
    if path is None:
        return None
    try:
        if not stat.S_ISREG(path.stat().st_mode):  # a pipe would keep its reader waiting
            return None
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - _LOG_OCTETS))
            octets = file.read(_LOG_OCTETS)
    except (OSError, ValueError):
        return None
    return octets if size <= _LOG_OCTETS else octets[octets.find(b"\n") + 1 :]


def store(spec: Spec, now: float) -> Store | None:
    """Return what lies in a spool store at `now` (seconds since the epoch), None where it is of another kind."""
    folder = spec.files.store
    if folder is None or spec.core.get("store-type") != "spool":
        return None
    count, oldest = 0, None
    try:
        for written in _stored(folder):
            count += 1
            oldest = written if oldest is None else min(oldest, written)
            if count >= _MOST_STORED:
                break
    except OSError as error:
        return Store(0, None, trouble=f"{folder}: {error.strerror}")
    age = None if oldest is None else max(0.0, now - oldest)
    return Store(count, age, more=count >= _MOST_STORED)


def _stored(folder: Path) -> Iterator[float]:
    """Yield when each message was written: the files two levels down (gw/bb_store_spool.c, for_each_file)."""
    with os.scandir(folder) as parts:
        for part in parts:
            if not part.is_dir(follow_symlinks=False):
                continue
            try:
                with os.scandir(part.path) as messages:
                    for message in messages:
                        try:
                            yield message.stat(follow_symlinks=False).st_mtime
                        except FileNotFoundError:  # acknowledged meanwhile
                            continue
            except FileNotFoundError:
                continue

"""The single looks at this machine; nothing is changed, and each can fail or hang by itself."""

from __future__ import annotations

import ctypes
import os
import pwd
import re
import resource
import subprocess
import time
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil

import kannelkit
from kannelkit.conf.values import TRUE
from kannelkit.doctor.certificates import Shown
from kannelkit.doctor.kannel import Program
from kannelkit.doctor.machine import Access, Need, Port, Space
from kannelkit.errors import GatewayError, HostError
from kannelkit.host.found import Sought, find
from kannelkit.host.observe import content
from kannelkit.host.ports import is_free
from kannelkit.host.processes import who_listens
from kannelkit.spec import Spec
from kannelkit.supervise.boxes import find_program
from kannelkit.supervise.views import Overview

_MOST_SAID = 10_000  # characters
_PROGRAM_SECONDS = 8.0
_EVERYWHERE = "0.0.0.0"  # noqa: S104 - where Kannel listens when nothing is said; asked about, not bound by us


def programs(names: Iterable[str] = ("bearerbox", "smsbox")) -> tuple[Program, ...]:
    """Return what each of Kannel's programs says of itself."""
    return tuple(_program(name) for name in names)


def _program(name: str) -> Program:
    try:
        path = find_program(name)
    except GatewayError as error:
        return Program(name, trouble=error.message.removeprefix(f"{name} "))
    try:
        ran = subprocess.run(  # noqa: S603 - Kannel's own program
            [path, "--version"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_PROGRAM_SECONDS,
            cwd="/",
            check=False,
        )
    except subprocess.TimeoutExpired:
        return Program(name, path, trouble=f"{path} --version has not ended after {_PROGRAM_SECONDS:g} s")
    except OSError as error:
        return Program(name, path, trouble=f"{path} cannot be started: {error.strerror}")
    return Program(name, path, ran.stdout.decode("utf-8", "replace")[:_MOST_SAID])


# -- ports


def ports(spec: Spec, seen: Overview | None) -> tuple[Port, ...]:
    """Return every port that the gateway listens on, and who holds it now."""
    running = seen is not None and seen.state not in ("not running", "unknown")
    own = {box.pid for box in seen.boxes if box.pid is not None} if seen else set()
    return tuple(_port(directive, host, port, running, own) for directive, host, port in _listeners(spec))


def _listeners(spec: Spec) -> Iterator[tuple[str, str, int]]:
    for group, directive, interface in (
        (spec.core, "admin-port", "admin-interface"),
        (spec.core, "smsbox-port", "smsbox-interface"),
        (spec.core, "wapbox-port", "wapbox-interface"),
        (spec.smsbox, "sendsms-port", "sendsms-interface"),
    ):
        if directive in group.values and (port := group.port(directive)):
            yield directive, group.get(interface) or _EVERYWHERE, port


def _port(directive: str, host: str, port: int, running: bool, own: Collection[int]) -> Port:
    try:
        holder = who_listens(host, port)
    except HostError as error:
        return Port(directive, port, trouble=error.message, hint=error.hint)
    except (psutil.Error, OSError):
        holder = None
    if holder is not None:
        # another user's boxes cannot be told from other programs, but bearerbox answered with this spec's password
        ours = running and (
            holder.startswith(("bearerbox (", "smsbox (", "wapbox (", "another process"))
            or any(holder.endswith(f"(pid {pid})") for pid in own)
        )
        return Port(directive, port, holder, ours)
    try:
        if is_free(host, port):
            return Port(directive, port)
    except HostError as error:
        return Port(directive, port, trouble=error.message, hint=error.hint)
    return Port(directive, port, "another program")


def connected() -> Mapping[tuple[str, int], str]:
    """Return to which IPv4 addresses other programs of this machine are connected, and which programs."""
    # whose a socket is gets looked up before the sockets themselves: one of our own that was made in between looks as
    # if it were nobody's, and no longer at the second look
    first = _connections()
    return {ends[1]: _program_of(pid) for ends, pid in _connections().items() if ends in first}


_Ends = tuple[tuple[str, int], tuple[str, int]]


def _connections() -> dict[_Ends, int | None]:
    try:
        found = psutil.net_connections("tcp4")
    except (psutil.Error, OSError):
        return {}
    return {
        ((each.laddr.ip, each.laddr.port), (each.raddr.ip, each.raddr.port)): each.pid
        for each in found
        if each.status == psutil.CONN_ESTABLISHED and each.laddr and each.raddr and each.pid != os.getpid()
    }


def _program_of(pid: int | None) -> str:
    try:
        return f"{psutil.Process(pid).name()} (pid {pid})" if pid else "another program of this machine"
    except psutil.Error:
        return "a program that has ended"


# -- rights and disk


@dataclass(frozen=True, slots=True)
class Runner:
    """Who the boxes run as, and how that is known."""

    uid: int
    name: str
    groups: frozenset[int]
    how: str


def bearerbox(spec: Spec, seen: Overview | None) -> int | None:
    """Return the process id of the gateway's bearerbox, whoever started it; None where none runs or is seen."""
    if seen is None or seen.boxes[0].state not in ("running", "silent"):
        return None
    if seen.boxes[0].pid is not None:
        return seen.boxes[0].pid
    pid_file = spec.supervisor.pid_files.get("bearerbox")
    try:
        found = find(Sought("bearerbox", pid_file, spec.admin_port, spec.files.kannel_conf))
    except (HostError, psutil.Error, OSError):
        return None
    return None if found is None else found.pid


def runner(spec: Spec, seen: Overview | None) -> Runner:
    """Return the user of the boxes that run, or whose the state-dir is where root asks, or else this one."""
    pid = bearerbox(spec, seen)
    if pid is not None:
        try:
            return _user(psutil.Process(pid).uids().effective, "whom bearerbox runs as")
        except psutil.Error:
            pass  # it has ended meanwhile
    if os.geteuid() == 0 and spec.state_dir.exists():
        owner = spec.state_dir.stat().st_uid
        if owner != 0:
            return _user(owner, "the owner of the state-dir")
    return _user(os.geteuid(), "this user")


def _user(uid: int, how: str) -> Runner:
    if uid == os.geteuid():
        groups = frozenset((*os.getgroups(), os.getegid()))
    else:
        try:
            known = pwd.getpwuid(uid)
            groups = frozenset(os.getgrouplist(known.pw_name, known.pw_gid))
        except KeyError:
            groups = frozenset()
    return Runner(uid, _name(uid), groups, how)


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"


def access(spec: Spec, of: Runner) -> tuple[Access, ...]:
    """Return every file and folder that the boxes write, and each certificate that they read."""
    attached = spec.supervisor.conf_file is not None  # then kannelkit's own folder is not the boxes'
    files = spec.files
    wanted: dict[Path, tuple[str, Need]] = {}
    for folder in spec.folders():
        if not (attached and folder in (spec.state_dir, files.kannel_conf.parent)):
            wanted[folder] = (_what(spec, folder), "write")
    logs = (files.bearerbox_log, files.smsbox_log, files.access_log, *files.links_logs)
    for log in logs:
        if log is not None and log.exists():
            wanted[log] = ("a log", "write")
    if not attached:
        for name in ("kannel.conf", "state.db", "lock", "passwords.json", "running.json"):
            if (spec.state_dir / name).exists():
                wanted[spec.state_dir / name] = ("kannelkit's own", "write")
    if attached:
        wanted[files.kannel_conf] = ("what Kannel reads", "read")
    for path in certificate_files(spec):
        if path.exists():  # otherwise the step about certificates says so
            wanted[path] = ("a certificate", "read")
    return tuple(_access(path, what, need, of, makes=not attached) for path, (what, need) in wanted.items())


def _what(spec: Spec, folder: Path) -> str:
    files = spec.files
    if folder == files.store or (files.store is not None and folder == files.store.parent):
        return "the store"
    if folder == files.dlr_spool:
        return "delivery receipts"
    return "the state-dir" if folder == spec.state_dir else "logs"


def _access(path: Path, what: str, need: Need, of: Runner, *, makes: bool) -> Access:
    """Return the access to a path; `makes` is whether somebody makes a folder that is not there, as Kannel does not."""
    at, there = _nearest(path)
    status = at.stat()
    wanted = os.R_OK
    if need == "write":
        wanted = os.R_OK | os.W_OK | os.X_OK if at.is_dir() else os.W_OK
    allowed = _may(at, wanted, of) and (there or (makes and need == "write" and at.is_dir()))
    return Access(path, what, need, allowed, at, _name(status.st_uid), status.st_mode & 0o7777, there, makes)


def _nearest(path: Path) -> tuple[Path, bool]:
    """Return the path, or what of the folders above it is there and may be looked at; and whether that is the path."""
    for at in (path, *path.parents):
        try:
            at.stat()
        except OSError:
            continue
        return at, at == path
    return Path("/"), False


def _may(path: Path, rights: int, of: Runner) -> bool:
    if of.uid == os.geteuid():
        return os.access(path, rights, effective_ids=os.access in os.supports_effective_ids)
    if of.uid == 0:
        return True
    return _granted(path, rights, of) and all(_granted(folder, os.X_OK, of) for folder in path.resolve().parents)


def _granted(path: Path, rights: int, of: Runner) -> bool:
    status = path.stat()
    shift = 6 if status.st_uid == of.uid else 3 if status.st_gid in of.groups else 0
    return status.st_mode >> shift & rights == rights


def spaces(spec: Spec) -> tuple[Space, ...]:
    """Return the file systems on which the gateway writes, each once."""
    found: dict[int, Space] = {}
    for folder in spec.folders():
        at, _ = _nearest(folder)
        try:
            device, disk = at.stat().st_dev, os.statvfs(at)
        except OSError as error:
            found.setdefault(-len(found), Space(folder, _what(spec, folder), trouble=str(error.strerror)))
            continue
        found.setdefault(
            device,
            Space(
                at,
                _what(spec, folder),
                disk.f_bavail * disk.f_frsize,
                disk.f_bavail / disk.f_blocks if disk.f_blocks else 1.0,
                disk.f_favail / disk.f_files if disk.f_files else None,
                bool(disk.f_flag & os.ST_RDONLY),
            ),
        )
    return tuple(found.values())


# -- certificates


def certificate_files(spec: Spec) -> dict[Path, list[str]]:
    """Return the certificate files that accounts with TLS show, and which accounts."""
    found: dict[Path, list[str]] = {}
    for account in spec.smpp_accounts:
        group = account.group
        if (group.get("use-ssl") or "").lower() in TRUE:
            name = group.get("ssl-client-certkey-file") or spec.core.get("ssl-client-certkey-file")
            if name:
                found.setdefault(spec.path.parent / name, []).append(account.smsc_id)
    return found


def certificates(spec: Spec) -> tuple[Shown, ...]:
    """Return what is in each certificate file."""
    files = certificate_files(spec)
    if not files:
        return ()
    from kannelkit.certs.inspect import inspect  # cryptography, which a gateway without TLS does not need

    found = []
    for path, accounts in files.items():
        octets = content(str(path))
        found.append(Shown(path, tuple(accounts), None if octets is None else inspect(octets)))
    return tuple(found)


# -- limits and the clock


def descriptors(pid: int | None) -> tuple[int, int, str]:
    """Return how many descriptors the bearerbox with this pid may have open, or a program that this user starts: now,
    at the most, and whose limit that is. -1 is no limit.
    """
    if pid is not None and (found := _limits_of(pid)):
        return *found, f"bearerbox (pid {pid})"
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    return soft, hard, "what this user starts"


_OPEN_FILES = re.compile(r"^Max open files +(\d+|unlimited) +(\d+|unlimited) ", re.MULTILINE)


def _limits_of(pid: int) -> tuple[int, int] | None:
    # unlike prlimit(2), this may be read of another user's process
    try:
        found = _OPEN_FILES.search(Path(f"/proc/{pid}/limits").read_text())
    except OSError:
        return None
    return (_number(found[1]), _number(found[2])) if found else None


def _number(text: str) -> int:
    return -1 if text == "unlimited" else int(text)


_TIME_ERROR = 5  # ntp_gettime(3): the clock is not synchronised


def ntp() -> tuple[bool | None, float | None]:
    """Return whether the kernel says that something keeps the clock right, and its greatest error in seconds."""
    # struct ntptimeval: a timeval, then maxerror in microseconds, and more that is of no interest here
    answer = (ctypes.c_long * 32)()
    try:
        state = ctypes.CDLL(None).ntp_gettime(ctypes.byref(answer))
    except (OSError, AttributeError):
        return None, None
    if state < 0:
        return None, None
    return state != _TIME_ERROR, answer[2] / 1e6


def ahead(path: Path) -> float:
    """Return by how many seconds the spec, or kannelkit itself, was written after now; below 0 as it should be."""
    newest = -float("inf")
    for file in (path, Path(kannelkit.__file__)):
        try:
            newest = max(newest, file.stat().st_mtime)
        except OSError:
            continue
    return newest - time.time()

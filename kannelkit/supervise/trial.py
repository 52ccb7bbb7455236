"""Starts a copy of a configuration once, out of everybody's way, to see whether Kannel starts with it at all.

Some faults end a box at its start, and bearerbox even when it reads the file again, live. So a scratch bearerbox comes
up from a copy first, in which nothing is reached that the gateway needs: every link's host is this machine's port 1,
every port a free one of this machine, logs, store and receipts lie in a private folder, and databases and modems are
left out.
"""

from __future__ import annotations

import asyncio
import shutil
import socket
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path

import aiohttp

from kannelkit.conf import directive_line
from kannelkit.errors import GatewayError, HostError
from kannelkit.gateway.admin import Admin
from kannelkit.gateway.status import GatewayStatus
from kannelkit.host.files import make_folder, write_whole
from kannelkit.host.processes import ProcessId
from kannelkit.plan.groups import Key, Values, groups
from kannelkit.supervise.boxes import Box

_FOLDER = "trial"
_LOOPBACK = "127.0.0.1"
_NOWHERE = "1"  # a port at which nothing listens
_LOOK_EVERY = 0.05
_ERRORS = 2
_START_SECONDS = 20.0
_ATTEMPTS = 3  # a port may be taken between the moment it is found free and the start

# groups that are left out: databases, devices, and boxes that kannelkit does not run
_GROUPS = frozenset({"core", "smsbox", "smsc", "sms-service", "sendsms-user", "smsbox-route", "smpp-tlv"})
# kinds of links whose `port` is one to listen on
_LISTENING = frozenset({"http", "fake"})
# kinds of links that reach a host and nothing else of this machine
_REACHING = frozenset({"smpp", "emi", "cimd2", "cgw", "smasi", "oisd"})
_KINDS = _LISTENING | _REACHING | {"loopback"}
# what each group has instead of what is written; None leaves a directive out
_CORE: Mapping[str, str | None] = {
    "admin-interface": _LOOPBACK,
    "admin-port-ssl": None,
    "admin-allow-ip": None,
    "admin-deny-ip": None,
    "smsbox-interface": _LOOPBACK,
    "smsbox-port-ssl": None,
    "box-allow-ip": None,
    "box-deny-ip": None,
    "wapbox-port": None,
    "syslog-level": None,
    "log-level": "1",
    "store-file": None,
    "store-type": "spool",
    "dlr-storage": "spool",
}
_SMSBOX: Mapping[str, str | None] = {
    "bearerbox-host": _LOOPBACK,
    "bearerbox-port": None,
    "bearerbox-port-ssl": None,
    "sendsms-interface": _LOOPBACK,
    "syslog-level": None,
    "log-level": "1",
    "access-log": None,
}
_LINK: Mapping[str, str] = {
    "host": _LOOPBACK,
    "alt-host": _LOOPBACK,
    "port": _NOWHERE,
    "alt-port": _NOWHERE,
    "send-url": f"http://{_LOOPBACK}:{_NOWHERE}/",
    "dlr-url": f"http://{_LOOPBACK}:{_NOWHERE}/",
    "generic-param-dlr-url": f"http://{_LOOPBACK}:{_NOWHERE}/",
}
_LEFT_OUT_OF_LINKS = frozenset({"our-host", "our-port", "our-receiver-port", "log-file"})


class Trial:
    """Tries configurations of the gateway with this state-dir. `keep` is told of each scratch process.

    A scratch box that a killed kannelkit left is ended by `clean`.
    """

    def __init__(self, state_dir: Path, keep: Callable[[str, ProcessId | None], None]) -> None:
        self._folder = state_dir / _FOLDER
        conf = self._folder / "kannel.conf"

        def keep_apart(name: str, process: ProcessId | None) -> None:
            keep(f"trial-{name}", process)

        self._bearerbox = Box("bearerbox", conf, self._folder / "bearerbox.out", keep_apart)
        self._smsbox = Box("smsbox", conf, self._folder / "smsbox.out", keep_apart)

    async def clean(self, known: Mapping[str, ProcessId]) -> None:
        """End the scratch boxes among the known processes, and remove what an earlier trial left."""
        for box in (self._smsbox, self._bearerbox):
            if box.adopt(known.get(f"trial-{box.name}")):
                await box.kill()
        shutil.rmtree(self._folder, ignore_errors=True)

    async def run(self, text: str, *, smsbox: bool) -> None:
        """Return when Kannel came up with the text, with smsbox as well where that is asked for.

        Raises GatewayError with what Kannel said against it, HostError where nothing can be tried.
        """
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                with ExitStack() as cleaning:
                    cleaning.callback(shutil.rmtree, self._folder, ignore_errors=True)
                    await self._run(text, smsbox=smsbox)
                return
            except GatewayError as error:
                if attempt == _ATTEMPTS or "bind" not in error.message:
                    raise

    async def _run(self, text: str, *, smsbox: bool) -> None:
        make_folder(self._folder, 0o700)
        for name in ("store", "dlr"):
            make_folder(self._folder / name, 0o700)
        wanted = groups(text)
        ports = _free_ports(3 + sum(values.get("smsc") in _LISTENING for values in wanted.values()))
        copy = scratch(wanted, self._folder, ports)
        write_whole(self._folder / "kannel.conf", _written(copy), 0o600)
        now = asyncio.get_running_loop().time()
        try:
            async with aiohttp.ClientSession() as session:
                password = copy[Key("core", "", 0)]["admin-password"]
                admin = Admin(session, ports[0], password, status_timeout=2.0)
                self._bearerbox.start(now)
                await self._until(self._bearerbox, admin, lambda status: not _missing(copy, status))
                if smsbox and Key("smsbox", "", 0) in copy:
                    self._smsbox.start(now)
                    await self._until(
                        self._smsbox, admin, lambda status: any(box.type == "smsbox" for box in status.boxes)
                    )
        finally:
            for box in (self._smsbox, self._bearerbox):
                await box.kill()

    async def _until(self, box: Box, admin: Admin, holds: Callable[[GatewayStatus], bool]) -> None:
        clock = asyncio.get_running_loop().time
        deadline = clock() + _START_SECONDS
        while True:
            if not box.running:
                said = f"{box.exit_text()}{box.last_words()}{_last_errors(self._folder / f'{box.name}.log')}"
                raise GatewayError(
                    f"{box.name} does not start with this configuration: it {said}",
                    "nothing was changed in the gateway that runs",
                )
            try:
                if holds(await admin.status()):
                    return
            except GatewayError:
                pass  # it is on its way
            if clock() >= deadline:
                raise GatewayError(
                    f"{box.name} does not come up with this configuration and all its links in {_START_SECONDS:.0f} s",
                    "nothing was changed in the gateway that runs",
                )
            await asyncio.sleep(_LOOK_EVERY)


def scratch(wanted: Mapping[Key, Values], folder: Path, ports: tuple[int, ...]) -> Mapping[Key, Values]:
    """Return the groups of a copy that reaches nobody: its files in `folder`, its `ports` free ones of this machine,
    three and one more for each link that listens.
    """
    admin_port, smsbox_port, sendsms_port, *listening = (str(port) for port in ports)
    copy: dict[Key, Values] = {}
    for key, values in wanted.items():
        if key.group == "core":
            own: dict[str, str | None] = {
                **_CORE,
                "admin-port": admin_port,
                "smsbox-port": smsbox_port,
                "log-file": str(folder / "bearerbox.log"),
                "access-log": str(folder / "access.log"),
                "store-location": str(folder / "store"),
                "dlr-spool": str(folder / "dlr"),
            }
            copy[key] = _with(values, own)
        elif key.group == "smsbox":
            sendsms = {"sendsms-port": sendsms_port} if "sendsms-port" in values else {}
            copy[key] = _with(values, {**_SMSBOX, **sendsms, "log-file": str(folder / "smsbox.log")})
        elif key.group == "smsc":
            kind = values.get("smsc", "")
            if kind in _KINDS or not kind:
                copy[key] = _link(values, listening.pop() if kind in _LISTENING else "")
        elif key.group in _GROUPS:
            copy[key] = values
    return copy


def _link(values: Values, port: str) -> Values:
    link = {name: _LINK.get(name, value) for name, value in values.items() if name not in _LEFT_OUT_OF_LINKS}
    if port:
        link["port"] = port
    if values.get("receive-port", "0") != "0":
        link["receive-port"] = _NOWHERE
    if values.get("port") == "0":
        link["port"] = "0"  # a link that only receives
    return link


def _with(values: Values, own: Mapping[str, str | None]) -> Values:
    return {name: value for name, value in {**values, **own}.items() if value is not None}


def _written(of: Mapping[Key, Values]) -> str:
    return "\n".join(
        "".join(f"{line}\n" for line in (f"group = {key.group}", *(directive_line(*one) for one in values.items())))
        for key, values in of.items()
    )


def _missing(copy: Mapping[Key, Values], status: GatewayStatus) -> Counter[str]:
    """Return which links of the copy bearerbox does not have, and how many of each."""
    wanted: Counter[str] = Counter()
    for key, values in copy.items():
        if key.group == "smsc":
            wanted[key.name] += int(values.get("instances", "1"))
    return wanted - Counter(link.admin_id for link in status.links)


def _last_errors(log: Path) -> str:
    """Return the last errors that a box wrote into its log, as a part of a message: a panic often only follows them."""
    try:
        lines = log.read_text(errors="replace").splitlines()
    except OSError:
        return ""
    errors = [line.partition(" ERROR: ")[2] for line in lines if " ERROR: " in line]
    return f" ({'; '.join(errors[-_ERRORS:])})" if errors else ""


def _free_ports(count: int) -> tuple[int, ...]:
    with ExitStack() as held:
        ports = []
        for _ in range(count):
            listener = held.enter_context(socket.socket())
            try:
                listener.bind((_LOOPBACK, 0))
            except OSError as error:
                raise HostError(f"no free port for a trial: {error.strerror}") from error
            ports.append(listener.getsockname()[1])
        return tuple(ports)

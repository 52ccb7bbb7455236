"""A real bearerbox, and a smsbox beside it where one is wanted, run from a kannel.conf that a test writes itself."""

from __future__ import annotations

import asyncio
import os
import shutil
from asyncio.subprocess import Process
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

import aiohttp

from kannelkit.simulator.account import Account
from tests.harness import child
from tests.harness.gateway import status_xml
from tests.harness.ports import free_ports
from tests.harness.waiting import until

# What every such file begins with; a test adds directives below each, then groups.
CORE = """\
group = core
admin-port = {admin_port}
admin-interface = 127.0.0.1
admin-password = {admin_password}
smsbox-port = {smsbox_port}
smsbox-interface = 127.0.0.1
log-file = {folder}/bearerbox.log
log-level = {log_level}
"""
SMSBOX = """
group = smsbox
bearerbox-host = 127.0.0.1
sendsms-port = {sendsms_port}
sendsms-interface = 127.0.0.1
log-file = {folder}/smsbox.log
log-level = {log_level}
"""
# What keeps messages over a death of bearerbox, to stand in group core.
SPOOL = """\
box-allow-ip = 127.0.0.1
store-type = spool
store-location = {folder}/spool
access-log = {folder}/access.log
"""
# The user as whom a load is sent; a message of one part each.
LOADING = """
group = sendsms-user
username = {user}
password = {password}
max-messages = 1
concatenation = false
"""
# The user as whom `Kannel.sendsms` asks.
APPLICATION = """
group = sendsms-user
username = app
password = app
"""

_START_SECONDS = 60.0
_ATTEMPTS = 3  # a box gives up when a port was taken after it had been found free
_LOOK_EVERY = 0.05


def link(smsc_id: str, login: str, *directives: str, port: str = "{port}") -> str:
    """Return the group of an SMPP link for a `conf`: a transceiver of this login, to a port of 127.0.0.1."""
    lines = (
        "group = smsc",
        "smsc = smpp",
        f"smsc-id = {smsc_id}",
        "host = 127.0.0.1",
        f"port = {port}",
        f"smsc-username = {login}",
        "smsc-password = password",
        "transceiver-mode = true",
        *directives,
    )
    return "\n" + "".join(f"{line}\n" for line in lines)


def program(name: str) -> str | None:
    """Return the path of one of Kannel's programs, None where it is not installed."""
    # sbin is not on an ordinary user's PATH in Debian
    folders = (os.environ.get("PATH", os.defpath), "/usr/local/sbin", "/usr/sbin")
    return shutil.which(name, path=os.pathsep.join(folders))


class Kannel:
    """bearerbox, and smsbox where it is wanted, with `conf` as their kannel.conf and their files in `folder`.

    `conf` is a format: the ports, `{folder}`, `{admin_password}` and `values` are put in. `{log_level}` is usually 1.
    """

    def __init__(
        self,
        folder: Path,
        conf: str,
        *,
        smsbox: bool,
        admin_password: str = "secret",
        stops_within: float = 8.0,
        **values: object,
    ) -> None:
        """Have each box killed that does not end `stops_within` seconds after SIGTERM."""
        self.folder = folder
        self.conf = conf
        self.values = {"log_level": 1, **values}
        self.admin_password = admin_password
        self.admin_port = self.smsbox_port = self.sendsms_port = 0
        self._stops_within = stops_within
        self._wants_smsbox = smsbox
        self._bearerbox: Process | None = None
        self._smsbox: Process | None = None

    @property
    def bearerbox(self) -> Process:
        """Return bearerbox's process; raise RuntimeError where none was started."""
        if self._bearerbox is None:
            raise RuntimeError("bearerbox was not started")
        return self._bearerbox

    @property
    def output(self) -> Path:
        """Return where the boxes' own outputs go; their logs are beside it."""
        return self.folder / "boxes.out"

    def write(self) -> Path:
        """Write kannel.conf as `conf` and `values` are now, and return its path; Kannel reads it when it is told to."""
        path = self.folder / "kannel.conf"
        path.touch(mode=0o600)
        path.write_text(
            self.conf.format(
                admin_port=self.admin_port,
                smsbox_port=self.smsbox_port,
                sendsms_port=self.sendsms_port,
                folder=self.folder,
                admin_password=self.admin_password,
                **self.values,
            )
        )
        return path

    async def start(self) -> None:
        """Start the boxes and return when they listen on their ports; raise RuntimeError after three tries."""
        for _ in range(_ATTEMPTS):
            self.admin_port, self.smsbox_port, self.sendsms_port = free_ports(3)
            path = self.write()
            self._bearerbox = await self._start("bearerbox", path)
            # smsbox tries to connect once and panics: bearerbox has to listen before it starts.
            if await _comes_up(self._bearerbox, self._administered):
                if not self._wants_smsbox:
                    return
                self._smsbox = await self._start("smsbox", path)
                if await _comes_up(self._smsbox, self._takes_messages):
                    return
            await self.stop()
        raise RuntimeError(f"Kannel did not start, see {self.output} and the logs beside it")

    async def sendsms(self, text: str, to: str, **more: str) -> None:
        """Send a text as the user of APPLICATION; raise RuntimeError where smsbox does not take it."""
        query = {"username": "app", "password": "app", "from": "shop", "to": to, "text": text, **more}
        url = f"http://127.0.0.1:{self.sendsms_port}/cgi-bin/sendsms"
        async with aiohttp.ClientSession() as session, session.get(url, params=query) as answer:
            if answer.status != 202:
                raise RuntimeError(f"{answer.status}: {await answer.text()}")

    async def stop(self) -> None:
        """Stop smsbox, then bearerbox."""
        await child.stop(self._smsbox, self._stops_within)
        await child.stop(self._bearerbox, self._stops_within)
        self._smsbox = self._bearerbox = None

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            stack.push_async_callback(self.stop)  # a test that is broken off while they start leaves none behind
            await self.start()
            stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def _start(self, name: str, path: Path) -> Process:
        return await child.start(program(name) or name, "-v", "4", path, output=self.output)

    async def _administered(self) -> bool:
        return "<status>" in await status_xml(self.admin_port, password=self.admin_password)

    async def _takes_messages(self) -> bool:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", self.sendsms_port)
        except OSError:
            return False
        writer.close()
        return True


async def bound(account: Account, seconds: float = 90.0) -> None:
    """Wait until a simulator's account has a link; raise TimeoutError where it has none after so many seconds."""
    await until(lambda: account.links, seconds)


async def _comes_up(box: Process, listens: Callable[[], Awaitable[bool]]) -> bool:
    """Return whether the box listens before it ends and before a start's seconds have passed."""
    clock = asyncio.get_running_loop().time
    deadline = clock() + _START_SECONDS
    while box.returncode is None and clock() < deadline:
        if await listens():
            return box.returncode is None
        await asyncio.sleep(_LOOK_EVERY)
    return False

"""A real bearerbox whose link leads through the relay, both as programs of their own, each of which can be killed."""

from __future__ import annotations

import asyncio
import json
import secrets
import socket
import sys
from asyncio.subprocess import Process
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from kannelkit.errors import GatewayError
from kannelkit.relay.control import ask
from tests.harness import child
from tests.harness.gateway import ADMIN_PASSWORD, PASSWORD, SYSTEM_ID, USER, online, wait_for
from tests.harness.kannel import CORE, LOADING, SMSBOX, SPOOL, Kannel

_CONF = (
    CORE
    + SPOOL
    + """\
dlr-storage = spool
dlr-spool = {folder}/dlr
sms-resend-freq = 1
"""
    + SMSBOX
    + LOADING
    + """
group = smsc
smsc = smpp
smsc-id = bench
host = 127.0.0.1
port = {relay_port}
transceiver-mode = true
smsc-username = bench
smsc-password = {relay_password}
system-type = ""
max-pending-submits = {window}
wait-ack-expire = 0
validityperiod = 1440
reconnect-delay = 1
"""
)
_STARTED_SECONDS = 90.0
_LOOK_EVERY = 0.02
_STOPPED_SECONDS = 40.0


class _Boxes(Kannel):
    """bearerbox and smsbox; bearerbox can be killed and started again."""

    async def end(self, *, killed: bool) -> None:
        """End bearerbox, in order or not, and the smsbox that would end by itself a while later."""
        if not killed:
            await child.stop(self.bearerbox, _STOPPED_SECONDS)
        for box in (self.bearerbox, self._smsbox):
            if box is not None and box.returncode is None:
                box.kill()
                await box.wait()

    async def again(self) -> None:
        """Start bearerbox again with what it kept, and the smsbox that ends with it."""
        path = self.folder / "kannel.conf"
        self._bearerbox = await self._start("bearerbox", path)
        await self._until(self._administered)
        self._smsbox = await self._start("smsbox", path)
        await self._until(self._takes_messages)

    async def _until(self, listens: Callable[[], Awaitable[bool]]) -> None:
        async with asyncio.timeout(_STARTED_SECONDS):
            while not await listens():
                await asyncio.sleep(_LOOK_EVERY)


class Relayed:
    """A gateway whose one account goes through the relay; `account` are further keys of the relay's settings."""

    def __init__(self, folder: Path, hosts: list[dict[str, Any]], *, window: int = 1000, **account: Any) -> None:
        self.folder = folder
        self.state_dir = folder / "relay"
        self._password = secrets.token_hex(4)
        self._window = window
        self._account = {"hosts": hosts, **account}
        self._listener = socket.socket()
        self._relay: Process | None = None
        self.boxes: _Boxes

    @property
    def admin_port(self) -> int:
        return self.boxes.admin_port

    @property
    def sendsms_port(self) -> int:
        return self.boxes.sendsms_port

    @property
    def relay(self) -> Process:
        """Return the relay's process; raise RuntimeError where none runs."""
        if self._relay is None:
            raise RuntimeError("the relay does not run")
        return self._relay

    async def start(self) -> None:
        """Start all of it and return when the link is online; raise RuntimeError where it does not come to be."""
        for name in ("spool", "dlr"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        self._listener.bind(("127.0.0.1", 0))
        self._listener.listen()
        await self.start_relay()
        self.boxes = _Boxes(
            self.folder,
            _CONF,
            smsbox=True,
            admin_password=ADMIN_PASSWORD,
            stops_within=_STOPPED_SECONDS,
            user=USER,
            password=PASSWORD,
            relay_port=self._listener.getsockname()[1],
            relay_password=self._password,
            window=self._window,
        )
        await self.boxes.start()
        if not await wait_for(self.admin_port, _STARTED_SECONDS, online):
            await self.stop()
            raise RuntimeError(f"no link came online, see {self.folder}")

    async def start_relay(self) -> None:
        """Start the relay with the socket that outlives it."""
        path = self.folder / "relay.json"
        path.touch(mode=0o600)
        descriptor = self._listener.fileno()
        one = {
            "name": "bench",
            "listen_descriptor": descriptor,
            "listen_password": self._password,
            "login": {"system_id": SYSTEM_ID, "password": "secret"},
            **self._account,
        }
        path.write_text(json.dumps({"state_dir": str(self.state_dir), "accounts": [one]}))
        with (self.folder / "relay.out").open("ab") as output:
            self._relay = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "kannelkit", "relay", "--settings", str(path)),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                pass_fds=(descriptor,),
            )

    async def kill_relay(self) -> None:
        """End the relay as the kernel does that has no memory left."""
        self.relay.kill()
        await self.relay.wait()

    async def restart_relay(self) -> int | None:
        """End the relay in order, start it again, and return its exit code."""
        self.relay.terminate()
        ended = await self.relay.wait()
        await self.start_relay()
        return ended

    async def state(self) -> dict[str, Any]:
        """Return how the relay says that its account stands, as soon as one that was just started answers."""
        async with asyncio.timeout(_STARTED_SECONDS):
            while True:
                with suppress(GatewayError):
                    answer = await ask(self.state_dir, {"do": "state"})
                    account: dict[str, Any] = answer["accounts"][0]
                    return account
                await asyncio.sleep(_LOOK_EVERY)

    async def stop(self) -> None:
        """Stop all of it by pid."""
        if hasattr(self, "boxes"):
            await self.boxes.stop()
        await child.stop(self._relay, _STOPPED_SECONDS)
        self._listener.close()

    async def __aenter__(self) -> Self:
        try:
            await self.start()
        except BaseException:  # whatever broke the start off, no process is left behind
            await self.stop()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

"""The relay as a process: every account's listener, limits and connections, from its start to its last answer."""

from __future__ import annotations

import asyncio
import fcntl
import functools
import math
import os
import signal
import socket
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Final

from kannelkit.errors import GatewayError, HostError
from kannelkit.host.files import make_folder
from kannelkit.pacing.limit import Learnt, Limit
from kannelkit.relay import learnt
from kannelkit.relay.account import Account
from kannelkit.relay.bearerbox import BearerboxConnection
from kannelkit.relay.control import Control
from kannelkit.relay.counts import Note
from kannelkit.relay.pacer import Pacer
from kannelkit.relay.settings import RelayAccount, RelaySettings
from kannelkit.relay.trace import watching

LOOPBACK: Final = "127.0.0.1"
_LOCK = "relay.lock"
_TICK: Final = 0.5
_KEEP_EVERY: Final = 20  # ticks between two looks whether something was learnt
# a provider's second; without it a submit could be refused for those of a relay that has just ended, and be misread
_SECOND: Final = 1.0
_LISTENS_FOR: Final = 128

Tell = Callable[[str, str], None]


class Relay:
    """Runs every account of the settings: `start`, then `stop`; `tell` is given an account's name and what happened."""

    def __init__(self, settings: RelaySettings, tell: Tell) -> None:
        self.accounts: dict[str, Account] = {}
        self.ports: dict[str, int] = {}
        """Where bearerbox binds to, by the account's name."""
        self._settings = settings
        self._tell = tell
        self._pacers: dict[str, Pacer] = {}
        self._servers: list[asyncio.Server] = []
        self._lock: int | None = None
        self._quiet = 0.0  # seconds
        self._ticking: asyncio.Task[None] | None = None
        self._kept: dict[str, Learnt] = {}
        self._control = Control(
            settings.state_dir,
            {"state": self._state, "rate": self._rate, "pause": self._pause, "resume": self._resume},
            {"trace": self._trace},
        )

    async def start(self) -> None:
        """Listen for bearerbox; raises HostError where that is not possible, or where another relay has the folder."""
        folder = self._settings.state_dir
        make_folder(folder)
        self._quiet = _SECOND if (folder / _LOCK).exists() else 0.0
        self._lock = _locked(folder / _LOCK)
        self._kept = learnt.read(folder)
        try:
            for settings in self._settings.accounts:
                note = Note(folder / f"relay-{settings.name}.counts")
                account = self.accounts[settings.name] = Account(settings, self._pacer(settings), note, self._tell)
                listener = _listener(settings)
                self.ports[settings.name] = listener.getsockname()[1]
                self._servers.append(
                    await asyncio.get_running_loop().create_server(
                        functools.partial(BearerboxConnection, account), sock=listener
                    )
                )
            await self._control.start()
        except HostError:
            await self.stop()
            raise
        self._ticking = asyncio.create_task(self._tick())

    async def stop(self) -> None:
        """Take no more from bearerbox, wait for the answers that are still to come, and take leave of everybody."""
        for server in self._servers:
            server.close()
        await asyncio.gather(*(account.stop() for account in self.accounts.values()))
        for pacer in self._pacers.values():
            pacer.stop()
        if self._ticking is not None:
            self._ticking.cancel()
            self._keep()
        await self._control.stop()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    async def run(self, ready: Callable[[], None]) -> None:
        """Run until SIGTERM or SIGINT; `ready` is called when bearerbox may come."""
        done = asyncio.Event()
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(self._refused)
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, done.set)
        await self.start()
        try:
            ready()
            await done.wait()
        finally:
            await self.stop()

    def _refused(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Say in one line what the operating system refuses, such as another descriptor; the rest is our fault."""
        error = context.get("exception")
        if isinstance(error, OSError):
            self._tell("", f"{context['message']}: {error}")
        else:
            loop.default_exception_handler(context)

    def _pacer(self, settings: RelayAccount) -> Pacer:
        unit = settings.unit
        if unit not in self._pacers:
            ceiling = min(each.ceiling for each in self._settings.accounts if each.unit == unit)
            self._pacers[unit] = Pacer(Limit(ceiling, self._kept.get(unit)), quiet=self._quiet)
        return self._pacers[unit]

    async def _tick(self) -> None:
        ticks = 0
        while True:
            await asyncio.sleep(_TICK)
            for account in self.accounts.values():
                account.tick()
            ticks += 1
            if ticks % _KEEP_EVERY == 0:
                self._keep()

    def _keep(self) -> None:
        found = {unit: pacer.limit.learnt for unit, pacer in self._pacers.items()}
        now = {unit: each for unit, each in found.items() if each is not None}
        if now != self._kept:
            try:
                learnt.write(self._settings.state_dir, now)
                self._kept = now
            except HostError as error:
                self._tell("", f"what was learnt is not kept: {error.message}")

    # what it is asked

    def _state(self, asked: Mapping[str, Any]) -> Mapping[str, object]:
        return {"pid": os.getpid(), "accounts": [account.state() for account in self.accounts.values()]}

    def _rate(self, asked: Mapping[str, Any]) -> Mapping[str, object]:
        pacer = self._asked_for(asked)
        rate = asked.get("rate")
        if rate is not None and (
            isinstance(rate, bool) or not isinstance(rate, int | float) or not 0 < rate < math.inf
        ):
            raise GatewayError("a rate is a number above 0, or null for what is learnt")
        pacer.hold_to(None if rate is None else float(rate))
        return {"rate": pacer.rate if pacer.rate < math.inf else None}

    def _pause(self, asked: Mapping[str, Any]) -> Mapping[str, object]:
        self._asked_for(asked).pause(True)
        return {"paused": True}

    def _resume(self, asked: Mapping[str, Any]) -> Mapping[str, object]:
        self._asked_for(asked).pause(False)
        return {"paused": False}

    def _trace(self, asked: Mapping[str, Any], writer: asyncio.StreamWriter) -> AbstractContextManager[None]:
        return watching(self._named(asked).traced, asked, writer)

    def _asked_for(self, asked: Mapping[str, Any]) -> Pacer:
        return self._named(asked).pacer

    def _named(self, asked: Mapping[str, Any]) -> Account:
        account = self.accounts.get(str(asked.get("account")))
        if account is None:
            raise GatewayError(f"the accounts are {', '.join(self.accounts)}")
        return account


def _listener(settings: RelayAccount) -> socket.socket:
    """Return the socket that bearerbox binds to: the one that was inherited, or a new one on this machine alone."""
    if settings.listen_descriptor is not None:
        try:
            return socket.socket(fileno=settings.listen_descriptor)
        except OSError as error:
            raise HostError(f"{settings.name}: the inherited socket cannot be used: {error.strerror}") from error
    listener = socket.socket()
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((LOOPBACK, settings.listen_port))
        listener.listen(_LISTENS_FOR)
    except OSError as error:
        listener.close()
        raise HostError(
            f"{settings.name}: cannot listen on {LOOPBACK}:{settings.listen_port}: {error.strerror}",
            "end what has the port, or choose another one",
        ) from error
    return listener


def _locked(path: Path) -> int:
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise HostError(f"cannot open {path}: {error.strerror}", "look at the owner and mode of the folder") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        raise HostError(f"another relay works in {path.parent}", "end that one first") from error
    return descriptor

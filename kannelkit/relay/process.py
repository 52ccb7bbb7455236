"""The relay as a process: every account's listener, limits and connections, from its start to its last answer."""

from __future__ import annotations

import asyncio
import fcntl
import functools
import math
import os
import signal
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from kannelkit import __version__
from kannelkit.errors import GatewayError, HostError
from kannelkit.host.files import make_folder
from kannelkit.pacing.limit import Learnt, Limit
from kannelkit.relay import learnt, places
from kannelkit.relay.account import Account, Tell
from kannelkit.relay.bearerbox import BearerboxConnection
from kannelkit.relay.control import Control
from kannelkit.relay.counts import Note
from kannelkit.relay.listeners import Listeners
from kannelkit.relay.pacer import Pacer
from kannelkit.relay.places import Place
from kannelkit.relay.reloading import Turn, told, turns
from kannelkit.relay.settings import RelayAccount, RelaySettings
from kannelkit.relay.trace import watching

_LOCK = "relay.lock"
_TICK: Final = 0.5
_KEEP_EVERY: Final = 20  # ticks between two looks whether something was learnt
# a provider's second; without it a submit could be refused for those of a relay that has just ended, and be misread
_SECOND: Final = 1.0

Read = Callable[[], RelaySettings]


class Relay:
    """Runs every account of the settings: `start`, then `stop`; `tell` is given an account's name and what happened.

    `read` returns the settings as they are by now, or raises HostError; without it they stay as they are.
    """

    def __init__(self, settings: RelaySettings, tell: Tell, read: Read | None = None) -> None:
        self.accounts: dict[str, Account] = {}
        self.ports: dict[str, int] = {}
        """Where bearerbox binds to, by the account's name."""
        self._settings = settings
        self._tell = tell
        self._read = read or (lambda: settings)
        self._pacers: dict[str, Pacer] = {}
        self._listeners = Listeners()
        self._servers: dict[str, asyncio.Server] = {}
        self._notes: dict[str, Note] = {}
        self._places: dict[str, Place] = {}
        self._one = asyncio.Lock()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._ending = False
        self._lock: int | None = None
        self._quiet = 0.0  # seconds
        self._ticking: asyncio.Task[None] | None = None
        self._kept: dict[str, Learnt] = {}
        self._control = Control(
            settings.state_dir,
            {
                "state": self._state,
                "rate": self._rate,
                "pause": self._pause,
                "resume": self._resume,
                "move": self._move,
                "reload": self._reload,
            },
            {"trace": self._trace},
        )

    async def start(self) -> None:
        """Listen for bearerbox; raises HostError where that is not possible, or where another relay has the folder."""
        folder = self._settings.state_dir
        make_folder(folder)
        self._quiet = _SECOND if (folder / _LOCK).exists() else 0.0
        self._lock = _locked(folder / _LOCK)
        self._kept = learnt.read(folder)
        self._places = places.read(folder)
        try:
            async with self._one:
                for settings in self._settings.accounts:
                    self._notes[settings.name] = _note(folder, settings.name)
                    self.ports[settings.name] = self._listeners.inherit(settings)
                    await self._begin(settings)
                await self._control.start()
        except HostError:
            await self.stop()
            raise
        self._quiet = _SECOND  # whoever comes later may have been at the provider until now in another way
        self._ticking = asyncio.create_task(self._tick())

    async def stop(self) -> None:
        """Take no more from bearerbox, wait for the answers that are still to come, and take leave of everybody."""
        self._ending = True
        tasks = asyncio.gather(*self._tasks, return_exceptions=True)  # who began them is told how they ended
        await asyncio.gather(tasks, *(self._end(name) for name in self._servers))
        for pacer in self._pacers.values():
            pacer.stop()
        if self._ticking is not None:
            self._ticking.cancel()
            self._keep()
            self._keep_places()
        await self._control.stop()
        self._listeners.keep(())
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    async def reload(self) -> Mapping[str, Sequence[str]]:
        """Read the settings anew and have what differs come into force, and return which accounts that were.

        An account that is changed ends in order and starts again; one that is not goes on. Raises HostError where the
        settings are not good, of which none is in force then.
        """
        return await asyncio.shield(self._spawn(self._take()))

    async def _take(self) -> Mapping[str, Sequence[str]]:
        async with self._one:
            if self._ending:
                raise HostError("the relay ends this moment", "start it again")
            wanted, former = self._read(), dict(self.accounts)
            found = turns(self._settings, wanted)
            ports = self._opened(wanted)
            self._settings = wanted
            try:
                self.ports = ports
                done = await asyncio.gather(*(self._turn(turn) for turn in found), return_exceptions=True)
                for error in done:
                    if error is not None:
                        raise error
            finally:
                there = tuple(account for account in wanted.accounts if account.name in self._servers)
                self._settings = replace(wanted, accounts=there)  # what could not be served is tried again
                self.ports = {name: port for name, port in ports.items() if name in self.accounts}
                self._listeners.keep(self.ports.values())
                units = {account.settings.unit for account in self.accounts.values()}
                self._pacers = {unit: pacer for unit, pacer in self._pacers.items() if unit in units}
            return told(found, former)

    def _opened(self, wanted: RelaySettings) -> dict[str, int]:
        """Return where each account is to listen, when all that it takes is there; raises HostError."""
        folder = self._settings.state_dir
        if wanted.state_dir != folder:
            raise HostError(f"the state_dir is {folder}, not {wanted.state_dir}", "start another relay for that")
        try:
            ports = {
                each.name: self._listeners.open(each.name, each.listen_port or self.ports.get(each.name, 0))
                for each in wanted.accounts
            }
            made = {each.name: _note(folder, each.name) for each in wanted.accounts if each.name not in self._notes}
            if len(set(ports.values())) < len(ports):
                raise HostError("two accounts have the same listen_port", "choose another one")
        except HostError:
            self._listeners.keep(self.ports.values())
            raise
        self._notes |= made
        return ports

    async def _turn(self, turn: Turn) -> None:
        """Have accounts of a unit end, and when they have, others start."""
        former = {name: self.accounts[name] for name in turn.end if name in self.accounts}
        await asyncio.gather(*(self._end(name) for name in former))
        for name in former:
            del self.accounts[name]
        if self._ending:
            return
        for settings in turn.start:
            await self._begin(settings, former.get(settings.name))
        for name in former.keys() - self.accounts.keys():
            former[name].traced.removed()
            del self._notes[name]

    async def _begin(self, settings: RelayAccount, former: Account | None = None) -> None:
        """Serve an account; raises HostError."""
        name = settings.name
        place = self._places.get(name) if former is None else former.place
        account = Account(settings, self._pacer(settings), self._notes[name], self._tell, place, former)
        self.accounts[name] = account
        try:
            self._servers[name] = await asyncio.get_running_loop().create_server(
                functools.partial(BearerboxConnection, account), sock=self._listeners.another(self.ports[name])
            )
        except OSError as error:
            raise HostError(f"{name}: cannot listen: {error.strerror}", "see the limits of this user") from error

    async def _end(self, name: str) -> None:
        """Have an account end in order; whoever connects from now on waits."""
        server = self._servers.pop(name, None)
        if server is not None:
            server.close()
        await self.accounts[name].stop()

    async def run(self, ready: Callable[[], None]) -> None:
        """Run until SIGTERM or SIGINT; `ready` is called when bearerbox may come."""
        done = asyncio.Event()
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(self._refused)
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, done.set)
        loop.add_signal_handler(signal.SIGHUP, lambda: self._spawn(self._reload_and_tell()))
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
        unit, ceiling = settings.unit, self._settings.ceiling(settings.unit)
        pacer = self._pacers.get(unit)
        if pacer is None or pacer.limit.ceiling != ceiling:
            learnt = self._kept.get(unit) if pacer is None else pacer.limit.learnt
            made = self._pacers[unit] = Pacer(Limit(ceiling, learnt), quiet=self._quiet)
            if pacer is not None:
                made.hold_to(pacer.by_hand)
                made.pause(pacer.paused)
        return self._pacers[unit]

    async def _tick(self) -> None:
        ticks = 0
        while True:
            await asyncio.sleep(_TICK)
            for account in self.accounts.values():
                account.tick()
            self._keep_places()
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

    def _keep_places(self) -> None:
        places_now = {name: account.place for name, account in self.accounts.items()}
        now = {name: place for name, place in places_now.items() if place is not None}
        if now != self._places:
            self._places = now  # tried once: what is not kept begins at the primary
            try:
                places.write(self._settings.state_dir, now)
            except HostError as error:
                self._tell("", f"which hosts are in use is not kept: {error.message}")

    async def _reload_and_tell(self) -> None:
        try:
            done = await self.reload()
        except HostError as error:
            self._tell("", f"the settings are not taken, and all goes on as it was: {error.message}")
        else:
            changes = "; ".join(f"{what}: {', '.join(names)}" for what, names in done.items() if names)
            self._tell("", f"the settings are read: {changes or 'nothing differs'}")

    def _spawn(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    # what it is asked

    def _state(self, asked: Mapping[str, Any]) -> Mapping[str, object]:
        accounts = [account.state() for account in self.accounts.values()]
        return {"pid": os.getpid(), "version": __version__, "accounts": accounts}

    async def _reload(self, asked: Mapping[str, Any]) -> Mapping[str, object]:
        try:
            return dict(await self.reload())
        except HostError as error:
            raise GatewayError(f"the settings are not taken: {error.message}", error.hint) from error

    async def _move(self, asked: Mapping[str, Any]) -> Mapping[str, object]:
        account = self._named(asked)
        work = account.move(str(asked.get("to")), force=asked.get("force") is True)
        return {"unanswered": await asyncio.shield(self._spawn(work))}

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


def _note(folder: Path, name: str) -> Note:
    return Note(folder / f"relay-{name}.counts")


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

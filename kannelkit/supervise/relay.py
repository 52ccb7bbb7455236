"""The relay between bearerbox and the providers of accounts with `pacing: relay`: started or adopted, kept, asked."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping, Set
from pathlib import Path
from typing import Any, Protocol

from kannelkit.errors import GatewayError, HostError
from kannelkit.host import processes
from kannelkit.host.files import make_folder, write_whole
from kannelkit.host.processes import ProcessId, who_listens
from kannelkit.host.tail import Tail
from kannelkit.relay.control import ask
from kannelkit.render.links import RELAY_HOST
from kannelkit.supervise.relaysettings import Settings, accounts_in, port_of, relay_file

_FILE = "settings.json"
# seconds: a relay that ends soon after its start waits longer each time for the next one
_RAN_WELL = 10.0
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 30.0
_READY_SECONDS = 10.0
_TICK = 0.05
# it waits 10 s for the last answers, and as long for bearerbox to take leave
_STOP_SECONDS = 30.0
_ASK_EVERY = 1.0
_BACKLOG = 128
_MOST_SAID = 200  # characters


class Told(Protocol):
    """Who is told what the relay does; see running.Running."""

    def say(self, kind: str, text: str, **data: object) -> None:
        """Tell an event of the whole gateway."""

    def tell(self, kind: str, text: str, account: str, **data: object) -> None:
        """Tell an event of an account."""

    def keep(self, name: str, process: ProcessId | None) -> None:
        """Keep which process it is."""


class Relay:
    """One gateway's relay; where no account asks for it there is no process, no file and no folder.

    `folder` is its own. `states` is how it said last that each account stands, empty while it does not answer; `holds`
    returns the rates by account that somebody holds them to, which a new process is told.
    """

    name = "relay"

    def __init__(self, folder: Path, told: Told, holds: Callable[[], Mapping[str, float]]) -> None:
        self.process: ProcessId | None = None
        self.states: Mapping[str, Mapping[str, Any]] = {}
        self._folder = folder
        self._file = folder / _FILE
        self._log = folder / "relay.log"
        self._out = folder / "relay.out"
        self._told = told
        self._holds = holds
        self._accounts: dict[str, Settings] = {}
        self._listeners: dict[int, socket.socket] = {}
        self._child: subprocess.Popen[bytes] | None = None
        self._tail: Tail | None = None
        self._since = 0.0
        self._failures = 0
        self._start_at: float | None = None
        self._busy = False
        self._ask_at = 0.0
        self._asking: asyncio.Task[None] | None = None
        self._to_hold = False

    @property
    def running(self) -> bool:
        """Whether its process is there now."""
        if self._child is not None:
            self._child.poll()  # or it would stay a zombie
        return self.process is not None and processes.alive(self.process)

    @property
    def ours(self) -> bool:
        """Whether this kannelkit started the process that runs, rather than adopted it."""
        return self._child is not None and self.running

    @property
    def accounts(self) -> Mapping[str, Settings]:
        """What it is to run for, by the accounts' names."""
        return self._accounts

    def starts_for(self, accounts: Mapping[str, Settings]) -> bool:
        """Return whether it is started, anew or at all, to run for these accounts.

        It is where an account is new to it or has other settings. For one that goes it is not: bearerbox has no link to
        it any more.
        """
        return bool(accounts) and not (
            self.running and all(self._accounts.get(name) == account for name, account in accounts.items())
        )

    # -- begun and ended by whoever keeps the boxes

    def adopt(self, process: ProcessId | None) -> bool:
        """Take on a relay that an earlier kannelkit started, with the settings that it was given then."""
        if process is None or not processes.alive(process):
            return False
        if str(self._file) not in processes.command_line(process):
            return False
        self._accounts = kept_accounts(self._folder)
        self.process = process
        self._follow()
        self._told.say("adopted", f"the relay runs already (pid {process.pid}): adopted")
        return True

    async def bring(self, accounts: Mapping[str, Settings]) -> None:
        """Have the relay run for these accounts, and return when it waits for bearerbox; see `starts_for`.

        Ended for that, it waits for the answers that are to come. Raises HostError where a port is taken, GatewayError
        where it does not start; then it goes on with those it had.
        """
        if not accounts:
            await self.stop()
            self._accounts = {}
            self._close()
            with contextlib.suppress(OSError):
                self._file.unlink()  # or a plan would find accounts in it
            return
        if not self.starts_for(accounts):
            if accounts != self._accounts:
                self._accounts = dict(accounts)
                self._write()
            return
        former = self._accounts
        self._busy = True
        try:
            self._listen(_ports(accounts) - _ports(former))  # first: where one is taken, nothing is stopped for it
            await self._stop()
            self._accounts = dict(accounts)
            await self._start()
        except BaseException:
            self._accounts = former  # for which it is started again
            raise
        finally:
            self._busy = False
            self._start_at = None

    async def keep(self, now: float) -> None:
        """Start it again where it ended, take note of what it says, and ask it how it stands when it is time."""
        if not self._accounts or self._busy:
            return
        self._read_log()
        if self.running:
            if now >= self._ask_at and (self._asking is None or self._asking.done()):
                self._ask_at = now + _ASK_EVERY
                self._asking = asyncio.create_task(self.look())
            return
        self.states = {}
        if self._start_at is None:
            self._failures = 0 if now - self._since >= _RAN_WELL else self._failures + 1
            wait = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2 ** (self._failures - 1)) if self._failures else 0.0
            self._start_at = now + wait
            ended = self._ended()
            self._told.say("ended", f"the relay {ended}: started again {f'in {wait:g} s' if wait else 'now'}")
            self._forget()
        if now >= self._start_at:
            self._start_at, self._since = None, now  # or what cannot even be started would be tried at once each time
            try:
                self._launch()
            except (GatewayError, HostError) as error:
                self._told.say("warning", f"the relay did not start: {error.args[0]}")

    async def stop(self) -> None:
        """End it in order: it waits for answers that are still to come."""
        if self.running:
            in_order = await self._stop()
            self._told.say("stopped", "relay stopped" + ("" if in_order else ", by force"), box=self.name)

    async def cancel(self) -> None:
        """Ask nothing any more."""
        if self._asking is not None:
            self._asking.cancel()
            await asyncio.gather(self._asking, return_exceptions=True)

    def close(self) -> None:
        """Give back what is open here; a relay that runs has its own of it."""
        self._close()
        if self._tail is not None:
            self._tail.close()

    # -- asked

    async def look(self) -> None:
        """Ask it how its accounts stand, and tell a new process what it is held to."""
        try:
            if self._to_hold:
                for account, rate in self._holds().items():
                    if account in self._accounts:
                        await ask(self._folder, {"do": "rate", "account": account, "rate": rate})
                self._to_hold = False
            self.states = await states(self._folder, self._accounts)
        except GatewayError:
            self.states = {}  # a moment after its start, or before its end

    async def hold(self, account: str, rate: float | None) -> None:
        """Have it let no more than so many submits per second of an account's unit leave, or as many as it learns.

        Raises GatewayError.
        """
        await ask(self._folder, {"do": "rate", "account": account, "rate": rate})
        await self.look()

    # -- the process

    async def _start(self) -> None:
        self._launch()
        clock = asyncio.get_running_loop().time
        deadline = clock() + _READY_SECONDS
        while True:
            try:
                self.states = await states(self._folder, self._accounts)
                break
            except GatewayError as error:
                if not self.running:
                    said = self._ended()
                    self._forget()
                    raise GatewayError(f"the relay {said}", f"see {self._out}") from error
                if clock() >= deadline:
                    raise
            await asyncio.sleep(_TICK)
        await self.look()

    def _launch(self) -> None:
        """Write its settings and start it. Raises HostError or GatewayError."""
        make_folder(self._folder)
        ports = _ports(self._accounts)
        for port in self._listeners.keys() - ports:
            self._listeners.pop(port).close()
        self._listen(ports)
        descriptors = self._write()
        words = [sys.executable, "-m", "kannelkit", "relay", "--settings", str(self._file), "--json"]
        try:
            with (
                os.fdopen(os.open(self._log, _APPEND, 0o640), "wb") as log,
                os.fdopen(os.open(self._out, _TRUNCATE, 0o640), "wb") as out,
            ):
                self._child = subprocess.Popen(  # noqa: S603 - this very program, with a file that kannelkit wrote
                    words,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=out,
                    start_new_session=True,
                    cwd="/",
                    pass_fds=descriptors,
                )
        except OSError as error:
            raise GatewayError(f"the relay cannot be started: {error.strerror}", f"look at {self._folder}") from error
        self.process = processes.current(self._child.pid)
        self._since = asyncio.get_running_loop().time()
        self._to_hold = True
        self._told.keep(self.name, self.process)
        if self.process is None:
            raise GatewayError(f"the relay {self._ended()}", f"see {self._out}")
        self._follow()
        self._told.say("started", f"relay started (pid {self.process.pid})", pid=self.process.pid)

    def _write(self) -> tuple[int, ...]:
        """Write its settings, and return the sockets in them. Raises HostError."""
        descriptors = {port: listener.fileno() for port, listener in self._listeners.items()}
        write_whole(self._file, relay_file(self._folder, self._accounts, descriptors), 0o600)
        return tuple(descriptors.values())

    def _listen(self, ports: Set[int]) -> None:
        """Open the sockets that bearerbox connects to, so that a relay that ends takes none of them with it."""
        for port in sorted(ports - self._listeners.keys()):
            listener = socket.socket()
            try:
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                listener.bind((RELAY_HOST, port))
                listener.listen(_BACKLOG)
            except OSError as error:
                listener.close()
                whom = who_listens(RELAY_HOST, port) or error.strerror
                hint = "stop it, or set relay-port in the spec"
                raise HostError(f"relay-port {port} is in use by {whom}", hint) from error
            self._listeners[port] = listener

    async def _stop(self) -> bool:
        in_order = True
        if self.process is not None:
            in_order = await processes.end(self.process, _STOP_SECONDS)
        if self._child is not None:
            self._child.poll()
        self._read_log()
        self._forget()
        return in_order

    def _forget(self) -> None:
        self.states = {}
        if self.process is not None:
            self._told.keep(self.name, None)
        self.process = None

    def _close(self) -> None:
        for listener in self._listeners.values():
            listener.close()
        self._listeners.clear()

    # -- what it says

    def _ended(self) -> str:
        """Return how its last process ended, and what it said of that."""
        code = self._child.poll() if self._child is not None else None
        how = "ended"
        if code is not None and code < 0:
            names = {number.value: number.name for number in signal.Signals}
            how = f"was ended by {names.get(-code, f'signal {-code}')}"
        elif code:
            how = f"ended with exit code {code}"
        try:
            said = self._out.read_text(errors="replace").strip().splitlines()
        except OSError:
            said = []
        return f"{how}: {said[-1][:_MOST_SAID]}" if said else how

    def _follow(self) -> None:
        if self._tail is None:
            self._tail = Tail(self._log, from_end=True)

    def _read_log(self) -> None:
        if self._tail is None:
            return
        with contextlib.suppress(HostError):  # what it says is told again with what it does next
            for text in self._tail.texts():
                for line in text.splitlines():
                    self._said(line)

    def _said(self, line: bytes) -> None:
        try:
            said = json.loads(line)
            account, text = str(said["account"]), str(said["text"])[:_MOST_SAID]
        except (ValueError, KeyError, TypeError, RecursionError):
            return  # what a killed relay left half written
        if account and "port" not in said:
            self._told.tell("relay", f"{account}: {text}", account)


def kept_accounts(folder: Path) -> dict[str, Settings]:
    """Return what the relay in a folder was last told of its accounts, nothing where that cannot be read."""
    try:
        return accounts_in((folder / _FILE).read_text())
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


async def states(folder: Path, accounts: Mapping[str, Settings]) -> Mapping[str, Mapping[str, Any]]:
    """Return how the relay in a folder says that each of these accounts stands. Raises GatewayError.

    `window` is how many submits may be unanswered over the connections that there are.
    """
    found: dict[str, Mapping[str, Any]] = {}
    try:
        for state in (await ask(folder, {"do": "state"}))["accounts"]:
            name = str(state["account"])
            if name in accounts:
                found[name] = {**state, "window": accounts[name]["window"] * state["connections"]}
    except (KeyError, TypeError) as error:
        raise GatewayError("the relay's answer cannot be read", "are both of the same version?") from error
    return found


def _ports(accounts: Mapping[str, Settings]) -> Set[int]:
    return {port_of(account) for account in accounts.values()}


_APPEND = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
_TRUNCATE = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC

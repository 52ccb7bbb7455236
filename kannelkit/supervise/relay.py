"""The relay between bearerbox and the providers of accounts with `pacing: relay`: started or adopted, kept, asked."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import subprocess
from collections.abc import Callable, Mapping, Set
from pathlib import Path
from typing import Any, Protocol

from kannelkit import __version__
from kannelkit.errors import GatewayError, HostError
from kannelkit.host import processes
from kannelkit.host.files import make_folder, write_whole
from kannelkit.host.processes import ProcessId
from kannelkit.host.tail import Tail
from kannelkit.relay.control import ask
from kannelkit.supervise.relayasked import ANSWERS_WITHIN, PATIENCE, Said, Silence, said
from kannelkit.supervise.relayports import Ports
from kannelkit.supervise.relayprocess import LOG, MOST_SAID, OUT, how_ended, launch
from kannelkit.supervise.relaysettings import FILE, Settings, kept_accounts, port_of, relay_file

# seconds: a relay that ends soon after its start waits longer each time for the next one
_RAN_WELL = 10.0
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 30.0
_READY_SECONDS = 10.0
_TICK = 0.05
# it waits 10 s for the last answers, and as long for bearerbox to take leave
_STOP_SECONDS = 30.0
_OF_A_MOVE = ("from", "to", "why", "unanswered", "by_hand")
_RELOAD_SECONDS = 40.0  # the same, for the accounts that change, and what others that were asked before it take
_ASK_EVERY = 1.0
_LEAVES_WITHIN = 1 / 3  # one that does not answer, and is ended: in parts of the patience with it


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
    returns the rates by account that somebody holds them to, which a new process is told. One that has not answered for
    `patience` seconds is ended and started again; one of another `version` is started anew for other settings.
    """

    name = "relay"

    def __init__(
        self,
        folder: Path,
        told: Told,
        holds: Callable[[], Mapping[str, float]],
        patience: float = PATIENCE,
        version: str = __version__,
    ) -> None:
        self.process: ProcessId | None = None
        self._said_last = Said()
        self._folder = folder
        self._file = folder / FILE
        self._told = told
        self._holds = holds
        self._accounts: dict[str, Settings] = {}
        self._patience = patience
        self._version = version
        self._silence = Silence(patience)
        self._ports = Ports()
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

    @property
    def states(self) -> Mapping[str, Mapping[str, Any]]:
        """How it said last that each account stands."""
        return self._said_last.states

    @property
    def reloads(self) -> bool:
        """Whether it takes other settings while it runs; one of another version is started anew for them."""
        return self.running and self._said_last.version == self._version

    def touched_by(self, accounts: Mapping[str, Settings]) -> tuple[str, ...]:
        """Return the accounts that it has to start, anew or at all, to run for these: those whose links are away then.

        They are those that are new to it or have other settings, or all where it has to be started itself. One that
        goes is none of them: bearerbox has no link to it any more.
        """
        found = tuple(name for name, account in accounts.items() if self._accounts.get(name) != account)
        return found if self.reloads or (self.running and not found) else tuple(accounts)

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
        """Have the relay run for these accounts, and return when it waits for bearerbox; see `touched_by`.

        Accounts that end, or the relay itself, wait for the answers that are to come. Raises HostError where a port is
        taken, GatewayError where it does not start or refuses; then it goes on with those it had.
        """
        if not accounts:
            await self.stop()
            self._accounts = {}
            self._ports.keep(set())
            with contextlib.suppress(OSError):
                self._file.unlink()  # or a plan would find accounts in it
            return
        if self.running and accounts == self._accounts:
            return
        if self.running and not self.reloads:
            await self.look()  # it may just have been adopted
        former, touched = self._accounts, self.touched_by(accounts)
        self._busy = True
        try:
            if self.reloads and await self._reload(accounts):
                return
            if not touched:
                self._accounts = dict(accounts)
                self._write()
                return
            new = _ports(accounts) - _ports(former)
            self._ports.listen(new)  # first: where one is taken, nothing is stopped for it
            await self._stop()
            self._accounts = dict(accounts)
            await self._start()
        except BaseException:
            self._accounts = former  # for which it is started again
            raise
        finally:
            self._busy = False
            self._start_at = None

    async def _reload(self, accounts: Mapping[str, Settings]) -> bool:
        """Have the relay that runs take these accounts; return False where it does not answer.

        Raises HostError where a port is taken, GatewayError where it refuses; then it goes on with those it had.
        """
        former = self._accounts
        self._ports.free_or_raise(_ports(accounts) - _ports(former))
        self._accounts = dict(accounts)
        try:
            self._write()
            await ask(self._folder, {"do": "reload"}, _RELOAD_SECONDS)
        except GatewayError:
            self._accounts = former
            self._write()
            if not await self.look():
                return False
            with contextlib.suppress(GatewayError):
                await ask(self._folder, {"do": "reload"}, _RELOAD_SECONDS)  # what it has taken on of them it lets go
            raise
        self._ports.keep(_ports(accounts))
        self._to_hold = True
        await self.look()
        return True

    async def keep(self, now: float) -> None:
        """Start it again where it ended, take note of what it says, and ask it how it stands when it is time."""
        if not self._accounts or self._busy:
            return
        self._read_log()
        if self.running:
            if now >= self._ask_at and (self._asking is None or self._asking.done()):
                self._ask_at = now + _ASK_EVERY
                self._asking = asyncio.create_task(self._watch())
            return
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
        self._ports.keep(set())
        if self._tail is not None:
            self._tail.close()

    # -- asked

    async def look(self) -> bool:
        """Ask it how its accounts stand, and tell a new process what it is held to; return whether it answers."""
        try:
            if self._to_hold:
                for account, rate in self._holds().items():
                    if account in self._accounts:
                        await ask(self._folder, {"do": "rate", "account": account, "rate": rate})
                self._to_hold = False
            self._said_last = await said(self._folder, self._accounts, min(ANSWERS_WITHIN, self._patience / 6))
        except GatewayError:
            self._said_last = Said()  # a moment after its start, or before its end
            return False
        return True

    async def _watch(self) -> None:
        """Look how it stands, and see after it where it is silent for long."""
        clock, process = asyncio.get_running_loop().time, self.process
        asked = clock()
        if await self.look():
            if self._silence.heard():
                self._told.say("answers", "the relay answers again", box=self.name)
            return
        if process is None or not self.running or self._busy or asked - self._since < self._patience:
            return  # one that was started just now is waited for as long
        self._silence.unheard(asked)
        try:
            await self._see_after(process, clock())
        except HostError as error:  # it is another user's
            self._told.say("warning", f"the relay does not answer, and cannot be ended: {error.message}")

    async def _see_after(self, process: ProcessId, now: float) -> None:
        whom = f"the relay (pid {process.pid})"
        match self._silence.due(now, stopped=processes.stopped(process)):
            case "tell":
                self._told.say("silent", f"{whom} does not answer", box=self.name)
            case "continue":
                self._told.say("silent", f"{whom} was stopped by a signal: it is let go on (SIGCONT)", box=self.name)
                processes.send_signal(process, signal.SIGCONT)
            case "end":
                self._told.say("silent", f"{whom} does not answer: it is ended, and started again", box=self.name)
                await processes.end(process, self._patience * _LEAVES_WITHIN)  # `keep` finds it gone

    async def hold(self, account: str, rate: float | None) -> None:
        """Have it let no more than so many submits per second of an account's unit leave, or as many as it learns.

        Raises GatewayError.
        """
        await ask(self._folder, {"do": "rate", "account": account, "rate": rate})
        await self.look()

    async def move(self, account: str, to: str, *, force: bool) -> int:
        """Have it go to the other host of an account when every answer is there; return how many did not come.

        Raises GatewayError where it does not.
        """
        # for the answers, and then for the provider to take leave
        seconds = float(self._accounts[account]["wait_ack"]) + _STOP_SECONDS
        request = {"do": "move", "account": account, "to": to, "force": force}
        done = await ask(self._folder, request, seconds)
        await self.look()
        return int(done["unanswered"])

    # -- the process

    async def _start(self) -> None:
        self._launch()
        clock = asyncio.get_running_loop().time
        deadline = clock() + _READY_SECONDS
        while True:
            try:
                self._said_last = await said(self._folder, self._accounts)
                break
            except GatewayError as error:
                if not self.running:
                    ended = self._ended()
                    self._forget()
                    raise GatewayError(f"the relay {ended}", f"see {self._folder / OUT}") from error
                if clock() >= deadline:
                    raise
            await asyncio.sleep(_TICK)
        await self.look()

    def _launch(self) -> None:
        """Write its settings and start it. Raises HostError or GatewayError."""
        make_folder(self._folder)
        ports = _ports(self._accounts)
        self._ports.keep(ports)
        self._ports.listen(ports)
        descriptors = self._write()
        self._child = launch(self._folder, self._file, descriptors)
        self.process = processes.current(self._child.pid)
        self._since = asyncio.get_running_loop().time()
        self._to_hold = True
        self._told.keep(self.name, self.process)
        if self.process is None:
            raise GatewayError(f"the relay {self._ended()}", f"see {self._folder / OUT}")
        self._follow()
        self._told.say("started", f"relay started (pid {self.process.pid})", pid=self.process.pid)

    def _write(self) -> tuple[int, ...]:
        """Write its settings, and return the sockets in them. Raises HostError."""
        descriptors = self._ports.descriptors
        write_whole(self._file, relay_file(self._folder, self._accounts, descriptors), 0o600)
        return tuple(descriptors.values())

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
        self._said_last = Said()
        self._silence.heard()
        if self.process is not None:
            self._told.keep(self.name, None)
        self.process = None

    # -- what it says

    def _ended(self) -> str:
        return how_ended(self._folder, self._child.poll() if self._child is not None else None)

    def _follow(self) -> None:
        if self._tail is None:
            self._tail = Tail(self._folder / LOG, from_end=True)

    def _read_log(self) -> None:
        if self._tail is None:
            return
        with contextlib.suppress(HostError):  # what it says is told again with what it does next
            for text in self._tail.texts():
                for line in text.splitlines():
                    self._said(line)

    def _said(self, line: bytes) -> None:
        try:
            told = json.loads(line)
            account, text = str(told["account"]), str(told["text"])[:MOST_SAID]
            move = {name: value for name, value in dict(told.get("move") or {}).items() if name in _OF_A_MOVE}
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return  # what a killed relay left half written
        if move:
            self._told.tell("failover", f"{account}: {text}", account, **move)
        elif account and "port" not in told:
            self._told.tell("relay", f"{account}: {text}", account)


def _ports(accounts: Mapping[str, Settings]) -> Set[int]:
    return {port_of(account) for account in accounts.values()}

"""The steps that leave this machine: names, connections, TLS, binds; each host once, all of them at a time."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncGenerator, Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from types import TracebackType
from typing import Literal

from kannelkit.doctor import certificates, live, look, provider
from kannelkit.doctor.hosts import Hosts
from kannelkit.doctor.threads import aside
from kannelkit.doctor.values import Result
from kannelkit.host.bind import Login
from kannelkit.host.reach import Address
from kannelkit.lint.subject import UNKNOWN
from kannelkit.providers import PROFILES
from kannelkit.render import Account, Side, accounts
from kannelkit.smpp.constants import CommandId
from kannelkit.spec import SmppAccount, Spec
from kannelkit.spec.numbers import whole
from kannelkit.supervise.places import login, place
from kannelkit.supervise.views import Overview

# one look at the most, less where the whole has little time: a host may cost a name, a connection, TLS and a bind
_PATIENCE, _PART = 5.0, 6
_LOOK_SECONDS = 5.0

# auto: where it cannot close a live one; the others as asked for
Binds = Literal["auto", "always", "never"]


@dataclass(frozen=True, slots=True)
class _Target:
    """One account at one of its hosts."""

    account: SmppAccount
    bind: provider.Bind
    login: Login
    command: CommandId

    @property
    def address(self) -> Address:
        return self.bind.address


class Network:
    """Visits the hosts of a spec's accounts, while it is entered, within so many seconds."""

    def __init__(self, spec: Spec | None, binds: Binds, seconds: float) -> None:
        self._spec = spec
        self._binds = binds
        self._clock = asyncio.get_running_loop().time
        self._end = self._clock() + seconds
        self._targets = tuple(_targets(spec)) if spec else ()
        authorities = spec.core.get("ssl-trusted-ca-file") if spec else None
        trusted = spec.path.parent / authorities if spec and authorities else None
        self._only: Collection[str] = ()
        self._hosts = Hosts(min(_PATIENCE, seconds / _PART), trusted)

    async def __aenter__(self) -> Network:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._hosts.end()

    def set_out(self, only: Collection[str]) -> None:
        """Begin what the wanted steps need and no decision stands before: names, connections, handshakes."""
        for target in self._targets:
            if not {"dns", "connect", "tls", "bind"}.isdisjoint(only):
                self._hosts.names(target.address.host)
            if not {"connect", "tls", "bind"}.isdisjoint(only):
                self._hosts.visits(target.address)
            if target.address.tls and not {"tls", "bind"}.isdisjoint(only):
                self._hosts.handshake(target.address)

    async def results(
        self, only: Collection[str], seen: Overview | None, begun: Callable[[str], None]
    ) -> AsyncGenerator[Result]:
        """Yield what the wanted steps found; `seen` is how the gateway stands, None where that is not known."""
        self._only = only
        of = {target.address: target.bind.provider for target in reversed(self._targets)}
        binds = self._begun_binds(seen) if "bind" in only else []
        if "dns" in only:
            for host, address in {address.host: address for address in reversed(of)}.items():
                begun(f"dns {host}")
                yield await self._ended("dns", host, self._hosts.keep(self._dns(host, of[address])))
        if "connect" in only:
            for address in {(str(address), address.source): address for address in reversed(of)}.values():
                begun(f"connect {address}")
                yield await self._ended("connect", address.host, self._hosts.keep(self._connect(address, of[address])))
        if "tls" in only:
            encrypted = [address for address in reversed(of) if address.tls]
            for address in encrypted:
                begun(f"tls {address}")
                yield await self._ended("tls", address.host, self._hosts.keep(self._tls(address, of[address])))
            if of and not encrypted:
                yield Result("tls", "ok", "no account uses it: logins and messages are sent in the clear")
        for target, bind in zip(self._targets, binds, strict=False):
            begun(f"bind {target.address}")
            yield await self._ended("bind", target.address.host, bind)

    async def _ended(self, step: str, host: str, work: asyncio.Task[Result]) -> Result:
        """Return the result, or that there was no time left."""
        begun = self._clock()
        await asyncio.wait([work], timeout=max(0.0, self._end - begun))  # what others wait for, too, goes on
        if work.done():
            result = work.result()
        else:
            result = Result(step, "skipped", f"{host}: no time was left", "--timeout gives more", host=host)
        return dataclasses.replace(result, seconds=result.seconds or self._clock() - begun)

    def _hindered(self, step: str, by: str, why: str, host: str, account: str = "") -> Result:
        """Return that a step could not be tried; that is a failure where the step that failed is not shown."""
        return Result(step, "skipped" if by in self._only else "failed", why, account=account, host=host)

    async def _dns(self, host: str, of: str) -> Result:
        return provider.dns(host, await self._hosts.names(host), of)

    async def _connect(self, address: Address, of: str) -> Result:
        visits = await self._hosts.visits(address)
        if not visits:
            return self._hindered("connect", "dns", f"{address}: the host has no IPv4 address", address.host)
        return provider.connect(address, visits, of)

    async def _tls(self, address: Address, of: str) -> Result:
        visits = await self._hosts.visits(address)
        if all(visit.trouble for visit in visits.values()):
            return self._hindered("tls", "connect", f"{address}: the host takes no connection", address.host)
        seen, handshake = await self._hosts.handshake(address)
        if handshake is None:
            return provider.no_tls(address, seen, of)
        relayed = any(each.account.relayed is not None for each in self._targets if each.address == address)
        return certificates.hosts(address.host, address.port, handshake, datetime.now(UTC), relayed=relayed)

    def _begun_binds(self, seen: Overview | None) -> list[asyncio.Task[Result]]:
        """Begin the binds; those of one login one after the other, as a provider may allow one alone."""
        turns = {target.login.system_id: asyncio.Lock() for target in self._targets}
        return [self._hosts.keep(self._bind(target, turns[target.login.system_id], seen)) for target in self._targets]

    async def _bind(self, target: _Target, turn: asyncio.Lock, seen: Overview | None) -> Result:
        bind = target.bind
        where = f"{bind.account} at the {bind.side}, {bind.address}"

        def left_out(why: str, advice: str = "") -> Result:
            return Result("bind", "skipped", f"{where}: {why}", advice, bind.account, bind.address.host)

        if self._binds == "never":
            return left_out("as --no-bind says")
        if UNKNOWN.encode() in (target.login.password, target.login.system_id):
            return left_out("its login or password is not at hand")
        visits = await self._hosts.visits(bind.address)
        if all(visit.trouble for visit in visits.values()):
            return self._hindered(
                "bind", "connect", f"{where}: the host takes no connection", bind.address.host, bind.account
            )
        if bind.address.tls and (await self._hosts.handshake(bind.address))[1] is None:
            return self._hindered(
                "bind", "tls", f"{where}: there is no TLS with the host", bind.address.host, bind.account
            )
        async with turn:
            try:
                why = await self._endangered(target, seen) if self._binds == "auto" else ""
            except TimeoutError:
                why = "this machine does not say in time who is connected"
            if why:
                return left_out(why, provider.UNSAFE_ADVICE)
            begun = self._clock()
            answer = await self._hosts.bind(bind.address, target.login, target.command)
        if answer.status is None and not bind.address.tls and not answer.tls:
            encrypted = dataclasses.replace(bind.address, tls=True)
            answer = dataclasses.replace(answer, tls=(await self._hosts.handshake(encrypted))[1] is not None)
        return dataclasses.replace(provider.bound(bind, answer), seconds=self._clock() - begun)

    async def _endangered(self, target: _Target, seen: Overview | None) -> str:
        """Return why a bind may close a live one, "" where it cannot."""
        connected = await self._hosts.once("connected", lambda: aside(look.connected, _LOOK_SECONDS))
        there = [connected[peer] for peer in await self._peers(target.login.system_id) if peer in connected]
        every = [each.account for each in self._targets]
        return live.endangered(target.account, every, seen, there[0] if there else "")

    async def _peers(self, system_id: bytes) -> Sequence[tuple[str, int]]:
        """Return the addresses at which a login is bound when it is."""
        alike = [each.address for each in self._targets if each.login.system_id == system_id]
        return [(ip, each.port) for each in alike for ip in (await self._hosts.names(each.host)).ipv4]


def _targets(spec: Spec) -> Iterator[_Target]:
    for of_spec, account in zip(spec.smpp_accounts, accounts(spec), strict=True):
        logs_in = login(spec, account)
        for side in _sides(of_spec):
            yield from _at(spec, of_spec, account, side, logs_in)


def _sides(account: SmppAccount) -> tuple[Side, ...]:
    return ("primary", "backup") if account.backup_host else ("primary",)


def _at(spec: Spec, of_spec: SmppAccount, account: Account, side: Side, logs_in: Login) -> Iterator[_Target]:
    address = place(spec, account, side)
    # a receiver would be sent receipts, which nobody here can take
    command, kind = CommandId.BIND_TRANSMITTER, "transmitter"
    if not address.port:
        port = whole(of_spec.group.get("receive-port") or "") or 0
        address, command, kind = dataclasses.replace(address, port=port), CommandId.BIND_RECEIVER, "receiver"
    if address.host and address.port:
        bind = provider.Bind(account.smsc_id, side, address, kind, logs_in.interface_version, _provider(of_spec))
        yield _Target(of_spec, bind, logs_in, command)


def _provider(account: SmppAccount) -> str:
    """Return the name of the account's provider, "" where it is none that is known."""
    return account.provider or next((each.name for each in PROFILES.values() if account.host in each.hosts), "")

"""Visits to providers' hosts: each name, address and handshake once, a bounded number at a time."""

from __future__ import annotations

import asyncio
import dataclasses
import socket
import ssl
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from typing import Any, TypeVar

from kannelkit.doctor.certificates import Handshake
from kannelkit.doctor.provider import Names
from kannelkit.doctor.threads import aside
from kannelkit.host.bind import Answer, Login, bind
from kannelkit.host.reach import Address, Visit, ipv4_addresses, ipv6_addresses, unverified, visit
from kannelkit.smpp.constants import CommandId

_AT_ONCE = 16
_MOST_ADDRESSES = 8

T = TypeVar("T")


class Hosts:
    """Looks at hosts; every single look takes at most `patience` seconds. Tasks of what was asked for are kept."""

    def __init__(self, patience: float, authorities: Path | None) -> None:
        self._patience = patience
        self._authorities = authorities
        self._room = asyncio.Semaphore(_AT_ONCE)
        self._tasks: dict[object, asyncio.Task[Any]] = {}

    def names(self, host: str) -> asyncio.Task[Names]:
        """Return the task that looks up a host."""
        return self.once(("names", host), lambda: self._names(host))

    def visits(self, address: Address) -> asyncio.Task[Mapping[str, Visit]]:
        """Return the task that connects to each IPv4 address of a host, without TLS."""
        plain = dataclasses.replace(address, tls=False, certificate=None)
        return self.once(("visits", plain), lambda: self._visits(plain))

    def handshake(self, address: Address) -> asyncio.Task[tuple[Visit, Handshake | None]]:
        """Return the task that speaks TLS with a host, at the first of its addresses that takes a connection."""
        return self.once(("tls", address), lambda: self._handshake(address))

    async def bind(self, address: Address, login: Login, command: CommandId) -> Answer:
        """Bind at the first address that takes a connection."""
        at = await self._reachable(address)
        if at is None:
            return Answer(None, "no connection")
        async with self._room:
            return await bind(at, login, command, self._patience)

    def keep(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Begin something that is broken off with the rest."""
        task = asyncio.create_task(work)
        self._tasks[task] = task
        return task

    async def end(self) -> None:
        """Break off what is under way."""
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    def once(self, key: object, work: Callable[[], Coroutine[Any, Any, T]]) -> asyncio.Task[T]:
        """Return the task that does something, the same one for the same key."""
        if key not in self._tasks:
            self._tasks[key] = asyncio.create_task(work())
        return self._tasks[key]

    async def _names(self, host: str) -> Names:
        try:
            async with self._room:
                ipv4 = await aside(lambda: ipv4_addresses(host), self._patience)
            return Names(ipv4, await self._ipv6(host))
        except TimeoutError:
            return Names(why=f"no answer from the name server within {self._patience:g} s")
        except socket.gaierror as error:
            return Names(ipv6=await self._ipv6(host), why=_words(error))
        except (OSError, ValueError):
            return Names(why="this can be no host's name")

    async def _ipv6(self, host: str) -> tuple[str, ...]:
        try:
            return await aside(lambda: ipv6_addresses(host), self._patience)
        except (OSError, ValueError):  # TimeoutError is an OSError, too
            return ()

    async def _visits(self, address: Address) -> Mapping[str, Visit]:
        found = (await self.names(address.host)).ipv4[:_MOST_ADDRESSES]
        seen = await asyncio.gather(*(self._visit(dataclasses.replace(address, host=ip)) for ip in found))
        return dict(zip(found, seen, strict=True))

    async def _visit(self, address: Address) -> Visit:
        async with self._room:
            return await visit(address, self._patience)

    async def _reachable(self, address: Address) -> Address | None:
        visits = await self.visits(address)
        return next((dataclasses.replace(address, host=ip) for ip, seen in visits.items() if not seen.trouble), None)

    async def _handshake(self, address: Address) -> tuple[Visit, Handshake | None]:
        at = await self._reachable(address)
        if at is None:
            return Visit("other", "no connection"), None
        seen = await self._visit(at)
        if seen.trouble:
            return seen, None
        from kannelkit.certs.inspect import inspect  # cryptography, which only TLS needs

        doubt: str | None
        try:
            async with self._room:
                doubt = await unverified(at, self._authorities, self._patience)
        except (OSError, ValueError):
            doubt = "a second handshake failed"
        shown = inspect(ssl.DER_cert_to_PEM_cert(seen.certificate).encode()).certificates
        return seen, Handshake(seen.tls, shown[0] if shown else None, doubt, checked=self._authorities is not None)


def _words(error: socket.gaierror) -> str:
    if error.errno == socket.EAI_AGAIN:
        return "no name server answers"
    if error.errno in (socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)):
        return "the name is not known, or has no IPv4 address"
    return error.strerror or "the name is not known"

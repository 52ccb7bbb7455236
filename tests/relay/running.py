"""A relay in the test's own event loop, and an account of it that leads to an SMSC on this machine."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from kannelkit.host.reach import Address
from kannelkit.relay.process import Relay
from kannelkit.relay.settings import Login, RelayAccount, RelaySettings, read
from tests.simulator.esme import Esme

NAME = "acc"
PASSWORD = b"f0rtress"


def account(*ports: int, **changes: Any) -> RelayAccount:
    """Return an account whose hosts listen on these ports of this machine."""
    hosts = tuple(Address("127.0.0.1", port) for port in ports)
    usual = RelayAccount(
        NAME, NAME.encode(), PASSWORD, hosts, Login(b"test", b"test"), unit=NAME, after=1.0, back_after=3.0
    )
    return replace(usual, **changes)


@asynccontextmanager
async def running(
    folder: Path, *accounts: RelayAccount, said: list[str] | None = None, file: Path | None = None
) -> AsyncIterator[Relay]:
    """Run a relay until the block ends; what it tells is appended to `said`, and `file` is what it reads anew."""
    told: list[str] = [] if said is None else said

    def tell(account: str, text: str, **more: object) -> None:
        told.append(text)

    relay = Relay(RelaySettings(folder, accounts), tell, None if file is None else lambda: read(file))
    await relay.start()
    try:
        yield relay
    finally:
        await relay.stop()


@asynccontextmanager
async def bound(relay: Relay, name: str = NAME) -> AsyncIterator[Esme]:
    """Bind to the relay as bearerbox does."""
    async with Esme(relay.ports[name]) as esme:
        answer = await esme.bind(name.encode(), PASSWORD)
        assert answer.command_status == 0
        yield esme

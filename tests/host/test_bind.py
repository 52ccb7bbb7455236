"""Binds that are tried: what each answer is, and that nothing stays behind."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from kannelkit.host.bind import Login, try_bind
from kannelkit.host.reach import Address
from kannelkit.simulator import AccountRules, Behaviour, Simulator

LOGIN = Login(b"bench", b"secret", b"", 0x34, transceiver=True)


@pytest.mark.parametrize(
    ("login", "status"),
    [
        (LOGIN, 0),
        (dataclasses.replace(LOGIN, transceiver=False), 0),
        (dataclasses.replace(LOGIN, password=b"wrong"), 0x0E),
    ],
)
async def test_an_answer_is_returned_and_no_bind_stays(login: Login, status: int) -> None:
    async with Simulator([AccountRules("bench", "secret", None)], Behaviour()) as smsc:
        for _ in range(3):
            assert await try_bind(Address("127.0.0.1", smsc.port), login) == status


Peer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def says_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()
    writer.close()


async def closes(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.close()


async def speaks_otherwise(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"220 mail.test ESMTP\r\n" * 100)
    await reader.read()
    writer.close()


async def takes_the_bind_and_no_unbind(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readexactly(16)
    writer.write(bytes.fromhex("0000001180000009000000000000000100"))
    await reader.read()
    writer.close()


@asynccontextmanager
async def peer(behaviour: Peer) -> AsyncIterator[Address]:
    async with await asyncio.start_server(behaviour, "127.0.0.1", 0) as server:
        yield Address("127.0.0.1", server.sockets[0].getsockname()[1])


@pytest.mark.parametrize(
    ("behaviour", "status"),
    [(says_nothing, None), (closes, None), (speaks_otherwise, None), (takes_the_bind_and_no_unbind, 0)],
)
async def test_what_is_no_smsc_has_no_answer(behaviour: Peer, status: int | None) -> None:
    async with peer(behaviour) as address:
        assert await try_bind(address, LOGIN, seconds=0.3) == status


async def test_nobody_listens() -> None:
    async with peer(closes) as address:
        pass
    assert await try_bind(address, LOGIN) is None


def test_the_password_is_not_shown() -> None:
    assert "secret" not in repr(LOGIN)

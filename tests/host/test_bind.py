"""Binds that are tried: what each answer is, and that nothing stays behind."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import pytest

from kannelkit.host.bind import Answer, Login, bind, try_bind
from kannelkit.host.reach import Address
from kannelkit.simulator import AccountRules, Behaviour, Simulator
from kannelkit.smpp.constants import CommandId
from tests.harness.ports import closed_port

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
            assert await try_bind(Address("127.0.0.1", smsc.port), login, seconds=PATIENCE) == status


PATIENCE = 60.0  # seconds for what comes; a busy machine may take its time


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
    ("behaviour", "status", "seconds"),
    [
        (says_nothing, None, 0.3),
        (closes, None, PATIENCE),
        (speaks_otherwise, None, PATIENCE),
        (takes_the_bind_and_no_unbind, 0, PATIENCE),
    ],
)
async def test_what_is_no_smsc_has_no_answer(behaviour: Peer, status: int | None, seconds: float) -> None:
    async with peer(behaviour) as address:
        assert await try_bind(address, LOGIN, seconds=seconds) == status


async def test_nobody_listens() -> None:
    with closed_port() as port:
        assert await try_bind(Address("127.0.0.1", port), LOGIN) is None


@pytest.mark.parametrize("command", [CommandId.BIND_TRANSMITTER, CommandId.BIND_RECEIVER, CommandId.BIND_TRANSCEIVER])
async def test_the_answer_is_told_whole(command: CommandId) -> None:
    async with Simulator([AccountRules("bench", "secret", None)], Behaviour()) as smsc:
        answer = await bind(Address("127.0.0.1", smsc.port), LOGIN, command, seconds=PATIENCE)
    assert answer.status == 0
    assert answer.why == ""
    assert answer.system_id
    assert answer.interface_version == 0x34


def saying(octets: bytes, *, first: bool = False) -> Peer:
    """Return a peer that says this, as an answer or before it is spoken to."""

    async def says(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not first:
            await reader.read(4096)
        writer.write(octets)
        await reader.read()
        writer.close()

    return says


async def gives_back(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Show the bind in an answer of another kind, as a web server's page of an error may."""
    octets = await reader.read(4096)
    writer.write(b"400 " + octets.replace(b"\0", b" "))
    writer.close()


async def never_ends(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Send one request of the SMSC's own after the other."""
    with suppress(ConnectionError):
        while True:
            writer.write(bytes.fromhex("00000010000000150000000000000001") * 100)
            await writer.drain()
    writer.close()


RESPONSE = "80000002"  # bind_transmitter_resp


@pytest.mark.parametrize(
    ("behaviour", "expected"),
    [
        (says_nothing, Answer(None, "no answer within 0.5 s")),
        (closes, Answer(None, "the connection was closed without an answer")),
        (speaks_otherwise, Answer(None, "the answer is no SMPP: '220 mail.test ESMTP'")),
        (saying(b"220 mail.test ESMTP\r\n", first=True), Answer(None, "the answer is no SMPP: '220 mail.test ESMTP'")),
        (saying(b"\x15\x03\x01\0\x02\x02\x28"), Answer(None, "the answer is an alert of TLS", tls=True)),
        (saying(b"\xff\xff\xff\xff\x1b[2J"), Answer(None, "the answer is no SMPP")),
        (gives_back, Answer(None, "the answer is no SMPP")),
        (never_ends, Answer(None, "no answer within 0.5 s")),
        # a body that is none: the header says what counts
        (saying(bytes.fromhex(f"00000014{RESPONSE}0000000d00000001ffffffff")), Answer(0x0D)),
        (saying(bytes.fromhex("00000010800000000000000300000001")), Answer(0x03)),
        (
            saying(bytes.fromhex("00000010800000000000000000000001")),
            Answer(None, "the answer is a generic_nack without a status"),
        ),
        # a response to something else is none
        (saying(bytes.fromhex("00000010800000150000000000000001")), Answer(None, "no answer within 0.5 s")),
        # a name that would steer a terminal
        (saying(bytes.fromhex(f"00000016{RESPONSE}0000000000000001411b5b324a00")), Answer(0, system_id="A")),
    ],
)
async def test_whatever_answers_is_told(behaviour: Peer, expected: Answer) -> None:
    seconds = 0.5 if "within 0.5 s" in expected.why else PATIENCE
    async with peer(behaviour) as address:
        assert await bind(address, LOGIN, CommandId.BIND_TRANSMITTER, seconds=seconds) == expected


def test_the_password_is_not_shown() -> None:
    assert "secret" not in repr(LOGIN)

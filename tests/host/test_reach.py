"""What takes a connection, what refuses it, and what only seems to take it."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from kannelkit.host.reach import Address, reach
from tests.harness.pem import write_pem

Behaviour = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def waits(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Wait for a bind, as an SMSC does."""
    await reader.read()
    writer.close()


async def closes(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.close()


async def speaks(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Say something first, as an SMSC with outbind may."""
    writer.write(b"\0")
    await reader.read()
    writer.close()


@asynccontextmanager
async def server(behaviour: Behaviour, pem: Path | None = None) -> AsyncIterator[int]:
    tls = None
    if pem is not None:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(pem)
    running = await asyncio.start_server(behaviour, "127.0.0.1", 0, ssl=tls)
    async with running:
        yield running.sockets[0].getsockname()[1]


@pytest.mark.parametrize(
    ("behaviour", "answer"), [(waits, None), (speaks, None), (closes, "the connection is closed at once")]
)
async def test_a_host_that_listens(behaviour: Behaviour, answer: str | None) -> None:
    async with server(behaviour) as port:
        assert await reach(Address("127.0.0.1", port)) == answer
        assert await reach(Address("127.0.0.1", port, source="127.0.0.1")) == answer


async def test_tls_is_tried_where_the_link_uses_it(tmp_path: Path) -> None:
    pem = write_pem(tmp_path / "smsc.pem")
    async with server(waits, pem) as port:
        assert await reach(Address("127.0.0.1", port, tls=True)) is None
        assert await reach(Address("127.0.0.1", port, tls=True, certificate=pem)) is None
        assert await reach(Address("127.0.0.1", port, tls=True, certificate=tmp_path / "none.pem")) is None
    async with server(speaks) as port:
        answer = await reach(Address("127.0.0.1", port, tls=True), seconds=1.0)
        assert answer is not None
        assert answer.startswith("no ")


async def test_nobody_listens() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and does not listen
        assert await reach(Address("127.0.0.1", taken.getsockname()[1])) == "Connection refused"


async def test_a_queue_that_is_full_is_no_connection() -> None:
    """As with a host that drops what it is sent."""
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        port = full.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)):
            assert await reach(Address("127.0.0.1", port), seconds=0.3) == "no connection within 0.3 s"


@pytest.mark.parametrize("host", ["no-such-host.invalid", "a" * 300, "\u0000", ""])
async def test_a_name_that_is_none(host: str) -> None:
    assert await reach(Address(host, 1)) is not None

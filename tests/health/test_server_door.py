"""Connections to the health daemon: bounded in number, time and octets, and whoever asks at once is answered."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from kannelkit.health.server import tls
from kannelkit.health.server_door import MOST_OCTETS, Door
from tests.harness.pem import write_pem

PATIENCE = 60.0
NEVER = 3600.0
MEGABYTES = bytes(40_000_000)
Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Answers(asyncio.Protocol):
    """A request is a line; the answer is the same line, or more than anybody takes at once."""

    def __init__(self) -> None:
        self.door: Door | None = None
        self.request = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.request += data
        if self.request.endswith(b"\n"):
            assert self.door is not None
            self.door.asked(self.transport, lasting=self.request == b"lasting\n")
            self.transport.write(MEGABYTES if self.request == b"much\n" else self.request)


@asynccontextmanager
async def serving(
    most: int = 5, asking: float = NEVER, taking: float = NEVER, context: ssl.SSLContext | None = None
) -> AsyncIterator[int]:
    def answering() -> Answers:
        one = Answers()
        one.door = door
        return one

    door = Door(answering, context, most=most, asking=asking, taking=taking)
    server = await asyncio.get_running_loop().create_server(door, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        door.close()


async def connect(port: int, clients: AsyncExitStack, context: ssl.SSLContext | None = None) -> Connection:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
    clients.callback(writer.close)
    return reader, writer


async def ask(client: Connection, request: bytes = b"who\n") -> bytes:
    """Return what comes back, b"" where the connection is ended."""
    reader, writer = client
    writer.write(request)
    try:
        async with asyncio.timeout(PATIENCE):
            return await reader.readline()
    except ConnectionError:
        return b""


async def ended(client: Connection) -> bool:
    try:
        async with asyncio.timeout(PATIENCE):
            while await client[0].read(65_536):
                pass
    except ConnectionError:
        pass
    return True


async def test_who_has_waited_longest_without_asking_makes_room() -> None:
    async with serving(most=5) as port, AsyncExitStack() as clients:
        asked = await connect(port, clients)
        assert await ask(asked) == b"who\n"
        silent = [await connect(port, clients) for _ in range(4)]
        for oldest in silent:
            assert await ask(await connect(port, clients)) == b"who\n"
            assert await ended(oldest)
        asked[1].write(b"again\n")
        assert await asked[0].readline() == b"who\n"  # the answer to it holds the first line, too


async def test_where_all_have_asked_nobody_more_is_let_in() -> None:
    async with serving(most=2) as port, AsyncExitStack() as clients:
        first, second = [await connect(port, clients) for _ in range(2)]
        assert [await ask(first), await ask(second)] == [b"who\n"] * 2
        assert await ask(await connect(port, clients)) == b""
        first[1].close()
        await first[1].wait_closed()
        async with asyncio.timeout(PATIENCE):
            while await ask(await connect(port, clients)) != b"who\n":
                pass


async def test_a_client_that_does_not_come_to_the_end_of_its_request_is_ended() -> None:
    async with serving(asking=0.1) as port, AsyncExitStack() as clients:
        client = await connect(port, clients)
        client[1].write(b"w")
        assert await ended(client)


@pytest.mark.parametrize("request_", [b"who\n", b"much\n"], ids=["idle", "slow"])
async def test_a_client_that_does_not_take_its_answer_or_keeps_the_connection_is_ended(request_: bytes) -> None:
    async with serving(taking=0.1) as port, AsyncExitStack() as clients:
        client = await connect(port, clients)
        client[1].write(request_)
        assert await ended(client)


async def test_an_answer_without_an_end_has_its_time() -> None:
    async with serving(asking=0.1, taking=0.1) as port, AsyncExitStack() as clients:
        lasting = await connect(port, clients)
        while await ask(lasting, b"lasting\n") != b"lasting\n":  # ended before it could ask, on a busy machine
            lasting = await connect(port, clients)
        for _ in range(2):
            assert await ended(await connect(port, clients))
        lasting[1].write(b"\n")
        assert await lasting[0].readline() == b"lasting\n"


async def test_a_request_that_is_too_long_is_none() -> None:
    async with serving() as port, AsyncExitStack() as clients:
        assert await ask(await connect(port, clients), bytes(MOST_OCTETS) + b"\n") == b""


async def test_tls_is_greeted_within_the_same_bounds(tmp_path: Path) -> None:
    trusting = ssl.create_default_context()
    trusting.check_hostname = False
    trusting.verify_mode = ssl.CERT_NONE
    context = tls(write_pem(tmp_path / "health.pem"))
    async with serving(most=3, context=context) as port, AsyncExitStack() as clients:
        silent = [await connect(port, clients) for _ in range(3)]  # which do not even begin with TLS
        assert await ask(await connect(port, clients, trusting)) == b"who\n"
        assert await ended(silent[0])
        assert await ask(await connect(port, clients), b"GET / HTTP/1.1\r\n\r\n") == b""

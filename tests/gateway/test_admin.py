"""Admin against servers that answer wrongly, late, too much or not at all."""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from urllib.parse import parse_qs

import aiohttp
import pytest

from kannelkit.errors import GatewayError
from kannelkit.gateway.admin import Admin
from kannelkit.gateway.status import MOST_OCTETS
from tests.gateway.server import listening, never
from tests.harness.ports import closed_port
from tests.harness.waiting import turn

PASSWORD = "pass&wörd"
WRITTEN = [PASSWORD, "pass%26w", "pass&", "wörd", "w%C3%B6rd"]  # how it could look in a text

Answer = Callable[[bytes, asyncio.StreamWriter], Awaitable[None]]


def http(body: bytes, status: bytes = b"200 OK", headers: bytes = b"") -> bytes:
    return b"HTTP/1.1 %b\r\nContent-Length: %d\r\n%b\r\n%b" % (status, len(body), headers, body)


def server(answer: Answer) -> AbstractAsyncContextManager[int]:
    """Serve one request after another of each connection with `answer(head, writer)`; yield the port."""

    async def exchange(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await answer(await reader.readuntil(b"\r\n\r\n"), writer)

    return listening(exchange)


def always(octets: bytes, close: bool = False) -> Answer:
    async def answer(head: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(octets)
        if close:
            writer.close()

    return answer


async def silence(head: bytes, writer: asyncio.StreamWriter) -> None:
    await never()


def everything_that_is_printed(error: BaseException) -> str:
    """Return the error as a log with a full traceback would show it, and every error that hangs on it visibly."""
    return repr(error) + "".join(traceback.format_exception(error, chain=True))


WRONG = [
    pytest.param(silence, "did not answer within", id="silence"),
    pytest.param(always(b"", close=True), "the connection broke", id="closed"),
    pytest.param(always(b"SSH-2.0-OpenSSH\r\n", close=True), "not HTTP", id="another protocol"),
    pytest.param(always(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\ncut", close=True), "answer is cut", id="cut"),
    pytest.param(always(b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n"), "not HTTP", id="bad length"),
    pytest.param(always(http(b"no", b"404 Not Found")), "HTTP 404", id="not found"),
    pytest.param(always(http(b"", b"302 Found", b"Location: http://127.0.0.1:1/\r\n")), "HTTP 302", id="redirect"),
    pytest.param(always(http(b"Denied")), "denies", id="denied"),
]


@pytest.mark.parametrize(("answer", "words"), WRONG)
async def test_what_is_no_answer_is_an_error_without_the_password(
    answer: Answer, words: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    timeout = 0.2 if answer is silence else 60.0
    async with server(answer) as port, aiohttp.ClientSession() as session:
        admin = Admin(session, port, PASSWORD, command_timeout=timeout)
        with pytest.raises(GatewayError, match=words) as caught:
            await admin.stop_link("acc-1")
    text = everything_that_is_printed(caught.value) + caplog.text
    assert not [written for written in WRITTEN if written in text]
    assert caught.value.hint


async def test_nobody_there_is_an_error_that_says_where() -> None:
    with closed_port() as port:
        async with aiohttp.ClientSession() as session:
            with pytest.raises(GatewayError, match=f"127.0.0.1:{port} cannot be asked: Connection refused"):
                await Admin(session, port, PASSWORD).status()


async def test_an_endless_answer_is_given_up() -> None:
    async def answer(head: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            writer.write(b"x" * 65536)
            await writer.drain()

    async with server(answer) as port, aiohttp.ClientSession() as session:
        with pytest.raises(GatewayError, match=f"more than a gateway's {MOST_OCTETS}"):
            await Admin(session, port, PASSWORD).status()


async def test_requests_come_one_at_a_time_and_a_given_up_one_does_not_block_the_next() -> None:
    under_way = 0
    most = 0
    asked = asyncio.Event()

    async def answer(head: bytes, writer: asyncio.StreamWriter) -> None:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await turn()  # gives another request its turn
        under_way -= 1
        asked.set()
        if b"never" in head:
            await never()
        writer.write(http(b"done"))

    async with server(answer) as port, aiohttp.ClientSession() as session:
        admin = Admin(session, port, PASSWORD)
        given_up = asyncio.create_task(admin.stop_link("never"))
        waiting = [asyncio.create_task(admin.start_link(f"acc-{number}")) for number in range(5)]
        await asked.wait()
        given_up.cancel()
        assert await asyncio.gather(*waiting) == ["done"] * 5
    assert most == 1


async def test_a_command_is_never_sent_twice_by_itself() -> None:
    seen: list[bytes] = []

    async def answer(head: bytes, writer: asyncio.StreamWriter) -> None:
        seen.append(head.split(b" ")[1].partition(b"?")[0])
        if len(seen) == 1:
            writer.write(http(b"done"))  # the connection is kept
        else:
            writer.close()

    async with server(answer) as port, aiohttp.ClientSession() as session:
        admin = Admin(session, port, PASSWORD)
        await admin.stop_link("acc-1")
        with pytest.raises(GatewayError):
            await admin.start_link("acc-1")
    assert seen == [b"/stop-smsc.txt", b"/start-smsc.txt"]


@pytest.mark.parametrize("admin_id", ["acc-1", "a&smsc=b", "a b+c%41", "#?/", "я"])
async def test_an_admin_id_is_one_argument_whatever_is_in_it(admin_id: str) -> None:
    targets: list[str] = []

    async def answer(head: bytes, writer: asyncio.StreamWriter) -> None:
        targets.append(head.split(b" ")[1].decode())
        writer.write(http(b"done"))

    async with server(answer) as port, aiohttp.ClientSession() as session:
        assert await Admin(session, port, PASSWORD).stop_link(admin_id) == "done"
    path, _, query = targets[0].partition("?")
    assert path == "/stop-smsc.txt"
    assert parse_qs(query) == {"password": [PASSWORD], "smsc": [admin_id]}

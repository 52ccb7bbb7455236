"""Messages through smsbox's sendsms, each one different, so that a lost or doubled one shows."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

import aiohttp

from tests.harness.gateway import PASSWORD, USER

SENDER = "bench"
_LENGTH = re.compile(rb"(?i)\r\ncontent-length: *(\d+)")
_KEPT = 30.0  # seconds; smsbox closes a connection that was idle for 60 (HTTP_SERVER_TIMEOUT in gwlib/http.c)


@dataclass(slots=True)
class Sent:
    """What smsbox took for delivery, as the SMSC's keys `destination|text`, and what it did not take."""

    accepted: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)


def message(index: int, series: int = 0) -> tuple[str, str]:
    """Return destination and text of one message of a series."""
    return f"79{series:02d}{index:07d}", f"m{series}-{index}"


async def load(
    sendsms_port: int,
    count: int,
    *,
    speed: float,
    series: int = 0,
    concurrency: int = 16,
    progress: Callable[[int], None] | None = None,
) -> Sent:
    """Send `count` messages at `speed` a second over kept-alive connections and return what became of each.

    A request that fails is reported, not repeated: a repetition could itself double a message.
    """
    sent = Sent()
    loop = asyncio.get_running_loop()
    begin = loop.time()
    indexes = iter(range(count))
    connector = aiohttp.TCPConnector(limit=concurrency)
    async with aiohttp.ClientSession(connector=connector) as session:

        async def worker() -> None:
            for index in indexes:
                wait = begin + index / speed - loop.time()
                if wait > 0:
                    await asyncio.sleep(wait)
                to, text = message(index, series)
                query = {"username": USER, "password": PASSWORD, "from": SENDER, "to": to, "text": text}
                url = f"http://127.0.0.1:{sendsms_port}/cgi-bin/sendsms"
                try:
                    async with session.get(url, params=query) as answer:
                        body = await answer.text()
                except aiohttp.ClientError as error:
                    sent.failed[f"{to}|{text}"] = type(error).__name__
                    continue
                if answer.status == 202:
                    sent.accepted.append(f"{to}|{text}")
                else:
                    sent.failed[f"{to}|{text}"] = f"{answer.status} {body[:80]}"
                if progress is not None:
                    progress(len(sent.accepted))

        await asyncio.gather(*(worker() for _ in range(concurrency)))
    return sent


class Feed:
    """Sends messages over a few connections that are kept, with as little work as can be: `async with Feed(port)`.

    Each message is a request of its own: those of one request with several receivers have one id in common, and a
    spool that keeps one file for an id loses those that are refused and wait for another try.
    """

    def __init__(self, sendsms_port: int, *, concurrency: int = 16) -> None:
        self._port = sendsms_port
        self._concurrency = concurrency
        self._connections: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []
        self._used = float("-inf")

    async def __aenter__(self) -> Self:
        await self._connect()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._disconnect()

    async def _connect(self) -> None:
        for _ in range(self._concurrency):
            self._connections.append(await asyncio.open_connection("127.0.0.1", self._port))
        self._used = asyncio.get_running_loop().time()

    def _disconnect(self) -> None:
        for _, writer in self._connections:
            writer.transport.abort()
        self._connections.clear()

    async def send(self, first: int, count: int, *, series: int = 0) -> None:
        """Send the messages `first` to `first + count - 1` of a series; raise RuntimeError where one is not taken."""
        indexes = iter(range(first, first + count))
        if asyncio.get_running_loop().time() - self._used > _KEPT:
            self._disconnect()
            await self._connect()

        async def worker(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            for index in indexes:
                to, text = message(index, series)
                query = f"username={USER}&password={PASSWORD}&from={SENDER}&to={to}&text={text}"
                writer.write(f"GET /cgi-bin/sendsms?{query} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
                head = await reader.readuntil(b"\r\n\r\n")
                length = _LENGTH.search(head)
                body = await reader.readexactly(int(length[1]) if length else 0)
                if b" 202 " not in head.split(b"\r\n", 1)[0]:
                    raise RuntimeError(f"smsbox does not take a message: {body[:80]!r}")

        async with asyncio.TaskGroup() as group:
            for connection in self._connections[:count]:
                group.create_task(worker(*connection))
        self._used = asyncio.get_running_loop().time()

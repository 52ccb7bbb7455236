"""Messages through smsbox's sendsms, each one different, so that a lost or doubled one shows."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

import aiohttp

from tests.harness.gateway import PASSWORD, USER

SENDER = "bench"


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


_AT_ONCE = 50  # receivers of one request


async def feed(session: aiohttp.ClientSession, sendsms_port: int, first: int, count: int, *, series: int = 0) -> None:
    """Send the messages `first` to `first + count - 1` of a series with as few requests as can be.

    They differ by their receivers. Raises RuntimeError where smsbox does not take them.
    """
    for begin in range(first, first + count, _AT_ONCE):
        indexes = range(begin, min(begin + _AT_ONCE, first + count))
        to = " ".join(message(index, series)[0] for index in indexes)
        query = {"username": USER, "password": PASSWORD, "from": SENDER, "to": to, "text": f"m{series}"}
        async with session.get(f"http://127.0.0.1:{sendsms_port}/cgi-bin/sendsms", params=query) as answer:
            if answer.status != 202:
                raise RuntimeError(f"smsbox does not take messages: {answer.status} {(await answer.text())[:80]}")

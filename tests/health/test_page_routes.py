"""The page's stream of events: all at first, then what changed, for a bounded number of readers, until the end."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from kannelkit.health.page_routes import PageRoutes
from tests.health.pages import AT, GATEWAYS, told

EVERY = 0.02
PATIENCE = 40.0  # aiohttp itself would wait a minute for a reader at the end


class Played:
    """A gateway whose state is set."""

    def __init__(self, name: str = "well") -> None:
        self.becomes(name)

    def becomes(self, name: str) -> None:
        seen = GATEWAYS[name]()
        self.report, self.state = told(seen), seen.overview


@asynccontextmanager
async def serving(played: Played) -> AsyncIterator[tuple[str, web.AppRunner]]:
    routes = PageRoutes(
        lambda: (played.report, 1.0), lambda: played.state, "gateway.yaml", every=EVERY, clock=lambda: AT
    )
    application = web.Application()
    routes.add_to(application)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}", runner
    finally:
        await runner.cleanup()


async def event(answer: aiohttp.ClientResponse) -> Mapping[str, Any]:
    """Return the next event of a stream."""
    async with asyncio.timeout(PATIENCE):
        while not (line := await answer.content.readuntil(b"\n")).startswith(b"data: "):
            pass
    found: Mapping[str, Any] = json.loads(line.removeprefix(b"data: "))
    return found


async def test_a_reader_gets_everything_and_then_what_changes() -> None:
    played = Played()
    async with (
        serving(played) as (url, _),
        aiohttp.ClientSession() as session,
        session.get(f"{url}/events") as answer,
    ):
        assert answer.content_type == "text/event-stream"
        first = await event(answer)
        assert {"headline", "troubles", "facts-0", "plot-0", "links-1", "queue", "decisions"} <= set(first["parts"])
        assert first["cards"] == ["account-0", "account-1"]
        assert (await event(answer))["parts"] == {}
        played.becomes("one-away")
        async with asyncio.timeout(PATIENCE):
            while not (changed := await event(answer))["parts"]:
                pass
        assert "smscru is not sending" in changed["parts"]["headline"]
        assert "certificates" in changed["parts"]
        assert "links-1" not in changed["parts"]


async def test_there_are_no_more_readers_than_can_be_served_and_those_that_go_make_room() -> None:
    async with serving(Played()) as (url, _), aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        async with AsyncExitStack() as readers:
            for _ in range(30):
                answer = await readers.enter_async_context(session.get(f"{url}/events"))
                assert answer.status == 200
            async with session.get(f"{url}/events") as refused:
                assert refused.status == 503
        async with asyncio.timeout(PATIENCE):
            while True:
                async with session.get(f"{url}/events") as answer:
                    if answer.status == 200:
                        break
                await asyncio.sleep(EVERY)


async def test_a_reader_does_not_keep_the_daemon_from_its_end() -> None:
    async with (
        serving(Played()) as (url, runner),
        aiohttp.ClientSession() as session,
        session.get(f"{url}/events") as answer,
    ):
        await event(answer)
        async with asyncio.timeout(PATIENCE):
            await runner.cleanup()


@pytest.mark.parametrize(
    ("path", "kind"), [("/", "text/html"), ("/page.css", "text/css"), ("/page.js", "text/javascript")]
)
async def test_what_it_is_made_of(path: str, kind: str) -> None:
    async with serving(Played()) as (url, _), aiohttp.ClientSession() as session:
        for method in ("GET", "HEAD"):
            async with session.request(method, url + path) as answer:
                assert (answer.status, answer.content_type) == (200, kind)


async def test_a_stream_has_no_head() -> None:
    async with (
        serving(Played()) as (url, _),
        aiohttp.ClientSession() as session,
        session.head(f"{url}/events") as answer,
    ):
        assert answer.status == 405

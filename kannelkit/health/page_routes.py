"""The page for people over HTTP: whole at `/`, and then, as server-sent events, what changes of it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, tzinfo

from aiohttp import web

from kannelkit.health.page import Look, Page, Shown, asset, prepare
from kannelkit.health.values import Report
from kannelkit.supervise.views import Overview

EVENTS = "/events"
_ASSETS = {"/page.css": "text/css", "/page.js": "text/javascript"}
# each of them costs a task and what it was last told
_MOST_READERS = 30
# who does not take an event for so long has gone, or wants to be in the way
_TAKING_SECONDS = 10.0


class PageRoutes:
    """Answers `/`, `/events`, `/page.css` and `/page.js` of an application, and remembers the hour for the plots.

    `seen` returns the last report, unless it is too old, and its age in seconds; `state` how the gateway stands; both
    return at once. `name` is what it is called. A look is taken every `every` seconds.
    """

    def __init__(
        self,
        seen: Callable[[], tuple[Report | None, float | None]],
        state: Callable[[], Overview | None],
        name: str,
        *,
        every: float = 1.0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._seen = seen
        self._state = state
        self._name = name
        self._every = every
        self._clock = clock
        self._page = Page()
        self._noted: float | None = None
        self._readers = 0
        self._ended = False
        self._ready = False
        self._fresh = asyncio.Event()
        self._shown: Shown | None = None

    def add_to(self, application: web.Application) -> None:
        """Add the routes, and what runs with them."""
        application.router.add_get("/", self._whole)
        # a HEAD of an answer without an end would have none either
        application.router.add_get(EVENTS, self._events, allow_head=False)
        for path in _ASSETS:
            application.router.add_get(path, self._asset)
        application.cleanup_ctx.append(self._running)
        application.on_shutdown.append(self._end)

    async def _running(self, application: web.Application) -> AsyncIterator[None]:
        looking = asyncio.create_task(self._run())
        yield
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)

    async def _end(self, application: web.Application) -> None:
        self._ended = True
        self._fresh.set()

    async def _run(self) -> None:
        while True:
            state = self._note()
            if self._readers:
                # one rendering serves all readers, and a reader that is slow misses those between
                self._shown = self._page.shown(self._look(state))
                fresh, self._fresh = self._fresh, asyncio.Event()
                fresh.set()
            await asyncio.sleep(self._every)

    def _note(self) -> Overview | None:
        state = self._state()
        if state is not None and state.at != self._noted:
            self._noted = state.at
            self._page.noted(state)
        return state

    def _look(self, state: Overview | None) -> Look:
        report, age = self._seen()
        now = self._clock()
        return Look(now, _zone(now), self._name, report, age, state)

    async def _whole(self, request: web.Request) -> web.Response:
        await self._prepared()
        look = self._look(self._note())
        return web.Response(text=self._page.shown(look, whole=True).html, content_type="text/html")

    async def _prepared(self) -> None:
        """Have the templates read, once and in nobody's way."""
        if not self._ready:
            await asyncio.to_thread(prepare)
            self._ready = True

    async def _asset(self, request: web.Request) -> web.Response:
        await self._prepared()
        return web.Response(text=asset(request.path[1:]), content_type=_ASSETS[request.path])

    async def _events(self, request: web.Request) -> web.StreamResponse:
        await self._prepared()
        if self._readers >= _MOST_READERS:
            return web.json_response({"error": f"{_MOST_READERS} pages are followed already"}, status=503)
        answer = web.StreamResponse(headers={"Content-Type": "text/event-stream", "X-Accel-Buffering": "no"})
        self._readers += 1
        try:
            await answer.prepare(request)
            await answer.write(b"retry: 2000\n\n")
            sent: dict[str, str] = {}
            while not self._ended:
                await self._fresh.wait()
                shown = self._shown
                if shown is None:
                    continue
                async with asyncio.timeout(_TAKING_SECONDS):
                    await answer.write(f"data: {shown.since(sent)}\n\n".encode())
                sent = dict(shown.parts)
        except ConnectionError:  # the reader went away
            pass
        except TimeoutError:
            if request.transport is not None:
                request.transport.abort()
        finally:
            self._readers -= 1
        return answer


def _zone(now: float) -> tzinfo:
    """Return the time zone of this machine, as it is at `now` (summer time)."""
    return datetime.fromtimestamp(now, UTC).astimezone().tzinfo or UTC

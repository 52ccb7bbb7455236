"""The page for people over HTTP: whole at `/`, and then, as server-sent events, what changes of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from aiohttp import web

from kannelkit.simulator import page_view
from kannelkit.simulator.page import LIMITS, SAID, Chosen, Look, Page, Said, Shown, asset, whole

if TYPE_CHECKING:
    from kannelkit.simulator.handler import Posted
    from kannelkit.simulator.server import Simulator

HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src data:; "
        "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Resource-Policy": "same-origin",
    # with no-referrer a browser would say of the page's own forms that they come from nowhere: Origin: null
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}
_ASSETS = {"/page.css": "text/css", "/page.js": "text/javascript"}
_MOST_READERS = 30  # each of them costs a task and what it was last told


def wants_page(request: web.Request) -> bool:
    """Return whether a browser asks by itself, and so wants HTML."""
    return "text/html" in request.headers.get("Accept", "")


class PageRoutes:
    """Answers `/`, `/events`, `/page.css` and `/page.js` of an application, with a look every `every` seconds.

    `posted` tells how the requests to an HTTP handler's address fared.
    """

    def __init__(self, simulator: Simulator, posted: Callable[[str], Posted], every: float = 1.0) -> None:
        self._simulator = simulator
        self._posted = posted
        self._every = every
        self._page = Page()
        self._ended = False
        self._fresh = asyncio.Event()
        self._shown: dict[Chosen, Shown] = {}
        self._wanted: dict[Chosen, int] = {}

    def add_to(self, application: web.Application) -> None:
        """Add the routes, and what runs with them."""
        application.router.add_get("/", self._whole)
        # a HEAD of an answer without an end would have none either
        application.router.add_get("/events", self._events, allow_head=False)
        for path in _ASSETS:
            application.router.add_get(path, self._asset)
        application.cleanup_ctx.append(self._running)
        application.on_shutdown.append(self._end)

    def refused(self, written: Mapping[str, str], trouble: str) -> web.Response:
        """Return the page that says what is wrong with a form, which keeps what was written."""
        html = whole(self._look(Chosen()), Chosen(), Said(trouble, wrong=True), written)
        return web.Response(text=html, content_type="text/html", status=400)

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
            if self._wanted:
                # one rendering serves all who chose the same, and a reader that is slow misses those between
                self._shown = {chosen: self._page.shown(self._look(chosen)) for chosen in self._wanted}
                fresh, self._fresh = self._fresh, asyncio.Event()
                fresh.set()
            await asyncio.sleep(self._every)

    def _look(self, chosen: Chosen) -> Look:
        simulator = self._simulator
        accounts = [account for login, account in simulator.accounts.items() if chosen.account in ("", login)]
        now = datetime.now().astimezone()
        return Look(
            at=f"{now:%H:%M:%S}",
            zone=f"UTC{now.isoformat()[-6:]}",
            address=page_view.address(simulator),
            accounts=page_view.standings(simulator, self._posted),
            rows=page_view.rows(page_view.newest(accounts, chosen.limit), simulator.clock),
            rules="\n".join(map(str, simulator.outcomes)),
        )

    async def _whole(self, request: web.Request) -> web.Response:
        done = request.query.get("done", "")
        said = Said(SAID[done]) if done in SAID else None
        chosen = self._chosen(request)
        return web.Response(text=whole(self._look(chosen), chosen, said), content_type="text/html")

    async def _asset(self, request: web.Request) -> web.Response:
        return web.Response(text=asset(request.path[1:]), content_type=_ASSETS[request.path])

    async def _events(self, request: web.Request) -> web.StreamResponse:
        if sum(self._wanted.values()) >= _MOST_READERS:
            return web.json_response({"error": f"{_MOST_READERS} pages are followed already"}, status=503)
        chosen = self._chosen(request)
        answer = web.StreamResponse(headers={"Content-Type": "text/event-stream", "X-Accel-Buffering": "no"})
        self._wanted[chosen] = self._wanted.get(chosen, 0) + 1
        try:
            await answer.prepare(request)
            await answer.write(b"retry: 2000\n\n")
            sent: dict[str, str] = {}
            while not self._ended:
                await self._fresh.wait()
                shown = self._shown.get(chosen)
                if shown is not None:
                    await answer.write(f"data: {shown.since(sent)}\n\n".encode())
                    sent = dict(shown.parts)
        except ConnectionError:  # the reader went away
            pass
        finally:
            self._wanted[chosen] -= 1
            if not self._wanted[chosen]:
                del self._wanted[chosen]
        return answer

    def _chosen(self, request: web.Request) -> Chosen:
        """Return what a reader chose; what cannot be chosen is left out."""
        login, limit = request.query.get("account", ""), request.query.get("limit", "")
        return Chosen(
            login if login in self._simulator.accounts else "",
            int(limit) if limit in map(str, LIMITS) else Chosen().limit,
        )

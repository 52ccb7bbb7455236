"""The control port: the counters to read, the limits and troubles to change, over HTTP, for this machine alone."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from aiohttp import web

from kannelkit.errors import HostError
from kannelkit.simulator.limits import Law
from kannelkit.simulator.ports import cannot_listen
from kannelkit.simulator.rules import one_of

if TYPE_CHECKING:
    from kannelkit.simulator.server import Simulator

ADDRESS = "127.0.0.1"
LARGEST_BODY = 64 * 1024  # octets

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Control:
    """Serves a simulator's control port."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator
        self._runner: web.AppRunner | None = None

    async def start(self, port: int) -> int:
        """Listen on 127.0.0.1 and return the port; raises HostError where it is taken."""
        application = web.Application(client_max_size=LARGEST_BODY, middlewares=[_plain_errors])
        application.add_routes(
            [
                web.get("/counters", self._counters),
                web.get("/timeline", self._timeline),
                web.post("/limit", self._limit),
                web.post("/account", self._account),
                web.post("/behaviour", self._behaviour),
                web.post("/drop", self._drop),
                web.post("/refuse", self._refuse),
                web.post("/listen", self._listen),
                web.post("/reset", self._reset),
            ]
        )
        self._runner = web.AppRunner(application, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, ADDRESS, port)
        try:
            await site.start()
        except (OSError, OverflowError) as error:
            raise cannot_listen(ADDRESS, port, error) from None
        bound: int = self._runner.addresses[0][1]
        return bound

    async def stop(self) -> None:
        """Stop listening."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def _counters(self, request: web.Request) -> web.Response:
        return web.json_response(self._simulator.counters())

    async def _timeline(self, request: web.Request) -> web.Response:
        login = request.query.get("account", "")
        if login not in self._simulator.accounts:
            raise ValueError("the account is missing or unknown: /timeline?account=LOGIN")
        return web.json_response(asdict(self._simulator.account(login).timeline.slots()))

    async def _limit(self, request: web.Request) -> web.Response:
        wanted = await _values(request, {"account", "limit", "law", "burst"})
        login, limit, burst = wanted.get("account"), wanted.get("limit"), wanted.get("burst")
        if not isinstance(login, str) or login not in self._simulator.accounts:
            raise ValueError("the account is missing or unknown: account=LOGIN")
        if "limit" not in wanted:
            raise ValueError("the limit is missing: a number of SMS per second, or none")
        if "law" in wanted and wanted["law"] not in tuple(Law):
            raise ValueError(f"law is {one_of(Law)}")
        law = Law(wanted["law"]) if "law" in wanted else None
        rules = self._simulator.change_limit(login, _number(limit), law, _number(burst))
        return web.json_response({"account": login, "limit": rules.limit, "law": rules.law, "burst": rules.burst})

    async def _account(self, request: web.Request) -> web.Response:
        wanted = await _values(request, None)
        login = wanted.pop("account", None)
        if not isinstance(login, str) or login not in self._simulator.accounts:
            raise ValueError("the account is missing or unknown: account=LOGIN")
        rules = self._simulator.change_account(login, wanted)
        return web.json_response({"account": login, **rules.as_dict()})

    async def _behaviour(self, request: web.Request) -> web.Response:
        behaviour = self._simulator.change_behaviour(await _values(request, None))
        return web.json_response(asdict(behaviour))

    async def _drop(self, request: web.Request) -> web.Response:
        self._simulator.drop_connections()
        return web.json_response(self._simulator.counters())

    async def _refuse(self, request: web.Request) -> web.Response:
        self._simulator.refuse_connections()
        return web.json_response(self._simulator.counters())

    async def _listen(self, request: web.Request) -> web.Response:
        try:
            await self._simulator.listen()
        except HostError as error:
            return web.json_response({"error": str(error)}, status=503)
        return web.json_response(self._simulator.counters())

    async def _reset(self, request: web.Request) -> web.Response:
        self._simulator.reset()
        return web.json_response(self._simulator.counters())


@web.middleware
async def _plain_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer what the caller got wrong with 400 and one sentence, as JSON."""
    if "Origin" in request.headers:  # a web page in a browser here, which has no business with this port
        return web.json_response({"error": "not for web pages"}, status=403)
    try:
        return await handler(request)
    except ValueError as error:
        return web.json_response({"error": str(error)}, status=400)


async def _values(request: web.Request, names: set[str] | None) -> dict[str, Any]:
    """Return the body's values, which come as a JSON object or as a form; raises ValueError for any other name."""
    if request.content_type == "application/json":
        values = await request.json()
        if not isinstance(values, dict):
            raise ValueError("the body is to be a JSON object")
    else:
        values = {name: value for name, value in (await request.post()).items() if isinstance(value, str)}
    unknown = set(values) - names if names is not None else set()
    if unknown:
        raise ValueError(f"no such value: {', '.join(sorted(unknown))} ({', '.join(sorted(names or ()))})")
    return values


def _number(value: object) -> int | None:
    if value is None or value == "none" or value == "":
        return None
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise ValueError("a limit or burst is a whole number, or none")
    return int(value)

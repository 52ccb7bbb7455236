"""The control port: what arrived to read, limits, outcomes, troubles to change, over HTTP, for this machine alone."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from aiohttp import web

from kannelkit import __version__
from kannelkit.errors import HostError
from kannelkit.host.http_log import server_logger
from kannelkit.simulator.control_access import refusal
from kannelkit.simulator.handler import HttpHandler, told_incoming, told_status
from kannelkit.simulator.limits import Law
from kannelkit.simulator.outcomes import OutcomeRule
from kannelkit.simulator.page import SAID
from kannelkit.simulator.page_routes import HEADERS, PageRoutes, wants_page
from kannelkit.simulator.page_view import newest
from kannelkit.simulator.ports import cannot_listen
from kannelkit.simulator.rules import limit_of, one_of

if TYPE_CHECKING:
    from kannelkit.simulator.account import Account
    from kannelkit.simulator.deliversm import Incoming
    from kannelkit.simulator.messages import Message
    from kannelkit.simulator.server import Simulator

ADDRESS = "127.0.0.1"
LARGEST_BODY = 64 * 1024  # octets
MOST_MESSAGES = 1000  # in one answer
MOST_OCTETS = 1_000_000  # of what messages carry, in one answer
LONGEST_TEXT = 10_000  # characters of an incoming message

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Control:
    """Serves a simulator's control port, and posts to the HTTP handlers of its accounts."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator
        self._handler = HttpHandler()
        self._page = PageRoutes(simulator, self._handler.posted)
        self._runner: web.AppRunner | None = None

    async def start(self, port: int) -> int:
        """Listen on 127.0.0.1 and return the port; raises HostError where it is taken."""
        application = web.Application(client_max_size=LARGEST_BODY, middlewares=[self._guard])
        application.on_response_prepare.append(_headers)
        application.add_routes(
            [
                web.get("/counters", self._counters),
                web.get("/timeline", self._timeline),
                web.get("/messages", self._messages),
                web.get("/messages/{id}", self._message),
                web.get("/outcomes", self._outcomes),
                web.post("/outcomes", self._change_outcomes),
                web.post("/incoming", self._incoming),
                web.post("/limit", self._limit),
                web.post("/account", self._account),
                web.post("/behaviour", self._behaviour),
                web.post("/drop", self._drop),
                web.post("/refuse", self._refuse),
                web.post("/listen", self._listen),
                web.post("/reset", self._reset),
            ]
        )
        self._page.add_to(application)
        self._runner = web.AppRunner(application, access_log=None, logger=server_logger(__name__), shutdown_timeout=2.0)
        await self._runner.setup()
        site = web.TCPSite(self._runner, ADDRESS, port)
        try:
            await site.start()
        except (OSError, OverflowError) as error:
            await self.stop()
            raise cannot_listen(ADDRESS, port, error) from None
        self._rules_changed()
        bound: int = self._runner.addresses[0][1]
        return bound

    async def stop(self) -> None:
        """Stop listening and posting."""
        await self._handler.stop()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    # what goes to the accounts' handlers

    def _rules_changed(self) -> None:
        """Ask for statuses where an account has a handler, not otherwise: what is asked for is kept until its end."""
        simulator = self._simulator
        if any(account.rules.handler for account in simulator.accounts.values()):
            simulator.statuses = simulator.statuses or self._status
            simulator.incomings = simulator.incomings or self._incoming_message
            return
        if simulator.statuses == self._status:
            simulator.statuses = None
        if simulator.incomings == self._incoming_message:
            simulator.incomings = None

    def _status(self, account: Account, message: Message) -> None:
        if account.rules.handler:
            done = self._simulator.clock.date(message.ended)
            self._handler.post(account.rules.handler, lambda secret: told_status(message, done, secret))

    def _incoming_message(self, account: Account, message: Incoming) -> None:
        if account.rules.handler:
            arrived = self._simulator.clock.date(message.arrived)
            self._handler.post(account.rules.handler, lambda secret: told_incoming(message, arrived, secret))

    # requests

    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Turn strangers away, and say what a caller got wrong: as JSON, to a browser's form as a page."""
        refused = refusal(request.method, request.headers)
        if refused is not None:
            return web.json_response({"error": refused.message}, status=refused.status)
        form = request.path.removeprefix("/")
        from_page = request.method == "POST" and form in SAID and wants_page(request)
        try:
            answer = await handler(request)
        except ValueError as error:
            if from_page:
                return self._page.refused(await _written(request), str(error))
            return web.json_response({"error": str(error)}, status=400)
        except web.HTTPNotFound:
            return web.json_response({"error": "there is nothing at this path"}, status=404)
        except web.HTTPRequestEntityTooLarge:
            return web.json_response({"error": f"a body has at most {LARGEST_BODY} octets"}, status=413)
        except web.HTTPMethodNotAllowed as error:
            allowed = error.headers["Allow"]
            return web.json_response({"error": f"only {allowed} here"}, status=405, headers={"Allow": allowed})
        if from_page and answer.status == 200:
            return web.Response(status=303, headers={"Location": f"./?done={form}"})
        return answer

    async def _counters(self, request: web.Request) -> web.Response:
        told: dict[str, Any] = self._simulator.counters()
        for login, account in self._simulator.accounts.items():
            if account.rules.handler:
                told["accounts"][login]["handler"] = asdict(self._handler.posted(account.rules.handler))
        return web.json_response(told)

    async def _timeline(self, request: web.Request) -> web.Response:
        return web.json_response(asdict(self._named(request.query.get("account")).timeline.slots()))

    async def _messages(self, request: web.Request) -> web.Response:
        limit = _whole(request, "limit", 100, 1, MOST_MESSAGES)
        after = _whole(request, "after", 0, 0, 10**18)
        accounts = list(self._simulator.accounts.values())
        if "account" in request.query:
            accounts = [self._named(request.query["account"])]
        found = newest(accounts, limit, after)
        clock = self._simulator.clock
        told: list[dict[str, Any]] = []
        octets = 0
        for account, message in found:
            octets += len(message.octets)
            if octets > MOST_OCTETS and told:
                break
            told.append({"account": account.rules.login, **message.as_dict(clock)})
        return web.json_response({"seconds": clock.now(), "messages": told, "left_out": len(found) - len(told)})

    async def _message(self, request: web.Request) -> web.Response:
        text = request.match_info["id"]
        for login, account in self._simulator.accounts.items():
            message = account.messages.get(int(text)) if text.isdecimal() and len(text) < 20 else None
            if message is not None:
                return web.json_response({"account": login, **message.as_dict(self._simulator.clock)})
        return web.json_response({"error": "there is no message with this id, or it is forgotten"}, status=404)

    async def _incoming(self, request: web.Request) -> web.Response:
        wanted = await _values(request, {"account", "from", "to", "text"})
        account = self._named(wanted.get("account"))
        source, destination, text = (wanted.get(name, "") for name in ("from", "to", "text"))
        if not isinstance(source, str) or not isinstance(destination, str) or not isinstance(text, str):
            raise ValueError("from, to and text are texts")
        for name, address in (("from", source), ("to", destination)):
            if not 0 < len(address) <= 20 or not address.isascii() or not address.isprintable():
                raise ValueError(f"{name} is a number or a name of 1 to 20 ASCII characters")
        if len(text) > LONGEST_TEXT:
            raise ValueError(f"a text has at most {LONGEST_TEXT} characters")
        if not account.rules.incoming and not account.rules.handler:
            raise ValueError("the account gets no incoming messages: its rule incoming is false, and it has no handler")
        number = account.incoming(source, destination, text)
        return web.json_response({"account": account.rules.login, "id": number})

    async def _outcomes(self, request: web.Request) -> web.Response:
        return web.json_response({"rules": [str(rule) for rule in self._simulator.outcomes]})

    async def _change_outcomes(self, request: web.Request) -> web.Response:
        wanted = await _values(request, {"rules"})
        if "rules" not in wanted:
            raise ValueError("the rules are missing: rules=, one a line; none at all has every message delivered")
        rules = wanted["rules"]
        lines = rules.splitlines() if isinstance(rules, str) else rules
        if not isinstance(lines, list) or not all(isinstance(line, str) for line in lines):
            raise ValueError("rules are lines, or a list of texts")
        self._simulator.change_outcomes(_outcome_rules(lines))
        return await self._outcomes(request)

    async def _limit(self, request: web.Request) -> web.Response:
        wanted = await _values(request, {"account", "limit", "law", "burst"})
        login = self._named(wanted.get("account")).rules.login
        limit, burst = _limit_of(wanted.get("limit")), _number(wanted.get("burst"))
        if "limit" not in wanted:
            raise ValueError("the limit is missing: a number of SMS per second, or none")
        if "law" in wanted and wanted["law"] not in tuple(Law):
            raise ValueError(f"law is {one_of(Law)}")
        law = Law(wanted["law"]) if "law" in wanted else None
        rules = self._simulator.change_limit(login, limit, law, burst)
        return web.json_response({"account": login, "limit": rules.limit, "law": rules.law, "burst": rules.burst})

    async def _account(self, request: web.Request) -> web.Response:
        wanted = await _values(request, None)
        login = self._named(wanted.pop("account", None)).rules.login
        rules = self._simulator.change_account(login, wanted)
        self._rules_changed()
        return web.json_response({"account": login, **rules.as_dict(), "handler": rules.handler.partition("#")[0]})

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

    def _named(self, login: object) -> Account:
        if not isinstance(login, str) or login not in self._simulator.accounts:
            raise ValueError("the account is missing or unknown: account=LOGIN")
        return self._simulator.account(login)


async def _headers(request: web.Request, response: web.StreamResponse) -> None:
    response.headers.update(HEADERS)
    response.headers["Server"] = f"kannelkit/{__version__}"


def _outcome_rules(lines: list[str]) -> list[OutcomeRule]:
    """Return the rules that these lines stand for, empty ones left out; raises ValueError with the number of a line."""
    rules = []
    for number, line in enumerate(lines, 1):
        if line.strip():
            try:
                rules.append(OutcomeRule.parse(line.strip()))
            except ValueError as error:
                raise ValueError(f"line {number}: {error}") from None
    return rules


async def _values(request: web.Request, names: set[str] | None) -> dict[str, Any]:
    """Return the body's values, which come as a JSON object or as a form; raises ValueError for any other name."""
    values = await (_object(request) if request.content_type == "application/json" else _form(request))
    unknown = set(values) - names if names is not None else set()
    if unknown:
        raise ValueError(f"no such value: {', '.join(sorted(unknown))} ({', '.join(sorted(names or ()))})")
    return values


async def _object(request: web.Request) -> dict[str, Any]:
    """Return the values of a JSON object; raises ValueError for what is none."""
    try:
        value = await request.json()
    except (ValueError, LookupError):  # LookupError: a charset that there is not
        raise ValueError("the body is no JSON") from None
    if not isinstance(value, dict):
        raise ValueError("the body is to be a JSON object")
    return value


async def _form(request: web.Request) -> dict[str, str]:
    """Return the values of a form; raises ValueError for what is none."""
    if request.content_type == "multipart/form-data":
        raise ValueError("a form is sent as application/x-www-form-urlencoded")
    try:
        return {name: value for name, value in (await request.post()).items() if isinstance(value, str)}
    except (ValueError, LookupError):  # LookupError: a charset that there is not
        raise ValueError("the body is no form") from None


async def _written(request: web.Request) -> dict[str, str]:
    """Return what stands in a form that was refused, nothing where that cannot be read."""
    try:
        return await _form(request)
    except ValueError:
        return {}


def _limit_of(value: object) -> float | None:
    if value is None or value == "":
        return None
    try:
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            raise ValueError
        return limit_of(str(value))
    except ValueError:
        raise ValueError("a limit is a number of SMS per second with one decimal at the most, or none") from None


def _number(value: object) -> int | None:
    if value is None or value == "none" or value == "":
        return None
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise ValueError("a burst is a whole number, or none")
    try:
        return int(value)
    except ValueError:
        raise ValueError("a burst is a whole number, or none") from None


def _whole(request: web.Request, name: str, usual: int, least: int, most: int) -> int:
    """Return a number of the query; raises ValueError for what is none, or out of bounds."""
    text = request.query.get(name)
    if text is None:
        return usual
    if not text.isdecimal() or not text.isascii() or len(text) > 18 or not least <= int(text) <= most:
        raise ValueError(f"{name} is a number from {least} to {most}")
    return int(text)

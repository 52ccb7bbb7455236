"""The health daemon's HTTP: how a gateway stands, for people, Prometheus, load balancers and service managers.

Every answer is made from what was seen before the request came. So it comes at once, whatever Kannel does, and what is
too old to be true is said to be unknown.
"""

from __future__ import annotations

import asyncio
import json
import math
import os
import re
import socket
import ssl
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, cast

from aiohttp import web

from kannelkit import __version__
from kannelkit.errors import HostError
from kannelkit.health.exposition import CONTENT_TYPE
from kannelkit.health.metrics import CHOICES, Choice
from kannelkit.health.page_routes import EVENTS, PageRoutes
from kannelkit.health.routing import can_send
from kannelkit.health.server_access import Access
from kannelkit.health.server_door import Answering, Door
from kannelkit.health.values import Report, sending, sending_accounts
from kannelkit.host.http_log import server_logger
from kannelkit.spec import Spec
from kannelkit.spec.model import Address
from kannelkit.supervise.course import Curve
from kannelkit.supervise.views import Overview

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

PATHS = ("/", "/livez", "/readyz", "/healthz", "/account/<smsc-id>", "/can-send?to=<number>", "/metrics")
_NUMBER = re.compile(r"\+?[0-9]{1,20}")
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src data:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "Server": f"kannelkit/{__version__}",
    "X-Content-Type-Options": "nosniff",
}


@dataclass(frozen=True, slots=True)
class Known:
    """What a server answers from: functions that return at once, each what was last seen, None before anything was.

    `metrics` returns the text for one choice of names, and may take a while: it is called in another thread. `spec` is
    the one that the gateway runs with. `alive` says whether somebody still looks, whatever is seen.
    """

    report: Callable[[], Report | None]
    state: Callable[[], Overview | None]
    metrics: Callable[[Choice], bytes]
    spec: Callable[[], Spec]
    alive: Callable[[], bool]


class Server:
    """Answers over HTTP from `start` until `stop`, on the running event loop.

    `names` are those of /metrics unless a request asks for others; a report older than `stale_after` seconds says
    nothing of now. Raises HostError where others can reach `listen` and there is no token.
    """

    def __init__(
        self,
        known: Known,
        listen: Address,
        *,
        token: str | None = None,
        certificate: Path | None = None,
        names: Choice = "kannelkit",
        stale_after: float = 15.0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._known = known
        self._listen = listen
        self._access = Access(listen, token)
        self._certificate = certificate
        self._names = names
        self._stale_after = stale_after
        self._clock = clock
        self._runner: web.AppRunner | None = None
        self._door: Door | None = None
        self._listening: asyncio.Server | None = None

    async def start(self) -> int:
        """Listen and return the port. Raises HostError where it is taken, or the certificate cannot be used."""
        context = None if self._certificate is None else tls(self._certificate)
        application = web.Application(client_max_size=1, middlewares=[self._guard])
        application.on_response_prepare.append(_headers)
        for path, handler in (
            ("/livez", self._livez),
            ("/readyz", self._readyz),
            ("/healthz", self._healthz),
            ("/account/{smsc_id}", self._account),
            ("/can-send", self._can_send),
            ("/metrics", self._metrics),
        ):
            application.router.add_get(path, handler)
        name = f"{self._known.spec().path.name} on {socket.gethostname()}"
        PageRoutes(self._seen, self._known.state, name, clock=self._clock).add_to(application)
        self._runner = web.AppRunner(application, access_log=None, logger=server_logger(__name__), max_line_size=4096)
        await self._runner.setup()
        self._door = Door(cast("Answering", self._runner.server), context)
        loop = asyncio.get_running_loop()
        try:
            self._listening = await loop.create_server(
                self._door, self._listen.host, self._listen.port, reuse_address=True, backlog=128
            )
        except (OSError, OverflowError) as error:
            await self.stop()
            named = isinstance(error, OSError) and not isinstance(error, socket.gaierror) and error.errno
            reason = os.strerror(named) if named else str(error.args[-1])
            raise HostError(
                f"cannot listen on {self._listen.host}:{self._listen.port}: {reason}",
                "is a healthd running already? health.listen chooses another address",
            ) from None
        bound: int = self._listening.sockets[0].getsockname()[1]
        return bound

    async def stop(self) -> None:
        """Stop listening, and end what is being answered."""
        if self._listening is not None:
            self._listening.close()
            self._listening = None
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None
        if self._door is not None:
            self._door.close()

    # -- what was seen ---------------------------------------------------------------------------------------------

    def _seen(self) -> tuple[Report | None, float | None]:
        """Return the last report and its age in seconds; no report where it is too old."""
        report = self._known.report()
        if report is None:
            return None, None
        age = max(0.0, self._clock() - report.at)
        return (report if age <= self._stale_after else None), age

    # -- one for each path -----------------------------------------------------------------------------------------

    async def _livez(self, request: web.Request) -> web.Response:
        if self._known.alive():
            return _json({"alive": True})
        return _json({"alive": False, "trouble": "nobody has looked at the gateway for too long"}, 503)

    async def _readyz(self, request: web.Request) -> web.Response:
        report, age = self._seen()
        sends = list(sending_accounts(report)) if report else []
        return _json({"ready": bool(sends), "sending": sends, **_age(report, age)}, 200 if sends else 503)

    async def _healthz(self, request: web.Request) -> web.Response:
        report, age = self._seen()
        if report is None:
            return _json({"status": "unknown", "sending": {}, "checks": [], **_age(report, age)}, 503)
        return _json({**report.as_dict(), **_age(report, age)}, 503 if report.status == "critical" else 200)

    async def _account(self, request: web.Request) -> web.Response:
        name = request.match_info["smsc_id"]
        spec = self._known.spec()
        others = {group.values["smsc-id"].text for group in spec.other_smscs}
        names = sorted({account.smsc_id for account in spec.smpp_accounts} | others)
        if name not in names:
            return _json({"error": "there is no such account", "accounts": names}, 404)
        report, age = self._seen()
        sends = report is not None and sending(report, name)
        checks = [asdict(check) for check in report.checks if check.account == name] if report else []
        state = self._known.state()
        stands = [replace(each, curve=Curve()) for each in state.accounts if each.smsc_id == name] if state else []
        answer = {"account": name, "sending": sends, "checks": checks, "state": [asdict(each) for each in stands]}
        return _json({**answer, **_age(report, age)}, 200 if sends else 503)

    async def _can_send(self, request: web.Request) -> web.Response:
        # a + that is not written as %2B arrives as a blank
        number = re.sub(r"\A ", "+", request.query.get("to", ""))
        if not _NUMBER.fullmatch(number):
            return _json({"error": "to is a number, as in /can-send?to=+79161234567"}, 400)
        report, age = self._seen()
        account = can_send(report, self._known.spec(), number, request.query.get("smsc")) if report else None
        answer = {"to": number, "can_send": account is not None, "account": account}
        return _json({**answer, **_age(report, age)}, 200 if account is not None else 503)

    async def _metrics(self, request: web.Request) -> web.Response:
        names = request.query.get("names", self._names)
        if names not in CHOICES:
            return _json({"error": f"names is one of {', '.join(CHOICES)}"}, 400)
        # those of thousands of links take long to write, and no other answer waits for them
        octets = await asyncio.to_thread(self._known.metrics, names)
        return web.Response(body=octets, headers={"Content-Type": CONTENT_TYPE})

    # -- every request ---------------------------------------------------------------------------------------------

    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        refusal = self._access.refusal(request.headers.get("Host", ""), request.headers.get("Authorization", ""))
        if self._door is not None:
            self._door.asked(request.transport, lasting=refusal is None and request.path == EVENTS)
        if refusal is not None:
            answer = _json({"error": refusal.message}, refusal.status)
            if refusal.challenge:
                answer.headers["WWW-Authenticate"] = refusal.challenge
            return answer
        try:
            return await handler(request)
        except web.HTTPNotFound:
            return _json({"error": "there is nothing at this path", "paths": list(PATHS)}, 404)
        except web.HTTPMethodNotAllowed as error:
            answer = _json({"error": "only GET and HEAD: nothing can be changed here"}, 405)
            answer.headers["Allow"] = error.headers["Allow"]
            return answer


async def _headers(request: web.Request, response: web.StreamResponse) -> None:
    response.headers.update(_HEADERS)
    response.force_close()  # a connection is for one request: see server_door


def tls(certificate: Path) -> ssl.SSLContext:
    """Return what TLS needs from a PEM file with key and certificate. Raises HostError."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        # without a password of its own: OpenSSL would ask the terminal for it
        context.load_cert_chain(certificate, password="")
    except ssl.SSLError:
        raise HostError(
            f"health.certificate {certificate} holds no key and certificate that belong together",
            "kannelkit cert show looks into it; kannelkit make-dummy-cert makes one",
        ) from None
    except OSError as error:
        raise HostError(
            f"health.certificate {certificate}: {error.strerror}", "kannelkit make-dummy-cert makes one"
        ) from None
    return context


def _age(report: Report | None, age: float | None) -> dict[str, object]:
    """Return what an answer says of how old it is."""
    said: dict[str, object] = {"seconds_old": None if age is None else round(age, 1)}
    if report is None:
        said["trouble"] = "the gateway has not been looked at" + (" yet" if age is None else " for too long")
    return said


def _json(value: Mapping[str, object], status: int = 200) -> web.Response:
    return web.json_response(value, status=status, dumps=_written)


def _written(value: object) -> str:
    try:
        return json.dumps(value, allow_nan=False)
    except ValueError:  # JSON has no infinity
        return json.dumps(_finite(value))


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {name: _finite(each) for name, each in value.items()}
    return [_finite(each) for each in value] if isinstance(value, list | tuple) else value

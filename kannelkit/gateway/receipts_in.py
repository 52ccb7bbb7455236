"""Listens for what smsbox fetches when a delivery receipt came: the dlr-url of messages that were just sent."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntFlag
from types import TracebackType
from typing import Self

from aiohttp import web

from kannelkit.errors import HostError
from kannelkit.host.http_log import server_logger

_LOOPBACK = "127.0.0.1"
_MOST_TEXT = 2000


class Kind(IntFlag):
    """What a receipt tells (gw/dlr.h)."""

    DELIVERED = 0x01
    UNDELIVERABLE = 0x02
    QUEUED = 0x04
    ACCEPTED = 0x08
    REFUSED = 0x10
    EXPIRED = 0x20 | UNDELIVERABLE


# what is asked for; QUEUED would set a bit of registered_delivery that not every provider knows (gw/smsc/smsc_smpp.c)
MASK = int(Kind.DELIVERED | Kind.UNDELIVERABLE | Kind.ACCEPTED | Kind.REFUSED)


@dataclass(frozen=True, slots=True)
class Receipt:
    """A receipt for the message with this number: the provider's id and words, and the account it came by."""

    number: int
    kind: int
    text: str
    id: str
    smsc: str

    @property
    def final(self) -> bool:
        """Whether nothing more comes for the message."""
        return bool(self.kind & (Kind.DELIVERED | Kind.UNDELIVERABLE | Kind.REFUSED))

    @property
    def delivered(self) -> bool:
        """Whether the message reached its subscriber."""
        return bool(self.kind & Kind.DELIVERED)


class ReceiptsIn:
    """A port of this machine for as long as it is entered; `came` is given each receipt, the same one once.

    Its address cannot be guessed: what does not come there is no receipt. Raises HostError where there is no port.
    """

    def __init__(self, came: Callable[[Receipt], None]) -> None:
        self._came = came
        self._token = secrets.token_urlsafe(16)
        self._seen: set[Receipt] = set()
        self._numbers: set[int] = set()
        self._port = 0
        self._runner: web.AppRunner | None = None

    def url(self, number: int) -> str:
        """Return the dlr-url of the message with this number; Kannel fills in the rest (gw/urltrans.c)."""
        self._numbers.add(number)
        return f"http://{_LOOPBACK}:{self._port}/{self._token}?number={number}&kind=%d&id=%F&smsc=%i&text=%A"

    async def __aenter__(self) -> Self:
        application = web.Application()
        application.router.add_get(f"/{self._token}", self._receipt)
        runner = web.AppRunner(application, access_log=None, logger=server_logger(__name__), shutdown_timeout=1.0)
        await runner.setup()
        try:
            await web.TCPSite(runner, _LOOPBACK, 0).start()
        except OSError as error:
            await runner.cleanup()
            raise HostError(f"no port for receipts on {_LOOPBACK}: {error.strerror}") from error
        self._port = runner.addresses[0][1]
        self._runner = runner
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._runner is not None:
            await asyncio.shield(self._runner.cleanup())
        self._runner = None

    async def _receipt(self, request: web.Request) -> web.Response:
        values = {name: request.query.get(name, "") for name in ("number", "kind", "text", "id", "smsc")}
        number, kind = values["number"], values["kind"]
        if not (_is_number(number) and _is_number(kind) and int(number) in self._numbers):
            return web.Response(status=400)
        receipt = Receipt(int(number), int(kind), values["text"][:_MOST_TEXT], values["id"][:100], values["smsc"][:100])
        if receipt not in self._seen:  # smsbox asks again where it saw no answer
            self._seen.add(receipt)
            self._came(receipt)
        return web.Response(status=202)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 10

"""An account's HTTP handler: a client's own address, to which goes what no SMPP connection asked for.

SMSC.ru hands the status of a message that was sent without registered_delivery to such an address, the result of an HLR
request too and, where the account wants that, an incoming message. Its own page of the parameters could not be read.
What is posted here is what independent clients of it read (id, phone, status, err, type, flag, ts; phone, mes, to; md5
and sha1); `time`, `cnt`, `sender` and an HLR result's fields have the names of its answer to a request for a status.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

from kannelkit.providers.flags import Flags, build_flags
from kannelkit.simulator.outcomes import HLR_PARTS

if TYPE_CHECKING:
    import aiohttp

    from kannelkit.simulator.deliversm import Incoming
    from kannelkit.simulator.messages import Message

AGAIN_AFTER: Final = (1.0, 5.0, 25.0)  # seconds between two tries; after the last one it is given up
ANSWER_WITHIN: Final = 10.0  # seconds
KEPT: Final = 10_000  # of one address; beyond that the oldest that waits is dropped
AT_ONCE: Final = 5  # requests to one address

# the numbers that SMSC.ru's HTTP interface has for states, and for refusals that have a number of their own there
_DELIVERED, _READ, _EXPIRED, _UNDELIVERABLE = 1, 2, 3, 20
_WRONG_NUMBER, _BARRED, _UNREACHABLE = 22, 23, 25
_STATES: Final = {
    "ENROUTE": 0,
    "ACCEPTD": 0,
    "SCHEDLD": -1,
    "DELIVRD": _DELIVERED,
    "EXPIRED": _EXPIRED,
    "DELETED": -2,
    "UNDELIV": _UNDELIVERABLE,
    "REJECTD": _UNDELIVERABLE,
}
_REFUSALS: Final = {
    248: _UNREACHABLE,  # no route
    249: _WRONG_NUMBER,  # the number has the wrong form
    250: _BARRED,  # barred by the account's settings
    251: _BARRED,  # limit for one number
    252: _BARRED,  # barred
    253: _BARRED,  # spam filter
}

Parameters = dict[str, str]


def status_number(state: str, err: int) -> int:
    """Return the number that SMSC.ru's HTTP interface has for a state, or for the refusal that an err stands for."""
    number = _STATES.get(state, _UNDELIVERABLE)
    return _REFUSALS.get(err, number) if number == _UNDELIVERABLE else number


def told_status(message: Message, ended: datetime, secret: str = "") -> Parameters:
    """Return what is posted for a message that ended; with a secret, md5 and sha1 of `id:phone:status:secret` too."""
    outcome = message.outcome
    flags = str(build_flags(Flags(message.kind)))
    signed = (str(message.id), _digits(message.destination), str(status_number(outcome.state, outcome.err)))
    parameters = {
        **dict(zip(("id", "phone", "status"), signed, strict=True)),
        **_moment(ended),
        "err": str(outcome.err),
        "type": flags,  # without more than the type, the flags are its number
        "flag": flags,
        "cnt": str(message.parts),
        "sender": message.source,
        **({name: getattr(outcome.hlr, field) for name, field in HLR_PARTS.items()} if outcome.hlr is not None else {}),
    }
    return parameters | _signed(signed, secret)


def told_incoming(message: Incoming, arrived: datetime, secret: str = "") -> Parameters:
    """Return what is posted for an incoming message; with a secret, md5 and sha1 of `phone:mes:to:secret` too."""
    signed = (_digits(message.source), message.text, _digits(message.destination))
    parameters = dict(zip(("phone", "mes", "to"), signed, strict=True))
    return parameters | {"id": str(message.id), **_moment(arrived)} | _signed(signed, secret)


def _digits(address: str) -> str:
    return address.removeprefix("+")


def _moment(date: datetime) -> Parameters:
    return {"time": f"{date:%d.%m.%Y %H:%M:%S}", "ts": str(int(date.timestamp()))}


def _signed(values: tuple[str, ...], secret: str) -> Parameters:
    if not secret:
        return {}
    octets = ":".join((*values, secret)).encode("utf-8", "replace")
    return {
        "md5": hashlib.md5(octets, usedforsecurity=False).hexdigest(),
        "sha1": hashlib.sha1(octets, usedforsecurity=False).hexdigest(),
    }


@dataclass(slots=True)
class Posted:
    """How the requests to one address fared: answered with 2xx, or given up."""

    taken: int = 0
    given_up: int = 0
    waiting: int = 0
    last_trouble: str = ""


class HttpHandler:
    """Posts to handlers until `stop`, on the running event loop; whoever hands over something never waits.

    An address is asked again after 1, 5 and 25 s unless it answers with 2xx, by at most five requests at once.
    """

    def __init__(self, again_after: tuple[float, ...] = AGAIN_AFTER, kept: int = KEPT) -> None:
        self._again_after = again_after
        self._kept = kept
        self._boxes: dict[str, _Outbox] = {}
        self._session: aiohttp.ClientSession | None = None
        self._stopped = False

    def post(self, address: str, parameters: Callable[[str], Parameters]) -> None:
        """Post to an address what `parameters` makes of its secret: what stands behind a # in it and is never sent."""
        if self._stopped:
            return
        url, _, secret = address.partition("#")
        if self._session is None:
            import aiohttp  # where nothing is posted it is not needed

            timeout = aiohttp.ClientTimeout(total=ANSWER_WITHIN)
            self._session = aiohttp.ClientSession(timeout=timeout, connector=aiohttp.TCPConnector(limit=0))
        box = self._boxes.get(address)
        if box is None:
            box = self._boxes[address] = _Outbox(url, self._session, self._again_after, self._kept)
        box.add(parameters(secret))

    def posted(self, address: str) -> Posted:
        """Return how the requests to an address fared so far."""
        box = self._boxes.get(address)
        return box.posted if box is not None else Posted()

    async def stop(self) -> None:
        """Give up what still waits."""
        self._stopped = True
        for box in self._boxes.values():
            await box.stop()
        if self._session is not None:
            await self._session.close()
            self._session = None


class _Outbox:
    """What waits for one address, and the tasks that post it."""

    def __init__(self, url: str, session: aiohttp.ClientSession, again_after: tuple[float, ...], kept: int) -> None:
        self._url = url
        self._session = session
        self._again_after = again_after
        self._kept = kept
        self._waiting: deque[Parameters] = deque()
        self._tasks: set[asyncio.Task[None]] = set()
        self.posted = Posted()

    def add(self, parameters: Parameters) -> None:
        if len(self._waiting) >= self._kept:
            self._waiting.popleft()
            self._give_up("too much waits")
        self._waiting.append(parameters)
        self.posted.waiting += 1
        if len(self._tasks) < AT_ONCE:
            task = asyncio.create_task(self._work())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def stop(self) -> None:
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _work(self) -> None:
        while self._waiting:
            await self._deliver(self._waiting.popleft())

    async def _deliver(self, parameters: Parameters) -> None:
        for pause in (*self._again_after, None):
            trouble = await self._ask(parameters)
            if not trouble:
                self.posted.taken += 1
                self.posted.waiting -= 1
                return
            self.posted.last_trouble = trouble
            if pause is not None:
                await asyncio.sleep(pause)
        self._give_up(self.posted.last_trouble)

    def _give_up(self, trouble: str) -> None:
        self.posted.given_up += 1
        self.posted.waiting -= 1
        self.posted.last_trouble = trouble

    async def _ask(self, parameters: Parameters) -> str:
        """Post once; return "" where it was taken, and otherwise what was wrong."""
        import aiohttp

        try:
            async with self._session.post(self._url, data=parameters, allow_redirects=False) as answer:
                return "" if 200 <= answer.status < 300 else f"answered with {answer.status}"
        except TimeoutError:
            return f"no answer within {ANSWER_WITHIN:g} s"
        except ValueError:  # among them aiohttp's InvalidURL, whose words would repeat a password in the address
            return "not an address that can be asked"
        except (aiohttp.ClientError, OSError) as error:
            return f"{type(error).__name__}: {error}"

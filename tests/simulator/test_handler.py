"""What goes to an account's HTTP handler, and that nobody waits for it."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from aiohttp import web

from kannelkit.providers.statuses import Hlr, Kind
from kannelkit.simulator.content import Alphabet
from kannelkit.simulator.deliversm import Incoming
from kannelkit.simulator.handler import AT_ONCE, HttpHandler, Posted, status_number, told_incoming, told_status
from kannelkit.simulator.messages import Message
from kannelkit.simulator.outcomes import Outcome
from tests.harness.waiting import until

DONE = datetime(2026, 11, 23, 4, 5, 6, tzinfo=UTC)


def message(**other: Any) -> Message:
    fields: dict[str, Any] = {"kind": Kind.SMS, "parts": 3, "outcome": Outcome()} | other
    return Message(12, b"\x05\0shop", b"\1\1+79161234567", 0.0, b"hello", 0, Alphabet.GSM, **fields)


NUMBERS = [
    ("DELIVRD", 0, 1),
    ("EXPIRED", 0, 3),
    ("UNDELIV", 6, 20),
    ("UNDELIV", 249, 22),
    ("REJECTD", 253, 23),
    ("UNDELIV", 248, 25),
    ("DELIVRD", 253, 1),  # an err refuses only what was not delivered
    ("ENROUTE", 0, 0),
    ("WHATEVER", 0, 20),
]


@pytest.mark.parametrize(("state", "err", "number"), NUMBERS)
def test_states_have_the_numbers_of_the_http_interface(state: str, err: int, number: int) -> None:
    assert status_number(state, err) == number


def test_a_status_is_told_with_what_clients_read() -> None:
    assert told_status(message(), DONE) == {
        "id": "12",
        "phone": "79161234567",
        "status": "1",
        "time": "23.11.2026 04:05:06",
        "ts": "1795406706",
        "err": "0",
        "type": "0",
        "flag": "0",
        "cnt": "3",
        "sender": "shop",
    }


def test_an_hlr_result_has_its_fields_beside() -> None:
    found = Outcome(hlr=Hlr(imsi="250023012345678", mnc="02", network="MegaFON open"))
    told = told_status(message(kind=Kind.HLR, outcome=found), DONE)
    assert (told["type"], told["imsi"], told["mnc"], told["net"], told["rcn"]) == (
        "4",
        "250023012345678",
        "02",
        "MegaFON open",
        "",
    )


def test_a_secret_signs_what_is_told() -> None:
    told = told_status(message(), DONE, "swordfish")
    assert told["md5"] == hashlib.md5(b"12:79161234567:1:swordfish").hexdigest()
    assert told["sha1"] == hashlib.sha1(b"12:79161234567:1:swordfish").hexdigest()
    told = told_incoming(Incoming(13, "+79161234567", "7999", "Привет", 0.0), DONE, "swordfish")
    assert told["md5"] == hashlib.md5("79161234567:Привет:7999:swordfish".encode()).hexdigest()
    assert "swordfish" not in str(told)


@dataclass
class Client:
    """A client's handler: what was posted to it, and what it answers, one after another and then 200."""

    address: str = ""
    answers: list[int] = field(default_factory=list)
    told: list[dict[str, str]] = field(default_factory=list)
    hold: asyncio.Event | None = None
    at_once: int = 0
    most_at_once: int = 0

    async def take(self, request: web.Request) -> web.Response:
        self.at_once += 1
        self.most_at_once = max(self.at_once, self.most_at_once)
        self.told.append({name: str(value) for name, value in (await request.post()).items()})
        if self.hold is not None:
            await self.hold.wait()
        self.at_once -= 1
        return web.Response(status=self.answers.pop(0) if self.answers else 200, headers={"Location": "/elsewhere"})


@asynccontextmanager
async def client(*answers: int) -> AsyncIterator[Client]:
    made = Client(answers=list(answers))
    application = web.Application()
    application.router.add_post("/smsc", made.take)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.address = f"http://127.0.0.1:{runner.addresses[0][1]}/smsc"
    try:
        yield made
    finally:
        if made.hold is not None:
            made.hold.set()
        await runner.cleanup()


@asynccontextmanager
async def handler(again_after: tuple[float, ...] = (0.0, 0.0), kept: int = 100) -> AsyncIterator[HttpHandler]:
    made = HttpHandler(again_after, kept)
    try:
        yield made
    finally:
        await made.stop()


async def settled(posting: HttpHandler, address: str) -> Posted:
    await until(lambda: not posting.posted(address).waiting)
    return posting.posted(address)


async def test_what_is_posted_arrives_and_the_secret_does_not() -> None:
    async with client() as made, handler() as posting:
        address = f"{made.address}#swordfish"
        posting.post(address, lambda secret: {"mes": "a&b=ж", "of": secret})
        posted = await settled(posting, address)
        assert (posted.taken, posted.given_up) == (1, 0)
        assert made.told == [{"mes": "a&b=ж", "of": "swordfish"}]


async def test_it_is_asked_again_until_it_takes_it() -> None:
    async with client(500, 302) as made, handler() as posting:
        posting.post(made.address, lambda secret: {"id": "1"})
        posted = await settled(posting, made.address)
        assert (posted.taken, posted.given_up, len(made.told)) == (1, 0, 3)
        assert posted.last_trouble == "answered with 302"


async def test_it_is_given_up_after_the_last_try() -> None:
    async with client(*[503] * 3) as made, handler() as posting:
        posting.post(made.address, lambda secret: {"id": "1"})
        posted = await settled(posting, made.address)
        assert (posted.taken, posted.given_up, len(made.told)) == (0, 1, 3)


@pytest.mark.parametrize(
    "address", ["http://127.0.0.1:1/", "nothing", "http://", "ftp://127.0.0.1/", "http://[::1", "http://a:hunter2@[::1"]
)
async def test_an_address_where_nobody_is_is_told(address: str) -> None:
    async with handler(()) as posting:
        posting.post(address, lambda secret: {"id": "1"})
        posted = await settled(posting, address)
        assert (posted.taken, posted.given_up) == (0, 1)
        assert posted.last_trouble
        assert "hunter2" not in posted.last_trouble


async def test_a_handler_that_hangs_is_asked_a_few_times_at_once_and_what_waits_is_bounded() -> None:
    async with client() as made, handler(kept=10) as posting:
        made.hold = asyncio.Event()
        for number in range(100):
            posting.post(made.address, lambda secret, number=number: {"id": str(number)})  # type: ignore[misc]  # a default
        await until(lambda: made.at_once == AT_ONCE)
        made.hold.set()
        posted = await settled(posting, made.address)
        assert made.most_at_once == AT_ONCE
        assert posted.taken + posted.given_up == 100
        assert posted.taken <= 10 + AT_ONCE
        assert made.told[-1] == {"id": "99"}  # the oldest give way


async def test_after_the_end_nothing_is_posted() -> None:
    async with client() as made, handler() as posting:
        await posting.stop()
        posting.post(made.address, lambda secret: {"id": "1"})
        assert posting.posted(made.address) == Posted()

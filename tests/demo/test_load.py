"""The load: no two messages the same, none sent twice, none silently left out."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from kannelkit.demo.load import messages, send
from kannelkit.errors import GatewayError
from kannelkit.smpp import gsm0338


def test_every_message_is_another_one_of_one_part() -> None:
    found = list(messages(2000))
    assert len({(each.to, each.text) for each in found}) == 2000
    assert max(len(gsm0338.encode(each.text)) for each in found) <= 160


@asynccontextmanager
async def smsbox(refuses: str = "") -> AsyncIterator[tuple[int, list[str]]]:
    """Run a pretend smsbox that refuses one receiver; yield its port and the receivers it was sent."""
    sent: list[str] = []

    async def sendsms(request: web.Request) -> web.Response:
        to = request.headers["X-Kannel-To"]
        sent.append(to)
        if to == refuses:
            return web.Response(status=503, text="Temporal failure, try again later.")
        return web.Response(status=202, text="0: Accepted for delivery")

    application = web.Application()
    application.router.add_post("/cgi-bin/sendsms", sendsms)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield runner.addresses[0][1], sent
    finally:
        await runner.cleanup()


async def test_all_are_sent_once() -> None:
    async with smsbox() as (port, sent):
        assert await send(port, "user", "password", 50) == 50
    assert sorted(sent) == [each.to for each in messages(50)]


async def test_one_that_is_refused_is_an_error() -> None:
    refused = list(messages(20))[10].to
    async with smsbox(refused) as (port, sent):
        with pytest.raises(GatewayError, match=f"refuses the message to {refused}"):
            await send(port, "user", "password", 20)
    assert sent.count(refused) == 1


async def test_no_smsbox_is_an_error() -> None:
    async with smsbox() as (port, _):
        pass
    with pytest.raises(GatewayError):
        await send(port, "user", "password", 3)

"""A real bearerbox that asks for no receipts: the statuses go to the account's HTTP handler."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web

from kannelkit.simulator import AccountRules, Behaviour, Simulator
from tests.harness.kannel import APPLICATION, CORE, SMSBOX, Kannel, bound, link

pytestmark = pytest.mark.kannel

PATIENCE = 60.0  # seconds for what must come

LINK = link("acc", "login", "system-type = ISO", "alt-charset = ISO-8859-1", "reconnect-delay = 1")
CONF = CORE + SMSBOX + APPLICATION + LINK


@asynccontextmanager
async def handler() -> AsyncIterator[tuple[str, list[dict[str, str]]]]:
    """Run a client's handler, which takes every second request only; yield its address and what it took."""
    told: list[dict[str, str]] = []
    asked = 0

    async def take(request: web.Request) -> web.Response:
        nonlocal asked
        asked += 1
        if asked % 2:
            return web.Response(status=503)
        told.append({name: str(value) for name, value in (await request.post()).items()})
        return web.Response()

    application = web.Application()
    application.router.add_post("/smsc", take)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/smsc#swordfish", told
    finally:
        await runner.cleanup()


async def test_statuses_hlr_results_and_incoming_messages_go_to_the_handler(tmp_path: Path) -> None:
    async with handler() as (address, told):
        rules = AccountRules("login", "password", handler=address, incoming=False)
        async with (
            Simulator([rules], Behaviour(receipt_delay=0.1), control_port=0) as smsc,
            Kannel(tmp_path, CONF, smsbox=True, port=smsc.port) as kannel,
        ):
            account = smsc.account("login")
            await bound(account)
            async with asyncio.timeout(PATIENCE):
                for text in ("hello", "__HLR__"):
                    await kannel.sendsms(text, "79991234567")
                account.incoming("79991234567", "7999", "STOP")
                while len(told) < 3:
                    await asyncio.sleep(0.05)
            assert account.counters.receipts_sent == account.counters.incoming_sent == 0
            assert [each.registered for each in account.recent(10)] == [0, 0]
    status, hlr = sorted((each for each in told if "status" in each), key=lambda each: each["type"])
    assert (status["phone"], status["status"], status["sender"], status["type"]) == ("79991234567", "1", "shop", "0")
    assert (hlr["type"], hlr["mcc"], hlr["net"]) == ("4", "250", "MegaFON open Joint Stock Company")
    incoming = next(each for each in told if "mes" in each)
    assert (incoming["phone"], incoming["mes"], incoming["to"]) == ("79991234567", "STOP", "7999")
    assert all(len(each["md5"]) == 32 for each in told)

"""A real bearerbox and smsbox bound to the simulator: messages out, refusals, receipts back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web

from kannelkit.simulator import AccountRules, Behaviour, Simulator
from tests.harness.kannel import APPLICATION, CORE, SMSBOX, Kannel, bound, link

pytestmark = pytest.mark.kannel

PATIENCE = 60.0  # seconds for what must come; Kannel pauses 1 to 2 s after a refusal
MESSAGES = 12

CONF = (
    CORE
    + """\
store-type = spool
store-location = {folder}/store
dlr-storage = spool
dlr-spool = {folder}/dlr
sms-resend-freq = 1
"""
    + SMSBOX
    + APPLICATION
    + link("acc", "login", "system-type = ISO", "interface-version = 34", "reconnect-delay = 1", "throughput = 100")
)


@pytest.fixture
async def smsc() -> AsyncIterator[Simulator]:
    behaviour = Behaviour(delay=0.02, receipt_delay=0.2)
    async with Simulator([AccountRules("login", "password", limit=5)], behaviour) as simulator:
        yield simulator


@pytest.fixture
async def gateway(smsc: Simulator, tmp_path: Path) -> AsyncIterator[Kannel]:
    """A gateway that is bound to the simulator."""
    for name in ("store", "dlr"):
        (tmp_path / name).mkdir()
    async with Kannel(tmp_path, CONF, smsbox=True, port=smsc.port) as kannel:
        await bound(smsc.account("login"))
        yield kannel


async def test_every_message_arrives_once_and_every_receipt_comes_back(smsc: Simulator, gateway: Kannel) -> None:
    receipts: dict[str, str] = {}
    all_there = asyncio.Event()

    async def receipt(request: web.Request) -> web.Response:
        receipts[request.query["id"]] = request.query["status"]
        if len(receipts) == MESSAGES:
            all_there.set()
        return web.Response()

    application = web.Application()
    application.router.add_get("/receipt", receipt)
    runner = web.AppRunner(application)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        address = f"http://127.0.0.1:{runner.addresses[0][1]}/receipt"
        for number in range(MESSAGES):
            asked = {"dlr-mask": "1", "dlr-url": f"{address}?id={number}&status=%d"}
            await gateway.sendsms(f"message {number}", "79991234567", **asked)
        async with asyncio.timeout(PATIENCE):
            await all_there.wait()
            while smsc.account("login").counters.receipts_acknowledged < MESSAGES:  # the last may still be on its way
                await asyncio.sleep(0.05)
    finally:
        await runner.cleanup()

    assert receipts == {str(number): "1" for number in range(MESSAGES)}
    counters = smsc.account("login").counters
    assert (counters.accepted, counters.doubled, counters.rejected, counters.unanswered) == (MESSAGES, 0, 0, 0)
    # a burst of twelve at a limit of five a second; every refused one came again
    assert counters.refused > 0
    assert counters.submits == MESSAGES + counters.refused
    assert (counters.receipts_sent, counters.receipts_dropped) == (MESSAGES, 0)


async def test_bearerbox_binds_again_when_it_was_closed(smsc: Simulator, gateway: Kannel) -> None:
    account = smsc.account("login")
    account.links[0].close()
    async with asyncio.timeout(PATIENCE):
        while account.counters.binds < 2:
            await asyncio.sleep(0.05)
    assert (account.counters.binds_refused, account.counters.closed_by_newer) == (0, 0)

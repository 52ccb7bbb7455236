"""Hostile clients beside a good one, and what they sent on the page; for longer: `python -m tests.benchmarks fuzz`."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random

import aiohttp
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kannelkit.simulator import AccountRules, Behaviour, Bounds, Simulator
from kannelkit.smpp.constants import CommandId
from tests.benchmarks import fuzz_octets
from tests.harness.waiting import turn
from tests.simulator.esme import Esme, message
from tests.simulator.page_html import PageHtml

RULES = [AccountRules("good", "good", limit=None), AccountRules("hostile", "hostile", limit=None)]
BOUNDS = Bounds(connections=20, waiting=100, receipts=50, digests=100, messages=60, unfinished=5)


async def good(smsc: Simulator, count: int) -> None:
    """Send messages as a client should; each has to get its answer and its receipt."""
    async with Esme(smsc.port) as esme:
        assert (await esme.bind(b"good", b"good")).command_status == 0
        expected: set[int] = set()
        answered: set[int] = set()
        for number in range(count):
            expected.add(esme.send(CommandId.SUBMIT_SM, message(b"%d" % number, receipt=True)))
        receipts = 0
        while answered < expected or receipts < count:
            received = await esme.receive()
            if received.command_id == CommandId.DELIVER_SM:
                receipts += 1
                esme.send(CommandId.DELIVER_SM_RESP, {"message_id": b""}, sequence_number=received.sequence_number)
            else:
                assert received.command_status == 0
                answered.add(received.sequence_number)


async def hostile(smsc: Simulator, chance: random.Random) -> None:
    async with Esme(smsc.port) as esme:
        esme.writer.write(fuzz_octets.bind(b"hostile", chance))
        for _ in range(chance.randrange(1, 30)):
            if not esme.writer.is_closing():
                esme.writer.write(fuzz_octets.hostile(chance))
                await turn()
        if chance.random() < 0.5:
            with contextlib.suppress(OSError):  # closed already
                esme.writer.write_eof()
            await esme.ended()


@given(st.integers(0, 2**32))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_hostile_clients_disturb_nobody_and_what_they_sent_can_be_shown(seed: int) -> None:
    chance = random.Random(seed)

    async def meet() -> None:
        faults: list[object] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: faults.append(context))
        async with Simulator(RULES, Behaviour(receipt_delay=0), control_port=0, bounds=BOUNDS) as smsc:
            await asyncio.gather(good(smsc, 20), *(hostile(smsc, chance) for _ in range(3)))
            assert len(smsc.account("hostile").messages) <= BOUNDS.messages
            async with aiohttp.ClientSession(f"http://127.0.0.1:{smsc.control_port}") as session:
                async with session.get("/messages?limit=1000") as answer:
                    told = json.loads(await answer.read())
                async with session.get("/?limit=200") as answer:
                    html = PageHtml(await answer.text())
        assert len(told["messages"]) == sum(len(account.messages) for account in smsc.accounts.values())
        assert html.elements["script"] == 1
        assert not [name for _, name, _ in html.attributes if name.startswith("on")]
        assert faults == []

    asyncio.run(meet())

"""A real bearerbox meets the simulator's troubles: what it makes of each is what it makes of a provider's."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from kannelkit.simulator import AccountRules, Behaviour, Simulator
from tests.harness.gateway import SYSTEM_ID, emptied, stored
from tests.harness.kannel_alone import KannelAlone
from tests.harness.load import load
from tests.harness.waiting import until

pytestmark = pytest.mark.kannel

MESSAGES = 20

Bound = tuple[Simulator, KannelAlone]


@pytest.fixture
async def bound(tmp_path: Path) -> AsyncIterator[Bound]:
    rules = AccountRules(SYSTEM_ID, "secret", limit=None)
    async with (
        Simulator([rules], Behaviour(delay=0.01, receipt_delay=3600), seed=1) as smsc,
        KannelAlone(tmp_path, smsc.port, 100, sms_resend_freq=1) as kannel,
    ):
        yield smsc, kannel


def told(kannel: KannelAlone, text: str) -> bool:
    return text in (kannel.folder / "bearerbox.log").read_text(errors="replace")


async def test_every_trouble_ends_and_every_message_arrives_once(bound: Bound) -> None:
    smsc, kannel = bound
    account = smsc.account(SYSTEM_ID)
    counters = account.counters

    smsc.refuse_connections()
    await until(lambda: told(kannel, "connect to <127.0.0.1> failed"))
    await load(kannel.sendsms_port, MESSAGES, speed=500)
    await smsc.listen()
    await until(lambda: counters.accepted == MESSAGES)

    smsc.change_behaviour({"reject_share": 0.5})
    await load(kannel.sendsms_port, MESSAGES, speed=500, series=1)
    await until(lambda: counters.accepted == 2 * MESSAGES and not counters.unanswered)  # what is owed would be doubled
    assert counters.rejected > 0
    assert told(kannel, "error code 0x00000014")
    smsc.change_behaviour({"reject_share": 0})

    smsc.change_behaviour({"close_after": 1})
    binds = counters.binds
    await until(lambda: counters.binds >= binds + 2)
    smsc.change_behaviour({"close_after": 0})

    smsc.change_account(SYSTEM_ID, {"limit": 10, "law": "closing"})
    binds = counters.binds
    await load(kannel.sendsms_port, MESSAGES, speed=500, series=2)
    await until(lambda: counters.accepted == 3 * MESSAGES)
    assert counters.refused > 0
    assert counters.binds > binds

    await emptied(kannel.admin_port)
    assert (counters.accepted, counters.doubled, counters.unanswered) == (3 * MESSAGES, 0, 0)


async def test_what_meets_silence_is_sent_again_when_it_ends(bound: Bound) -> None:
    smsc, kannel = bound
    counters = smsc.account(SYSTEM_ID).counters
    smsc.change_behaviour({"silent": True})
    await load(kannel.sendsms_port, MESSAGES, speed=500)
    assert await stored(kannel.admin_port) == MESSAGES
    assert (counters.submits, len(smsc.account(SYSTEM_ID).links)) == (0, 1)
    smsc.change_behaviour({"silent": False})
    smsc.drop_connections()
    await until(lambda: counters.accepted == MESSAGES)
    assert counters.doubled == 0


async def test_a_refused_bind_is_not_tried_again(bound: Bound) -> None:
    smsc, kannel = bound
    smsc.change_account(SYSTEM_ID, {"bind-status": 0x0E})
    smsc.drop_connections()
    await until(lambda: told(kannel, "rejected login to transmit, code 0x0000000e"))
    assert smsc.account(SYSTEM_ID).counters.binds_refused == 1

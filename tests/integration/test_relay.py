"""A real bearerbox sends through the relay to the simulator and to node's SMSC."""

from __future__ import annotations

from pathlib import Path

import pytest

from kannelkit.simulator import AccountRules, Behaviour, Law, Simulator
from tests.harness.gateway import SYSTEM_ID, emptied
from tests.harness.load import load
from tests.harness.node_smsc import NodeSmsc
from tests.relay.relayed import Relayed

pytestmark = pytest.mark.kannel


async def test_every_message_arrives_once_and_no_refusal_reaches_bearerbox(tmp_path: Path) -> None:
    rules = AccountRules(SYSTEM_ID, "secret", limit=30, law=Law.SLIDING_WINDOW)
    async with Simulator([rules], Behaviour(delay=0.05)) as smsc:
        hosts = [{"host": "127.0.0.1", "port": smsc.port}]
        async with Relayed(tmp_path, hosts, ceiling=60) as gateway:
            sent = await load(gateway.sendsms_port, 200, speed=300)
            assert not sent.failed
            await emptied(gateway.admin_port)
            state = await gateway.state()
        counters = smsc.account(SYSTEM_ID).counters
        assert (counters.accepted, counters.doubled, counters.binds) == (200, 0, 1)
        assert state["accepted"] == 200
        assert state["refused"] == counters.refused > 0
        assert state["maybe_doubled"] == state["expired"] == 0
        log = (tmp_path / "bearerbox.log").read_text()
        assert "Throttling" not in log


async def test_node_s_smsc_takes_all_of_it_too(tmp_path: Path) -> None:
    async with NodeSmsc(limit=50, delay_ms=20, allow_binds=3) as smsc:
        hosts = [{"host": "127.0.0.1", "port": smsc.port}]
        async with Relayed(tmp_path, hosts, ceiling=45, connections=3) as gateway:
            sent = await load(gateway.sendsms_port, 200, speed=300)
            await emptied(gateway.admin_port)
        messages = await smsc.messages()
        assert sorted(key for key, (accepted, _) in messages.items() if accepted == 1) == sorted(sent.accepted)

"""Clients that others wrote see the same through the relay as without it."""

from __future__ import annotations

import asyncio
import json
import shutil
from operator import itemgetter
from pathlib import Path
from typing import Any

import pytest
import smpplib.client
import smpplib.consts

from kannelkit.simulator import AccountRules, Behaviour, Simulator
from tests.harness.node_smsc import FOLDER, install
from tests.relay.running import account, running

RULES = AccountRules("test", "test", limit=None)
LINK = {"listen_system_id": b"test", "listen_password": b"test"}  # so that a client can go both ways


def smpplib_session(port: int) -> dict[str, Any]:
    told: dict[str, Any] = {"answers": [], "receipts": []}
    client = smpplib.client.Client("127.0.0.1", port, timeout=60, allow_unknown_opt_params=True)
    client.set_message_sent_handler(lambda pdu: told["answers"].append((pdu.status, pdu.message_id)))
    client.set_message_received_handler(lambda pdu: told["receipts"].append((pdu.message_state, pdu.esm_class)))
    client.connect()
    bound = client.bind_transceiver(system_id="test", password="test")
    told["bound"] = (bound.status, bound.system_id)
    for number in range(10):
        client.send_message(
            source_addr_ton=smpplib.consts.SMPP_TON_ALNUM,
            source_addr="shop",
            dest_addr_ton=smpplib.consts.SMPP_TON_INTL,
            destination_addr="79991234567",
            short_message=b"%d" % number,
            registered_delivery=True,
        )
    while len(told["answers"]) < 10 or len(told["receipts"]) < 10:
        client.read_once()
    told["unbound"] = client.unbind().status
    client.disconnect()
    return told


async def node_session(port: int) -> dict[str, Any]:
    submit = {"command": "submit_sm", "destination_addr": "79991234567", "registered_delivery": 1}
    wanted = {
        "port": port,
        "bind": {"command": "bind_transceiver", "system_id": "test", "password": "test"},
        "requests": [{**submit, "short_message": f"message {number}"} for number in range(10)]
        + [{"command": "query_sm", "message_id": "1"}, {"command": "enquire_link"}],
        "deliveries": 10,
    }
    process = await asyncio.create_subprocess_exec(
        *("node", str(FOLDER / "esme.js"), json.dumps(wanted)), stdout=asyncio.subprocess.PIPE
    )
    told, _ = await asyncio.wait_for(process.communicate(), 60)
    found: dict[str, Any] = json.loads(told)
    return found


async def test_smpplib(tmp_path: Path) -> None:
    told = []
    for through in (False, True):
        async with (
            Simulator([RULES], Behaviour(receipt_delay=0)) as smsc,
            running(tmp_path / str(through), account(smsc.port, **LINK)) as relay,
        ):
            told.append(await asyncio.to_thread(smpplib_session, relay.ports["acc"] if through else smsc.port))
            assert smsc.account("test").counters.accepted == 10
    assert told[0] == told[1]
    assert told[1]["unbound"] == 0


@pytest.mark.skipif(not shutil.which("node"), reason="node is not installed")
async def test_node_s_smpp(tmp_path: Path) -> None:
    await asyncio.to_thread(install)
    told = []
    for through in (False, True):
        async with (
            Simulator([RULES], Behaviour(receipt_delay=0)) as smsc,
            running(tmp_path / str(through), account(smsc.port, **LINK)) as relay,
        ):
            told.append(await node_session(relay.ports["acc"] if through else smsc.port))
            assert smsc.account("test").counters.receipts_acknowledged == 10
    assert [each["bind"] for each in told] == [told[0]["bind"]] * 2
    assert [len(each["deliveries"]) for each in told] == [10, 10]
    # the relay answers an enquire_link by itself, and sooner
    in_order = [sorted(each["responses"], key=itemgetter("sequence_number")) for each in told]
    for direct, through_it in zip(*in_order, strict=True):
        assert direct["command"] == through_it["command"]
        assert direct["command_status"] == through_it["command_status"] == 0

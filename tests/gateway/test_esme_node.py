"""The client of an SMSC against one that others wrote: node's `smpp`, with TLS and without."""

from __future__ import annotations

import asyncio
import dataclasses
import shutil
from pathlib import Path

import pytest

from kannelkit.gateway.esme import Esme
from kannelkit.host.bind import Login
from kannelkit.host.reach import Address
from kannelkit.smpp.constants import CommandId, CommandStatus
from kannelkit.smpp.pdu import Pdu
from tests.harness.node_smsc import NodeSmsc
from tests.harness.pem import write_pem

pytestmark = pytest.mark.skipif(not shutil.which("node"), reason="node is not installed")

LOGIN = Login(b"one", b"secret", b"", 0x34, transceiver=True)


@pytest.mark.parametrize("tls", [False, True])
async def test_it_binds_submits_and_leaves(tls: bool, tmp_path: Path) -> None:
    pem = write_pem(tmp_path / "smsc.pem") if tls else None
    async with NodeSmsc(limit=10, delay_ms=5, tls_pem=pem) as smsc:
        login = dataclasses.replace(LOGIN, interface_version=0x50 if tls else 0x34)
        async with Esme(Address("127.0.0.1", smsc.port, tls=tls), login) as esme:
            assert await esme.bind("transceiver") == 0
            submits = [
                Pdu(CommandId.SUBMIT_SM, fields={"destination_addr": b"7999%d" % n, "short_message": b"hello"})
                for n in range(12)
            ]
            answers = await asyncio.gather(*map(esme.request, submits))
            statuses = [each.command_status for each in answers]
            assert (statuses.count(0), statuses.count(CommandStatus.ESME_RTHROTTLED)) == (10, 2)
            assert all(each.octets("message_id") for each in answers if not each.command_status)
            await esme.unbind()
            assert esme.ended == "unbound"

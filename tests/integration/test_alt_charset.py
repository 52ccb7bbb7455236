"""What a subscriber reads where Kannel writes another character set than the provider takes it for."""

from __future__ import annotations

import asyncio
from pathlib import Path

import aiohttp
import pytest

from kannelkit.simulator import AccountRules, Behaviour, Simulator
from tests.harness.kannel import CORE, SMSBOX, Kannel

pytestmark = pytest.mark.kannel

CONF = (
    CORE
    + SMSBOX
    + """
group = sendsms-user
username = app
password = app

group = smsc
smsc = smpp
smsc-id = iso
host = 127.0.0.1
port = {port}
smsc-username = iso
smsc-password = password
system-type = ISO
transceiver-mode = true
"""
)


async def test_iso_without_alt_charset_arrives_misread(tmp_path: Path) -> None:
    async with (
        Simulator([AccountRules("iso", "password", limit=None)], Behaviour()) as smsc,
        Kannel(tmp_path, CONF, smsbox=True, port=smsc.port) as kannel,
        aiohttp.ClientSession() as session,
        asyncio.timeout(60),
    ):
        account = smsc.account("iso")
        while not account.links:
            await asyncio.sleep(0.02)
        query = {"username": "app", "password": "app", "from": "shop", "to": "79000000001", "text": "a@b_c$ [ü]"}
        url = f"http://127.0.0.1:{kannel.sendsms_port}/cgi-bin/sendsms"
        async with session.get(url, params={**query, "coding": "0", "charset": "UTF-8"}) as answer:
            assert answer.status == 202
        while not (messages := account.recent(1)):
            await asyncio.sleep(0.02)
    # GSM 03.38's octets, read as ISO-8859-1: an escape before each bracket
    assert (messages[0].alphabet, messages[0].text) == ("iso-8859-1", "a\0b\x11c\x02 \x1b<~\x1b>")

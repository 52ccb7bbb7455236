"""What a subscriber reads where Kannel writes another character set than the provider takes it for."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from kannelkit.simulator import AccountRules, Behaviour, Simulator
from tests.harness.kannel import APPLICATION, CORE, SMSBOX, Kannel, bound, link

pytestmark = pytest.mark.kannel

CONF = CORE + SMSBOX + APPLICATION + link("iso", "iso", "system-type = ISO")


async def test_iso_without_alt_charset_arrives_misread(tmp_path: Path) -> None:
    async with (
        Simulator([AccountRules("iso", "password", limit=None)], Behaviour()) as smsc,
        Kannel(tmp_path, CONF, smsbox=True, port=smsc.port) as kannel,
        asyncio.timeout(60),
    ):
        account = smsc.account("iso")
        await bound(account)
        await kannel.sendsms("a@b_c$ [ü]", "79000000001", coding="0", charset="UTF-8")
        while not (messages := account.recent(1)):
            await asyncio.sleep(0.02)
    # GSM 03.38's octets, read as ISO-8859-1: an escape before each bracket
    assert (messages[0].alphabet, messages[0].text) == ("iso-8859-1", "a\0b\x11c\x02 \x1b<~\x1b>")

"""bearerbox's own start where one login has links to two hosts: whichever bind came last, the first host's link is soon
the one that is up.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from kannelkit.gateway.status import parse_status
from kannelkit.simulator import AccountRules, Behaviour, Simulator
from kannelkit.spec.defaults import TWO_HOSTS
from tests.harness.gateway import status_xml
from tests.harness.kannel import CORE, SMSBOX, Kannel

pytestmark = pytest.mark.kannel

LINK = """
group = smsc
smsc = smpp
smsc-id = acc
smsc-admin-id = {name}
host = 127.0.0.1
port = {{port}}
smsc-username = login
smsc-password = password
system-type = ""
transceiver-mode = true
reconnect-delay = {delay}
{more}
"""
PATIENCE = 60.0


async def test_the_first_hosts_link_is_up_and_stays(tmp_path: Path) -> None:
    delay = TWO_HOSTS["reconnect-delay"]
    links = [("acc-1", ""), ("acc-backup-1", "dead-start = true")]
    conf = CORE + SMSBOX + "".join(LINK.format(name=name, delay=delay, more=more) for name, more in links)
    # one account, as SMSC.ru has it: a new bind closes the older one, at whichever of its hosts
    async with (
        Simulator([AccountRules("login", "password", limit=None)], Behaviour()) as smsc,
        Kannel(tmp_path, conf, smsbox=False, port=smsc.port) as kannel,
        asyncio.timeout(PATIENCE),
    ):
        account = smsc.account("login")
        states: dict[str, str] = {}
        while states.get("acc-1") != "online" or states.get("acc-backup-1") != "dead":
            await asyncio.sleep(0.1)
            status = parse_status((await status_xml(kannel.admin_port, password=kannel.admin_password)).encode())
            states = {link.admin_id: link.state for link in status.links}
        binds = account.counters.binds
        assert binds <= 3
        await asyncio.sleep(2 * int(delay))  # for a bind that should not come
        assert (account.counters.binds, len(account.links)) == (binds, 1)

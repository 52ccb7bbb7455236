"""What a reload does to a link's routing in a running bearerbox: another value counts, a removal can be its end."""

from __future__ import annotations

import asyncio
from pathlib import Path

import aiohttp
import pytest

from kannelkit.conf import GROUPS
from tests.harness.kannel import CORE, SMSBOX, Kannel

pytestmark = pytest.mark.kannel

CONF = (
    CORE
    + SMSBOX
    + """
group = sendsms-user
username = u
password = p

group = sms-service
keyword = default
text = received
max-messages = 0

group = smsc
smsc = loopback
smsc-id = a
smsc-admin-id = a-1
{routing}
"""
)
# Enough for the router to look at every link again.
MESSAGES = 20

SMSC = GROUPS["smsc"].directives


async def survives(folder: Path, before: str, after: str) -> bool:
    """Return whether bearerbox still runs when it has read `after` in the place of `before` and got messages."""
    folder.mkdir()
    async with Kannel(folder, CONF, smsbox=True, routing=before) as kannel, aiohttp.ClientSession() as http:
        send = f"http://127.0.0.1:{kannel.sendsms_port}/cgi-bin/sendsms"
        message = {"username": "u", "password": "p", "from": "1", "to": "79990000000", "text": "x"}
        async with http.get(send, params=message) as answer:
            assert answer.status == 202
        kannel.values["routing"] = after
        kannel.write()
        reload = f"http://127.0.0.1:{kannel.admin_port}/graceful-restart"
        async with http.get(reload, params={"password": kannel.admin_password}) as answer:
            assert answer.status == 200
        try:
            for _ in range(MESSAGES):
                async with http.get(send, params=message) as answer:
                    await answer.read()
            async with http.get(f"http://127.0.0.1:{kannel.admin_port}/status.xml") as answer:
                await answer.read()
        except aiohttp.ClientError:
            await asyncio.wait_for(kannel.bearerbox.wait(), 60)  # it has gone, or is going
        return kannel.bearerbox.returncode is None


# A directive, a value, and another one.
CASES = [
    ("denied-prefix", "5", "6"),
    ("denied-prefix-regex", "^5", "^6"),
    ("reroute-receiver", "b,123", "b,124"),
]


async def test_reloads(tmp_path: Path) -> None:
    reloads = {
        (name, what): survives(tmp_path / f"{name}-{what}", *lines)
        for name, value, other in CASES
        for what, lines in {
            "change": (f"{name} = {value}", f"{name} = {other}"),
            "removal": (f"{name} = {value}", ""),
        }.items()
    }
    # all at once: each start of a bearerbox waits 5 s
    outcomes = dict(zip(reloads, await asyncio.gather(*reloads.values()), strict=True))
    assert outcomes == {
        (name, what): what == "change" or (SMSC[name].removal == ("routing",)) for name, what in outcomes
    }

"""`kannelkit dlr` beside a real bearerbox: receipts as it logs them, a repeat that was refused, and a query."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from asyncio.subprocess import PIPE
from pathlib import Path
from typing import Any

import pytest

from kannelkit.simulator import AccountRules, Behaviour, Simulator
from tests.harness.kannel import APPLICATION, CORE, SMSBOX, Kannel, bound, link

pytestmark = pytest.mark.kannel

PATIENCE = 60.0  # seconds for what must come
NUMBER = "79991234567"

CONF = (
    CORE
    + """\
access-log = {folder}/access.log
dlr-storage = internal
sms-resend-freq = 1
"""
    + SMSBOX
    + APPLICATION
    + """
group = smpp-tlv
name = cost
tag = 0x2000
type = nulterminated
length = 7

group = smpp-tlv
name = flags
tag = 0x2001
type = integer
length = 2

group = smpp-tlv
name = pieces
tag = 0x2002
type = integer
length = 2
"""
    + link(
        "acc", "login", "system-type = MCON2", "interface-version = 34", "reconnect-delay = 1", "wait-ack-expire = 0"
    )
)
SPEC = """\
state-dir: {folder}/state
core: {{access-log: {folder}/access.log}}
smsc:
  - smsc-id: acc
    provider: smsc.ru
    host: 127.0.0.1
    port: {port}
    smsc-username: login
    smsc-password: {{env: DLR_PASSWORD}}
    system-type: [MCON2]
"""


class Following:
    """`kannelkit dlr --follow SPEC --json` as a process."""

    def __init__(self, spec: Path) -> None:
        self._spec = spec

    async def __aenter__(self) -> Following:
        # needs no secret: DLR_PASSWORD is not there
        self.process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "kannelkit", "dlr", "--follow", str(self._spec), "--json", stdout=PIPE, stderr=PIPE
        )
        assert self.process.stderr is not None
        async with asyncio.timeout(PATIENCE):
            assert b"until Ctrl-C" in await self.process.stderr.readline()
        return self

    async def __aexit__(self, *exc: object) -> None:
        if self.process.returncode is None:
            self.process.kill()
            await self.process.wait()

    async def until(self, count: int) -> list[dict[str, Any]]:
        """Return the next receipts that are told, so many."""
        assert self.process.stdout is not None
        found = []
        async with asyncio.timeout(PATIENCE):
            for _ in range(count):
                found.append(json.loads(await self.process.stdout.readline()))
        return found

    async def interrupted(self) -> int:
        """Press Ctrl-C, and return the exit code."""
        self.process.send_signal(signal.SIGINT)
        async with asyncio.timeout(PATIENCE):
            return await self.process.wait()


async def send(kannel: Kannel, text: str, to: str = NUMBER) -> None:
    await kannel.sendsms(text, to, **{"dlr-mask": "31", "dlr-url": "http://127.0.0.1:1/"})


async def dlr(*arguments: str) -> tuple[int, str, str]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "kannelkit", "dlr", *arguments),
        stdout=PIPE,
        stderr=PIPE,
        env={**os.environ, "DLR_PASSWORD": "password", "LANG": "C.UTF-8"},
    )
    async with asyncio.timeout(PATIENCE):
        out, err = await process.communicate()
    return process.returncode or 0, out.decode(), err.decode()


async def test_receipts_are_told_as_they_come_and_a_repeat_is_told_apart(tmp_path: Path) -> None:
    behaviour = Behaviour(same_within=60, receipt_delay=0.1)
    async with Simulator([AccountRules("login", "password", None)], behaviour) as smsc:
        account = smsc.account("login")
        spec = tmp_path / "gateway.yaml"
        spec.write_text(SPEC.format(folder=tmp_path, port=smsc.port))
        async with Kannel(tmp_path, CONF, smsbox=True, port=smsc.port) as kannel, Following(spec) as following:
            await bound(account)

            await send(kannel, "hello")
            accepted, delivered = await following.until(2)
            assert (accepted["by"], accepted["accepted"], accepted["log"]["dlr"]) == ("kannel", True, 8)
            assert (delivered["by"], delivered["state"], delivered["err"]) == ("provider", "DELIVRD", 0)
            assert (delivered["log"]["subscriber"], delivered["kind"]) == (NUMBER, "sms")
            assert float(delivered["cost"]) > 0
            # a TLV that the gateway knows, and the spec does not
            assert {"name": "meta pieces", "value": "1"} in delivered["unknown"]
            assert delivered["conflicts"] == []

            await send(kannel, "__HLR__", to="79995555555")
            _, hlr = await following.until(2)
            assert (hlr["kind"], hlr["state"], hlr["conflicts"]) == ("hlr", "DELIVRD", [])
            assert hlr["hlr"]["imsi"].isdigit()
            assert hlr["hlr"]["country"]

            # the same again, within the minute
            await send(kannel, "hello")
            (refused,) = await following.until(1)
            assert (refused["log"]["dlr"], refused["accepted"]) == (16, False)
            assert refused["same_message"] == {
                "how": "sent",
                "time": accepted["log"]["time"],
                "id": delivered["id"],
            }

            # its answer is lost, and Kannel sends it again
            smsc.change_behaviour({"order": "none", "receipt_delay": 10.0})  # so that it comes after Kannel has
            before = account.counters.accepted
            await send(kannel, "lost", to="+79990000000")
            async with asyncio.timeout(PATIENCE):
                while account.counters.accepted == before:
                    await asyncio.sleep(0.02)
            smsc.change_behaviour({"order": "in-order"})
            smsc.drop_connections()
            refused, unheard = await following.until(2)
            assert (refused["log"]["dlr"], refused["perhaps_a_repeat"]) == (16, True)
            assert (unheard["log"]["verb"], unheard["state"]) == ("FAILED Receive DLR", "DELIVRD")
            assert unheard["same_message"] == {"how": "refused", "time": refused["log"]["time"], "id": None}
            assert unheard["log"]["subscriber"] == "+79990000000"

            code, out, err = await dlr("--query", delivered["id"], str(spec), "--json")
            assert (code, err) == (0, "")
            answer = json.loads(out)
            assert (answer["by"], answer["id"], answer["state"]) == ("query", delivered["id"], "DELIVRD")
            assert (account.counters.closed_by_newer, account.counters.binds) == (
                0,
                3,
            )  # the link, twice, and the query
            assert await following.interrupted() == 0

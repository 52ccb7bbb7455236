"""Accounts that the relay paces: `kannelkit up` runs it beside the boxes, and nothing is lost with it or doubled."""

from __future__ import annotations

import asyncio
import json
import signal
from pathlib import Path
from typing import Any

import pytest

from kannelkit.host import processes
from kannelkit.supervise.asking import ask
from tests.harness.gateway import status_xml
from tests.harness.load import load
from tests.integration.operated import LOGIN, Up, arrived, drained, simulator

pytestmark = pytest.mark.kannel

RELAYED = {"pacing": "relay"}


class Changed(Up):
    """One whose account is written anew while it runs."""

    def now(self, account: dict[str, Any]) -> None:
        """Write the spec with these keys of the account beside those that it began with."""
        self._former = getattr(self, "_former", self._smsc)
        self._smsc = self._former | account
        self.write()


async def asked(gateway: Up, request: dict[str, object]) -> dict[str, Any]:
    """Return the supervisor's answer."""
    whole = {"spec": str(gateway.path.resolve()), **request}
    return dict(await ask(gateway.folder / "state", whole, lambda event: None))


async def account(gateway: Up) -> dict[str, Any]:
    """Return how the account stands."""
    found: dict[str, Any] = (await asked(gateway, {"do": "state"}))["state"]["accounts"][0]
    return found


async def test_messages_flow_at_the_limit_through_a_relay_that_is_killed(tmp_path: Path) -> None:
    async with simulator(limit=40) as smsc, Up(tmp_path, smsc, throughput=80, account=RELAYED) as gateway:
        await gateway.saying("ready")
        sending = asyncio.create_task(load(gateway.sendsms_port, 400, speed=400))
        counters = smsc.account(LOGIN).counters
        while counters.accepted < 100:
            await asyncio.sleep(0.02)
        processes.kill(gateway.boxes()["relay"])
        unanswered = sum(link.waiting for link in smsc.account(LOGIN).links)
        await gateway.saying(r"the relay was ended by SIGKILL: started again")
        assert (await sending).failed == {}
        await drained(gateway)
        assert counters.accepted - counters.doubled == 400
        assert counters.doubled <= unanswered + 2  # what was on its way between the two moments
        assert counters.refused < 400 * 0.1
        log = (tmp_path / "state" / "log" / "bearerbox.log").read_text()
        assert "Throttling" not in log
        state = await account(gateway)
        assert state["relay"]["rate"] > 20
        assert await gateway.end() == 0
        assert gateway.boxes() == {}


async def test_a_killed_kannelkits_relay_lives_on_and_is_adopted(tmp_path: Path) -> None:
    async with simulator(limit=40) as smsc:
        gateway = Up(tmp_path, smsc, throughput=40, account=RELAYED)
        async with gateway:
            await gateway.saying("ready")
            before = gateway.boxes()
            assert set(before) == {"bearerbox", "smsbox", "relay"}
            await gateway.end(signal.SIGKILL)
            sending = await load(gateway.sendsms_port, 40, speed=400)
            await gateway.start()
            await gateway.saying(rf"relay runs already \(pid {before['relay'].pid}\): adopted")
            assert gateway.boxes() == before
            await drained(gateway)
            assert sending.failed == {}
            assert arrived(smsc) == (40, 0)
            # one that was adopted is started again like one's own
            processes.kill(before["relay"])
            await gateway.saying("relay started", times=2)
            await load(gateway.sendsms_port, 20, speed=400, series=1)
            await drained(gateway)
            assert arrived(smsc) == (60, 0)


async def test_a_rate_by_hand_holds_at_once_and_through_a_new_relay(tmp_path: Path) -> None:
    async with simulator(limit=1000) as smsc, Up(tmp_path, smsc, throughput=200, account=RELAYED) as gateway:
        await gateway.saying("ready")
        assert (await asked(gateway, {"do": "rate", "account": LOGIN, "throughput": 20}))["paused"] is True
        assert (await account(gateway))["relay"]["rate"] == 20
        processes.kill(gateway.boxes()["relay"])
        await gateway.saying("relay started", times=2)
        async with asyncio.timeout(10):
            while (found := (await account(gateway))["relay"]) is None or found["rate"] != 20:
                await asyncio.sleep(0.1)
        (unit,) = (await asked(gateway, {"do": "resume", "account": LOGIN}))["units"]
        assert (unit["paused"], unit["changed"]) == (False, True)
        assert (await account(gateway))["relay"]["rate"] > 20


async def test_an_account_moves_to_the_relay_and_back_while_messages_flow(tmp_path: Path) -> None:
    async with simulator(limit=60) as smsc, Changed(tmp_path, smsc, throughput=40) as gateway:
        await gateway.saying("ready")
        sending = asyncio.create_task(load(gateway.sendsms_port, 400, speed=40))
        for wanted in (RELAYED, RELAYED | {"throughput": 50}, {}):
            gateway.now(wanted)
            plan = (await asked(gateway, {"do": "plan"}))["plan"]
            assert plan["changes"]
            assert ': "secret"' not in json.dumps(plan)  # the password, which is that of the simulator's account
            request = {"do": "apply", "digest": plan["digest"], "agreed": True}
            assert (await asked(gateway, request))["changes"] == len(plan["changes"])
            assert (await asked(gateway, {"do": "plan"}))["plan"]["changes"] == []
            status = await status_xml(gateway.admin_port)
            assert "dead" not in status
        assert "relay" not in gateway.boxes()
        assert (await sending).failed == {}
        await drained(gateway)
        assert arrived(smsc) == (400, 0)

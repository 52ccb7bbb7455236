"""Accounts that the relay paces: `kannelkit up` runs it beside the boxes, and nothing is lost with it or doubled."""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from kannelkit.host import processes
from kannelkit.simulator import AccountRules, Simulator
from kannelkit.supervise.asking import ask
from kannelkit.supervise.memory import Memory
from tests.harness.gateway import status_xml
from tests.harness.load import load
from tests.harness.ports import free_ports
from tests.integration.looked_at import LookedAt
from tests.integration.operated import LOGIN, PATIENCE, Up, arrived, drained, simulator

pytestmark = pytest.mark.kannel

RELAYED = {"pacing": "relay"}


class Changed(LookedAt):
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
        await gateway.saying(r"the relay was ended by SIGKILL: started again")
        assert (await sending).failed == {}
        await drained(gateway)
        assert counters.accepted - counters.doubled == 400
        assert counters.refused < 400 * 0.1
        log = (tmp_path / "state" / "log" / "bearerbox.log").read_text()
        assert "Throttling" not in log
        state = await account(gateway)
        assert counters.doubled <= state["relay"]["maybe_doubled"] < 100  # what was on its way at that moment
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
        assert (await asked(gateway, {"do": "rate", "account": LOGIN, "throughput": 7.5}))["after"] == 7.5
        assert (await account(gateway))["relay"]["rate"] == 7.5
        processes.kill(gateway.boxes()["relay"])
        await gateway.saying("relay started", times=2)
        async with asyncio.timeout(PATIENCE):
            while (found := (await account(gateway))["relay"]) is None or found["rate"] != 7.5:
                await asyncio.sleep(0.1)
        (unit,) = (await asked(gateway, {"do": "resume", "account": LOGIN}))["units"]
        assert (unit["paused"], unit["changed"]) == (False, True)
        assert unit["throughput"] > 20
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


class Two(Changed):
    """One with another account, `other`, of which the relay holds the rate, too."""

    others: Mapping[str, Any] = MappingProxyType({})

    def spec(self) -> dict[str, Any]:
        spec = super().spec()
        other = {"smsc-id": "other", "smsc-username": "other", "throughput": 20, **self.others}
        mine = {name: value for name, value in self._smsc.items() if not name.startswith("backup")}
        spec["smsc"].append({**mine, **other})
        return spec


async def test_one_account_changes_and_one_is_moved_by_hand_and_nobody_else_notices(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        port, backup_port = free_ports(2)
        rules = [AccountRules(LOGIN, "secret", None), AccountRules("other", "secret", None)]
        primary = await stack.enter_async_context(Simulator(rules, port=port))
        backup = await stack.enter_async_context(Simulator(rules, port=backup_port))
        hosts = {"backup-host": "127.0.0.1", "backup-port": backup_port}
        gateway = await stack.enter_async_context(Two(tmp_path, primary, throughput=40, account=RELAYED | hosts))
        await gateway.saying("ready")
        before, sending = gateway.boxes(), asyncio.create_task(load(gateway.sendsms_port, 200, speed=20))
        gateway.others = hosts
        gateway.write()
        plan = (await asked(gateway, {"do": "plan"}))["plan"]
        assert plan["steps"] == [{"step": "Reload", "accounts": ["other"], "added": []}]
        _, shown = await gateway.command("plan", str(gateway.path))
        assert "in the relay other drains and starts again, " in shown
        applied = await asked(gateway, {"do": "apply", "digest": plan["digest"]})
        assert applied["changes"] == 1
        assert gateway.boxes() == before
        assert primary.account(LOGIN).counters.binds == 1
        assert primary.account("other").counters.binds == 2
        moved = await asked(gateway, {"do": "failover", "account": LOGIN, "to": "backup"})
        assert (moved["side"], moved["by_hand"], moved["settled"]) == ("backup", True, True)
        await gateway.saying(rf"{LOGIN}: goes from \S+ to \S+: by hand; 0 without an answer")
        assert not primary.account(LOGIN).links
        assert gateway.boxes() == before
        found = await account(gateway)
        assert (found["side"], found["why"], found["moved_by_hand"]) == ("backup", "by hand", True)
        assert (await sending).failed == {}
        await drained(gateway)
        counters = [smsc.account(name).counters for smsc in (primary, backup) for name in (LOGIN, "other")]
        assert sum(each.accepted for each in counters) == 200
        assert sum(each.doubled for each in counters) == 0
        memory = Memory(gateway.state / "state.db", read_only=True)
        newest = memory.newest("failover")[LOGIN].data
        memory.close()
        assert (newest["from"], newest["to"], newest["unanswered"]) == ("primary", "backup", 0)


async def test_accounts_of_a_group_stay_within_its_rate_together_and_neither_starves(tmp_path: Path) -> None:
    rules = [AccountRules(LOGIN, "secret", None), AccountRules("other", "secret", None)]
    group = RELAYED | {"account-group": "both"}
    async with Simulator(rules) as smsc, Two(tmp_path, smsc, throughput=20, account=group) as gateway:
        await gateway.saying("ready")
        assert (await asked(gateway, {"do": "rate", "account": "both", "throughput": 7.5}))["unit"] == "both"
        accounts = (await asked(gateway, {"do": "state"}))["state"]["accounts"]
        assert [each["relay"]["rate"] for each in accounts] == [7.5, 7.5]
        assert "the relay runs" in (await gateway.until("relay", "ok")).summary
        relay = gateway.boxes()["relay"]
        processes.send_signal(relay, signal.SIGSTOP)
        assert (await gateway.until("relay", "critical")).advice == f"kill -CONT {relay.pid} lets it go on"
        assert (await gateway.until("pacing", "unknown")).advice == "see the check relay"
        processes.send_signal(relay, signal.SIGCONT)
        assert "7.5 SMS per second, held there by hand" in (await gateway.until("pacing", "ok")).summary
        assert (await load(gateway.sendsms_port, 24, speed=400)).failed == {}
        await drained(gateway)
        counters = [smsc.account(name).counters for name in (LOGIN, "other")]
        assert sum(each.accepted for each in counters) == 24
        assert min(each.accepted for each in counters) >= 6
        first = min(each.first_accepted or 0.0 for each in counters)
        assert max(each.last_accepted or 0.0 for each in counters) - first >= 22 / 7.5  # the first at once

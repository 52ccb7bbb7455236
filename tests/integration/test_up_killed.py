"""What is left by a kannelkit that is killed is taken up by the next one; a change of rate is broken off by a death."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

import pytest

from kannelkit.host import processes
from tests.harness.gateway import online, status_xml
from tests.harness.load import load
from tests.integration.operated import LOGIN, PATIENCE, Up, arrived, drained, simulator, until, until_answered

pytestmark = pytest.mark.kannel


async def test_a_killed_kannelkits_boxes_live_on_and_are_adopted_with_their_rate(tmp_path: Path) -> None:
    async with simulator(limit=20) as smsc:
        gateway = Up(tmp_path, smsc, throughput=40)
        async with gateway:
            await gateway.saying("ready")
            sending = asyncio.create_task(load(gateway.sendsms_port, 100, speed=400))
            await gateway.saying("throughput 40 -> 20")
            before = gateway.boxes()
            assert await gateway.end(signal.SIGKILL) == -signal.SIGKILL
            assert gateway.boxes() == before
            await sending  # nobody supervises, messages go on
            await gateway.start()
            for name, process in before.items():
                await gateway.saying(rf"{name} runs already \(pid {process.pid}\): adopted")
            assert gateway.boxes() == before
            assert gateway.learnt()["bench"].throughput == 20
            await drained(gateway)
            later = await load(gateway.sendsms_port, 60, speed=400, series=1)
            assert later.failed == {}
            smsc.change_limit(LOGIN, 10)  # it is followed as before
            await gateway.saying("throughput 20 -> 10")
            await drained(gateway)
            assert arrived(smsc) == (160, 0)
            assert await gateway.end() == 0
            assert gateway.boxes() == {}


async def test_a_change_of_rate_that_was_cut_off_is_finished_by_the_next_kannelkit(tmp_path: Path) -> None:
    """Killed between stop-smsc and start-smsc, while the first of two links is away."""
    async with simulator(limit=20) as smsc:
        gateway = Up(tmp_path, smsc, throughput=40, account={"connections": 2})
        async with gateway:
            await gateway.saying("ready")
            sending = asyncio.create_task(load(gateway.sendsms_port, 140, speed=400))
            async with asyncio.timeout(PATIENCE):
                while "<status>dead</status>" not in await status_xml(gateway.admin_port):
                    await asyncio.sleep(0.01)
            await gateway.end(signal.SIGKILL)
            await sending
            wanted = gateway.learnt()["bench"].throughput
            assert wanted < 40
            assert "<status>dead</status>" in await status_xml(gateway.admin_port)
            await gateway.start()
            await gateway.saying(rf"a change of rate was cut off: its links were made anew at {wanted} SMS")
            status = await status_xml(gateway.admin_port)
            assert online(status, links=2)
            assert "dead" not in status
            await drained(gateway)
            assert arrived(smsc) == (140, 0)


async def test_a_bearerbox_that_dies_during_a_change_of_rate_does_not_end_the_changes(tmp_path: Path) -> None:
    async with simulator(limit=20) as smsc, Up(tmp_path, smsc, throughput=40, account={"connections": 2}) as gateway:
        await gateway.saying("ready")
        await load(gateway.sendsms_port, 120, speed=400)
        async with asyncio.timeout(PATIENCE):
            while "<status>dead</status>" not in await status_xml(gateway.admin_port):
                await asyncio.sleep(0.01)
        processes.kill(gateway.boxes()["bearerbox"])
        await gateway.saying("smsbox started", times=2)
        await until_answered(gateway)
        # where the kill came late, what was left was too little to be refused again
        await load(gateway.sendsms_port, 120, speed=400, series=1)
        await gateway.saying("throughput 40 -> 20")
        await drained(gateway)
        accepted, doubled = arrived(smsc)
        assert accepted - doubled == 240  # what was in flight at the kill, Kannel sends again
        assert gateway.learnt()["bench"].throughput == 20


async def test_a_smsbox_that_lost_its_bearerbox_while_nobody_looked_is_replaced(tmp_path: Path) -> None:
    """By itself it would start another smsbox 10 s later, which would hold the port and which nobody would stop."""
    async with simulator() as smsc, Up(tmp_path, smsc) as gateway:
        await gateway.saying("ready")
        before = gateway.boxes()
        await gateway.end(signal.SIGKILL)
        processes.kill(before["bearerbox"])
        await until(lambda: list(gateway.boxes()) == ["smsbox"])
        await gateway.start()
        await gateway.saying("ready", times=2)
        assert not processes.alive(before["smsbox"])
        assert sorted(gateway.boxes()) == ["bearerbox", "smsbox"]
        await until_answered(gateway)
        sent = await load(gateway.sendsms_port, 5, speed=50)
        assert sent.failed == {}
        await until(lambda: arrived(smsc) == (5, 0))

"""`kannelkit apply` on a gateway under load: each change disturbs what the plan said, nothing is lost or doubled."""

from __future__ import annotations

import asyncio
import shutil
import signal
from pathlib import Path

import pytest

from kannelkit.host import processes
from tests.harness.gateway import PASSWORD, USER
from tests.integration.applied import Applied, Load, account, binds, judge, silent, smscs
from tests.integration.operated import simulator

pytestmark = [
    pytest.mark.kannel,
    pytest.mark.skipif(not shutil.which("node"), reason="node is not installed"),
]

USERS = [{"username": USER, "password": PASSWORD, "max-messages": 1}]


async def test_links_change_one_at_a_time_and_disturb_no_other(tmp_path: Path) -> None:
    async with smscs(3) as (first, second, other):
        one, two = account("one", first, "7900"), account("two", second, "7901")
        async with Applied(tmp_path, [one, two]) as gateway:
            await gateway.saying("ready")
            pids = gateway.pids()
            async with Load(gateway.sendsms_port, ["7900", "7901"]) as load:
                await asyncio.sleep(0.5)
                one = {**one, "throughput": 40}
                gateway.change(smsc=[one, two])
                await gateway.applies()
                assert await binds(first, second, other) == [2, 1, 0]
                one = {**one, "port": other.port}
                gateway.change(smsc=[one, two])
                await gateway.applies()
                assert await binds(first, second, other) == [2, 1, 1]
                gateway.change(smsc=[one, {**two, "system-type": "X"}])
                await gateway.applies()
                assert await binds(first, second, other) == [2, 2, 1]
                judged = await judge(gateway, load, first, second, other)
            assert (judged.lost, judged.doubled, load.refused, load.unknown) == ([], {}, {}, [])
            assert len(load.accepted) > 100
            assert gateway.pids() == pids


async def test_routes_users_and_accounts_come_and_go_without_a_bind_too_many(tmp_path: Path) -> None:
    async with smscs(3) as (first, second, third):
        one, two = account("one", first, "7900"), account("two", second, "7901")
        async with Applied(tmp_path, [one, two]) as gateway:
            await gateway.saying("ready")
            pids = gateway.pids()
            async with Load(gateway.sendsms_port, ["7900", "7901"]) as load:
                two = {**two, "allowed-prefix": "7901;7902"}
                gateway.change(smsc=[one, two])
                gateway.hang_up()
                await gateway.saying("applied: ")
                assert await binds(first, second, third) == [1, 1, 0]
                gateway.hang_up()
                await gateway.saying("the spec was read again: nothing changes for the boxes")
                load.prefixes.append("7902")
                three = account("three", third, "7903")
                gateway.change(smsc=[one, two, three])
                await gateway.applies()
                assert await binds(first, second, third) == [1, 1, 1]
                assert gateway.pids() == pids
                load.prefixes.append("7903")
                users = [
                    {"username": USER, "password": PASSWORD, "max-messages": 1},
                    {"username": "u", "password": "p"},
                ]
                gateway.change(**{"sendsms-user": users})
                await gateway.applies()
                assert gateway.pids()["bearerbox"] == pids["bearerbox"]
                assert gateway.pids()["smsbox"] != pids["smsbox"]
                load.prefixes.remove("7903")
                gateway.change(smsc=[one, two])
                gateway.hang_up()
                await gateway.saying("agree with kannelkit apply --yes")
                code, said = await gateway.apply()
                assert (code, "account three goes" in said) == (1, True), said
                await gateway.applies("--yes")
                assert await binds(first, second, third) == [1, 1, 1]
                assert (await third.counters())["open"] == 0
                judged = await judge(gateway, load, first, second, third)
            assert (judged.lost, judged.doubled, load.refused) == ([], {}, {})
            for smsc, prefixes in ((first, ("7900",)), (second, ("7901", "7902")), (third, ("7903",))):
                messages = await smsc.messages()
                assert messages
                assert all(key.startswith(prefixes) for key in messages)


async def test_what_will_not_do_leaves_the_gateway_as_it_is(tmp_path: Path) -> None:
    async with smscs(1) as (smsc,), simulator() as strict:
        one = account("one", smsc, "7900")
        async with Applied(tmp_path, [one]) as gateway:
            await gateway.saying("ready")
            pids, conf = gateway.pids(), gateway.conf
            async with Load(gateway.sendsms_port, ["7900"], speed=40) as load:
                gateway.change(smsc=[{**one, "allowed-prefix-regex": "[[:seven:]]"}])
                code, said = await gateway.apply("--force")
                assert (code, "Could not compile pattern" in said) == (1, True), said
                gateway.path.write_text("smsc: [}")
                code, said = await gateway.apply()
                assert (code, "gateway.yaml:1" in said) == (1, True), said
                gateway.hang_up()
                await gateway.saying("the spec is not applied")
                gateway.change(smsc=[{**one, "throughput": 45}])
                code, said = await gateway.apply("--plan", "0" * 64)
                assert (code, "changed since the plan was shown" in said) == (1, True), said
                assert (gateway.conf, gateway.pids(), await binds(smsc)) == (conf, pids, [1])
                gateway.change(smsc=[{**one, "port": strict.port, "smsc-password": "wrong"}])
                code, said = await gateway.apply()
                assert (code, "refused its bind; everything was taken back" in said) == (1, True), said
                assert (gateway.conf, gateway.pids(), await binds(smsc)) == (conf, pids, [2])
                judged = await judge(gateway, load, smsc)
            assert (judged.lost, judged.doubled, load.refused, load.unknown) == ([], {}, {}, [])
            assert (await smsc.counters())["accepted"] == len(load.accepted)


async def test_a_change_that_was_cut_off_is_taken_back_by_the_next_kannelkit(tmp_path: Path) -> None:
    async with smscs(2) as (first, second), silent() as nowhere:
        one, two = account("one", first, "7900"), account("two", second, "7901")
        async with Applied(tmp_path, [one, two]) as gateway:
            await gateway.saying("ready")
            pids = gateway.pids()
            async with Load(gateway.sendsms_port, ["7900", "7901"], speed=30) as load:
                gateway.change(smsc=[{**one, "throughput": 40}, {**two, "port": nowhere}])
                client = await gateway.begin_apply("--yes")
                await gateway.saying("two-1: binding anew")
                await asyncio.sleep(2)
                await gateway.end(signal.SIGKILL)
                assert await client.wait() == 1
                assert "went away" in gateway.applied.read_text()
                gateway.change(smsc=[{**one, "throughput": 30}, two])
                await gateway.start()
                await gateway.saying("kannelkit apply")
                await gateway.saying("everything is as it was before")
                assert await binds(first, second) == [3, 2]
                await gateway.applies()
                assert await binds(first, second) == [4, 2]
                judged = await judge(gateway, load, first, second)
            assert (judged.lost, judged.doubled, load.refused, load.unknown) == ([], {}, {}, [])
            assert gateway.pids() == pids
            assert all(processes.alive(process) for process in pids.values())


async def test_a_restart_of_bearerbox_loses_and_doubles_nothing_and_needs_no_client_to_the_end(tmp_path: Path) -> None:
    async with smscs(2) as (first, second):
        one, two = account("one", first, "7900"), account("two", second, "7901", connections=2, throughput=60)
        await second.change(allow_binds=2)
        async with Applied(tmp_path, [one, two]) as gateway:
            await gateway.saying("ready: 3 of 3")
            pids = gateway.pids()
            async with Load(gateway.sendsms_port, ["7900", "7901"]) as load:
                await asyncio.sleep(0.5)
                for connections, bound in ((1, 3), (2, 5)):  # the flag MCON2 in system-type goes and comes
                    two = {**two, "connections": connections, "throughput": 30 * connections}
                    gateway.change(smsc=[one, two])
                    await gateway.applies()
                    assert await binds(first, second) == [1, bound]
                gateway.core = {"sms-resend-freq": 3}
                gateway.change()
                client = await gateway.begin_apply("--yes")
                await gateway.saying("bearerbox and smsbox: restarting")
                client.kill()
                await client.wait()
                await gateway.saying("applied: 1 change")
                assert await binds(first, second) == [2, 7]
                assert gateway.pids().keys() == pids.keys()
                assert not any(processes.alive(process) for process in pids.values())
                judged = await judge(gateway, load, first, second)
            assert (judged.lost, judged.doubled, load.refused) == ([], {}, {})
            gateway.change(smsc=[one, {**two, "host": "127.0.0.2"}])
            client = await gateway.begin_apply()
            await gateway.saying("two-1: binding anew", times=3)
            assert await gateway.end() == 0
            assert await client.wait() == 1
            assert "kannelkit was stopped meanwhile" in gateway.applied.read_text()
            assert gateway.pids() == {}


async def test_a_link_that_is_never_at_rest_is_changed_all_the_same(tmp_path: Path) -> None:
    """Answers take so long that there is always one outstanding: no moment is quiet until new messages wait."""
    async with smscs(1, delay_ms=1500) as (smsc,):
        one = account("one", smsc, "7900", throughput=30)
        async with Applied(tmp_path, [one]) as gateway:
            await gateway.saying("ready")
            pids = gateway.pids()
            async with Load(gateway.sendsms_port, ["7900"], speed=10) as load:
                await asyncio.sleep(2)
                gateway.change(smsc=[{**one, "system-type": "X"}])
                await gateway.applies()
                assert "one-1 is never at rest" in gateway.said()
                assert await binds(smsc) == [2]
                judged = await judge(gateway, load, smsc)
            assert (judged.lost, judged.doubled, load.refused, load.unknown) == ([], {}, {}, [])
            assert gateway.pids() == pids


async def test_a_bearerbox_that_dies_in_the_middle_is_started_as_it_was(tmp_path: Path) -> None:
    async with smscs(1) as (smsc,), silent() as nowhere:
        one = account("one", smsc, "7900")
        async with Applied(tmp_path, [one]) as gateway:
            await gateway.saying("ready")
            conf, pids = gateway.conf, gateway.pids()
            gateway.change(smsc=[{**one, "port": nowhere}])
            client = await gateway.begin_apply()
            await gateway.saying("one-1: binding anew")
            await asyncio.sleep(1)
            processes.kill(pids["bearerbox"])
            await gateway.saying("everything is as it was before")
            assert await client.wait() == 1
            assert gateway.conf == conf
            assert gateway.pids().keys() == pids.keys()
            assert not any(processes.alive(process) for process in pids.values())
            async with Load(gateway.sendsms_port, ["7900"]) as load:
                await asyncio.sleep(0.5)
                judged = await judge(gateway, load, smsc)
            assert (judged.lost, judged.doubled, load.refused, load.unknown) == ([], {}, {}, [])

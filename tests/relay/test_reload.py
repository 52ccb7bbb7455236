"""Other settings while the relay runs: they reach the accounts that they are for, and nobody else."""

from __future__ import annotations

import asyncio
import signal
import socket
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from kannelkit.errors import GatewayError
from kannelkit.relay.control import ask
from kannelkit.relay.settings import Login, RelayAccount, RelaySettings, write
from kannelkit.simulator import AccountRules, Simulator
from tests.harness.waiting import until
from tests.relay.running import NAME, account, bound, running

RULES = [AccountRules("test", "test", limit=None), AccountRules("other", "test", limit=None)]


def two(port: int) -> tuple[RelayAccount, RelayAccount]:
    one = account(port)
    return one, replace(one, name="two", listen_system_id=b"two", login=Login(b"other", b"test"), unit="two")


async def test_a_changed_account_ends_in_order_and_the_other_one_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "relay.json"
    async with Simulator(RULES) as smsc:
        one, other = two(smsc.port)
        async with running(tmp_path / "state", one, other, file=path) as relay, bound(relay, "two") as untouched:
            before = relay.accounts["two"]
            async with bound(relay) as esme:
                smsc.change_behaviour({"delay": 0.3})
                numbers = {esme.submit(b"m%d" % each) for each in range(20)}
                await until(lambda: smsc.account("test").counters.submits == 20)
                write(path, RelaySettings(tmp_path / "state", (replace(one, window=7), other)))
                reloading = asyncio.create_task(ask(tmp_path / "state", {"do": "reload"}, 30))
                answers = [await esme.receive() for _ in numbers]
                assert {each.sequence_number for each in answers if each.command_status == 0} == numbers
                assert (await untouched.submit_and_wait(b"meanwhile")).command_status == 0
                await esme.receive()  # unbind
            assert await reloading == {"changed": [NAME], "added": [], "removed": []}
            assert relay.accounts["two"] is before
            async with bound(relay) as esme:
                assert (await esme.submit_and_wait(b"again")).command_status == 0
            assert relay.accounts[NAME].settings.window == 7
            assert relay.accounts[NAME].counts.accepted == 21  # counted on
            assert smsc.account("test").counters.closed_by_newer == 0
            assert smsc.account("other").counters.binds == 1
            assert (smsc.account("test").counters.accepted, smsc.account("test").counters.doubled) == (21, 0)


async def test_accounts_come_and_go(tmp_path: Path) -> None:
    path = tmp_path / "relay.json"
    async with Simulator(RULES) as smsc:
        one, other = two(smsc.port)
        async with running(tmp_path / "state", one, file=path) as relay:
            async with bound(relay) as goes:
                write(path, RelaySettings(tmp_path / "state", (other,)))
                reloading = asyncio.create_task(relay.reload())
                await goes.receive()  # unbind
            assert await reloading == {"changed": [], "added": ["two"], "removed": [NAME]}
            gone = relay.ports
            assert set(gone) == set(relay.accounts) == {"two"}
            async with bound(relay, "two") as esme:
                assert (await esme.submit_and_wait()).command_status == 0
        assert not smsc.account("test").links


async def test_bad_settings_are_refused_whole_and_all_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "relay.json"
    state = tmp_path / "state"
    async with Simulator(RULES) as smsc:
        one, other = two(smsc.port)
        async with running(state, one, file=path) as relay, bound(relay) as esme:
            write(path, RelaySettings(state, (one,)))
            with socket.socket() as taken:
                taken.bind(("127.0.0.1", 0))
                taken.listen()
                port = taken.getsockname()[1]
                changed = replace(one, window=7)
                for wrong, why in (
                    ("[", "not JSON"),
                    (RelaySettings(tmp_path / "elsewhere", (changed,)), "state_dir"),
                    (RelaySettings(state, (changed, replace(other, listen_port=port))), "cannot listen"),
                    (
                        RelaySettings(state, (changed, replace(other, listen_port=relay.ports[NAME]))),
                        "same listen_port",
                    ),
                ):
                    if isinstance(wrong, str):
                        path.write_text(wrong)
                    else:
                        write(path, wrong)
                    with pytest.raises(GatewayError, match=rf"settings are not taken: .*{why}"):
                        await ask(state, {"do": "reload"})
                    assert relay.accounts[NAME].settings == one
            assert (await esme.submit_and_wait()).command_status == 0


async def test_an_end_in_the_middle_of_a_change_is_one_in_order(tmp_path: Path) -> None:
    path = tmp_path / "relay.json"
    async with Simulator(RULES) as smsc:
        one, other = two(smsc.port)
        async with running(tmp_path / "state", one, other, file=path) as relay, bound(relay) as esme:
            smsc.change_behaviour({"delay": 0.5})
            number = esme.submit()
            await until(lambda: smsc.account("test").counters.submits == 1)
            write(path, RelaySettings(tmp_path / "state", (replace(one, window=7),)))
            reloading = asyncio.create_task(relay.reload())
            stopping = asyncio.create_task(relay.stop())
            answer = await esme.receive()
            assert (answer.sequence_number, answer.command_status) == (number, 0)
            await esme.receive()  # unbind
            await asyncio.gather(reloading, stopping, return_exceptions=True)
            assert relay.accounts.get(NAME) is None or relay.accounts[NAME].unanswered == 0
        assert not smsc.account("test").links
        async with running(tmp_path / "state", one) as relay, bound(relay) as esme:  # nobody holds the folder
            assert relay.accounts[NAME].counts.maybe_doubled == 0


async def test_a_rate_by_hand_and_a_pause_outlast_a_change(tmp_path: Path) -> None:
    path = tmp_path / "relay.json"
    async with Simulator(RULES) as smsc:
        one, _ = two(smsc.port)
        async with running(tmp_path / "state", one, file=path) as relay:
            await ask(tmp_path / "state", {"do": "rate", "account": NAME, "rate": 7.5})
            await ask(tmp_path / "state", {"do": "pause", "account": NAME})
            write(path, RelaySettings(tmp_path / "state", (replace(one, ceiling=50.0),)))
            await relay.reload()
            pacer = relay.accounts[NAME].pacer
            assert (pacer.limit.ceiling, pacer.by_hand, pacer.paused) == (50.0, 7.5, True)


async def test_one_of_two_that_share_a_rate_is_changed_and_the_other_goes_on_within_it(tmp_path: Path) -> None:
    path = tmp_path / "relay.json"
    state = tmp_path / "state"
    async with Simulator(RULES) as smsc:
        one, other = (replace(each, unit="both", ceiling=200.0) for each in two(smsc.port))
        async with running(state, one, other, file=path) as relay, bound(relay, "two") as goes_on:
            pacer = relay.accounts["two"].pacer
            await ask(state, {"do": "rate", "account": NAME, "rate": 12.5})
            told = (await ask(state, {"do": "state"}))["accounts"]
            assert [(each["rate"], each["by_hand"]) for each in told] == [(12.5, 12.5)] * 2
            write(path, RelaySettings(state, (replace(one, window=7), other)))
            assert (await relay.reload())["changed"] == [NAME]
            assert relay.accounts[NAME].pacer is relay.accounts["two"].pacer is pacer
            async with bound(relay) as changed:
                for each in range(10):
                    goes_on.submit(b"a%d" % each)
                    changed.submit(b"b%d" % each)
                counters = [smsc.account(login).counters for login in ("test", "other")]
                await until(lambda: sum(each.accepted for each in counters) >= 16)
                assert abs(counters[0].accepted - counters[1].accepted) <= 2  # in turn
                await until(lambda: sum(each.accepted for each in counters) == 20)
            first = min(each.first_accepted or 0.0 for each in counters)
            last = max(each.last_accepted or 0.0 for each in counters)
            assert last - first >= 18 / 12.5  # 20 of them, the first at once


async def test_a_program_takes_them_on_sighup(tmp_path: Path) -> None:
    path = tmp_path / "relay.json"
    write(path, RelaySettings(tmp_path / "state", (account(1),)))
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "kannelkit", "relay", "--settings", str(path), "--json"),
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        assert b"listens" in await process.stdout.readline()
        write(path, RelaySettings(tmp_path / "state", (account(1, window=7),)))
        process.send_signal(signal.SIGHUP)
        assert f"the settings are read: changed: {NAME}".encode() in await process.stdout.readline()
        path.write_text("{}")
        process.send_signal(signal.SIGHUP)
        assert b"the settings are not taken, and all goes on as it was" in await process.stdout.readline()
        process.terminate()
        assert await process.wait() == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()

"""Two hosts behind one bind of a client's, who sees nothing of a move."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from kannelkit.errors import GatewayError
from kannelkit.relay import places
from kannelkit.relay.control import ask
from kannelkit.simulator import AccountRules, Simulator
from tests.harness.waiting import until
from tests.relay.running import NAME, account, bound, running

RULES = AccountRules("test", "test", limit=None)


async def test_a_host_that_is_gone_is_left_and_the_client_stays_bound(tmp_path: Path) -> None:
    async with Simulator([RULES]) as primary, Simulator([RULES]) as backup:
        settings = account(primary.port, backup.port)
        async with running(tmp_path, settings) as relay, bound(relay) as esme:
            assert (await esme.submit_and_wait(b"first")).command_status == 0
            primary.change_behaviour({"delay": 60})
            numbers = {esme.submit(b"m%d" % each) for each in range(5)}
            await until(lambda: primary.account("test").counters.submits == 6)
            assert (await ask(tmp_path, {"do": "state"}))["accounts"][0]["unanswered"] == 5
            primary.refuse_connections()
            primary.change_behaviour({"delay": 0})
            answers = [await esme.receive() for _ in numbers]
            assert {answer.sequence_number for answer in answers if answer.command_status == 0} == numbers
            assert backup.account("test").counters.accepted == 5
            counts = relay.accounts[NAME].counts
            assert (counts.moves, counts.maybe_doubled) == (1, 5)
            # and home again, with nothing unanswered
            await primary.listen()
            await until(lambda: len(primary.account("test").links) == 1)
            assert not backup.account("test").links
            assert (await esme.submit_and_wait(b"home")).command_status == 0
            assert primary.account("test").counters.accepted == 7
            assert (counts.moves, counts.maybe_doubled) == (2, 5)


async def test_it_is_moved_by_hand_with_nothing_unanswered_and_stays_there_over_a_new_relay(tmp_path: Path) -> None:
    async with Simulator([RULES]) as primary, Simulator([RULES]) as backup:
        settings = account(primary.port, backup.port, back_after=0.1)
        asked = {"do": "move", "account": NAME, "to": "backup"}
        said: list[str] = []
        async with running(tmp_path, settings, said=said) as relay, bound(relay) as esme:
            primary.change_behaviour({"delay": 0.5})
            numbers = {esme.submit(b"m%d" % each) for each in range(5)}
            await until(lambda: primary.account("test").counters.submits == 5)
            moving = asyncio.create_task(ask(tmp_path, asked, 30))
            answers = [await esme.receive() for _ in numbers]
            assert {each.sequence_number for each in answers if each.command_status == 0} == numbers
            assert await moving == {"unanswered": 0}
            assert not primary.account("test").links
            assert (await esme.submit_and_wait(b"there")).command_status == 0
            assert backup.account("test").counters.accepted == 1
            (state,) = (await ask(tmp_path, {"do": "state"}))["accounts"]
            assert (state["side"], state["side_why"], state["side_by_hand"]) == ("backup", "by hand", True)
            with pytest.raises(GatewayError, match="is on its backup already"):
                await ask(tmp_path, asked)
            await until(lambda: places.read(tmp_path) != {})
        assert any("by hand; 0 without an answer" in text for text in said)
        async with running(tmp_path, settings) as relay, bound(relay) as esme:
            assert (await esme.submit_and_wait(b"there still")).command_status == 0
            assert backup.account("test").counters.accepted == 2
            assert (await ask(tmp_path, {**asked, "to": "primary"}, 30))["unanswered"] == 0
            assert (await esme.submit_and_wait(b"home")).command_status == 0
        assert (primary.account("test").counters.accepted, primary.account("test").counters.doubled) == (6, 0)


async def test_a_host_that_takes_no_connection_is_not_gone_to_without_force(tmp_path: Path) -> None:
    async with Simulator([RULES]) as primary, Simulator([RULES]) as backup:
        backup.refuse_connections()
        settings = account(primary.port, backup.port, after=60.0)
        async with running(tmp_path, settings) as relay, bound(relay) as esme:
            for asked, why in (
                ({"to": "backup"}, f"the backup, 127.0.0.1:{backup.port}, does not answer: .*"),
                ({"to": "elsewhere"}, "there is no side 'elsewhere'"),
                ({"to": "primary"}, "is on its primary already"),
            ):
                with pytest.raises(GatewayError, match=why):
                    await ask(tmp_path, {"do": "move", "account": NAME, **asked})
            assert (await esme.submit_and_wait()).command_status == 0
            await ask(tmp_path, {"do": "move", "account": NAME, "to": "backup", "force": True}, 30)
            assert relay.accounts[NAME].sides.current == 1
            assert not primary.account("test").links
            await backup.listen()
            assert (await esme.submit_and_wait()).command_status == 0


async def test_a_host_that_falls_silent_is_left(tmp_path: Path) -> None:
    async with Simulator([RULES]) as primary, Simulator([RULES]) as backup:
        settings = account(primary.port, backup.port, enquire_every=1.0)
        async with running(tmp_path, settings) as relay, bound(relay) as esme:
            primary.change_behaviour({"silent": True})
            number = esme.submit(b"whoever is there")
            answer = await esme.receive()
            while answer.sequence_number != number:
                answer = await esme.receive()
            assert answer.command_status == 0
            assert backup.account("test").counters.accepted == 1
            assert relay.accounts[NAME].counts.maybe_doubled == 1


async def test_a_client_is_let_go_of_when_no_host_is_there(tmp_path: Path) -> None:
    async with Simulator([RULES]) as smsc, running(tmp_path, account(smsc.port)) as relay, bound(relay) as esme:
        smsc.refuse_connections()
        assert await esme.ended() == b""
        assert relay.accounts[NAME].counts.maybe_doubled == 0

"""Two hosts behind one bind of a client's, who sees nothing of a move."""

from __future__ import annotations

from pathlib import Path

from kannelkit.simulator import AccountRules, Simulator
from tests.relay.running import NAME, account, bound, running, until

RULES = AccountRules("test", "test", limit=None)


async def test_a_host_that_is_gone_is_left_and_the_client_stays_bound(tmp_path: Path) -> None:
    async with Simulator([RULES]) as primary, Simulator([RULES]) as backup:
        settings = account(primary.port, backup.port)
        async with running(tmp_path, settings) as relay, bound(relay) as esme:
            assert (await esme.submit_and_wait(b"first")).command_status == 0
            primary.change_behaviour({"delay": 60})
            numbers = {esme.submit(b"m%d" % each) for each in range(5)}
            await until(lambda: primary.account("test").counters.submits == 6)
            primary.refuse_connections()
            primary.change_behaviour({"delay": 0})
            answers = [await esme.receive() for _ in numbers]
            assert {answer.sequence_number for answer in answers if answer.command_status == 0} == numbers
            assert backup.account("test").counters.accepted == 5
            counts = relay.accounts[NAME].counts
            assert (counts.moves, counts.maybe_doubled) == (1, 5)
            # and home again, with nothing unanswered
            await primary.listen()
            await until(lambda: len(primary.account("test").links) == 1, 20)
            assert not backup.account("test").links
            assert (await esme.submit_and_wait(b"home")).command_status == 0
            assert primary.account("test").counters.accepted == 7
            assert (counts.moves, counts.maybe_doubled) == (2, 5)


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

"""What a provider answered when bearerbox was gone is the answer when bearerbox sends it again."""

from __future__ import annotations

from pathlib import Path

from kannelkit.relay.octets import numbered
from kannelkit.relay.orphans import Orphans
from kannelkit.simulator import AccountRules, Behaviour, Simulator
from kannelkit.smpp.constants import CommandId
from kannelkit.smpp.pdu import Pdu, encode
from tests.relay.running import NAME, account, bound, running, until
from tests.simulator.esme import message

SUBMIT = encode(Pdu(CommandId.SUBMIT_SM, 0, 5, message(b"hello")))
OTHER = encode(Pdu(CommandId.SUBMIT_SM, 0, 5, message(b"hell0")))


def test_each_answer_is_claimed_once_by_the_same_submit() -> None:
    orphans = Orphans()
    assert orphans.keep(SUBMIT, b"one", 0.0)
    assert orphans.keep(numbered(SUBMIT, 6), b"two", 1.0)
    assert orphans.claim(OTHER) is None
    assert [orphans.claim(numbered(SUBMIT, each)) for each in (1, 2, 3)] == [b"one", b"two", None]
    assert len(orphans) == 0


def test_what_nobody_comes_for_is_let_go_of_and_counted() -> None:
    orphans = Orphans()
    for at in (0.0, 30.0):
        orphans.keep(SUBMIT, b"answer", at)
    assert [orphans.expire(at) for at in (59.0, 61.0, 61.0, 91.0)] == [0, 1, 0, 1]
    assert orphans.claim(SUBMIT) is None


async def test_a_client_that_is_cut_off_sends_again_and_nothing_is_doubled(tmp_path: Path) -> None:
    rules = AccountRules("test", "test", limit=None)
    async with Simulator([rules], Behaviour(delay=2)) as smsc, running(tmp_path, account(smsc.port)) as relay:
        counters = smsc.account("test").counters
        async with bound(relay) as esme:
            for each in range(10):
                esme.submit(b"m%d" % each)
            await until(lambda: counters.submits == 10)
            smsc.change_behaviour({"silent": True})
        await until(lambda: relay.accounts[NAME].state()["bearerbox"] == 0)
        smsc.change_behaviour({"silent": False, "delay": 0})
        async with bound(relay) as esme:
            numbers = {esme.submit(b"m%d" % each) for each in range(12)}
            answers = [await esme.receive() for _ in numbers]
            assert {answer.sequence_number for answer in answers if answer.command_status == 0} == numbers
            counts = relay.accounts[NAME].counts
            assert (counts.not_doubled, counts.maybe_doubled) == (10, 0)
        assert (counters.accepted, counters.doubled) == (12, 0)

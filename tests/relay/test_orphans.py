"""What a provider answered when bearerbox was gone is the answer when bearerbox sends it again."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kannelkit.relay.octets import lasting, numbered
from kannelkit.relay.orphans import Orphans
from kannelkit.simulator import AccountRules, Behaviour, Simulator
from kannelkit.smpp.constants import CommandId, Tag
from kannelkit.smpp.pdu import FieldValue, Pdu, Tlv, encode
from tests.harness.waiting import until
from tests.relay.running import NAME, account, bound, running
from tests.simulator.esme import message

SUBMIT = encode(Pdu(CommandId.SUBMIT_SM, 0, 5, message(b"hello")))
OTHER = encode(Pdu(CommandId.SUBMIT_SM, 0, 5, message(b"hell0")))


def submit(**changes: FieldValue) -> bytes:
    return encode(Pdu(CommandId.SUBMIT_SM, 0, 5, {**message(b"hello"), **changes}))


@pytest.mark.parametrize("period", [b"", b"261123060000000+", b"261123060001000+"])
def test_when_a_message_ends_to_be_valid_makes_it_no_other_one(period: bytes) -> None:
    # with validityperiod in its group bearerbox reckons that anew each time (gw/smsc/smsc_smpp.c, msg_to_pdu)
    orphans = Orphans()
    orphans.keep(submit(validity_period=b"261123055959000+"), b"answer", 0.0)
    assert orphans.claim(numbered(submit(validity_period=period), 9)) == b"answer"


OTHERS: dict[str, dict[str, FieldValue]] = {
    "text": {"short_message": b"hell0"},
    "longer text": {"short_message": b"hello!"},
    "recipient": {"destination_addr": b"79991234568"},
    "sender": {"source_addr": b"shoq"},
    "hour": {"schedule_delivery_time": b"261123060000000+"},
    "priority": {"priority_flag": 1},
    "receipt": {"registered_delivery": 1},
    "coding": {"data_coding": 8},
}


@pytest.mark.parametrize("what", OTHERS)
def test_whatever_else_is_another_message(what: str) -> None:
    orphans = Orphans()
    orphans.keep(SUBMIT, b"answer", 0.0)
    assert orphans.claim(submit(**OTHERS[what])) is None


@given(st.binary(max_size=80))
def test_any_submit_can_be_compared(body: bytes) -> None:
    frame = (16 + len(body)).to_bytes(4, "big") + SUBMIT[4:16] + body
    assert lasting(frame) == lasting(numbered(frame, 99))


@given(
    st.lists(
        st.tuples(st.sampled_from("kct"), st.integers(0, 3), st.floats(0, 40)),  # keep, claim or time; which; seconds
        max_size=60,
    )
)
def test_as_many_leave_as_came_but_for_those_answered_already(steps: list[tuple[str, int, float]]) -> None:
    """Each kept answer is told once, to the same message, within a minute, the oldest first; and counted otherwise."""
    orphans = Orphans()
    now = 0.0
    kept: list[tuple[float, int, bytes]] = []
    for place, (step, which, seconds) in enumerate(steps):
        frame = numbered(submit(short_message=b"%d" % which), place)
        if step == "k":
            assert orphans.keep(frame, b"%d" % place, now)
            kept.append((now, which, b"%d" % place))
        elif step == "c":
            wanted = next((each for each in kept if each[1] == which), None)
            assert orphans.claim(frame) == (None if wanted is None else wanted[2])
            if wanted is not None:
                kept.remove(wanted)
        else:
            now += seconds
            old = [each for each in kept if now >= each[0] + 60]
            kept = [each for each in kept if each not in old]
            assert orphans.expire(now) == len(old)
        assert len(orphans) == len(kept)


def test_each_answer_is_claimed_once_by_the_same_submit() -> None:
    orphans = Orphans()
    assert orphans.keep(SUBMIT, b"one", 0.0)
    assert orphans.keep(numbered(SUBMIT, 6), b"two", 1.0)
    assert orphans.claim(OTHER) is None
    assert [orphans.claim(numbered(SUBMIT, each)) for each in (1, 2, 3)] == [b"one", b"two", None]
    assert len(orphans) == 0


def test_more_than_is_good_is_not_kept() -> None:
    orphans = Orphans()
    long = encode(Pdu(CommandId.DATA_SM, 0, 1, {}, [Tlv(Tag.MESSAGE_PAYLOAD, b"x" * 60_000)]))
    kept = [orphans.keep(long, b"answer", 0.0) for _ in range(200)]
    assert kept.index(False) == sum(kept) > 100
    orphans.claim(long)
    assert orphans.keep(long, b"answer", 0.0)


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


async def test_of_messages_that_are_all_the_same_as_many_arrive_as_were_given(tmp_path: Path) -> None:
    rules = AccountRules("test", "test", limit=None)
    async with Simulator([rules], Behaviour(delay=2)) as smsc, running(tmp_path, account(smsc.port)) as relay:
        counters = smsc.account("test").counters
        async with bound(relay) as esme:
            for _ in range(3):
                esme.submit(b"the same")
            await until(lambda: counters.submits == 3)
            smsc.change_behaviour({"silent": True})
        await until(lambda: relay.accounts[NAME].state()["bearerbox"] == 0)
        smsc.change_behaviour({"silent": False, "delay": 0})
        async with bound(relay) as esme:
            numbers = {esme.submit(b"the same") for _ in range(5)}  # the three again, and two new ones
            answers = [await esme.receive() for _ in numbers]
            assert {answer.sequence_number for answer in answers if answer.command_status == 0} == numbers
            assert len({answer.octets("message_id") for answer in answers}) == 5
        assert (counters.accepted, relay.accounts[NAME].counts.not_doubled) == (5, 3)


async def test_what_was_answered_to_a_client_that_stays_is_kept_for_nobody(tmp_path: Path) -> None:
    rules = AccountRules("test", "test", limit=None)
    async with (
        Simulator([rules]) as smsc,
        running(tmp_path, account(smsc.port)) as relay,
    ):
        for _ in range(2):
            async with bound(relay) as esme:
                for _ in range(5):
                    assert (await esme.submit_and_wait(b"the same")).command_status == 0
            await until(lambda: relay.accounts[NAME].state()["bearerbox"] == 0)
        assert smsc.account("test").counters.accepted == 10
        assert relay.accounts[NAME].counts.not_doubled == 0

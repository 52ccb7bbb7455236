"""Long messages: put together in any order, for as long and as many as is allowed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kannelkit.providers import statuses
from kannelkit.providers.flags import Kind
from kannelkit.simulator import AccountRules, Behaviour, Bounds, Simulator
from kannelkit.simulator.content import Alphabet, Part
from kannelkit.simulator.messages import Message
from kannelkit.simulator.parts import Parts, key_of
from kannelkit.smpp.constants import CommandId, MessageState
from tests.simulator.esme import Esme, Fields, message
from tests.simulator.test_time import jump, play, settle

ACCOUNT = AccountRules("test", "test", limit=None)


def blank(number: int) -> Message:
    return Message(number, b"\5\0shop", b"\1\1%d" % number, 0.0, b"", 0, Alphabet.GSM, Kind.SMS)


LENGTHS = st.lists(st.integers(2, 6), min_size=1, max_size=8)


@given(LENGTHS, st.randoms(use_true_random=False))
def test_every_message_is_whole_when_its_last_part_is_there(lengths: list[int], order: object) -> None:
    pieces = [
        (which, Part(9, total, number, "udh")) for which, total in enumerate(lengths) for number in range(1, total + 1)
    ]
    order.shuffle(pieces)  # type: ignore[attr-defined]  # hypothesis' own Random
    parts = Parts(100, 1_000_000)
    whole: dict[int, bytes] = {}
    for which, part in pieces:
        key = key_of(b"\5\0shop", b"\1\1%d" % which, part)
        found = parts.find(key)
        if found is None:
            found = blank(which)
            parts.begin(key, found, 0.0)
        if parts.add(key, part, b"<%d.%d>" % (which, part.number)):
            whole[which] = found.octets
            assert found.parts == lengths[which]
    assert len(parts) == 0
    assert whole == {
        which: b"".join(b"<%d.%d>" % (which, number) for number in range(1, total + 1))
        for which, total in enumerate(lengths)
    }


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(1, 3), st.integers(0, 300)), max_size=60))
def test_no_more_is_held_than_may_be(arrivals: list[tuple[int, int, int]]) -> None:
    parts = Parts(4, 1000)
    held: set[int] = set()
    number = 0
    for which, place, size in arrivals:
        part = Part(which, 4, place, "udh")
        key = key_of(b"a", b"b", part)
        if parts.find(key) is None:
            number += 1
            held.add(number)
            parts.begin(key, blank(number), 0.0)
        assert not parts.add(key, part, bytes(size))  # the fourth part never comes
        gone = parts.too_many()
        assert [each.id for each in gone] == sorted(held)[: len(gone)]  # the oldest first
        held -= {each.id for each in gone}
        assert len(parts) == len(held) <= 4
    assert len(parts.overdue(10.0, 10.0)) == len(held)
    assert parts.oldest is None


def part_of(reference: int, total: int, number: int, text: bytes = b"") -> Fields:
    header = bytes((5, 0, 3, reference, total, number))
    return {**message(header + text, receipt=True), "esm_class": 0x40}


def test_message_whose_parts_are_missing_ends_with_err_241() -> None:
    async def scene() -> None:
        async with Simulator([ACCOUNT], Behaviour(receipt_delay=0, parts_within=60)) as smsc, Esme(smsc.port) as esme:
            await esme.bind()
            first = (await esme.ask(CommandId.SUBMIT_SM, part_of(1, 3, 1, b"one "))).octets("message_id")
            jump(30)
            assert (await esme.ask(CommandId.SUBMIT_SM, part_of(1, 3, 3, b"three"))).octets("message_id") == first
            other = (await esme.ask(CommandId.SUBMIT_SM, part_of(2, 2, 1))).octets("message_id")
            answer = await esme.ask(CommandId.QUERY_SM, {"message_id": first})
            assert answer.number("message_state") == MessageState.ENROUTE
            jump(31)
            told = await esme.receive()
            status = statuses.read(told.octets("short_message"), told.tlvs)
            assert (status.message_id, status.state, status.err, status.parts) == (first.decode(), "UNDELIV", 241, 2)
            assert smsc.account("test").recent(9, after_id=1)[0].id == int(other)
            assert smsc.account("test").recent(9)[1].text == "one three"
            assert (await esme.ask(CommandId.SUBMIT_SM, part_of(2, 2, 2))).octets("message_id") == other
            assert (await esme.receive()).octets("short_message").startswith(b"id:2 sub:002 dlvrd:002")

    play(scene)


def test_shorter_wait_for_parts_applies_at_once() -> None:
    async def scene() -> None:
        async with Simulator([ACCOUNT], Behaviour(receipt_delay=0)) as smsc, Esme(smsc.port) as esme:
            await esme.bind()
            await esme.ask(CommandId.SUBMIT_SM, part_of(1, 2, 1))
            jump(10)
            smsc.change_behaviour({"parts_within": 5})
            await settle()
            assert smsc.account("test").recent(1)[0].outcome.err == 241

    play(scene)


async def test_beyond_what_may_be_unfinished_the_oldest_ends() -> None:
    bounds = Bounds(unfinished=3)
    async with Simulator([ACCOUNT], Behaviour(receipt_delay=0), bounds=bounds) as smsc, Esme(smsc.port) as esme:
        await esme.bind()
        for reference in range(5):
            await esme.ask(CommandId.SUBMIT_SM, {**part_of(reference, 2, 1), "registered_delivery": 0})
        await settle()
        errors = [each.outcome.err for each in reversed(smsc.account("test").recent(9))]
        assert errors == [241, 241, 0, 0, 0]


async def test_parts_may_come_over_several_connections() -> None:
    async with Simulator([ACCOUNT], Behaviour(receipt_delay=0)) as smsc, Esme(smsc.port) as one, Esme(smsc.port) as two:
        for esme in (one, two):
            await esme.bind(system_type=b"MCON2", command_id=CommandId.BIND_TRANSMITTER)
        await one.ask(CommandId.SUBMIT_SM, part_of(1, 2, 1, b"one "))
        await two.ask(CommandId.SUBMIT_SM, part_of(1, 2, 2, b"two"))
        (found,) = smsc.account("test").recent(9)
        assert (found.text, found.parts) == ("one two", 2)


async def test_long_texts_are_kept_until_they_take_too_much() -> None:
    async with Simulator([ACCOUNT], bounds=Bounds(long_octets=1000)) as smsc, Esme(smsc.port) as esme:
        await esme.bind()
        for reference in range(4):
            for number in (1, 2):
                await esme.ask(CommandId.SUBMIT_SM, part_of(reference, 2, number, b"x" * 200))
        assert [len(each.octets) for each in smsc.account("test").recent(9)] == [400, 400, 0, 0]


@pytest.mark.parametrize(("pieces", "kind"), [((b"print", b"able"), Kind.SMS), ((b"print", b"\0\1"), Kind.BINARY)])
async def test_whole_message_is_text_or_binary(pieces: tuple[bytes, bytes], kind: Kind) -> None:
    async with Simulator([ACCOUNT]) as smsc, Esme(smsc.port) as esme:
        await esme.bind()
        for number, piece in enumerate(pieces, 1):
            await esme.ask(CommandId.SUBMIT_SM, {**part_of(1, 2, number, piece), "data_coding": 4})
        (found,) = smsc.account("test").recent(9)
        assert (found.kind, found.text) == (kind, None if kind is Kind.BINARY else "printable")


async def test_texts_of_messages_without_an_end_are_kept_until_they_take_too_much() -> None:
    bounds = Bounds(long_octets=1000, unfinished=1)
    async with Simulator([ACCOUNT], bounds=bounds) as smsc, Esme(smsc.port) as esme:
        await esme.bind()
        for reference in range(5):
            for number in (1, 2):
                await esme.ask(CommandId.SUBMIT_SM, part_of(reference, 3, number, b"x" * 200))
        assert [len(each.octets) for each in smsc.account("test").recent(9)] == [0, 400, 400, 0, 0]


HEADERS = [
    (b"", "binary"),  # the flag is set, and there is nothing
    (b"\x05\x00\x03", "binary"),
    (b"\xff" * 20, "binary"),
    (b"\x05\x00\x03\x01\x02\x00hello", "gsm"),  # a part 0 is none
    (b"\x05\x00\x03\x01\x01\x01hello", "gsm"),  # the only one
    (b"\x00hello", "gsm"),
]


@pytest.mark.parametrize(("octets", "alphabet"), HEADERS)
async def test_header_that_says_nothing_of_parts_makes_a_message(octets: bytes, alphabet: str) -> None:
    async with Simulator([ACCOUNT], Behaviour(receipt_delay=0)) as smsc, Esme(smsc.port) as esme:
        await esme.bind()
        await esme.ask(CommandId.SUBMIT_SM, {**message(octets), "esm_class": 0x40})
        (found,) = smsc.account("test").recent(9)
        assert (str(found.alphabet), found.long_by, found.outcome.state) == (alphabet, "", "DELIVRD")
        assert found.text == ("hello" if alphabet == "gsm" else None)

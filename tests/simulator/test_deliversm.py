"""What a client gets: receipts and incoming messages."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kannelkit.providers import statuses
from kannelkit.providers.flags import Kind, read_flags
from kannelkit.simulator import AccountRules, Behaviour, Bounds, Simulator, deliversm
from kannelkit.simulator.content import Alphabet
from kannelkit.simulator.deliversm import Incoming
from kannelkit.simulator.messages import Message
from kannelkit.simulator.outcomes import ENDS, Outcome
from kannelkit.smpp import gsm0338, udh
from kannelkit.smpp.constants import CommandId, EsmClass
from kannelkit.smpp.pdu import FieldValue, decode, encode
from tests.simulator.esme import Esme, message
from tests.simulator.submitted import ACCOUNT, AT_ONCE, taken
from tests.simulator.test_time import jump, play, settle

HLR = statuses.Hlr("250", "7923", "250", "02", "Russian Federation", "A+B")
MESSAGES = st.builds(
    Message,
    id=st.integers(1, 2**40),
    sender=st.binary(min_size=2, max_size=2).flatmap(lambda head: st.just(head + b"shop")),
    receiver=st.just(b"\1\1") | st.just(b"\1\1" + b"7" * 20),
    accepted=st.just(0.0),
    octets=st.just(b""),
    data_coding=st.just(0),
    alphabet=st.just(Alphabet.GSM),
    kind=st.sampled_from([kind for kind in Kind if kind is not Kind.HLR]),
    parts=st.integers(1, 500),
    outcome=st.builds(Outcome, state=st.sampled_from(ENDS), err=st.integers(0, 255), hlr=st.none() | st.just(HLR)),
)


@given(MESSAGES, st.floats(0, 999), st.integers(1, 0x7FFFFFFF))
def test_receipt_is_a_deliver_sm_that_says_all(told: Message, cost: float, sequence_number: int) -> None:
    if told.outcome.hlr is not None:
        told.kind = Kind.HLR
    octets = deliversm.receipt(told, "1108202241", "1108202242", cost, sequence_number)
    received = decode(octets)
    assert encode(received) == octets
    assert (received.command_id, received.sequence_number) == (CommandId.DELIVER_SM, sequence_number)
    assert (received.number("source_addr_ton"), received.octets("source_addr")) == (told.receiver[0], told.receiver[2:])
    assert (received.number("dest_addr_npi"), received.octets("destination_addr")) == (told.sender[1], b"shop")
    status = statuses.read(received.octets("short_message"), received.tlvs)
    assert (status.message_id, status.state, status.err) == (str(told.id), told.outcome.state, told.outcome.err)
    assert (status.kind, status.parts, status.hlr) == (told.kind, told.parts, told.outcome.hlr)
    assert (status.unknown, status.unknown_tlvs, status.conflicts) == ((), (), ())
    assert status.cost is not None
    assert len(status.cost) <= 6
    assert float(status.cost) == pytest.approx(cost * told.parts, rel=1e-3, abs=1e-4)
    if told.outcome.hlr is None:
        assert (status.submit_date, status.done_date) == ("1108202241", "1108202242")
        assert status.dlvrd == (status.sub if told.outcome.state == "DELIVRD" else "000")


@given(st.text("aé€_Жя😀\n@", min_size=0, max_size=2000), st.booleans())
def test_incoming_message_is_whole_when_its_parts_are_joined(text: str, iso: bool) -> None:
    parts = deliversm.incoming_parts(Incoming(300, "7916", "7777", text, 0.0))
    joined = ""
    for number, part in enumerate(parts, 1):
        received = decode(deliversm.incoming(part, iso, number))
        octets = received.octets("short_message")
        if received.number("esm_class") == EsmClass.UDHI:
            elements, octets = udh.parse(octets)
            assert udh.concatenation(elements) == udh.Concatenation(300 % 256, len(parts), number)
            assert len(octets) <= (134 if received.number("data_coding") else 153)
        else:
            assert len(parts) == 1
        if received.number("data_coding") == 8:
            joined += octets.decode("utf-16-be")
        else:
            joined += octets.decode("latin-1") if iso else gsm0338.decode(octets)
    assert joined == text


@pytest.mark.parametrize(
    ("source", "destination", "text"),
    [
        ("", "7777", "a"),
        ("7916", "", "a"),
        ("7" * 21, "7777", "a"),
        ("Ж", "7777", "a"),
        ("7916", "77\n", "a"),
        ("7916", "7777", "a" * 40_000),
    ],
)
def test_incoming_message_that_cannot_be_is_refused(source: str, destination: str, text: str) -> None:
    with pytest.raises(ValueError, match=r"address|255"):
        deliversm.incoming_parts(Incoming(1, source, destination, text, 0.0))


async def test_incoming_parts_come_in_order_and_are_acknowledged() -> None:
    async with Simulator([AccountRules("test", "test")]) as smsc, Esme(smsc.port) as esme:
        await esme.bind()
        smsc.account("test").incoming("BANK", "7777", "a" * 1000)
        numbers = []
        for _ in range(7):
            came = await esme.receive()
            elements, _ = udh.parse(came.octets("short_message"))
            found = udh.concatenation(elements)
            assert found is not None
            numbers.append(found.number)
            esme.send(CommandId.DELIVER_SM_RESP, sequence_number=came.sequence_number)
        assert numbers == list(range(1, 8))
        await esme.ask(CommandId.ENQUIRE_LINK)
        counters = smsc.account("test").counters
        assert (counters.incoming, counters.incoming_sent, counters.incoming_acknowledged) == (1, 7, 7)


async def test_incoming_message_that_a_client_refuses_is_dropped() -> None:
    async with Simulator([AccountRules("test", "test")]) as smsc, Esme(smsc.port) as esme:
        await esme.bind()
        smsc.account("test").incoming("7916", "7777", "a")
        came = await esme.receive()
        esme.send(CommandId.DELIVER_SM_RESP, sequence_number=came.sequence_number, status=0x0B)
        await esme.ask(CommandId.ENQUIRE_LINK)
        counters = smsc.account("test").counters
        assert (counters.incoming_dropped, counters.receipts_dropped) == (1, 0)


def test_receipt_is_kept_for_a_day() -> None:
    async def scene() -> None:
        behaviour = Behaviour(receipt_delay=0)
        async with Simulator([AccountRules("test", "test")], behaviour, bounds=Bounds(receipt_age=86_400)) as smsc:
            async with Esme(smsc.port) as esme:
                await esme.bind(command_id=CommandId.BIND_TRANSMITTER)
                await esme.submit_and_wait(b"a", receipt=True)
                await settle()
                jump(10)
                await esme.submit_and_wait(b"b", receipt=True)
            jump(86_395)
            smsc.account("test").receipts.send()  # as whenever something is due
            assert len(smsc.account("test").receipts) == 1
            async with Esme(smsc.port) as esme:
                await esme.bind()
                assert (await esme.receive()).octets("short_message").startswith(b"id:2 ")
            assert smsc.account("test").counters.receipts_dropped == 1

    play(scene)


KINDS: list[tuple[dict[str, FieldValue], Kind]] = [
    ({"short_message": b"a"}, Kind.SMS),
    ({"short_message": b"a", "data_coding": 0x10}, Kind.FLASH),
    ({"short_message": b"\0\1\2", "data_coding": 4}, Kind.BINARY),
    (
        {"short_message": bytes.fromhex("0605040b8423f0") + b"push", "data_coding": 4, "esm_class": 0x40},
        Kind.WAP_PUSH,
    ),
]


@pytest.mark.parametrize(("fields", "kind"), KINDS, ids=[str(each[1]) for each in KINDS])
async def test_receipt_tells_the_type(fields: dict[str, FieldValue], kind: Kind) -> None:
    async with Simulator([ACCOUNT], AT_ONCE) as smsc, Esme(smsc.port) as esme:
        await esme.bind()
        await taken(esme, {**message(b"", receipt=True), **fields})
        flags = (await esme.receive()).tlv(0x2001)
        assert flags is not None
        assert read_flags(int.from_bytes(flags, "big")).kind is kind

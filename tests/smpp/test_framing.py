"""Cutting a stream into PDUs: what is kept, and what ends the stream."""

from __future__ import annotations

import struct

import pytest

from kannelkit.smpp.constants import CommandId, CommandStatus
from kannelkit.smpp.framing import MAX_LENGTH, Frames, FramingError, header
from kannelkit.smpp.pdu import Pdu, PduError, Tlv, answer, encode

ENQUIRE = encode(Pdu(CommandId.ENQUIRE_LINK, 0, 5))


def frame(length: int, sequence_number: int = 9) -> bytes:
    return struct.pack(">IIII", length, CommandId.SUBMIT_SM, 0, sequence_number)


def test_octet_by_octet() -> None:
    reader = Frames()
    found = [reader.feed(ENQUIRE[position : position + 1]) for position in range(16)]
    assert found == [[]] * 15 + [[ENQUIRE]]


def test_nothing_comes_from_nothing() -> None:
    reader = Frames()
    assert reader.feed(b"") == []
    reader.feed(ENQUIRE[:3])
    assert reader.feed(b"") == []
    assert reader.unfinished == 3


@pytest.mark.parametrize("length", [0, 1, 15, MAX_LENGTH + 1, 0xFFFFFFFF])
def test_an_impossible_length_ends_the_stream(length: int) -> None:
    reader = Frames()
    with pytest.raises(FramingError) as caught:
        reader.feed(ENQUIRE * 2 + frame(length))
    error = caught.value
    assert error.command_status == CommandStatus.ESME_RINVCMDLEN
    assert error.frames == [ENQUIRE, ENQUIRE]
    assert error.sequence_number == 9
    assert answer(error) == Pdu(CommandId.GENERIC_NACK, CommandStatus.ESME_RINVCMDLEN, 9)
    with pytest.raises(FramingError) as again:
        reader.feed(ENQUIRE)
    assert again.value.frames == []


def test_an_impossible_length_is_told_from_its_four_octets() -> None:
    reader = Frames()
    reader.feed(b"\xff\xff")
    with pytest.raises(FramingError) as caught:
        reader.feed(b"\xff\xff")
    assert caught.value.sequence_number is None
    assert answer(caught.value) == Pdu(CommandId.GENERIC_NACK, CommandStatus.ESME_RINVCMDLEN, 0)


def test_the_longest_payload_is_one_frame() -> None:
    longest = encode(Pdu(CommandId.SUBMIT_SM, 0, 1, tlvs=[Tlv(0x0424, bytes(65535))]))
    reader = Frames()
    assert reader.feed(longest[:60000]) == []
    assert reader.feed(longest[60000:] + ENQUIRE) == [longest, ENQUIRE]


def test_the_limit_can_be_set() -> None:
    assert Frames(16).feed(ENQUIRE) == [ENQUIRE]
    with pytest.raises(FramingError):
        Frames(16).feed(frame(17))


def test_header() -> None:
    assert header(ENQUIRE) == (16, CommandId.ENQUIRE_LINK, 0, 5)
    with pytest.raises(PduError):
        header(ENQUIRE[:15])

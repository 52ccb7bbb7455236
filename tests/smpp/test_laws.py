"""What holds for every PDU and for any octets at all."""

from __future__ import annotations

import struct

from hypothesis import given, settings
from hypothesis import strategies as st

from kannelkit.smpp.commands import COMMANDS, Command, Field
from kannelkit.smpp.framing import Frames, header
from kannelkit.smpp.pdu import (
    DistributionList,
    FieldValue,
    Pdu,
    PduError,
    SmeAddress,
    Tlv,
    UnsuccessSme,
    decode,
    encode,
)

OCTET = st.integers(0, 255)
WORD = st.integers(0, 0xFFFFFFFF)


def text(size: int) -> st.SearchStrategy[bytes]:
    """A C-octet string's value: at most `size` octets with its NUL."""
    return st.lists(st.integers(1, 255), max_size=size - 1).map(bytes)


ADDRESS = st.builds(SmeAddress, OCTET, OCTET, text(21))
DESTINATIONS = st.lists(ADDRESS | st.builds(DistributionList, text(21)), min_size=1, max_size=5)
UNSUCCESSFUL = st.lists(st.builds(UnsuccessSme, OCTET, OCTET, text(21), WORD), max_size=5)
TLVS = st.lists(st.builds(Tlv, st.integers(0, 0xFFFF), st.binary(max_size=40)), max_size=4)


def value_of(field: Field) -> st.SearchStrategy[FieldValue]:
    """Anything the field can hold."""
    values: dict[str, st.SearchStrategy[FieldValue]] = {
        "integer": OCTET,
        "c-octet string": text(field.size),
        "time": st.just(b"") | st.lists(st.integers(1, 255), min_size=16, max_size=16).map(bytes),
        "short message": st.binary(max_size=255),
        "destinations": DESTINATIONS,
        "unsuccessful": UNSUCCESSFUL,
    }
    return values[field.kind]


def pdu_of(command: Command) -> st.SearchStrategy[Pdu]:
    """Any whole PDU of the command; a response that may be a header alone is one, too."""
    whole = st.builds(
        Pdu,
        st.just(int(command.command_id)),
        WORD,
        WORD,
        st.fixed_dictionaries({field.name: value_of(field) for field in command.fields}),
        TLVS,
    )
    if command.body == "always":
        return whole
    status = WORD if command.body == "optional" else st.integers(1, 0xFFFFFFFF)
    return whole | st.builds(Pdu, st.just(int(command.command_id)), status, WORD)


KNOWN = st.sampled_from(list(COMMANDS.values())).flatmap(pdu_of)
UNKNOWN = st.builds(
    Pdu,
    WORD.filter(lambda command_id: command_id not in COMMANDS),
    WORD,
    WORD,
    st.just({}),
    st.just([]),
    st.binary(max_size=60),
)
PDUS = KNOWN | UNKNOWN

# Bodies that get far: mostly NULs and small lengths, so that the reader is led deep into the fields before it is lost.
LIKELY = st.lists(st.sampled_from([0, 0, 0, 1, 2, 4, 5, 16, 21, 65, 255]), max_size=80).map(bytes)
ANY_FRAME = st.builds(
    lambda command_id, status, sequence_number, body: (
        struct.pack(">IIII", 16 + len(body), command_id, status, sequence_number) + body
    ),
    st.sampled_from(list(COMMANDS)) | WORD,
    st.sampled_from([0, 0x58]),
    WORD,
    LIKELY | st.binary(max_size=80),
)


def refusal(octets: bytes) -> str | None:
    """Return None where the octets decode and come back, otherwise whose fault the refusal names."""
    try:
        found = decode(octets)
    except PduError as error:
        return error.fault
    return None if encode(found) == octets else "came back as something else"


@settings(max_examples=300, deadline=None)
@given(PDUS)
def test_a_pdu_comes_back_from_its_octets(pdu: Pdu) -> None:
    octets = encode(pdu)
    assert decode(octets) == pdu
    assert header(octets) == (len(octets), pdu.command_id, pdu.command_status, pdu.sequence_number)


@settings(max_examples=500, deadline=None)
@given(ANY_FRAME | st.binary(max_size=100))
def test_any_octets_come_back_or_are_refused(octets: bytes) -> None:
    assert refusal(octets) in (None, "peer")


@settings(deadline=None)
@given(PDUS, st.data())
def test_a_changed_octet_is_refused_or_comes_back(pdu: Pdu, data: st.DataObject) -> None:
    octets = bytearray(encode(pdu))
    octets[data.draw(st.integers(4, len(octets) - 1))] = data.draw(OCTET)
    assert refusal(bytes(octets)) in (None, "peer")


@settings(deadline=None)
@given(st.lists(PDUS.map(encode), max_size=8), st.data())
def test_frames_are_the_same_however_they_are_cut(frames: list[bytes], data: st.DataObject) -> None:
    stream = b"".join(frames)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=10)))
    reader = Frames()
    found: list[bytes] = []
    for begin, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        found += reader.feed(stream[begin:end])
    assert found == frames
    assert reader.unfinished == 0

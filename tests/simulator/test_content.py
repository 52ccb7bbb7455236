"""What a submit carries."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kannelkit.providers.channels import parse
from kannelkit.simulator import content
from kannelkit.simulator.content import Alphabet
from kannelkit.smpp import gsm0338, udh
from kannelkit.smpp.constants import CommandId, Tag
from kannelkit.smpp.datacoding import split
from kannelkit.smpp.pdu import Pdu, Tlv, decode, encode
from tests.simulator.esme import Fields, message


def carried(fields: Fields, tlvs: list[Tlv] | None = None, iso: bool = False) -> content.Content:
    received = decode(encode(Pdu(CommandId.SUBMIT_SM, sequence_number=1, fields=fields, tlvs=tlvs or [])))
    return content.read(received, received.message(), iso)


TEXTS = st.text("aé€_~\n{\\", max_size=60)


@given(TEXTS, TEXTS)
def test_text_fills_as_many_sms_as_it_is_split_into_without_its_comment(text: str, comment: str) -> None:
    repeated = text * 9
    if "\n~~~\n" in repeated + "\n~~~":
        return
    for alphabet, data_coding, octets in (
        (Alphabet.GSM, 0, gsm0338.encode),
        (Alphabet.UCS2, 8, lambda each: each.encode("utf-16-be")),
    ):
        wanted = len(split(repeated, data_coding)[1])
        for whole in (repeated, repeated + "\n~~~\n" + comment):
            found = content.sms_in(octets(whole), alphabet)
            # parts are not cut inside a pair of septets, so one with many pairs may be a little longer
            assert wanted - 1 <= found <= wanted
            assert content.text(octets(whole), alphabet) == whole


LOOKALIKES = [
    (Alphabet.UCS2, b"\x0a\x00\x0a\x00\x7e\x00\x7e\x00\x7e\x00\x0a\x00"),
    (Alphabet.GSM, gsm0338.encode("\f~~~\n")),
    (Alphabet.GSM, b"\n~~~\n"),  # ü, in GSM
    (Alphabet.ISO, gsm0338.encode("\n~~~\n")),
    (Alphabet.BINARY, b"\n~~~\n"),
]


@pytest.mark.parametrize(("alphabet", "octets"), LOOKALIKES)
def test_what_only_looks_like_a_comment_is_text(alphabet: Alphabet, octets: bytes) -> None:
    assert not content.has_comment(octets, alphabet)
    text = content.text(octets, alphabet)
    assert text is None or parse(text).comment == ""


SAR = [Tlv(Tag.SAR_MSG_REF_NUM, b"\1\2"), Tlv(Tag.SAR_TOTAL_SEGMENTS, b"\3"), Tlv(Tag.SAR_SEGMENT_SEQNUM, b"\2")]
NO_PART = [
    ("one is missing", SAR[:2]),
    ("a length is wrong", [Tlv(Tag.SAR_MSG_REF_NUM, b"\1"), *SAR[1:]]),
    ("a part 0", [*SAR[:2], Tlv(Tag.SAR_SEGMENT_SEQNUM, b"\0")]),
    ("beyond the last", [*SAR[:2], Tlv(Tag.SAR_SEGMENT_SEQNUM, b"\4")]),
    ("the only one", [SAR[0], Tlv(Tag.SAR_TOTAL_SEGMENTS, b"\1"), Tlv(Tag.SAR_SEGMENT_SEQNUM, b"\1")]),
]


def test_sar_tlvs_tell_the_part() -> None:
    assert carried(message(b"a"), SAR).part == content.Part(0x0102, 3, 2, "sar")


@pytest.mark.parametrize("tlvs", [each[1] for each in NO_PART], ids=[each[0] for each in NO_PART])
def test_sar_tlvs_that_tell_no_part_are_none(tlvs: list[Tlv]) -> None:
    assert carried(message(b"a"), tlvs).part is None


@given(st.binary(max_size=200), st.integers(0, 255), st.integers(0, 255), st.booleans())
def test_whatever_comes_is_read(octets: bytes, esm_class: int, data_coding: int, iso: bool) -> None:
    found = carried({**message(octets), "esm_class": esm_class, "data_coding": data_coding}, iso=iso)
    assert (content.text(found.octets, found.alphabet) is None) is (found.alphabet is Alphabet.BINARY)
    assert octets.endswith(found.octets)
    assert content.sms_in(found.octets, found.alphabet) >= 1


def test_header_is_no_text() -> None:
    header = udh.build([udh.Concatenation(7, 2, 1).element(), udh.Element(0x24, b"\1")])
    found = carried({**message(header + b"hello"), "esm_class": 0x43})
    assert (found.octets, found.part, found.long_by) == (b"hello", content.Part(7, 2, 1, "udh"), "udh")

"""Values of TLVs: by the tag's format, and refused where the length is wrong."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kannelkit.smpp.constants import CommandStatus, Tag
from kannelkit.smpp.pdu import PduError
from kannelkit.smpp.tlv import FORMATS, Tlv, build_tlv, read_tlv


@pytest.mark.parametrize(
    ("tag", "value", "octets"),
    [
        (Tag.MESSAGE_STATE, 2, "02"),
        (Tag.SAR_MSG_REF_NUM, 258, "0102"),
        (Tag.QOS_TIME_TO_LIVE, 1, "00000001"),
        (Tag.RECEIPTED_MESSAGE_ID, b"854", "38353400"),
        (Tag.RECEIPTED_MESSAGE_ID, b"", "00"),
        (Tag.NETWORK_ERROR_CODE, b"\x03\0\0", "030000"),
        (Tag.ALERT_ON_MESSAGE_DELIVERY, b"", ""),
        (0x2000, b"1.05\0", "312e303500"),
    ],
)
def test_a_value_becomes_octets_and_comes_back(tag: int, value: int | bytes, octets: str) -> None:
    tlv = build_tlv(tag, value)
    assert tlv == Tlv(tag, bytes.fromhex(octets))
    assert read_tlv(tlv) == value


def test_a_c_octet_string_is_read_without_its_nul_too() -> None:
    assert read_tlv(Tlv(Tag.RECEIPTED_MESSAGE_ID, b"854")) == b"854"


@pytest.mark.parametrize(
    ("tag", "octets"),
    [
        (Tag.MESSAGE_STATE, b""),
        (Tag.MESSAGE_STATE, b"\0\2"),
        (Tag.SAR_MSG_REF_NUM, b"\1"),
        (Tag.NETWORK_ERROR_CODE, b"\3\0"),
        (Tag.RECEIPTED_MESSAGE_ID, b"8\x0054\x00"),
        (Tag.RECEIPTED_MESSAGE_ID, b"8" * 65),
        (Tag.CALLBACK_NUM, b"123"),
    ],
)
def test_a_wrong_length_is_refused(tag: int, octets: bytes) -> None:
    with pytest.raises(PduError) as caught:
        read_tlv(Tlv(tag, octets))
    assert (caught.value.command_status, caught.value.fault) == (CommandStatus.ESME_RINVTLVLEN, "peer")


@pytest.mark.parametrize(
    ("tag", "value"),
    [
        (Tag.MESSAGE_STATE, 256),
        (Tag.MESSAGE_STATE, -1),
        (Tag.MESSAGE_STATE, b"\2"),
        (Tag.MESSAGE_PAYLOAD, 1),
        (Tag.NETWORK_ERROR_CODE, b"\3"),
        (Tag.RECEIPTED_MESSAGE_ID, b"8\0"),
        (Tag.RECEIPTED_MESSAGE_ID, b"8" * 65),
        (0x2001, 32),
    ],
)
def test_what_does_not_fit_is_not_built(tag: int, value: int | bytes) -> None:
    with pytest.raises(PduError) as caught:
        build_tlv(tag, value)
    assert caught.value.fault == "own"


def test_every_tag_has_a_format() -> None:
    assert set(FORMATS) == {int(tag) for tag in Tag}


@settings(deadline=None)
@given(st.sampled_from(list(Tag)), st.binary(max_size=70))
def test_any_value_is_read_or_refused(tag: int, octets: bytes) -> None:
    tlv = Tlv(tag, octets)
    try:
        value = read_tlv(tlv)
    except PduError:
        return
    assert build_tlv(tag, value).value.removesuffix(b"\0") == octets.removesuffix(b"\0")

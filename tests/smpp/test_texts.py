"""The GSM alphabet, data_coding and the number of parts."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from smpplib import gsm

from kannelkit.smpp import gsm0338
from kannelkit.smpp.constants import CommandStatus, DataCoding
from kannelkit.smpp.datacoding import choose, decode_text, encode_text, number_of_parts, split
from kannelkit.smpp.pdu import PduError

ALPHABET = "".join(gsm0338.decode(bytes((code,))) for code in range(128) if code != gsm0338.ESCAPE) + "\f^{}\\[~]|€"


@pytest.mark.parametrize(
    ("text", "octets"),
    [
        ("hello", "68656c6c6f"),
        ("@£$¥", "00010203"),
        ("Ç\nØø\rÅå", "090a0b0c0d0e0f"),
        ("ΔΦΓΛΩΠΨΣΘΞ", "101213141516171819 1a"),
        ("¤¡Ä§¿à", "24405b5f607f"),
        ("[€]", "1b3c 1b65 1b3e"),
        ("\f^{}\\~|", "1b0a 1b14 1b28 1b29 1b2f 1b3d 1b40"),
        ("", ""),
    ],
)
def test_gsm(text: str, octets: str) -> None:
    assert gsm0338.encode(text) == bytes.fromhex(octets)
    assert gsm0338.decode(bytes.fromhex(octets)) == text


@pytest.mark.parametrize(
    ("octets", "text"),
    [
        ("1b", "\ufffd"),
        ("80ff", "\ufffd\ufffd"),
        ("1b80", "\ufffd"),
        ("1b1b", " "),
        ("1b41", "A"),
        ("411b1b65", "A e"),
    ],
)
def test_gsm_shows_what_nobody_should_send(octets: str, text: str) -> None:
    assert gsm0338.decode(bytes.fromhex(octets)) == text


def test_the_alphabet_is_whole() -> None:
    assert len(set(ALPHABET)) == 127 + 10


@pytest.mark.parametrize("character", ["я", "ç", "`", "\x1b", "😀"])
def test_gsm_does_not_have(character: str) -> None:
    with pytest.raises(UnicodeEncodeError) as caught:
        gsm0338.encode("ok " + character)
    assert caught.value.start == 3
    assert choose("ok " + character) is DataCoding.UCS2


@settings(deadline=None)
@given(st.text(ALPHABET))
def test_gsm_comes_back_and_smpplib_agrees(text: str) -> None:
    octets = gsm0338.encode(text)
    assert gsm0338.decode(octets) == text
    # smpplib's table lacks the form feed and reads "`" for the paragraph sign.
    if "\f" not in text and "§" not in text:
        assert gsm.gsm_encode(text) == octets


@settings(deadline=None)
@given(st.binary())
def test_gsm_reads_any_octets(octets: bytes) -> None:
    assert len(gsm0338.decode(octets)) <= len(octets)


@pytest.mark.parametrize(
    ("text", "data_coding", "chosen", "octets"),
    [
        ("hi", None, 0, "6869"),
        ("да", None, 8, "04340430"),
        ("😀", None, 8, "d83dde00"),
        ("ç", 3, 3, "e7"),
        ("hi", 8, 8, "00680069"),
    ],
)
def test_text_and_data_coding(text: str, data_coding: int | None, chosen: int, octets: str) -> None:
    assert encode_text(text, data_coding) == (chosen, bytes.fromhex(octets))
    assert decode_text(chosen, bytes.fromhex(octets)) == text


@pytest.mark.parametrize(
    ("data_coding", "octets", "text"),
    [
        (0x01, "41", "A"),
        (0x06, "d4", "д"),
        (0xF0, "00", "@"),
        (0x11, "00", "@"),
        (0x19, "0434", "д"),
        (0x08, "043404", "д\ufffd"),
        (0x08, "d83d", "\ufffd"),
    ],
)
def test_text_of_other_codings_is_read(data_coding: int, octets: str, text: str) -> None:
    assert decode_text(data_coding, bytes.fromhex(octets)) == text


@pytest.mark.parametrize(("text", "data_coding"), [("я", 0), ("я", 3), ("\ud83d", 8), ("A", 4), ("A", 1)])
def test_what_a_coding_cannot_write(text: str, data_coding: int) -> None:
    with pytest.raises(PduError) as caught:
        encode_text(text, data_coding)
    assert (caught.value.command_status, caught.value.fault) == (CommandStatus.ESME_RINVDCS, "own")


def test_octets_that_are_no_text() -> None:
    with pytest.raises(PduError) as caught:
        decode_text(DataCoding.OCTETS, b"\0")
    assert (caught.value.command_status, caught.value.fault) == (CommandStatus.ESME_RINVDCS, "peer")


@pytest.mark.parametrize(
    ("text", "data_coding", "parts"),
    [
        ("", None, 1),
        ("a" * 160, None, 1),
        ("a" * 161, None, 2),
        ("a" * 306, None, 2),
        ("a" * 307, None, 3),
        ("€" * 80, None, 1),
        ("€" * 81, None, 2),
        ("€" * 152, None, 2),  # 76 of them a part, one septet of the 153 stays empty
        ("€" * 153, None, 3),
        ("я" * 70, None, 1),
        ("я" * 71, None, 2),
        ("я" * 134, None, 2),
        ("я" * 135, None, 3),
        ("😀" * 35, None, 1),
        ("😀" * 66, None, 2),  # 33 a part: 34 would cut one in two
        ("😀" * 67, None, 3),
        ("ç" * 140, 3, 1),
        ("ç" * 141, 3, 2),
        ("a" * 255 * 153, None, 255),
    ],
)
def test_number_of_parts(text: str, data_coding: int | None, parts: int) -> None:
    assert number_of_parts(text, data_coding) == parts


def test_more_parts_than_a_header_can_number() -> None:
    with pytest.raises(PduError) as caught:
        split("a" * (255 * 153 + 1))
    assert caught.value.command_status == CommandStatus.ESME_RINVMSGLEN


@settings(deadline=None)
@given(st.text(st.sampled_from("a€я😀"), max_size=400))
def test_the_parts_are_the_whole(text: str) -> None:
    data_coding, parts = split(text)
    assert b"".join(parts) == encode_text(text)[1]
    assert "".join(decode_text(data_coding, part) for part in parts) == text, "no character was cut"
    assert all(parts) or parts == [b""]

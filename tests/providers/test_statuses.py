"""A status read from text and TLVs, and the answer of an HLR both ways."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import astuple, replace
from urllib.parse import parse_qsl, unquote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kannelkit.providers.flags import Flags, Traffic, build_flags, flag_words, read_flags
from kannelkit.providers.statuses import Hlr, Kind, Status, hlr_text, read, read_text
from kannelkit.smpp.constants import Tag
from kannelkit.smpp.pdu import Tlv
from kannelkit.smpp.receipts import STATES

RECEIPT = "id:854019 sub:001 dlvrd:001 submit date:1108202241 done date:1108202241 stat:DELIVRD err:000"
DELIVERED = Status("854019", "DELIVRD", 0, None, "001", "001", "1108202241", "1108202241")
HLR_TEXT = (
    "id:855469 stat:DELIVRD err:000 imsi:250023012345678 msc:79232510066 mcc:250 mnc:02 cn:Russian+Federation "
    "net:MegaFON+open+Joint+Stock+Company rcn: rnet:"
)
HLR = Hlr("250023012345678", "79232510066", "250", "02", "Russian Federation", "MegaFON open Joint Stock Company")
ANSWER = Status("855469", "DELIVRD", 0, Kind.HLR, hlr=HLR)

TEXTS = {
    "the provider's receipt": (RECEIPT, DELIVERED),
    "the provider's HLR answer": (HLR_TEXT, ANSWER),
    "roaming": (
        "id:1 stat:DELIVRD err:000 imsi:1 msc: mcc: mnc:007 cn: net:%D0%9C%D0%A2%D0%A1 "
        "rcn:C%C3%B4te+d%27Ivoire rnet:A%2BB",
        Status("1", "DELIVRD", 0, Kind.HLR, hlr=Hlr("1", "", "", "007", "", "МТС", "Côte d'Ivoire", "A+B")),
    ),
    "windows-1251": (
        "id:1 stat:DELIVRD err:000 imsi: msc: mcc: mnc: cn:%D0%EE%F1%F1%E8%FF net: rcn: rnet:",
        Status("1", "DELIVRD", 0, Kind.HLR, hlr=Hlr(country="Россия")),
    ),
    "an escape that is none": (
        "id:1 stat:DELIVRD err:000 imsi: cn:100%+%zz net:%",
        Status("1", "DELIVRD", 0, Kind.HLR, hlr=Hlr(country="100% %zz", network="%")),
    ),
    "an HLR's fields twice and more of them": (
        "id:1 stat:DELIVRD err:000 imsi:1 port:2 imsi:3",
        Status("1", "DELIVRD", 0, Kind.HLR, hlr=Hlr("1"), unknown=(("port", "2"), ("imsi", "3"))),
    ),
    "capitals": (
        "ID:1 STAT:DELIVRD ERR:000 IMSI:1 CN:Russian+Federation",
        Status("1", "DELIVRD", 0, Kind.HLR, hlr=Hlr("1", country="Russian Federation")),
    ),
    "an SMS with a network": (
        "id:1 stat:DELIVRD mcc:250 mnc:02",
        Status("1", "DELIVRD", unknown=(("mcc", "250"), ("mnc", "02"))),
    ),
    "an err of another kind": ("id:1 stat:UNDELIV err:0A1", Status("1", "UNDELIV", unknown=(("err", "0A1"),))),
    "an err without end": (
        "id:1 err:" + "9" * 5000,
        Status("1", unknown=(("err", "9" * 5000),)),
    ),
    "an err of other digits": ("id:1 err:٣", Status("1", unknown=(("err", "٣"),))),
    "empty parts": ("id: stat: err:", Status("", "", unknown=(("err", ""),))),
    "a text": ("id:1 stat:EXPIRED text:привет", Status("1", "EXPIRED", unknown=(("text", "привет"),))),
    "no receipt": ("привет", Status(unknown=(("", "привет"),))),
    "nothing": ("", Status()),
}


@pytest.mark.parametrize(("text", "status"), TEXTS.values(), ids=TEXTS)
def test_text(text: str, status: Status) -> None:
    assert read_text(text) == status
    assert read_text(text.encode()) == status


def test_text_that_was_no_utf_8_is_taken_as_it_was() -> None:
    octets = "id:1 stat:EXPIRED text:привет".encode("cp1251")
    argument = octets.decode("utf-8", "surrogateescape")
    assert read_text(argument) == read_text(octets) == Status("1", "EXPIRED", unknown=(("text", "привет"),))


def test_hlr_answer_is_the_providers_own() -> None:
    assert hlr_text("855469", "DELIVRD", 0, HLR).decode() == HLR_TEXT
    assert b" cn:%7E+" in hlr_text("1", "DELIVRD", 0, Hlr(country="~ "))  # as PHP's urlencode writes it


# The provider shows two ways to take a result apart: PHP's strtr($dlr, ": ", "=&") with parse_str, and this expression.
EXPRESSION = re.compile(
    r"^id:(\d+) stat:(\w+) err:(\d+) imsi:(\d*) msc:(\d*) mcc:(\d*) mnc:(\d*) "
    r"cn:([^ ]*) net:([^ ]*) rcn:([^ ]*) rnet:([^ ]*)",
    re.ASCII,
)


def php(text: str) -> list[str]:
    return [value for _, value in parse_qsl(text.translate({ord(":"): "=", ord(" "): "&"}), keep_blank_values=True)]


def expression(text: str) -> list[str]:
    match = EXPRESSION.match(text)
    assert match
    return [*match.groups()[:7], *map(unquote_plus, match.groups()[7:])]


def ours(text: str) -> list[str]:
    status = read_text(text)
    assert status.message_id is not None
    assert status.state is not None
    assert status.hlr is not None
    return [status.message_id, status.state, f"{status.err:03d}", *astuple(status.hlr)]


def test_the_providers_own_readers_agree() -> None:
    assert php(HLR_TEXT) == expression(HLR_TEXT) == ours(HLR_TEXT)


WORD = st.text(st.sampled_from("abc01_-.äЖ"), min_size=1)
DIGITS = st.text(st.sampled_from("0123456789"), max_size=20)
ANY = st.text(st.characters(exclude_categories=["Cs"]))
HLRS = st.builds(Hlr, DIGITS, DIGITS, DIGITS, DIGITS, ANY, ANY, ANY, ANY)


@given(WORD, WORD, st.integers(0, 10**9 - 1), HLRS)
def test_hlr_answer_is_read_back(message_id: str, state: str, err: int, hlr: Hlr) -> None:
    octets = hlr_text(message_id, state, err, hlr)
    assert read_text(octets) == Status(message_id, state, err, Kind.HLR, hlr=hlr)
    assert octets.isascii() or not (message_id + state).isascii()
    assert octets.count(b":") == 11


@given(st.integers(0), st.sampled_from(sorted(STATES)), st.integers(0, 999), HLRS)
def test_the_providers_own_readers_agree_on_every_answer(number: int, state: str, err: int, hlr: Hlr) -> None:
    text = hlr_text(str(number), state, err, hlr).decode()
    assert php(text) == expression(text) == ours(text) == [str(number), state, f"{err:03d}", *astuple(hlr)]


@pytest.mark.parametrize(
    ("message_id", "state", "err", "hlr"),
    [
        ("1 2:3", "DELIVRD", 0, Hlr()),
        ("1 stat:X", "DELIVRD", 0, Hlr()),
        ("1", "DELIVRD ", 0, Hlr()),
        ("1", "DELIVRD", -1, Hlr()),
        ("1", "DELIVRD", 10**9, Hlr()),
        ("1", "DELIVRD", 0, Hlr(imsi="25002x")),
        ("1", "DELIVRD", 0, Hlr(msc="+7923")),
        ("1", "DELIVRD", 0, Hlr(country="\ud800")),
    ],
)
def test_what_an_hlr_answer_cannot_hold(message_id: str, state: str, err: int, hlr: Hlr) -> None:
    with pytest.raises(ValueError, match=r".+"):
        hlr_text(message_id, state, err, hlr)


ID = Tlv(Tag.RECEIPTED_MESSAGE_ID, b"854019\0")
STATE = Tlv(Tag.MESSAGE_STATE, b"\2")
ERR = Tlv(Tag.NETWORK_ERROR_CODE, b"\3\0\0")
COST = Tlv(0x2000, b"2.5000\0")
CALL_FLAGS = Tlv(0x2001, b"\0\7")
PARTS = Tlv(0x2002, b"\0\3")
UNKNOWN = Tlv(0x2003, b"1234\0")

TLVS: dict[str, tuple[str, list[Tlv], Status]] = {
    "all of them": (
        RECEIPT,
        [ID, STATE, ERR, COST, CALL_FLAGS, PARTS, UNKNOWN],
        replace(DELIVERED, kind=Kind.CALL, cost="2.5000", flags=7, parts=3, unknown_tlvs=(UNKNOWN,)),
    ),
    "TLVs alone": (
        "",
        [ID, STATE, Tlv(Tag.NETWORK_ERROR_CODE, b"\3\0\xdc"), Tlv(0x2001, b"\0\0")],
        Status("854019", "DELIVRD", 220, Kind.SMS, flags=0),
    ),
    "text alone": (RECEIPT, [], DELIVERED),
    "another id": (RECEIPT, [Tlv(Tag.RECEIPTED_MESSAGE_ID, b"7\0")], replace(DELIVERED, conflicts=("message_id",))),
    "another state": (RECEIPT, [Tlv(Tag.MESSAGE_STATE, b"\5")], replace(DELIVERED, conflicts=("state",))),
    "another err": (RECEIPT, [Tlv(Tag.NETWORK_ERROR_CODE, b"\3\0\1")], replace(DELIVERED, conflicts=("err",))),
    "an HLR that is a call": (HLR_TEXT, [CALL_FLAGS], replace(ANSWER, flags=7, conflicts=("kind",))),
    "an HLR": (HLR_TEXT, [Tlv(0x2001, b"\0\4")], replace(ANSWER, flags=4)),
    "a kind that nobody knows": (RECEIPT, [Tlv(0x2001, b"\0\x0f")], replace(DELIVERED, flags=15)),
    "a state that nobody knows": ("", [Tlv(Tag.MESSAGE_STATE, b"\x63")], Status(unknown_tlvs=(Tlv(0x0427, b"\x63"),))),
    "one twice": ("", [ID, ID], Status("854019", unknown_tlvs=(ID,))),
    "an id without its NUL": ("", [Tlv(Tag.RECEIPTED_MESSAGE_ID, b"9")], Status("9")),
    "lengths that are wrong": (
        RECEIPT,
        [Tlv(tag, value) for tag in (0x001E, 0x0423, 0x0427, 0x2000, 0x2001, 0x2002) for value in (b"", b"\0" * 9)],
        replace(
            DELIVERED,
            unknown_tlvs=tuple(
                Tlv(tag, value)
                for tag in (0x001E, 0x0423, 0x0427, 0x2000, 0x2001, 0x2002)
                for value in (b"", b"\0" * 9)
            ),
        ),
    ),
    "a cost that is none": ("", [Tlv(0x2000, b"free\0")], Status(unknown_tlvs=(Tlv(0x2000, b"free\0"),))),
}


@pytest.mark.parametrize(("text", "tlvs", "status"), TLVS.values(), ids=TLVS)
def test_text_and_tlvs(text: str, tlvs: list[Tlv], status: Status) -> None:
    assert read(text, tlvs) == status


TAGS = st.sampled_from([0x001E, 0x0423, 0x0427, 0x2000, 0x2001, 0x2002, 0x2003]) | st.integers(0, 0xFFFF)
PIECES = st.sampled_from(
    [b"id:", b" stat:", b" err:", b" imsi:", b" mnc:", b" cn:", b"%D0", b"%", b"+", b" text:", b"0"]
)
OCTETS = st.binary() | st.lists(PIECES | st.binary(max_size=3)).map(b"".join)


@given(OCTETS | st.text(), st.lists(st.builds(Tlv, TAGS, st.binary(max_size=9))))
def test_anything_can_be_read(text: bytes | str, tlvs: list[Tlv]) -> None:
    status = read(text, tlvs)
    assert set(status.unknown_tlvs) <= set(tlvs)
    known = len({tlv.tag for tlv in tlvs} & {0x001E, 0x0423, 0x0427, 0x2000, 0x2001, 0x2002})
    assert len(status.unknown_tlvs) >= len(tlvs) - known


SIXTEEN = st.none() | st.integers(0, 0xFFFF)
SAID = st.builds(
    Status,
    message_id=st.none() | st.text(st.sampled_from("0123456789abcdef"), min_size=1, max_size=64),
    state=st.none() | st.sampled_from(sorted(STATES)),
    err=SIXTEEN,
    cost=st.none() | st.from_regex(r"[0-9]\.[0-9]{4}", fullmatch=True),
    flags=SIXTEEN,
    parts=SIXTEEN,
    unknown_tlvs=st.just(()) | st.just((UNKNOWN,)),
)


def tlvs_of(said: Status) -> Iterator[Tlv]:
    if said.message_id is not None:
        yield Tlv(Tag.RECEIPTED_MESSAGE_ID, said.message_id.encode() + b"\0")
    if said.state is not None:
        yield Tlv(Tag.MESSAGE_STATE, bytes((STATES[said.state],)))
    if said.err is not None:
        yield Tlv(Tag.NETWORK_ERROR_CODE, b"\3" + said.err.to_bytes(2, "big"))
    if said.cost is not None:
        yield Tlv(0x2000, said.cost.encode() + b"\0")
    if said.flags is not None:
        yield Tlv(0x2001, said.flags.to_bytes(2, "big"))
    if said.parts is not None:
        yield Tlv(0x2002, said.parts.to_bytes(2, "big"))
    yield from said.unknown_tlvs


@given(SAID)
def test_tlvs_are_read_back(said: Status) -> None:
    kind = None if said.flags is None else read_flags(said.flags).kind
    assert read("", list(tlvs_of(said))) == replace(said, kind=kind)


@pytest.mark.parametrize(
    ("number", "flags"),
    [
        (0x0000, Flags()),
        (0x0004, Flags(Kind.HLR)),
        (0x0007, Flags(Kind.CALL)),
        (0x000C, Flags(Kind.SOC)),
        (0x0020, Flags(second_balance=True)),
        (0x0100, Flags(template=True)),
        (0x0200, Flags(traffic=Traffic.TRANSACTIONAL)),
        (0x0400, Flags(traffic=Traffic.AUTHORISATION)),
        (0x0600, Flags(traffic=Traffic.ADVERTISING)),
        (0x0009, Flags(None, unknown=9)),
        (0xF8D0, Flags(unknown=0xF8D0)),
    ],
)
def test_flags(number: int, flags: Flags) -> None:
    assert read_flags(number) == flags
    assert build_flags(flags) == number


@given(st.integers(0, 0xFFFF))
def test_flags_are_read_back(number: int) -> None:
    assert build_flags(read_flags(number)) == number


def test_flags_have_16_bits() -> None:
    assert read_flags(0x10004) == Flags(Kind.HLR)


def test_flag_words() -> None:
    assert flag_words(read_flags(0x8127)) == (
        "call",
        "paid from the second balance",
        "sent by a template",
        "service traffic",
        "0x8000",
    )
    assert flag_words(Flags(Kind.MAIL), "ru") == ("e-mail", "сервисный трафик")

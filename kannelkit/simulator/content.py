"""What a submit carries: its text and the alphabet of that, and which part of which long message it is.

SMSC.ru writes an alphabet as data_coding = coding * 4: 0 is GSM 03.38 (or ISO-8859-1 for a bind with the flag ISO), 4
is ISO-8859-1 or binary, 8 is UCS-2. Of 4 it does not say how the two are told apart; here printable octets are text.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Any, Final, Literal, NamedTuple

from kannelkit.providers.statuses import Kind
from kannelkit.smpp import gsm0338, udh
from kannelkit.smpp.constants import DataCoding, EsmClass, Tag
from kannelkit.smpp.pdu import Pdu
from kannelkit.smpp.pduerror import PduError

LongBy = Literal["", "udh", "sar", "payload"]


class Alphabet(StrEnum):
    """How octets are read."""

    GSM = "gsm"
    ISO = "iso-8859-1"
    UCS2 = "ucs-2"
    BINARY = "binary"


class Part(NamedTuple):
    """Which part of which long message a submit is; `number` counts from 1 to `total`, which is above 1."""

    reference: int
    total: int
    number: int
    long_by: LongBy


class Content(NamedTuple):
    """What one submit carries; `octets` are without the user data header that begins them."""

    octets: bytes
    alphabet: Alphabet
    kind: Kind  # an SMS's own: plain, flash, binary or WAP push
    part: Part | None
    long_by: LongBy


_CODING: Final = 4  # data_coding = coding * 4
_OTHER: Final = (Alphabet.BINARY, Kind.BINARY)
_READ_AS: Final[dict[int, tuple[Alphabet, Kind]]] = {
    0 * _CODING: (Alphabet.GSM, Kind.SMS),
    2 * _CODING: (Alphabet.UCS2, Kind.SMS),
    # ASCII, which node's smpp chooses by itself for a text that has nothing else
    int(DataCoding.IA5): (Alphabet.ISO, Kind.SMS),
    int(DataCoding.LATIN_1): (Alphabet.ISO, Kind.SMS),
    # the coding groups with a message class, 0 to be shown at once (3GPP TS 23.038, 4); Kannel's mclass sends them
    **{group + number: (Alphabet.GSM, Kind.SMS) for group in (0x10, 0xF0) for number in (1, 2, 3)},
    **{0x18 + number: (Alphabet.UCS2, Kind.SMS) for number in (1, 2, 3)},
    0x10: (Alphabet.GSM, Kind.FLASH),
    0xF0: (Alphabet.GSM, Kind.FLASH),
    0x18: (Alphabet.UCS2, Kind.FLASH),
}
ISO_OR_BINARY: Final = 1 * _CODING
_PRINTABLE: Final = re.compile(rb"[\t\n\f\r\x20-\x7e\xa0-\xff]*")
_NAMES: Final = {Alphabet.ISO: "latin-1", Alphabet.UCS2: "utf-16-be"}

_PORTS_16_BIT: Final = 0x05  # the element of a user data header (3GPP TS 23.040, 9.2.3.24.4)
_WAP_PUSH_PORT: Final = 2948

SAR: Final = (Tag.SAR_MSG_REF_NUM, Tag.SAR_TOTAL_SEGMENTS, Tag.SAR_SEGMENT_SEQNUM)
"""The TLVs that tell one part of a long message from another (SMPP 3.4, 5.3.2.22 to 5.3.2.24)."""

_COMMENT: Final = "\n~~~\n"
_COMMENTS: Final = {
    Alphabet.GSM: gsm0338.encode(_COMMENT),
    Alphabet.ISO: _COMMENT.encode("latin-1"),
    Alphabet.UCS2: _COMMENT.encode("utf-16-be"),
}

# A channel's text begins with two underlines, here in each alphabet. In GSM 03.38 an underline is 0x11: a client that
# writes ASCII where GSM is expected sends an SMS with two section signs instead.
_MARKS: Final = (b"\x11\x11", b"__", b"\0_")


def read(received: Pdu, octets: bytes, iso: bool) -> Content:
    """Return what a decoded submit_sm or data_sm carries, whose text is `octets`.

    `iso`: the bind's system_type has the flag ISO. A user data header that cannot be read is left where it is, and what
    begins with it is binary.
    """
    fields: dict[str, Any] = received.fields
    data_coding = fields["data_coding"]
    alphabet, kind = _READ_AS.get(data_coding, _OTHER)
    if data_coding == 0 and iso:
        alphabet = Alphabet.ISO
    part: Part | None = None
    long_by: LongBy = ""
    if received.tlvs:
        part = _segment(received)
        if part is not None:
            long_by = "sar"
        elif octets and not fields.get("short_message"):
            long_by = "payload"
    if fields["esm_class"] & EsmClass.UDHI:
        try:
            elements, rest = udh.parse(octets)
        except PduError:
            return Content(octets, Alphabet.BINARY, Kind.BINARY, None, "")
        octets = rest
        found = udh.concatenation(elements)
        if found is not None and found.total > 1:
            part = Part(found.reference, found.total, found.number, "udh")
            long_by = "udh"
        if any(_to_wap_push(element) for element in elements):
            kind = Kind.WAP_PUSH
    if data_coding == ISO_OR_BINARY and kind is Kind.BINARY:
        alphabet, kind = iso_or_binary(octets)
    return Content(octets, alphabet, kind, part, long_by)


def iso_or_binary(octets: bytes) -> tuple[Alphabet, Kind]:
    """Return what the octets of a whole message are that came with data_coding 4."""
    return (Alphabet.ISO, Kind.SMS) if _PRINTABLE.fullmatch(octets) else _OTHER


def may_be_a_channels(octets: bytes) -> bool:
    """Return whether a text may be a channel's: only then is it worth the decoding."""
    return octets.startswith(_MARKS)


def text(octets: bytes, alphabet: Alphabet) -> str | None:
    """Return the text, in which U+FFFD stands for what cannot be read, or None where it is binary."""
    if alphabet is Alphabet.BINARY:
        return None
    if alphabet is Alphabet.GSM:
        return gsm0338.decode(octets)
    return octets.decode(_NAMES[alphabet], errors="replace")


def sms_in(octets: bytes, alphabet: Alphabet) -> int:
    """Return how many SMS a text fills without its comment, which is neither delivered nor charged."""
    size = _comment_at(octets, alphabet)
    if size < 0:
        size = len(octets)
    alone, part = (160, 153) if alphabet is Alphabet.GSM else (140, 134)
    return 1 if size <= alone else -(-size // part)


def has_comment(octets: bytes, alphabet: Alphabet) -> bool:
    """Return whether a comment stands behind the text."""
    return _comment_at(octets, alphabet) >= 0


def _comment_at(octets: bytes, alphabet: Alphabet) -> int:
    """Return where the line of tildes begins, or -1."""
    mark = _COMMENTS.get(alphabet)
    if mark is None:
        return -1
    at = octets.find(mark)
    # across two characters of UCS-2, or behind an escape, which makes it a form feed, it is none
    while at > 0 and (
        at % 2 if alphabet is Alphabet.UCS2 else alphabet is Alphabet.GSM and octets[at - 1] == gsm0338.ESCAPE
    ):
        at = octets.find(mark, at + 1)
    return at


def _segment(received: Pdu) -> Part | None:
    """Return the part that the sar TLVs tell of, or None where one is missing or they contradict each other."""
    reference, total, number = (received.tlv(tag) for tag in SAR)
    if reference is None or total is None or number is None:
        return None
    if len(reference) != 2 or len(total) != 1 or len(number) != 1 or not 1 <= number[0] <= total[0] or total[0] == 1:
        return None
    return Part(int.from_bytes(reference, "big"), total[0], number[0], "sar")


def _to_wap_push(element: udh.Element) -> bool:
    return (
        element.identifier == _PORTS_16_BIT
        and len(element.value) == 4
        and int.from_bytes(element.value[:2], "big") == _WAP_PUSH_PORT
    )

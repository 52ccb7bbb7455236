"""What clients of the provider submit, and what they get for it: cases and a few steps that the tests share."""

from __future__ import annotations

import re

from kannelkit.providers import statuses
from kannelkit.providers.channels import Channel, ChannelText
from kannelkit.providers.flags import Kind
from kannelkit.providers.statuses import Hlr
from kannelkit.simulator import AccountRules, Behaviour
from kannelkit.smpp import gsm0338, udh
from kannelkit.smpp.constants import CommandId, CommandStatus, EsmClass, Tag
from kannelkit.smpp.pdu import Pdu, Tlv, encode
from tests.simulator.esme import Esme, Fields, message

AT_ONCE = Behaviour(receipt_delay=0)
ACCOUNT = AccountRules("test", "test", limit=None)
LONG = "Съешь же ещё этих мягких французских булок, да выпей чаю. " * 4


def receipt(received: Pdu) -> statuses.Status:
    """Return what a receipt says; the test fails where it is none."""
    assert received.command_id == CommandId.DELIVER_SM
    assert received.number("esm_class") == EsmClass.DELIVERY_RECEIPT
    status = statuses.read(received.octets("short_message"), received.tlvs)
    assert (status.conflicts, status.unknown, status.unknown_tlvs) == ((), (), ())
    return status


async def taken(esme: Esme, fields: Fields, tlvs: list[Tlv] | None = None) -> str:
    """Submit, and return the message's id."""
    esme.writer.write(encode(Pdu(CommandId.SUBMIT_SM, sequence_number=77, fields=fields, tlvs=tlvs or [])))
    answer = await esme.receive()
    assert (answer.command_id, answer.command_status) == (CommandId.SUBMIT_SM_RESP, 0)
    return answer.octets("message_id").decode()


def by_udh(octets: bytes, size: int, reference: int = 5, wide: bool = False) -> list[Fields]:
    """Return the submits that carry the octets of a text in UCS-2 in parts of `size`."""
    pieces = [octets[begin : begin + size] for begin in range(0, len(octets), size)]
    return [
        {
            **message(udh.build([udh.Concatenation(reference, len(pieces), number, wide).element()]) + piece),
            "esm_class": int(EsmClass.UDHI),
            "data_coding": 8,
            "registered_delivery": 1,
        }
        for number, piece in enumerate(pieces, 1)
    ]


def plain(fields: Fields) -> Fields:
    """Return the same submit without the wish for a receipt."""
    return {**fields, "registered_delivery": 0}


# addresses that may bind -> what a bind from 127.0.0.1 gets
ADDRESSES = [
    ("127.0.0.1", 0),
    ("10.0.0.0/8+127.0.0.0/8", 0),
    ("10.0.0.0/8", CommandStatus.ESME_RBINDFAIL),
    ("::1+127.0.0.2", CommandStatus.ESME_RBINDFAIL),
]

# flags, data_coding, octets -> text and alphabet
TEXTS: list[tuple[bytes, int, bytes, str | None, str]] = [
    (b"", 0, b"Hi\0\x10", "Hi@Δ", "gsm"),
    (b"", 0, b"\x11\x1b=\x1be", "_~€", "gsm"),
    (b"ISO", 0, b"_~\xe9", "_~é", "iso-8859-1"),
    (b"", 1, b"_~$", "_~$", "iso-8859-1"),
    (b"", 3, b"_~\xe9", "_~é", "iso-8859-1"),
    (b"", 4, b"_~\xe9", "_~é", "iso-8859-1"),
    (b"", 4, b"\x01\x00\xff", None, "binary"),
    (b"", 8, "Привет".encode("utf-16-be"), "Привет", "ucs-2"),
    (b"ISO", 8, "Привет 😀".encode("utf-16-be"), "Привет 😀", "ucs-2"),
    (b"", 0xF0, b"\x11\x00", "_@", "gsm"),
    (b"", 2, b"abc", None, "binary"),
]

# -> the type that a receipt tells
CHANNELS = [
    (ChannelText(Channel.MAIL, "Hello", subject="News"), Kind.MAIL),
    (ChannelText(Channel.CALL, "Your code is 1 2 3 4", voice="w2", parameters="param"), Kind.CALL),
    (ChannelText(Channel.VIBER, "Hello <a href=https://example.org>"), Kind.VIBER),
    (ChannelText(Channel.SOC, "Hello"), Kind.SOC),
    (ChannelText(Channel.TGM, "123456"), Kind.SMS),
    (ChannelText(Channel.BOT, "Hello", bot="example_bot"), Kind.SMS),
]

# codes for Telegram -> whether they are taken
CODES = [
    ("1234", True),
    ("12345678", True),
    ("123", False),
    ("123456789", False),
    ("12a4", False),
    ("1234\n~~~\n1", False),
]

# the provider's own example of an HLR's result, and its own regular expression for the text
EXAMPLE = Hlr("250023012345678", "79232510066", "250", "02", "Russian Federation", "MegaFON open Joint Stock Company")
HLR_TEXT = re.compile(
    rb"^id:(\d+) stat:(\w+) err:(\d+) imsi:(\d*) msc:(\d*) mcc:(\d*) mnc:(\d*) "
    rb"cn:([^ ]*) net:([^ ]*) rcn:([^ ]*) rnet:([^ ]*)"
)

# the ways of a long message
PIECES = [LONG.encode("utf-16-be")[begin : begin + 134] for begin in range(0, len(LONG) * 2, 134)]


def by_sar() -> list[tuple[Fields, list[Tlv]]]:
    return [
        (
            {**message(piece, receipt=True), "data_coding": 8},
            [
                Tlv(Tag.SAR_MSG_REF_NUM, b"\1\2"),
                Tlv(Tag.SAR_TOTAL_SEGMENTS, bytes((len(PIECES),))),
                Tlv(Tag.SAR_SEGMENT_SEQNUM, bytes((number,))),
            ],
        )
        for number, piece in enumerate(PIECES, 1)
    ]


WAYS: list[tuple[str, list[tuple[Fields, list[Tlv]]], str]] = [
    ("8 bits", [(each, []) for each in by_udh(LONG.encode("utf-16-be"), 134)], "udh"),
    ("16 bits", [(each, []) for each in by_udh(LONG.encode("utf-16-be"), 134, 0x1234, wide=True)], "udh"),
    ("sar", by_sar(), "sar"),
    (
        "payload",
        [({**message(b"", receipt=True), "data_coding": 8}, [Tlv(Tag.MESSAGE_PAYLOAD, LONG.encode("utf-16-be"))])],
        "payload",
    ),
]

# flags, text -> data_coding and octets
INCOMING = [
    (b"", "Hi @ 7_", 0, gsm0338.encode("Hi @ 7_")),
    (b"ISO", "Hi @ 7_", 0, b"Hi @ 7_"),
    (b"", "Да", 8, "Да".encode("utf-16-be")),
    (b"ISO", "5 €", 8, "5 €".encode("utf-16-be")),
]

"""Octets that nobody should send over SMPP: valid PDUs, and what becomes of them when chance has its way."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable

from kannelkit.smpp.constants import CommandId, Tag
from kannelkit.smpp.pdu import FieldValue, Pdu, Tlv, encode

LARGEST_PDU = 70_000  # octets; a TLV holds 65,535

_BINDS = (CommandId.BIND_TRANSCEIVER, CommandId.BIND_RECEIVER, CommandId.BIND_TRANSMITTER)
_CODINGS = (0, 1, 2, 3, 4, 8, 0x10, 0x18, 0xF0, 0xF5, 0xFF)
_ESM_CLASSES = (0, 3, 0x04, 0x40, 0x43, 0x80, 0xFF)
_TEXTS = (
    b"",
    b"hello",
    b"__HLR__",
    b"__PING__",
    b"\x11\x11HLR\x11\x11",
    b"__MAIL__: text\nsubj:subject",
    b"__TGM__: letters",
    b"__CALL__: text\nvoice:w\n~~~\nparam",
    "__VIBER__: текст".encode("utf-16-be"),
    b"text\n~~~\ncomment\n~~~\n~~~\n",
    b"\x1b" * 40,
    b"\xd8\x00" * 20,
)


def bind(login: bytes, chance: random.Random) -> bytes:
    """Return a bind that is taken, with any flags."""
    flags = chance.choice((b"", b"ISO", b"SINGLE", b"MCON9", b"ISO,SINGLE", b",,,,,", b"MCON0", b"\xff" * 12))
    fields: dict[str, FieldValue] = {
        "system_id": login,
        "password": login,
        "system_type": flags,
        "interface_version": chance.choice((0x33, 0x34, 0x50, 0, 255)),
    }
    return encode(Pdu(chance.choice(_BINDS), sequence_number=chance.randrange(1, 0x7FFFFFFF), fields=fields))


def submit(chance: random.Random) -> bytes:
    """Return a submit_sm or data_sm that can be read, with odd parts and contents."""
    text = chance.choice(_TEXTS) + chance.randbytes(chance.choice((0, 0, 3, 60, 120)))
    esm_class = chance.choice(_ESM_CLASSES)
    if esm_class & 0x40:
        text = _user_data_header(chance) + text
    tlvs = [_tlv(chance) for _ in range(chance.choice((0, 0, 1, 3, 40)))]
    fields: dict[str, FieldValue] = {
        "source_addr_ton": chance.randrange(256),
        "source_addr": chance.choice((b"", b"shop", b"<script>", b"\xff\xfe" * 5)),
        "destination_addr": chance.choice((b"79991234567", b"%d" % chance.randrange(10**11), b"*?[", b"\x1b[2J")),
        "esm_class": esm_class,
        "registered_delivery": chance.randrange(32),
        "data_coding": chance.choice(_CODINGS),
    }
    command = CommandId.SUBMIT_SM
    if chance.random() < 0.2:
        command = CommandId.DATA_SM
    else:
        fields["short_message"] = text[:254]
        fields["priority_flag"] = chance.randrange(256)
    if "short_message" not in fields or chance.random() < 0.1:
        tlvs.append(Tlv(Tag.MESSAGE_PAYLOAD, (text * chance.choice((1, 1, 10, 400)))[:65535]))
    return encode(Pdu(command, sequence_number=chance.randrange(1, 0x7FFFFFFF), fields=fields, tlvs=tlvs))


def delivery(chance: random.Random) -> bytes:
    """Return a deliver_sm, data_sm or alert_notification as a provider sends it, with odd contents."""
    number = chance.randrange(2**31)
    if chance.random() < 0.05:
        return encode(Pdu(CommandId.ALERT_NOTIFICATION, 0, number, {"source_addr": b"7999", "esme_addr": b"shop"}))
    receipt = b"id:%d sub:001 dlvrd:001 stat:DELIVRD err:000 text:" % chance.randrange(10**9)
    fields: dict[str, FieldValue] = {
        "source_addr": b"%d" % chance.randrange(10**11),
        "destination_addr": chance.choice((b"shop", b"", b"\xff" * 20)),
        "esm_class": chance.choice(_ESM_CLASSES),
        "data_coding": chance.choice(_CODINGS),
    }
    tlvs = [_tlv(chance) for _ in range(chance.choice((0, 0, 3, 40)))]
    if chance.random() < 0.2:
        return encode(Pdu(CommandId.DATA_SM, 0, number, fields, tlvs))
    fields["short_message"] = chance.choice((receipt, *_TEXTS))
    return encode(Pdu(CommandId.DELIVER_SM, 0, number, fields, tlvs))


def other(chance: random.Random) -> bytes:
    """Return a PDU of any command, its body at random or none."""
    command = chance.choice(list(CommandId)) if chance.random() < 0.9 else chance.randrange(2**32)
    body = chance.randbytes(chance.choice((0, 1, 8, 64)))
    return struct.pack(">IIII", 16 + len(body), command, chance.choice((0, 0, 0x58)), chance.randrange(2**32)) + body


def query(chance: random.Random) -> bytes:
    """Return a query_sm for a message that may be there."""
    fields: dict[str, FieldValue] = {"message_id": b"%d" % chance.randrange(10 ** chance.randrange(1, 20))}
    return encode(Pdu(CommandId.QUERY_SM, sequence_number=chance.randrange(1, 0x7FFFFFFF), fields=fields))


def mutated(octets: bytes, chance: random.Random) -> bytes:
    """Return octets of which a few were changed, cut out, repeated or put in; the length may be wrong then."""
    made = bytearray(octets)
    for _ in range(chance.randrange(1, 6)):
        if not made:
            break
        place = chance.randrange(len(made))
        match chance.randrange(6):
            case 0:
                made[place] ^= 1 << chance.randrange(8)
            case 1:
                made[place] = chance.choice((0, 1, 0x7F, 0x80, 0xFF))
            case 2:
                del made[place : place + chance.randrange(1, 20)]
            case 3:
                made[place:place] = chance.randbytes(chance.randrange(1, 20))
            case 4:
                made[place:place] = made[place : place + 30]
            case _:
                made[:4] = chance.choice((0, 15, 16, len(made), LARGEST_PDU, 2**31, 2**32 - 1)).to_bytes(4, "big")
    if chance.random() < 0.7 and len(made) >= 16:  # mostly with a length that fits, so that the rest is looked at
        made[:4] = len(made).to_bytes(4, "big")
    return bytes(made)


def hostile(chance: random.Random) -> bytes:
    """Return any of these, as it is or mutated, or octets at random."""
    makers: tuple[Callable[[random.Random], bytes], ...] = (submit, submit, other, query)
    if chance.random() < 0.05:
        return chance.randbytes(chance.choice((1, 15, 300, 5000)))
    octets = chance.choice(makers)(chance)
    return mutated(octets, chance) if chance.random() < 0.5 else octets


def _user_data_header(chance: random.Random) -> bytes:
    """Return a user data header: of a part of a long message that mostly lacks others, or of no sense."""
    match chance.randrange(4):
        case 0:
            total = chance.randrange(1, 256)
            return bytes((5, 0, 3, chance.randrange(256), total, chance.randrange(256)))
        case 1:
            return bytes((6, 8, 4, chance.randrange(256), chance.randrange(256), 3, chance.randrange(1, 4)))
        case 2:
            return bytes((chance.randrange(256),)) + chance.randbytes(chance.randrange(10))
        case _:
            return bytes((6, 5, 4, 0x0B, 0x84, 0x23, 0xF0))  # WAP push


def _tlv(chance: random.Random) -> Tlv:
    tag = chance.choice((*Tag, 0x2001, chance.randrange(2**16)))
    return Tlv(tag, chance.randbytes(chance.choice((0, 1, 2, 2, 4, 65, 900))))

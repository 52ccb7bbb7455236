"""The deliver_sm that a client gets: a receipt for a message that ended, or a part of an incoming message."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, NamedTuple

from kannelkit.providers.flags import Flags, Kind, build_flags
from kannelkit.providers.statuses import hlr_text
from kannelkit.simulator.messages import Message
from kannelkit.smpp import gsm0338, udh
from kannelkit.smpp.constants import CommandId, DataCoding, EsmClass, Npi, Tag, Ton
from kannelkit.smpp.pdu import Pdu, encode
from kannelkit.smpp.receipts import STATES

# TLVs of SMSC.ru's own, beside the standard's
_COST: Final = 0x2000  # a C-octet string
_FLAGS: Final = 0x2001  # two octets, as the next one
_PARTS: Final = 0x2002

_INTERNATIONAL_DIGITS: Final = 10

_HEADER: Final = struct.Struct(">IIII")
_TEXT_TLV: Final = struct.Struct(">HH")
_REST: Final = struct.Struct(">HHBHHBHHHHHHH")  # message_state, network_error_code, flags, parts
_FLAGS_OF: Final = {kind: build_flags(Flags(kind)) for kind in Kind}
_STATE_NUMBERS: Final = {word: int(state) for word, state in STATES.items()}
_GSM: Final = 3  # the first octet of a network_error_code (SMPP 3.4, 5.3.2.31)
# service_type is empty; behind the addresses: esm_class, protocol_id, priority_flag, two empty times, and four numbers
_RECEIPT: Final = bytes((EsmClass.DELIVERY_RECEIPT, 0, 0, 0, 0, 0, 0, 0, 0))


def cost_text(cost: float) -> bytes:
    """Return a cost as the provider writes it, `n.nnnn`, in six characters at the most."""
    return (b"%.4f" % cost)[:6].rstrip(b".")


def receipt(message: Message, submitted: str, done: str, cost: float, sequence_number: int) -> bytes:
    """Return the deliver_sm that tells a message's end; addresses change places on the way back.

    The text is SMSC.ru's: `id sub dlvrd submit-date done-date stat err`, dates as YYMMDDhhmm in UTC, no `text` at the
    end; an HLR's result has fields of its own. `submitted` and `done` are such dates, `cost` is that of one SMS.
    """
    outcome = message.outcome
    parts = message.parts
    if outcome.hlr is not None:
        text = hlr_text(str(message.id), outcome.state, outcome.err, outcome.hlr)
    else:
        text = (
            f"id:{message.id} sub:{parts:03d} dlvrd:{parts if outcome.delivered else 0:03d} "
            f"submit date:{submitted} done date:{done} stat:{outcome.state} err:{outcome.err:03d}"
        ).encode()
    message_id = b"%d\0" % message.id
    price = cost_text(cost * parts) + b"\0"
    body = b"".join(
        (
            b"\0",
            message.receiver,
            b"\0",
            message.sender,
            b"\0",
            _RECEIPT,
            bytes((len(text),)),
            text,
            _TEXT_TLV.pack(Tag.RECEIPTED_MESSAGE_ID, len(message_id)),
            message_id,
            _REST.pack(
                *(Tag.MESSAGE_STATE, 1, _STATE_NUMBERS[outcome.state]),
                *(Tag.NETWORK_ERROR_CODE, 3, _GSM, outcome.err),
                *(_FLAGS, 2, _FLAGS_OF[message.kind]),
                *(_PARTS, 2, parts),
            ),
            _TEXT_TLV.pack(_COST, len(price)),
            price,
        )
    )
    return _HEADER.pack(16 + len(body), CommandId.DELIVER_SM, 0, sequence_number) + body


@dataclass(slots=True, eq=False)
class Incoming:
    """A message from a subscriber; `arrived` is in seconds since the simulator's start."""

    id: int
    source: str
    destination: str
    text: str
    arrived: float


class IncomingPart(NamedTuple):
    """What one deliver_sm carries of an incoming message."""

    incoming: Incoming
    text: str
    header: bytes  # the user data header, empty where the message is one SMS
    ucs2: bool


# what the GSM alphabet and ISO-8859-1 both have can go as data_coding 0 to any client; the rest goes as UCS-2
_DEFAULT: Final = frozenset(
    character
    for code in range(128)
    for character in (gsm0338.decode(bytes((code,))), gsm0338.decode(bytes((gsm0338.ESCAPE, code))))
    if character <= "\xff"
)


def incoming_parts(incoming: Incoming) -> list[IncomingPart]:
    """Return the parts of an incoming message; raises ValueError for an address or a text that no SMS has."""
    for address in (incoming.source, incoming.destination):
        if not 0 < len(address) <= 20 or not address.isascii() or not address.isprintable():
            raise ValueError("an address is 1 to 20 ASCII characters")
    ucs2 = not _DEFAULT.issuperset(incoming.text)
    sizes = [
        len(character.encode("utf-16-be", "surrogatepass")) if ucs2 else len(gsm0338.encode(character))
        for character in incoming.text
    ]
    alone, part = (140, 134) if ucs2 else (160, 153)
    if sum(sizes) <= alone:
        return [IncomingPart(incoming, incoming.text, b"", ucs2)]
    cuts, filled = [0], 0
    for position, size in enumerate(sizes):
        if filled + size > part:
            cuts.append(position)
            filled = 0
        filled += size
    cuts.append(len(sizes))
    total = len(cuts) - 1
    if total > 255:
        raise ValueError("an incoming message is at most 255 SMS")
    return [
        IncomingPart(
            incoming,
            incoming.text[begin:end],
            udh.build([udh.Concatenation(incoming.id % 256, total, number).element()]),
            ucs2,
        )
        for number, (begin, end) in enumerate(pairwise(cuts), 1)
    ]


def incoming(part: IncomingPart, iso: bool, sequence_number: int) -> bytes:
    """Return the deliver_sm of a part of an incoming message; `iso`: the client reads data_coding 0 as ISO-8859-1."""
    message = part.incoming
    if part.ucs2:
        octets = part.text.encode("utf-16-be", "surrogatepass")
    else:
        octets = part.text.encode("latin-1") if iso else gsm0338.encode(part.text)
    source_ton, source_npi, source = _address(message.source)
    ton, npi, destination = _address(message.destination)
    return encode(
        Pdu(
            CommandId.DELIVER_SM,
            sequence_number=sequence_number,
            fields={
                "source_addr_ton": source_ton,
                "source_addr_npi": source_npi,
                "source_addr": source,
                "dest_addr_ton": ton,
                "dest_addr_npi": npi,
                "destination_addr": destination,
                "esm_class": EsmClass.UDHI if part.header else EsmClass.DEFAULT,
                "data_coding": DataCoding.UCS2 if part.ucs2 else DataCoding.DEFAULT,
                "short_message": part.header + octets,
            },
        )
    )


def _address(address: str) -> tuple[Ton, Npi, bytes]:
    """Return TON, NPI and octets of an address: a number of at least ten digits is taken for an international one."""
    digits = address.removeprefix("+")
    if not digits.isdigit():
        return Ton.ALPHANUMERIC, Npi.UNKNOWN, address.encode("ascii")
    long = len(digits) >= _INTERNATIONAL_DIGITS
    return Ton.INTERNATIONAL if long else Ton.UNKNOWN, Npi.ISDN, address.encode("ascii")

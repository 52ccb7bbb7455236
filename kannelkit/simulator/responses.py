"""What the simulator answers, as octets."""

from __future__ import annotations

import struct
from typing import Final

from kannelkit.simulator.clock import Clock
from kannelkit.simulator.messages import Message
from kannelkit.smpp.constants import RESPONSE, CommandId, CommandStatus, Tag
from kannelkit.smpp.pdu import Pdu, encode
from kannelkit.smpp.receipts import STATES
from kannelkit.smpp.tlv import build_tlv

SYSTEM_ID = b"kannelkit"

_HEADER: Final = struct.Struct(">IIII")
_VERSION_34: Final = 0x34
_VERSION_50: Final = 0x50


def bare(received: Pdu, status: int) -> bytes:
    """Return the response that is its header alone; with a status other than ESME_ROK every response may be."""
    return _HEADER.pack(16, received.command_id | RESPONSE, status, received.sequence_number)


def accepted(received: Pdu, message_id: int) -> bytes:
    """Return the response to a submit_sm or data_sm that is accepted."""
    body = b"%d\0" % message_id
    return _HEADER.pack(16 + len(body), received.command_id | RESPONSE, 0, received.sequence_number) + body


def unknown(received: Pdu) -> bytes:
    """Return the generic_nack for a command that the SMSC does not have."""
    return _HEADER.pack(16, CommandId.GENERIC_NACK, CommandStatus.ESME_RINVCMDID, received.sequence_number)


def unbound(sequence_number: int) -> bytes:
    """Return the response to an unbind."""
    return _HEADER.pack(16, CommandId.UNBIND_RESP, 0, sequence_number)


def bound(received: Pdu) -> bytes:
    """Return the response to a bind that succeeds; a client below 3.4 knows no TLVs and gets none (3.4, 5.3.2.25)."""
    version = received.number("interface_version")
    tlvs = []
    if version >= _VERSION_34:
        tlvs.append(build_tlv(Tag.SC_INTERFACE_VERSION, _VERSION_50 if version >= _VERSION_50 else _VERSION_34))
    return encode(
        Pdu(
            received.command_id | RESPONSE,
            sequence_number=received.sequence_number,
            fields={"system_id": SYSTEM_ID},
            tlvs=tlvs,
        )
    )


def queried(received: Pdu, message: Message, now: float, clock: Clock) -> bytes:
    """Return the response to a query_sm for a message that has ended or is still on its way."""
    over = message.ended <= now
    return encode(
        Pdu(
            CommandId.QUERY_SM_RESP,
            sequence_number=received.sequence_number,
            fields={
                "message_id": received.octets("message_id"),
                "final_date": f"{clock.date(message.ended):%y%m%d%H%M%S}000+".encode("ascii") if over else b"",
                "message_state": int(STATES[message.state(now)]),
                "error_code": message.outcome.err if over else 0,
            },
        )
    )

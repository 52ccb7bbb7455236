"""What the relay looks at in a PDU's octets: the header, and whether a submit is urgent."""

from __future__ import annotations

import struct
from typing import Final

from kannelkit.smpp.constants import RESPONSE, CommandId

HEADER: Final = struct.Struct(">IIII")
_NUMBER: Final = struct.Struct(">I")
MOST_NUMBER: Final = 0x7FFFFFFF  # SMPP 3.4, 3.2

# what a provider counts as a submit
SUBMITS: Final = frozenset({int(CommandId.SUBMIT_SM), int(CommandId.DATA_SM), int(CommandId.SUBMIT_MULTI)})
BINDS: Final = frozenset(
    {int(CommandId.BIND_TRANSMITTER), int(CommandId.BIND_RECEIVER), int(CommandId.BIND_TRANSCEIVER)}
)
# requests that have no response (SMPP 3.4, 4.12.1 and 4.1.7)
UNANSWERED: Final = frozenset({int(CommandId.ALERT_NOTIFICATION), int(CommandId.OUTBIND)})


def numbered(frame: bytes, number: int) -> bytes:
    """Return the PDU with another sequence number."""
    return frame[:12] + _NUMBER.pack(number) + frame[16:]


def bare(command_id: int, status: int, number: int) -> bytes:
    """Return a PDU that is its header alone."""
    return HEADER.pack(16, command_id, status, number)


def response(command_id: int, status: int, number: int) -> bytes:
    """Return the refusal of a request: its response, the header alone."""
    return bare(command_id | RESPONSE, status, number)


def lasting(frame: bytes) -> bytes:
    """Return what of a submit stays when bearerbox sends the same message again.

    Its sequence number does not, nor the validity_period of a submit_sm: with validityperiod in its group smsc
    bearerbox reckons that from the second of sending (gw/smsc/smsc_smpp.c, msg_to_pdu).
    """
    if HEADER.unpack_from(frame)[1] == CommandId.SUBMIT_SM:
        try:
            begin = frame.index(0, _behind_addresses(frame) + 3) + 1  # behind schedule_delivery_time
            return frame[4:12] + frame[16:begin] + frame[frame.index(0, begin) :]
        except ValueError:
            pass  # its fields end before it
    return frame[4:12] + frame[16:]


def urgent(frame: bytes) -> bool | None:
    """Return whether a submit_sm's priority_flag is above 0; None where its fields end before it (SMPP 3.4, 4.4.1)."""
    try:
        return frame[_behind_addresses(frame) + 2] > 0  # esm_class, protocol_id, priority_flag
    except (ValueError, IndexError):
        return None


def _behind_addresses(frame: bytes) -> int:
    """Return the place of a submit_sm's esm_class; raises ValueError where its fields end before it."""
    place = frame.index(0, 16)  # behind service_type
    place = frame.index(0, place + 3)  # ton, npi, source_addr
    return frame.index(0, place + 3) + 1  # ton, npi, destination_addr

"""What matters of a message: what a client asks for, and what is kept of it once it is accepted."""

from __future__ import annotations

from typing import NamedTuple

from kannelkit.smpp.constants import CommandStatus, Tag
from kannelkit.smpp.pdu import Pdu

# These tell one part of a long message from another (SMPP 3.4, 5.3.2.22 to 5.3.2.24).
_PARTS = frozenset({Tag.SAR_MSG_REF_NUM, Tag.SAR_TOTAL_SEGMENTS, Tag.SAR_SEGMENT_SEQNUM})

LONGEST_ADDRESS = 20  # octets in a submit_sm; a data_sm could carry 64, which no deliver_sm could give back


class Submit(NamedTuple):
    """A message's addresses (TON, NPI, then the digits) and what else is asked of a provider."""

    source: bytes
    destination: bytes
    registered_delivery: int
    identity: bytes  # the same for two messages with equal addresses and content, user data header included


class Message(NamedTuple):
    """A message that was accepted. Moments are seconds since the simulator's start."""

    id: int
    source: bytes  # TON, NPI, then the digits
    destination: bytes
    accepted: float
    delivered: float  # when it is delivered, which may be yet to come


def read(pdu: Pdu) -> Submit:
    """Return what matters of a decoded submit_sm or data_sm."""
    number, octets = pdu.number, pdu.octets
    source = b"%c%c%b" % (number("source_addr_ton"), number("source_addr_npi"), octets("source_addr"))
    destination = b"%c%c%b" % (number("dest_addr_ton"), number("dest_addr_npi"), octets("destination_addr"))
    content = pdu.message()
    if pdu.tlvs:
        content += b"".join(tlv.value for tlv in pdu.tlvs if tlv.tag in _PARTS)
    return Submit(
        source, destination, pdu.number("registered_delivery"), b"%b\0%b\0%b" % (source, destination, content)
    )


def wrong_address(pdu: Pdu) -> int:
    """Return 0, or the status that says which address of a submit_sm or data_sm is too long or missing."""
    if len(pdu.octets("source_addr")) > LONGEST_ADDRESS:
        return CommandStatus.ESME_RINVSRCADR
    if not 0 < len(pdu.octets("destination_addr")) <= LONGEST_ADDRESS:
        return CommandStatus.ESME_RINVDSTADR
    return CommandStatus.ESME_ROK

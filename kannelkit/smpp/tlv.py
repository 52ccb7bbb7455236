"""The optional parameters (TLVs): their tags, and the length and type of each value.

Sources: SMPP v3.4 issue 1.2, 5.3.2; SMPP v5.0, 4.8.4 (tags 0x0428 and 0x06xx).
"""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

from kannelkit.smpp.constants import CommandStatus, Tag
from kannelkit.smpp.pduerror import PduError


class Tlv(NamedTuple):
    """One optional parameter as it is on the wire: the tag (16 bits) and the octets of its value (at most 65,535)."""

    tag: int
    value: bytes


class TlvFormat(NamedTuple):
    """What a value is, and its least and most length in octets (a C-octet string's with its NUL)."""

    kind: Literal["integer", "c-octet string", "octets"]
    shortest: int
    longest: int


def _integer(size: int) -> TlvFormat:
    return TlvFormat("integer", size, size)


def _octets(shortest: int, longest: int) -> TlvFormat:
    return TlvFormat("octets", shortest, longest)


def _c_octets(longest: int) -> TlvFormat:
    return TlvFormat("c-octet string", 1, longest)


_NOT_ONE_OCTET: Final[dict[int, TlvFormat]] = {
    Tag.DEST_TELEMATICS_ID: _integer(2),
    Tag.QOS_TIME_TO_LIVE: _integer(4),
    Tag.ADDITIONAL_STATUS_INFO_TEXT: _c_octets(256),
    Tag.RECEIPTED_MESSAGE_ID: _c_octets(65),
    Tag.SOURCE_SUBADDRESS: _octets(2, 23),
    Tag.DEST_SUBADDRESS: _octets(2, 23),
    Tag.USER_MESSAGE_REFERENCE: _integer(2),
    Tag.SOURCE_PORT: _integer(2),
    Tag.DESTINATION_PORT: _integer(2),
    Tag.SAR_MSG_REF_NUM: _integer(2),
    Tag.CALLBACK_NUM_ATAG: _octets(0, 65),
    Tag.CALLBACK_NUM: _octets(4, 19),
    Tag.NETWORK_ERROR_CODE: _octets(3, 3),
    Tag.MESSAGE_PAYLOAD: _octets(0, 65535),
    Tag.BROADCAST_CONTENT_TYPE: _octets(3, 3),
    Tag.BROADCAST_CONTENT_TYPE_INFO: _octets(1, 255),
    Tag.BROADCAST_REP_NUM: _integer(2),
    Tag.BROADCAST_FREQUENCY_INTERVAL: _octets(3, 3),
    Tag.BROADCAST_AREA_IDENTIFIER: _octets(1, 101),
    Tag.BROADCAST_ERROR_STATUS: _integer(4),
    Tag.BROADCAST_END_TIME: _octets(16, 17),  # 16 by its section; makers who read it as a C-octet string add a NUL
    Tag.BROADCAST_SERVICE_GROUP: _octets(1, 255),
    Tag.BILLING_IDENTIFICATION: _octets(1, 1024),
    Tag.SOURCE_NETWORK_ID: _c_octets(65),
    Tag.DEST_NETWORK_ID: _c_octets(65),
    Tag.SOURCE_NODE_ID: _octets(6, 6),
    Tag.DEST_NODE_ID: _octets(6, 6),
    Tag.DEST_ADDR_NP_INFORMATION: _octets(10, 10),
    Tag.DEST_ADDR_NP_COUNTRY: _octets(1, 5),
    Tag.SMS_SIGNAL: _integer(2),
    Tag.MS_VALIDITY: _octets(1, 4),  # one octet in 3.4, 1 or 4 in 5.0
    Tag.ALERT_ON_MESSAGE_DELIVERY: _octets(0, 1),  # empty in 3.4, 0 or 1 octets in 5.0
    Tag.ITS_SESSION_INFO: _octets(2, 2),
}
FORMATS: Final[dict[int, TlvFormat]] = {int(tag): _integer(1) for tag in Tag} | _NOT_ONE_OCTET
"""The format of every known tag; one-octet integers are the rule, so the table lists the others."""


def build_tlv(tag: int, value: int | bytes) -> Tlv:
    """Return the TLV of a plain value: a number for an integer, text without NUL for a C-octet string.

    Octets of a tag without a known format are taken as they are. Raises PduError where the value does not
    fit.
    """
    form = FORMATS.get(tag)
    if isinstance(value, int):
        if form is None or form.kind != "integer":
            raise PduError(f"the value of TLV 0x{tag:04x} is octets, not a number", fault="own")
        if not 0 <= value < 1 << 8 * form.shortest:
            raise PduError(f"{value} does not fit the {form.shortest} octets of TLV 0x{tag:04x}", fault="own")
        return Tlv(tag, value.to_bytes(form.shortest, "big"))
    if form is None:
        return Tlv(tag, value)
    if form.kind == "c-octet string":
        if 0 in value:
            raise PduError(f"NUL inside the C-octet string of TLV 0x{tag:04x}", fault="own")
        value += b"\0"
    if form.kind == "integer" or not form.shortest <= len(value) <= form.longest:
        raise PduError(f"TLV 0x{tag:04x} cannot hold these {len(value)} octets", fault="own")
    return Tlv(tag, value)


def read_tlv(tlv: Tlv) -> int | bytes:
    """Return the plain value of a TLV: a number for an integer, text without its NUL for a C-octet string.

    Lengths are checked here and not where the PDU is decoded: a message whose receipted_message_id lacks its
    NUL is still a message. For the same reason the NUL may be missing. Raises PduError (ESME_RINVTLVLEN) for
    a wrong length.
    """
    tag, value = tlv
    form = FORMATS.get(tag)
    if form is None:
        return value
    if form.kind == "c-octet string":
        value = value.removesuffix(b"\0")
        if len(value) < form.longest and 0 not in value:
            return value
    elif form.shortest <= len(value) <= form.longest:
        return int.from_bytes(value, "big") if form.kind == "integer" else value
    raise PduError(
        f"TLV 0x{tag:04x} has a value of {len(tlv.value)} octets, not {form.shortest} to {form.longest}",
        command_status=CommandStatus.ESME_RINVTLVLEN,
    )

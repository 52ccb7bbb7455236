"""One PDU: octets to a value and back, each the inverse of the other."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import Final

from kannelkit.smpp.constants import RESPONSE, CommandId, CommandStatus, Tag, command_name, status_name
from kannelkit.smpp.fields import (
    PLANS,
    DistributionList,
    FieldValue,
    SmeAddress,
    UnsuccessSme,
    read_fields,
    write_fields,
)
from kannelkit.smpp.pduerror import PduError
from kannelkit.smpp.tlv import Tlv

__all__ = [
    "DistributionList",
    "FieldValue",
    "Pdu",
    "PduError",
    "SmeAddress",
    "Tlv",
    "UnsuccessSme",
    "answer",
    "decode",
    "encode",
]

HEADER: Final = struct.Struct(">IIII")
_TLV_HEADER: Final = struct.Struct(">HH")


@dataclass(slots=True, repr=False)
class Pdu:
    """A PDU as values.

    `fields` holds the mandatory fields by the specification's names (integers; octets without the closing
    NUL; lists), without the counts sm_length, number_of_dests and no_unsuccess, which follow from what they
    count. A response that consists of the header alone has no fields. `tlvs` keeps every TLV, unknown and
    repeated ones too, in its order. `body` is None for a known command; of an unknown one it is everything
    behind the header, unchanged.
    """

    command_id: int
    command_status: int = 0
    sequence_number: int = 0
    fields: dict[str, FieldValue] = field(default_factory=dict)
    tlvs: list[Tlv] = field(default_factory=list)
    body: bytes | None = None

    def __repr__(self) -> str:
        # A PDU ends up in logs and in the reports of failed tests; the password of a bind must not.
        shown = {name: "***" if name == "password" and value else value for name, value in self.fields.items()}
        return (
            f"Pdu({self.name}, {status_name(self.command_status)}, {self.sequence_number}, "
            f"{shown}, {self.tlvs}, body={self.body!r})"
        )

    @property
    def name(self) -> str:
        """The command's name (`submit_sm`), or its number."""
        return command_name(self.command_id)

    def number(self, name: str) -> int:
        """Return an integer field; raises KeyError when it is absent, TypeError when it is no integer."""
        value = self.fields[name]
        if not isinstance(value, int):
            raise TypeError(f"{name} is not an integer")
        return value

    def octets(self, name: str) -> bytes:
        """Return an octet field; raises KeyError when it is absent, TypeError when it is not octets."""
        value = self.fields[name]
        if not isinstance(value, bytes):
            raise TypeError(f"{name} is not octets")
        return value

    def tlv(self, tag: int) -> bytes | None:
        """Return the value of the first TLV with this tag, or None."""
        for each in self.tlvs:
            if each.tag == tag:
                return each.value
        return None

    def message(self) -> bytes:
        """Return the text's octets: short_message, or message_payload where that is empty (3.4: 4.4.1)."""
        short_message = self.fields.get("short_message", b"")
        if isinstance(short_message, bytes) and short_message:
            return short_message
        return self.tlv(Tag.MESSAGE_PAYLOAD) or b""


def decode(octets: bytes) -> Pdu:
    """Return the PDU in `octets`, its header included; `encode` gives the same octets back.

    Raises PduError, and nothing else, for any length that is wrong: the command_length, a field cut off or
    too long, sm_length or a TLV beyond the end, octets left over that are no TLV.
    """
    size = len(octets)
    if size < 16:
        raise PduError(f"{size} octets are no header of 16")
    command_length, command_id, command_status, sequence_number = HEADER.unpack_from(octets)
    if command_length != size:
        raise PduError(
            f"command_length says {command_length} octets, {size} are there",
            command_id=command_id,
            sequence_number=sequence_number,
        )
    plan = PLANS.get(command_id)
    if plan is None:
        return Pdu(command_id, command_status, sequence_number, {}, [], octets[16:])
    fields: dict[str, FieldValue] = {}
    tlvs: list[Tlv] = []
    if size == 16 and plan.header_alone(command_status):
        return Pdu(command_id, command_status, sequence_number, fields, tlvs)
    try:
        position = read_fields(plan, octets, 16, fields)
        if position != size:
            _read_tlvs(octets, position, size, tlvs)
    except PduError as error:
        error.command_id = command_id
        error.sequence_number = sequence_number
        raise
    return Pdu(command_id, command_status, sequence_number, fields, tlvs)


def _read_tlvs(octets: bytes, position: int, end: int, tlvs: list[Tlv]) -> None:
    while position < end:
        begin = position + 4
        if begin > end:
            raise PduError(f"{end - position} octets left over", CommandStatus.ESME_RINVTLVSTREAM)
        tag, length = _TLV_HEADER.unpack_from(octets, position)
        position = begin + length
        if position > end:
            raise PduError(
                f"TLV 0x{tag:04x} says {length} octets, {end - begin} are there",
                CommandStatus.ESME_RINVTLVSTREAM,
            )
        tlvs.append(Tlv(tag, octets[begin:position]))


def encode(pdu: Pdu) -> bytes:
    """Return the octets of a PDU, its header included. A field that is not given is written as 0 or empty.

    A response whose body may be absent and that has neither fields nor TLVs is written as its header alone;
    to send an empty message_id instead, give it. Raises PduError (fault "own") for what the wire cannot hold.
    """
    plan = PLANS.get(pdu.command_id)
    try:
        if plan is None:
            if pdu.body is None or pdu.fields or pdu.tlvs:
                raise PduError("an unknown command is written from its body alone", CommandStatus.ESME_RINVCMDID)
            body = pdu.body
        elif pdu.body is not None:
            raise PduError("a known command is written from its fields and TLVs, not from a body")
        elif not (pdu.fields or pdu.tlvs) and plan.header_alone(pdu.command_status):
            body = b""
        else:
            body = write_fields(plan, pdu.fields)
            if pdu.tlvs:
                body += b"".join([_write_tlv(each) for each in pdu.tlvs])
        return HEADER.pack(16 + len(body), pdu.command_id, pdu.command_status, pdu.sequence_number) + body
    except PduError as error:
        error.fault = "own"
        error.command_id = pdu.command_id
        error.sequence_number = pdu.sequence_number
        raise
    except struct.error:
        raise PduError("a number of the header is not one of 32 bits", fault="own") from None


def _write_tlv(tlv: Tlv) -> bytes:
    tag, value = tlv
    if not isinstance(value, bytes) or len(value) > 0xFFFF or not 0 <= tag <= 0xFFFF:
        raise PduError(f"TLV {tag} is not a tag and value of 16 bits each", CommandStatus.ESME_RINVTLVLEN)
    return _TLV_HEADER.pack(tag, len(value)) + value


def answer(error: PduError) -> Pdu | None:
    """Return the PDU that tells the peer about its mistake, or None where there is nothing to answer.

    A request is refused with its own response; one whose length is wrong, or that cannot be told, with generic_nack
    (3.4: 4.3). A bad response is not answered, nor is a mistake of our own.
    """
    if error.fault == "own":
        return None
    command_id = error.command_id
    if command_id is not None and command_id & RESPONSE:
        return None
    sequence_number = error.sequence_number or 0
    wrong_length = error.command_status == CommandStatus.ESME_RINVCMDLEN
    if command_id is None or wrong_length or command_id | RESPONSE not in PLANS:
        return Pdu(CommandId.GENERIC_NACK, error.command_status, sequence_number)
    return Pdu(command_id | RESPONSE, error.command_status, sequence_number)

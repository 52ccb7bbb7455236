"""PDUs that the relay tells of, decoded: as JSON objects, and as lines for people; texts only where asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields as parts_of
from datetime import datetime
from typing import Any

import click

from kannelkit.cli.figures import shown
from kannelkit.relay.trace import BEARERBOX, PROVIDER
from kannelkit.smpp import datacoding, udh
from kannelkit.smpp.constants import (
    RESPONSE,
    CommandId,
    EsmClass,
    Tag,
    command_name,
    status_description,
    status_name,
)
from kannelkit.smpp.fields import FieldValue
from kannelkit.smpp.pdu import Pdu, decode
from kannelkit.smpp.pduerror import PduError
from kannelkit.smpp.receipts import Receipt, read_receipt
from kannelkit.smpp.tlv import FORMATS, Tlv, read_tlv

Object = dict[str, Any]

_HEADER = 16
_MOST_PAIRS = 10_000
_WITH_TEXT = frozenset(
    {int(CommandId.SUBMIT_SM), int(CommandId.SUBMIT_MULTI), int(CommandId.DELIVER_SM), int(CommandId.DATA_SM)}
    | {int(CommandId.REPLACE_SM), int(CommandId.BROADCAST_SM)}
)
_WITH_PASSWORD = frozenset(
    {int(CommandId.BIND_TRANSMITTER), int(CommandId.BIND_RECEIVER), int(CommandId.BIND_TRANSCEIVER)}
    | {int(CommandId.OUTBIND)}
)
_RECEIPTS = frozenset({int(EsmClass.DELIVERY_RECEIPT), int(EsmClass.INTERMEDIATE_NOTIFICATION)})
_TYPE = 0x3C  # the bits of esm_class that say what kind of message it is (3.4: 5.2.12)
# shown as FROM -> TO
_ADDRESSES = {"source_addr": "destination_addr"}
# what is always there and seldom means anything where it is nothing
_QUIET = ("keep_alive",)


class Reading:
    """Reads what the relay tells, line by line; with `texts` texts are in it, and octets that cannot be read."""

    def __init__(self, *, texts: bool) -> None:
        self._texts = texts
        self._pairs: dict[tuple[str, int], int] = {}  # a response came: the number that it has on the other side

    def read(self, told: Mapping[str, Any]) -> Object:
        """Return a line of the relay's as what `--json` prints."""
        if "lost" in told:
            return {"lost": told["lost"]}
        found: Object = {"at": told["at"], "side": told["side"], "connection": told["connection"]}
        if "event" in told:
            return {**found, "event": told["event"]}
        found["direction"] = "received" if told["came"] else "sent"
        if "octets" in told:
            return {**found, "undecoded": {"why": "this is no PDU", "octets": told["octets"], "more": 0}}
        octets = bytes.fromhex(told["pdu"])
        command_id, status, number = (int.from_bytes(octets[place : place + 4], "big") for place in (4, 8, 12))
        found |= {
            "command": command_name(command_id),
            "command_id": command_id,
            "sequence_number": number,
            "other_sequence_number": self._paired(found, command_id, number, told["other"]),
        }
        if command_id & RESPONSE:
            found |= {"command_status": status, "status": status_name(status)}
        try:
            pdu = decode(octets)
        except PduError as error:
            why = "a password may be in it" if command_id in _WITH_PASSWORD else error.message
            return {**found, "undecoded": self._undecoded(octets, why)}
        if pdu.body is not None:
            return {**found, "undecoded": self._undecoded(octets, "the command is not known")} if pdu.body else found
        return {**found, **self._decoded(pdu)}

    def _paired(self, found: Object, command_id: int, number: int, other: int | None) -> int | None:
        """Return the sequence number on the other side; the one of a response is known from when that came there."""
        if not command_id & RESPONSE:
            return other
        if found["direction"] == "received":
            if other is not None:
                self._pairs[PROVIDER if found["side"] == BEARERBOX else BEARERBOX, other] = number
                if len(self._pairs) > _MOST_PAIRS:
                    del self._pairs[next(iter(self._pairs))]
            return other
        return self._pairs.pop((found["side"], number), None)

    def _undecoded(self, octets: bytes, why: str) -> Object:
        told = octets if self._texts else octets[:_HEADER]
        return {"why": why, "octets": told.hex(), "more": len(octets) - len(told)}

    def _decoded(self, pdu: Pdu) -> Object:
        found: Object = {
            "fields": {name: _value(value) for name, value in pdu.fields.items() if name != "short_message"},
            "tlvs": [_tlv(each) for each in pdu.tlvs if each.tag != Tag.MESSAGE_PAYLOAD],
        }
        octets = pdu.message()
        if pdu.command_id in _WITH_TEXT and (octets or "short_message" in pdu.fields):
            found["message"] = self._message(pdu, octets)
        return found

    def _message(self, pdu: Pdu, octets: bytes) -> Object:
        """Return what is said of a text: its octets' number, which part of a long one it is, a receipt's parts."""
        esm_class = pdu.fields.get("esm_class", 0)
        coding = pdu.fields.get("data_coding", 0)
        found: Object = {"octets": len(octets)}
        if isinstance(esm_class, int) and esm_class & EsmClass.UDHI:
            try:
                elements, octets = udh.parse(octets)
                part = udh.concatenation(elements)
                if part is not None:
                    found["part"] = {"reference": part.reference, "number": part.number, "total": part.total}
            except PduError:
                pass  # it says that it has a header, and has none
        if isinstance(esm_class, int) and esm_class & _TYPE in _RECEIPTS and pdu.command_id != CommandId.SUBMIT_SM:
            receipt = read_receipt(octets)
            if receipt is not None:
                found["receipt"] = dict(self._receipt(receipt))
                return found
        found["text"] = _text(octets, coding) if self._texts else None
        return found

    def _receipt(self, receipt: Receipt) -> Iterator[tuple[str, str | None]]:
        for part in parts_of(receipt):
            value = getattr(receipt, part.name)
            if part.name == "other":
                yield from ((name or "before", each) for name, each in value)
            elif part.name == "text" and value is not None:
                yield "text", value if self._texts else None
            elif value is not None:
                yield part.name, value


def _text(octets: bytes, coding: FieldValue) -> str:
    """Return a text, or its octets in hex where it is none."""
    try:
        return datacoding.decode_text(coding if isinstance(coding, int) else 0, octets)
    except PduError:
        return octets.hex()


def _value(value: FieldValue) -> Any:
    if isinstance(value, list):
        return [{name: _value(each) for name, each in entry._asdict().items()} for entry in value]
    return value if isinstance(value, int) else value.decode("utf-8", "backslashreplace")


def _tlv(tlv: Tlv) -> Object:
    form = FORMATS.get(tlv.tag)
    try:
        value = read_tlv(tlv)
    except PduError:
        value = tlv.value
    told: int | str
    if isinstance(value, int):
        told = value
    else:
        text = value.removesuffix(b"\0").decode("latin-1")
        as_text = form.kind == "c-octet string" if form is not None else value.endswith(b"\0")
        told = text if as_text and text.isascii() and text.isprintable() else value.hex()
    return {"tag": tlv.tag, "name": Tag(tlv.tag).name.lower() if form is not None else None, "value": told}


# -- for people


def line(found: Object) -> str:
    """Return what `Reading.read` found as one line, or as more where octets are shown; with colours."""
    if "lost" in found:
        return click.style(f"{found['lost']:,} lines are missing: they were not read in time", fg="yellow")
    where = f"{found['side']} {found['connection']}"
    when = click.style(datetime.fromtimestamp(found["at"]).astimezone().strftime("%H:%M:%S.%f"), dim=True)
    if "event" in found:
        return f"{when}  {click.style(where + ': ' + shown(found['event']), fg='cyan')}"
    way = f"{where} -> relay" if found["direction"] == "received" else f"relay -> {where}"
    begin = f"{when}  {way:<23}"
    if "command" not in found:
        return f"{begin}  {_hex_view(found['undecoded'])}"
    other = found["other_sequence_number"]
    numbers = f"{found['sequence_number']}" + (f" ({other})" if other is not None else "")
    quiet = found["command_id"] & ~RESPONSE == CommandId.ENQUIRE_LINK
    command = click.style(f"{found['command']:<21}", dim=quiet, bold=not quiet and not found["command_id"] & RESPONSE)
    return f"{begin}  {command} {numbers:<19} {'  '.join(_said(found))}".rstrip()


def _said(found: Object) -> Iterator[str]:
    if "status" in found:
        yield _status(found["command_status"])
    if "undecoded" in found:
        yield _hex_view(found["undecoded"])
        return
    fields = dict(found.get("fields", {}))
    for source, destination in _ADDRESSES.items():
        if source in fields and destination in fields:
            yield f"{shown(fields.pop(source)) or '(none)'} -> {shown(fields.pop(destination)) or '(none)'}"
    yield from (f"{name}={shown(str(value))}" for name, value in fields.items() if value not in (0, "", []))
    for tlv in found.get("tlvs", []):
        name = tlv["name"] or f"0x{tlv['tag']:04x}"
        yield f"{name}={shown(str(tlv['value']))}"
    message = found.get("message")
    if message is not None:
        yield _of_message(message)


def _status(command_status: int) -> str:
    if not command_status:
        return click.style("ok", fg="green")
    name, words = status_name(command_status), status_description(command_status)
    return click.style(name if name == words else f"{name} ({words})", fg="red")


def _of_message(message: Object) -> str:
    part = message.get("part")
    which = f"part {part['number']} of {part['total']} ({part['reference']}), " if part is not None else ""
    if "receipt" in message:
        told = message["receipt"].items()
        return "receipt: " + " ".join(f"{name}={'***' if value is None else shown(value)}" for name, value in told)
    text = message["text"]
    if text is None:
        return f"{which}text of {message['octets']} octets"
    return f"{which}text: {shown(text)}"


def _hex_view(undecoded: Object) -> str:
    octets = bytes.fromhex(undecoded["octets"])
    rows = [click.style(f"{shown(undecoded['why'])}:", fg="yellow")]
    for place in range(0, len(octets), 16):
        some = octets[place : place + 16]
        letters = "".join(chr(each) if 0x20 <= each < 0x7F else "." for each in some)
        rows.append(f"      {place:04x}  {some.hex(' '):<47}  {letters}")
    if undecoded["more"]:
        rows.append(f"      and {undecoded['more']} octets more, which --texts shows")
    return "\n".join(rows)

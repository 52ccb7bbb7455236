"""What SMSC.ru says became of a message: a receipt's text and TLVs to a value, an HLR's answer both ways.

The text is SMPP's customary one (3.4, appendix B) without `text:`; an HLR's answer has fields of its own instead of
dates (`smsc_ru_statuses.toml`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import cache
from urllib.parse import quote_plus, unquote_to_bytes

from kannelkit.providers.facts import Row, facts
from kannelkit.providers.flags import Kind, read_flags
from kannelkit.smpp.constants import Tag
from kannelkit.smpp.receipts import STATES, read_receipt
from kannelkit.smpp.tlv import Tlv

__all__ = ["Hlr", "Kind", "Status", "hlr_text", "read", "read_text"]

_TABLE = "smsc_ru_statuses"


@dataclass(frozen=True, slots=True)
class Hlr:
    """What a home register knows of a subscriber; "" where the answer had nothing.

    Each part is text: an MNC of 02 is not one of 2. `msc` is the service centre, `country` and `network` are those of
    registration, the last two are set while the subscriber roams.
    """

    imsi: str = ""
    msc: str = ""
    mcc: str = ""
    mnc: str = ""
    country: str = ""
    network: str = ""
    roaming_country: str = ""
    roaming_network: str = ""


@dataclass(frozen=True, slots=True)
class Status:
    """What became of one message; None where nothing was said.

    `state` is the word (DELIVRD) and `err` the code of `providers.errors`. Dates are as written, YYMMDDhhmm in a time
    zone that the provider does not state, and so are `sub` and `dlvrd`. `cost` is written n.nnnn, `flags` are those of
    `providers.flags`, `parts` counts the SMS. What nobody knows is kept: pieces of the text with their names in
    `unknown`, TLVs in `unknown_tlvs`. `conflicts` names the fields in which text and TLVs disagree; they have the
    text's value.
    """

    message_id: str | None = None
    state: str | None = None
    err: int | None = None
    kind: Kind | None = None
    sub: str | None = None
    dlvrd: str | None = None
    submit_date: str | None = None
    done_date: str | None = None
    hlr: Hlr | None = None
    cost: str | None = None
    flags: int | None = None
    parts: int | None = None
    unknown: tuple[tuple[str, str], ...] = ()
    unknown_tlvs: tuple[Tlv, ...] = ()
    conflicts: tuple[str, ...] = ()


def read_text(text: str | bytes) -> Status:
    """Return what a receipt's text says. Any text is taken; one that is no receipt is kept under the name ""."""
    octets = text if isinstance(text, bytes) else _octets(text)
    receipt = read_receipt(octets)
    if receipt is None:
        return Status(unknown=(("", _characters(octets)),) if octets else ())
    unknown = [(name, _written(value) or "") for name, value in receipt.other]
    unknown += [("text", _written(receipt.text) or "")] if receipt.text is not None else []
    hlr = _read_hlr(unknown)
    err = None
    if receipt.err is not None and re.fullmatch(r"[0-9]{1,9}", receipt.err):
        err = int(receipt.err)
    elif receipt.err is not None:
        unknown.append(("err", _written(receipt.err) or ""))
    return Status(
        message_id=_written(receipt.message_id),
        state=_written(receipt.stat),
        err=err,
        kind=Kind.HLR if hlr is not None else None,
        sub=_written(receipt.sub),
        dlvrd=_written(receipt.dlvrd),
        submit_date=_written(receipt.submit_date),
        done_date=_written(receipt.done_date),
        hlr=hlr,
        unknown=tuple(unknown),
    )


def read(text: str | bytes, tlvs: Sequence[Tlv]) -> Status:
    """Return what a receipt's text and TLVs say together; a TLV that is not understood, or comes again, is kept."""
    status = read_text(text)
    said: dict[str, str | int] = {}
    unknown: list[Tlv] = []
    for tlv in tlvs:
        field, value = _said(tlv)
        if value is None or field in said:
            unknown.append(tlv)
        else:
            said[field] = value
    flags = said.get("flags")
    if isinstance(flags, int) and (kind := read_flags(flags).kind) is not None:
        said["kind"] = kind
    written = {each.name: getattr(status, each.name) for each in fields(Status)}
    conflicts = tuple(name for name, value in said.items() if written[name] not in (None, value))
    added = {name: value for name, value in said.items() if written[name] is None}
    return replace(status, **added, unknown_tlvs=tuple(unknown), conflicts=conflicts)  # type: ignore[arg-type]  # by name


def hlr_text(message_id: str, state: str, err: int, hlr: Hlr) -> bytes:
    """Return the text of an HLR's answer; `read_text` gives all of it back.

    Raises ValueError for what the form cannot hold: a number that is not of digits, an id or state of two words.
    """
    for value in (message_id, state):
        if not re.fullmatch(r"[^\s:]+", value):
            raise ValueError(f"{value!r} is not one word")
    parts = [f"id:{message_id}", f"stat:{state}", f"err:{err:03d}"]
    for row in facts(_TABLE)["hlr"]:
        value = getattr(hlr, row["field"])
        if "urlencoded" in row:
            value = quote_plus(value).replace("~", "%7E")  # as PHP's urlencode does
        elif not re.fullmatch("[0-9]*", value):
            raise ValueError(f"{row['name']} is a number, not {value!r}")
        parts.append(f"{row['name']}:{value}")
    octets = " ".join(parts).encode()
    if read_text(octets) != Status(message_id, state, err, Kind.HLR, hlr=hlr):
        raise ValueError("a part of the HLR's answer would be read as something else")
    return octets


# -- the parts ---------------------------------------------------------------------------------------------------------


def _octets(text: str) -> bytes:
    """Return a text's octets, the original ones where an argument of a command was not UTF-8."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace")


def _characters(octets: bytes) -> str:
    """Return octets as text: UTF-8, or else Windows-1251, which the provider's HTTP interface takes by default."""
    for encoding in ("utf-8", "cp1251"):
        try:
            return octets.decode(encoding)
        except UnicodeDecodeError:
            continue
    return octets.decode("latin-1")


def _written(value: str | None) -> str | None:
    """Return a part of a Receipt, which has an octet in each character, as text."""
    return None if value is None else _characters(value.encode("latin-1"))


def _read_hlr(unknown: list[tuple[str, str]]) -> Hlr | None:
    """Take an HLR's fields out of the pieces of a text; without an `imsi` they are not of an HLR's answer."""
    rows = {row["name"]: row for row in facts(_TABLE)["hlr"]}
    if not any(name.lower() == "imsi" for name, _ in unknown):
        return None
    found: dict[str, str] = {}
    rest: list[tuple[str, str]] = []
    for name, value in unknown:
        row = rows.get(name.lower())
        if row is None or row["field"] in found:
            rest.append((name, value))
        else:
            octets = unquote_to_bytes(value.replace("+", " ")) if "urlencoded" in row else None
            found[row["field"]] = value if octets is None else _characters(octets)
    unknown[:] = rest
    return Hlr(**found)


_WORDS: Mapping[int, str] = {int(state): word for word, state in STATES.items()}


def _said(tlv: Tlv) -> tuple[str, str | int | None]:
    """Return the field of a Status that a TLV fills and its value, None where it is not understood."""
    tag, value = tlv
    text = value.rstrip(b"\0")
    if tag == Tag.RECEIPTED_MESSAGE_ID:
        return "message_id", _characters(text) or None
    if tag == Tag.MESSAGE_STATE:
        return "state", _WORDS.get(value[0]) if len(value) == 1 else None
    if tag == Tag.NETWORK_ERROR_CODE:  # the first octet is the type of network (SMPP 3.4, 5.3.2.31)
        return "err", int.from_bytes(value[1:], "big") if len(value) == 3 else None
    row = _tlvs().get(tag, {})
    field = row.get("field", "")
    if field == "cost":
        return field, text.decode() if re.fullmatch(rb"[0-9]{1,9}(\.[0-9]{1,9})?", text) else None
    if field:
        return field, int.from_bytes(value, "big") if len(value) == 2 else None
    return "", None


@cache
def _tlvs() -> Mapping[int, Row]:
    return {row["tag"]: row for row in facts(_TABLE)["tlv"]}

"""What `kannelkit dlr` tells of a receipt, of Kannel's own word, of a query's answer: for people and for programs."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from types import MappingProxyType
from typing import Literal, NamedTuple

from kannelkit.cli.dlr_terms import KANNEL_REASONS, TERMS
from kannelkit.gateway.accesslog import Entry, Twin
from kannelkit.providers.errors import meaning, state_words
from kannelkit.providers.facts import Language, facts
from kannelkit.providers.flags import Kind, flag_words, read_flags
from kannelkit.providers.shipped import PROFILES
from kannelkit.providers.statuses import Status, read, read_text
from kannelkit.smpp.constants import CommandStatus, MessageState, Tag, status_description, status_name
from kannelkit.smpp.receipts import STATES
from kannelkit.smpp.tlv import Tlv

Tone = Literal["good", "bad", "waiting", "unknown"]

_TONES: Mapping[MessageState, Tone] = {
    MessageState.DELIVERED: "good",
    MessageState.EXPIRED: "bad",
    MessageState.DELETED: "bad",
    MessageState.UNDELIVERABLE: "bad",
    MessageState.REJECTED: "bad",
    MessageState.SKIPPED: "bad",
    MessageState.SCHEDULED: "waiting",
    MessageState.ENROUTE: "waiting",
    MessageState.ACCEPTED: "waiting",
}
# What a provider that does not say so may refuse a repeated submit with: statuses that name no other fault.
_MAY_BE_A_REPEAT = frozenset(
    {
        CommandStatus.ESME_RSUBMITFAIL,
        CommandStatus.ESME_RX_P_APPN,
        CommandStatus.ESME_RX_R_APPN,
        CommandStatus.ESME_RDELIVERYFAILURE,
        CommandStatus.ESME_RUNKNOWNERR,
        CommandStatus.ESME_RPROHIBITED,
    }
)
# gw/smsc/smsc_smpp.c, handle_pdu, and gw/bb_smscconn.c: what bearerbox makes of the answer to a submit
_OF_KANNEL = re.compile(r"(?P<nack>N?)ACK/(?:0x(?P<status>[0-9a-fA-F]{8})/(?P<said>.*)|(?P<reason>.*))", re.DOTALL)
# SMPP 3.4, 7.1.1.1: YYMMDDhhmmsstnnp, an absolute time; receipts have its first ten digits, or twelve
_DATE = re.compile(r"(\d{10})(?:\d\d|(?P<second>\d\d)\d(?P<quarters>\d\d)(?P<sign>[+-]))?", re.ASCII)


class Row(NamedTuple):
    """One row of a table: what it is, by one name in every language, and what a person reads."""

    name: str
    label: str
    value: str


@dataclass(frozen=True, slots=True)
class Told:
    """What is told: a headline and its tone, the rows of a table, notes on what to do, and all of it for programs."""

    tone: Tone
    headline: str
    rows: tuple[Row, ...] = ()
    notes: tuple[str, ...] = ()
    plain: Mapping[str, object] = field(default_factory=dict)

    def noted(self, *notes: str) -> Told:
        """Return the same with these notes behind its own."""
        every = (*self.notes, *notes)
        return dataclasses.replace(self, notes=every, plain={**self.plain, "notes": list(every)})


def of_text(text: bytes, lang: Language) -> Told | None:
    """Return what a text says: a receipt, Kannel's own word, a state or an error alone; None for another text."""
    alone = text.decode("utf-8", "replace").strip()
    kannels = _OF_KANNEL.fullmatch(alone)
    if kannels is not None:
        return _of_kannel(kannels, lang)
    status = read_text(text)
    if status.message_id is None and status.state is None:
        status = _bare(alone)
    return None if status == Status() else of_status(status, lang)


def _bare(text: str) -> Status:
    if text.upper() in STATES:
        return Status(state=text.upper())
    code = re.fullmatch(r"(?:err:)?([0-9]{1,3})", text)
    return Status() if code is None else Status(err=int(code[1]))


def of_status(status: Status, lang: Language, more: tuple[Row, ...] = ()) -> Told:
    """Return what a receipt or a query's answer says; `more` are rows that it has besides."""
    terms = TERMS[lang]
    state = STATES.get((status.state or "").upper())
    words = terms["no state"] if status.state is None else state_words(status.state, lang)
    known = None if status.err is None else meaning(status.err, status.kind, lang)
    headline = words
    if status.err is not None and (status.err or status.state is None):
        error = terms["no meaning"] if known is None else known.text
        headline = f"{error} ({status.err})" if status.state is None else f"{words}: {error} ({status.err})"
    plain: dict[str, object] = {
        "by": "provider",
        "id": status.message_id,
        "state": status.state,
        "state_words": None if status.state is None else words,
        "err": status.err,
        "error": None if known is None else known.text,
        "error_grade": None if known is None else known.grade,
        "final": None if known is None else known.final,
        "kind": None if status.kind is None else str(status.kind),
        "submit_date": status.submit_date,
        "done_date": status.done_date,
        "sub": status.sub,
        "dlvrd": status.dlvrd,
        "parts": status.parts,
        "cost": status.cost,
        "flags": status.flags,
        "hlr": None if status.hlr is None else dataclasses.asdict(status.hlr),
        "unknown": [{"name": name, "value": value} for name, value in status.unknown],
        "unknown_tlvs": [{"tag": f"0x{tag:04x}", "octets": value.hex()} for tag, value in status.unknown_tlvs],
        "conflicts": list(status.conflicts),
        "notes": [],
    }
    rows = (*_rows(status, words, lang), *more)
    return Told("unknown" if state is None else _TONES.get(state, "unknown"), headline, rows, plain=plain)


def _rows(status: Status, words: str, lang: Language) -> Iterator[Row]:
    terms = TERMS[lang]
    if status.message_id is not None:
        yield Row("id", terms["id"], status.message_id)
    if status.state is not None:
        yield Row("state", terms["state"], status.state if words == status.state else f"{status.state}: {words}")
    if status.err is not None:
        yield Row("error", terms["error"], f"{status.err}: {_error(status.err, status.kind, lang)}")
        known = meaning(status.err, status.kind, lang)
        if known is not None and known.final is not None:
            yield Row("final", terms["final"], terms["is final"] if known.final else terms["is not final"])
    if status.flags is not None:
        yield Row("kind", terms["kind"], ", ".join(flag_words(read_flags(status.flags), lang)))
    elif status.kind is not None:
        kinds = facts("smsc_ru_statuses")["kind"]
        yield Row("kind", terms["kind"], next(row[lang] for row in kinds if row["name"] == status.kind))
    for name, date in (("submitted", status.submit_date), ("done", status.done_date)):
        if date:
            yield Row(name, terms[name], date_words(date, lang))
    for name, value in (("sub", status.sub), ("dlvrd", status.dlvrd), ("parts", status.parts), ("cost", status.cost)):
        if value is not None:
            yield Row(name, terms[name], str(value))
    if status.hlr is not None:
        for row in facts("smsc_ru_statuses")["hlr"]:
            yield Row("hlr", row[lang], getattr(status.hlr, row["field"]) or terms["empty"])
    for name, piece in status.unknown:
        yield Row("unknown", f"{name or terms['piece']} ({terms['unknown']})", piece)
    for tag, octets in status.unknown_tlvs:
        yield Row("unknown", f"TLV 0x{tag:04x} ({terms['unknown']})", _octets(octets))
    if status.conflicts:
        yield Row("conflicts", terms["conflicts"], ", ".join(status.conflicts))


def _error(err: int, kind: Kind | None, lang: Language) -> str:
    terms = TERMS[lang]
    known = meaning(err, kind, lang)
    if known is not None:
        return known.text if known.grade == "A" else f"{known.text} ({terms['unconfirmed']})"
    mail = None if kind is not None else meaning(err, Kind.MAIL, lang)
    return terms["no meaning"] if mail is None else f"{terms['no meaning']}; {terms['of e-mail']}: {mail.text}"


def date_words(text: str, lang: Language) -> str:
    """Return a date as a person writes it, or as it is where it is none."""
    match = _DATE.fullmatch(text)
    if match is None:
        return text
    try:
        date = datetime.strptime(match[1], "%y%m%d%H%M")  # noqa: DTZ007 - it names no zone, or its own behind it
    except ValueError:
        return text
    if match["sign"] is None:
        return f"{date:%Y-%m-%d %H:%M} ({TERMS[lang]['no zone']})"
    hours, quarters = divmod(int(match["quarters"]), 4)
    return f"{date:%Y-%m-%d %H:%M}:{match['second']} UTC{match['sign']}{hours:02}:{15 * quarters:02}"


def _octets(octets: bytes) -> str:
    text = octets.rstrip(b"\0").decode("latin-1")
    return f"{octets.hex()} ({text})" if text.isascii() and text.isprintable() and text else octets.hex()


# -- what Kannel says by itself ----------------------------------------------------------------------------------------


def _of_kannel(match: re.Match[str], lang: Language) -> Told:
    terms = TERMS[lang]
    plain: dict[str, object] = {"by": "kannel", "accepted": not match["nack"], "notes": []}
    if not match["nack"]:
        return Told("waiting", terms["accepted"], plain=plain)
    if match["status"] is None:
        reason = (match["reason"] or "").strip()
        english, russian = KANNEL_REASONS.get(reason, (reason, reason))
        words = russian if lang == "ru" else english
        return Told("bad", f"{terms['not sent']}: {words}", plain={**plain, "reason": reason, "reason_words": words})
    status = int(match["status"], 16)
    name, words = status_name(status), status_description(status)
    row = name if words == name else f"0x{status:08x} {name}"
    perhaps = status in _MAY_BE_A_REPEAT or name == words
    plain |= {"command_status": f"0x{status:08x}", "name": name, "meaning": words, "perhaps_a_repeat": perhaps}
    told = Told("bad", f"{terms['refused']}: {words}", (Row("status", terms["status"], row),), plain=plain)
    return told.noted(terms["perhaps a repeat"]) if perhaps else told


# -- what a line of the access log adds --------------------------------------------------------------------------------

# verbs of receipts that reached nobody (gw/bb_smscconn.c, gw/smsc/smsc_smpp.c)
_UNHEARD = {"FAILED Receive DLR": "no message", "DROPPED Received DLR": "dropped"}
_TOLD = frozenset({"Receive DLR", *_UNHEARD})

# a group smpp-tlv by its name: tag, type, length
TlvForms = Mapping[str, tuple[int, str, int]]


@cache
def providers_forms() -> TlvForms:
    """Return the forms of the TLVs that the providers' tables name: what a spec has that declares none of its own."""
    return MappingProxyType(
        {tlv.name: (tlv.tag, tlv.type, tlv.length) for profile in PROFILES.values() for tlv in profile.tlvs}
    )


def of_entry(entry: Entry, twin: Twin | None, lang: Language, forms: TlvForms | None = None) -> Told | None:
    """Return what a line of the access log says of a receipt, or of a refusal that has none; None for another line.

    `forms` are those of the gateway's spec; without them the names in the providers' tables are known.
    """
    terms = TERMS[lang]
    if entry.without_receipt:
        told = _refused(lang)
    elif entry.verb not in _TOLD:
        return None
    else:
        kannels = _OF_KANNEL.fullmatch(entry.text)
        told = (
            _of_kannel(kannels, lang)
            if kannels
            else of_status(_status(entry, providers_forms() if forms is None else forms), lang)
        )
    if twin is not None:
        told = dataclasses.replace(told, notes=())  # what is known takes the place of what may be
        told = told.noted(terms[f"twin {twin.how}"].format(stamp=twin.stamp or "?", id=twin.foreign_id or "?"))
    elif entry.verb in _UNHEARD:
        told = told.noted(terms[_UNHEARD[entry.verb]])
    log = {
        "time": entry.stamp or None,
        "verb": entry.verb,
        "smsc-id": entry.smsc_id,
        "from": entry.sender,
        "to": entry.receiver,
        "subscriber": entry.subscriber,
        "id": entry.foreign_id or None,
        "dlr": entry.dlr_mask,
    }
    same = None if twin is None else {"how": twin.how, "time": twin.stamp or None, "id": twin.foreign_id or None}
    return dataclasses.replace(told, plain={**told.plain, "log": log, "same_message": same})


def _status(entry: Entry, forms: TlvForms) -> Status:
    """Return what a receipt's text says, and its TLVs as far as the gateway has groups smpp-tlv that name them."""
    tlvs: list[Tlv] = []
    pieces: list[tuple[str, str]] = []
    for name, value in entry.meta.get("smpp", {}).items():
        if name == "dlr_err":  # bearerbox's own: the TLV's octets, or three that it makes of the text's err
            tlvs.append(Tlv(Tag.NETWORK_ERROR_CODE, value))
        elif name in forms:
            tlvs.append(Tlv(forms[name][0], _as_sent(value, *forms[name][1:])))
        else:
            pieces.append((f"meta {name}", value.decode("utf-8", "backslashreplace")))
    status = read(entry.text, tlvs)
    return dataclasses.replace(status, unknown=(*status.unknown, *pieces))


def _as_sent(value: bytes, kind: str, length: int) -> bytes:
    """Return a TLV's octets as they were on the wire (gw/smsc/smpp_pdu.c, smpp_pdu_unpack)."""
    if kind == "integer" and re.fullmatch(rb"[0-9]{1,10}", value) and int(value) < 1 << 8 * length:
        return int(value).to_bytes(length, "big")
    return value + b"\0" if kind == "nulterminated" else value


def _refused(lang: Language) -> Told:
    """Return what is told of a refusal that no receipt tells of: the access log does not say why."""
    plain: dict[str, object] = {"by": "kannel", "accepted": False, "notes": []}
    return Told("bad", TERMS[lang]["refused somewhere"], plain=plain).noted(TERMS[lang]["perhaps a repeat"])

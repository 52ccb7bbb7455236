"""bearerbox's access log: a line to values, and what its lines together tell of a message that was refused.

Who may send a message can forge a line: `from` and `binfo` are written with their line feeds. So what stands here is
for people to read, and decides nothing.
"""

from __future__ import annotations

import hashlib
import re
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal, TypeVar
from urllib.parse import unquote_to_bytes

# gwlib/accesslog.c, format: no stamp with access-log-clean; gw/bb_alog.c, bb_alog_sms: what stands before the fields
_BEGIN: Final = re.compile(
    rb"(?:(?P<stamp>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) )?(?P<verb>[A-Z][A-Za-z]{3,9}(?: [A-Za-z -]{1,40})? (?:SMS|DLR)) "
    rb"(?=\[SMSC:)"
)
# the fields as they follow one another, each up to the next one's name
_FIELDS: Final = ("SMSC", "SVC", "ACT", "BINF", "FID", "META", "from", "to", "flags", "msg")
_UDH: Final = re.compile(rb"\] \[udh:\d{1,9}:[0-9A-Fa-f]*\]\s*\Z")
_FLAGS: Final = re.compile(rb"-?\d{1,9}:(?P<coding>-?\d{1,9}):-?\d{1,9}:-?\d{1,9}:(?P<mask>-?\d{1,9})")
_OCTETS, _UCS2 = 1, 2  # gw/sms.h, DC_8BIT and DC_UCS2: the text is written as hexadecimal digits

# Kannel's kinds of a receipt (gw/dlr.h)
REFUSED: Final = 0x10
_ASKS_OF_REFUSAL: Final = 0x02 | REFUSED  # gw/bb_smscconn.c, bb_smscconn_send_failed


@dataclass(frozen=True, slots=True)
class Entry:
    """One line, its fields named as Kannel's user guide names them; `stamp` is as written, "" where there is none.

    `meta` holds the values of the meta data by group and name. `dlr_mask` is what receipts were asked for, and for a
    receipt which kind it is. `text` is what the message or receipt says; Kannel writes a full stop for every octet
    that is not printable ASCII.
    """

    stamp: str
    verb: str
    smsc_id: str
    service: str
    account: str
    foreign_id: str
    sender: str
    receiver: str
    dlr_mask: int
    text: str
    meta: Mapping[str, Mapping[str, bytes]] = field(default_factory=dict)

    @property
    def refused(self) -> bool:
        """Whether an SMSC or Kannel refused to send this message."""
        return self.verb == "REJECTED Send SMS"

    @property
    def subscriber(self) -> str:
        """The number at the other end: a receipt has sender and receiver as its message had them, if Kannel knew it.

        One that Kannel knows no message for comes from the subscriber (gw/smsc/smsc_smpp.c, handle_pdu).
        """
        return self.sender if self.verb in ("FAILED Receive DLR", "Receive SMS") else self.receiver

    @property
    def without_receipt(self) -> bool:
        """Whether nothing else tells of the refusal: no receipt was asked for that could."""
        return self.refused and (self.dlr_mask < 0 or not self.dlr_mask & _ASKS_OF_REFUSAL)


def read_line(line: bytes) -> Entry | None:
    """Return what a line tells; None for another line, or one that has the form of an access-log-format."""
    begin = _BEGIN.match(line)
    udh = _UDH.search(line, max(0, line.rfind(b"] [udh:")))
    if begin is None or udh is None:
        return None
    values: dict[str, bytes] = {}
    at = begin.end() + len("[SMSC:")
    for name, following in zip(_FIELDS, (*_FIELDS[1:], ""), strict=True):
        until = b"] [%b:" % following.encode()
        end = line.find(until, at) if following else udh.start()
        if end < at:
            return None
        values[name] = line[at:end]
        at = end + len(until)
    flags = _FLAGS.fullmatch(values["flags"])
    _, colon, text = values["msg"].partition(b":")
    if flags is None or not colon:
        return None
    return Entry(
        stamp=(begin["stamp"] or b"").decode(),
        verb=begin["verb"].decode(),
        smsc_id=_text(values["SMSC"]),
        service=_text(values["SVC"]),
        account=_text(values["ACT"]),
        foreign_id=_text(values["FID"]),
        sender=_text(values["from"]),
        receiver=_text(values["to"]),
        dlr_mask=int(flags["mask"]),
        text=_message(text, int(flags["coding"])),
        meta=_meta(values["META"]),
    )


def _text(octets: bytes) -> str:
    return octets.decode("utf-8", "backslashreplace")


def _message(text: bytes, coding: int) -> str:
    if coding not in (_OCTETS, _UCS2):
        return _text(text)
    try:
        octets = bytes.fromhex(text.decode("ascii"))
    except ValueError:  # a UnicodeDecodeError is one
        return _text(text)
    return octets.decode("utf-16-be", "replace") if coding == _UCS2 else octets.decode("latin-1")


def _meta(octets: bytes) -> dict[str, dict[str, bytes]]:
    """Read `?group?name=value&name=value&?group?...`, encoded as in URLs (gw/meta_data.c, meta_data_pack)."""
    groups: dict[str, dict[str, bytes]] = {}
    parts = octets.split(b"?")[1:]
    for group, values in zip(parts[::2], parts[1::2], strict=False):
        found = groups.setdefault(_text(_decoded(group)), {})
        for pair in values.split(b"&"):
            name, equals, value = pair.partition(b"=")
            if equals:
                found.setdefault(_text(_decoded(name)), _decoded(value))
    return groups


def _decoded(octets: bytes) -> bytes:
    return unquote_to_bytes(octets.replace(b"+", b" "))


# -- what lines tell together ------------------------------------------------------------------------------------------

# SMSC.ru takes an identical message once in so many seconds; the provider's clock and ours need not agree
_REPEATED_SECONDS: Final = 60 + 5
# a receipt of a message whose answer was lost can come as late as the message may be delivered
_UNKNOWN_SECONDS: Final = 24 * 3600
_MOST_SENT, _MOST_REFUSED = 100_000, 10_000


@dataclass(frozen=True, slots=True)
class Twin:
    """A line that tells of the same message, which was submitted twice: `how`, when, and under which id.

    For a message that was refused: "sent", the same text to the same number was accepted within a minute before;
    "unknown receipt", a receipt from that number came for a message that Kannel does not know, as it does when the
    answer to the first submit was lost. For such a receipt: "refused", a message to that number was refused before.
    """

    how: Literal["sent", "unknown receipt", "refused"]
    stamp: str
    foreign_id: str


class Refusals:
    """Follows an access log for messages that were refused because the provider had them already.

    `take` is to be given every line in its order. It remembers at most 100,000 messages of the last minute, as
    digests, and 10,000 refusals and receipts of the last day.
    """

    def __init__(self) -> None:
        self._sent: OrderedDict[bytes, tuple[float, Twin]] = OrderedDict()
        self._refused: OrderedDict[tuple[str, ...], tuple[float, Twin]] = OrderedDict()
        self._unknown: OrderedDict[tuple[str, ...], tuple[float, Twin]] = OrderedDict()
        self._told: OrderedDict[tuple[str, ...], Twin] = OrderedDict()

    def take(self, entry: Entry, now: float) -> Twin | None:
        """Return the twin that a line tells of, for a refusal, for its receipt, or for a receipt of an unknown message.

        `now` (seconds) stands for the time of a line without a stamp.
        """
        at = _seconds(entry.stamp, now)
        whose = (entry.smsc_id, _number(entry.subscriber))
        if entry.verb == "Sent SMS":
            _keep(self._sent, _digest(entry), (at, Twin("sent", entry.stamp, entry.foreign_id)), _MOST_SENT)
        elif entry.refused:
            twin = _within(self._sent.get(_digest(entry)), at, _REPEATED_SECONDS)
            twin = twin or _within(self._unknown.pop(whose, None), at, _REPEATED_SECONDS)
            if twin is None:
                _keep(self._refused, whose, (at, Twin("refused", entry.stamp, "")), _MOST_REFUSED)
            elif not entry.without_receipt:
                _keep(self._told, (entry.smsc_id, entry.sender, entry.receiver), twin, _MOST_REFUSED)
            return twin
        elif entry.verb == "Receive DLR" and entry.dlr_mask == REFUSED:
            # written by the link right behind the refusal (gw/bb_smscconn.c, bb_smscconn_send_failed)
            return self._told.pop((entry.smsc_id, entry.sender, entry.receiver), None)
        elif entry.verb == "FAILED Receive DLR":
            twin = _within(self._refused.pop(whose, None), at, _UNKNOWN_SECONDS)
            if twin is None:
                _keep(self._unknown, whose, (at, Twin("unknown receipt", entry.stamp, entry.foreign_id)), _MOST_REFUSED)
            return twin
        return None


_K = TypeVar("_K")
_V = TypeVar("_V")


def _keep(remembered: OrderedDict[_K, _V], key: _K, value: _V, most: int) -> None:
    remembered.pop(key, None)
    remembered[key] = value
    if len(remembered) > most:
        remembered.popitem(last=False)


def _within(found: tuple[float, Twin] | None, at: float, seconds: float) -> Twin | None:
    return found[1] if found is not None and 0 <= at - found[0] <= seconds else None


def _digest(entry: Entry) -> bytes:
    whole = "\0".join((entry.smsc_id, _number(entry.receiver), entry.text))
    return hashlib.blake2b(whole.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def _number(address: str) -> str:
    return address.removeprefix("+")


def _seconds(stamp: str, now: float) -> float:
    """Return a stamp as seconds of the log's own clock."""
    try:
        return (datetime.fromisoformat(stamp) - datetime(1970, 1, 1)).total_seconds()  # noqa: DTZ001 - logs name no zone
    except ValueError:
        return now

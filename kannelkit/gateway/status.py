"""Reads bearerbox's status.xml.

It is not XML: bearerbox prints names unescaped, and for an SMPP link the name holds the account's user and
system type, so an `&`, a `<` or octets that are not UTF-8 stand in it as they are. What is certain is the
layout: one element a line, and a value from the configuration cannot hold a line feed (gw/bearerbox.c
bb_print_status, gw/bb_boxc.c boxc_status, gw/bb_smscconn.c smsc2_status). So this reads lines, resolves no
entity and knows no DTD. Only a box's id comes from the network and may hold anything; the boxes stand
before the links, so the links are read from the last place where their list can begin, and a box cannot
pretend to be a link.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from kannelkit.errors import GatewayError

MOST_OCTETS = 8 * 1024 * 1024  # 1,000 links take about 0.6 MB

_KNOWN = "kannelkit knows Kannel 1.4.5's: is it Kannel, of that version, that listens on the admin port?"

# Kannel's words for the gateway's state -> ours, which an operator knows from the admin commands
_STATES = {"filled": "full", "going down": "shutting down"}


@dataclass(frozen=True, slots=True)
class LinkStatus:
    """One SMSC link. All counters begin at 0 when the link is (re-)created.

    `queued` waits in the link's own queue, in parts: a long message counts once for each of its segments; what was sent
    and has no response yet is not in it, and a dead link always says 0. `failed` counts messages that were given up:
    neither a throttled submit nor any other that is tried again. `seconds` is the time online, None while it is not.
    `sms_sent` goes up when the provider's response arrives, once for a message of several parts.
    """

    name: str
    admin_id: str
    smsc_id: str
    state: str
    seconds: int | None
    failed: int
    queued: int
    sms_sent: int
    sms_received: int
    dlr_received: int
    dlr_sent: int

    @property
    def online(self) -> bool:
        """Whether Kannel takes the link for bound (it does so, too, after a bind refused with "already bound")."""
        return self.state == "online"


@dataclass(frozen=True, slots=True)
class BoxStatus:
    """One connected box; `queue` (None for a wapbox) is what waits for it or for its acknowledgement."""

    type: str
    id: str
    address: str
    queue: int | None
    state: str
    seconds: int | None
    tls: bool


@dataclass(frozen=True, slots=True)
class GatewayStatus:
    """What bearerbox says about itself, its links and its boxes at about one moment.

    `state` is running, suspended, isolated, full or shutting down. `sms_queued_out` is the global queue of messages on
    their way to a provider (those waiting for another try included), `sms_queued_in` the one towards the boxes.
    `store_size` is the number of messages in the store, None without one. `sms_sent_total` and `sms_received_total`
    count from the start of bearerbox. `dlr_waiting` is None where the storage cannot count.
    """

    version: str
    state: str
    uptime_seconds: int
    links: tuple[LinkStatus, ...]
    boxes: tuple[BoxStatus, ...]
    sms_queued_in: int
    sms_queued_out: int
    store_size: int | None
    sms_sent_total: int
    sms_received_total: int
    dlr_received_total: int
    dlr_sent_total: int
    dlr_waiting: int | None
    dlr_storage: str

    @property
    def in_flight(self) -> int | None:
        """How many messages are in the store and in no queue: sent, without a response yet. None without a store.

        bearerbox takes the numbers one after another without a lock: the store, the global queues, the boxes, the
        links. A message that comes in meanwhile, or moves from the global queue to a link's, is subtracted once too
        often: the result is too small by as many, even negative. One that is put back to the global queue meanwhile
        makes it too large. So 0 while messages come in is strong evidence only when it is read again. (Seen at 900 new
        messages a second: 9 of 435 readings too small, by 1.)

        It is wrong for long messages: one that waits counts once in the store and once for each segment in its link's
        queue (too small); received segments whose message is not complete are in the store and in no queue (too large,
        up to concatenated-mo-timeout).
        """
        if self.store_size is None:
            return None
        boxes = sum(box.queue or 0 for box in self.boxes)
        links = sum(link.queued for link in self.links)
        return self.store_size - self.sms_queued_in - self.sms_queued_out - boxes - links

    def links_of(self, admin_id: str) -> tuple[LinkStatus, ...]:
        """Return every link with this admin id (none, one, or several where `instances` made them), in their order."""
        return tuple(link for link in self.links if link.admin_id == admin_id)


_HEAD = re.compile(
    rb'<\?xml version="1.0"\?>\s*<gateway>\s*<version>(?P<version>[^<]*)</version>\s*'
    rb"<status>(?P<state>[a-z -]+), uptime "
    rb"(?P<days>\d+)d (?P<hours>\d+)h (?P<minutes>\d+)m (?P<seconds>\d+)s</status>\s*"
    rb"<wdp>[^<]*(?:<(?!/wdp>)[^<]*)*</wdp>\s*"
    rb"<sms>\s*<received><total>(?P<sms_received>\d+)</total><queued>(?P<queued_in>-?\d+)</queued></received>\s*"
    rb"<sent><total>(?P<sms_sent>\d+)</total><queued>(?P<queued_out>-?\d+)</queued></sent>\s*"
    rb"<storesize>(?P<store>-?\d+)</storesize>\s*(?:<\w+>[^<]*</\w+>\s*)*</sms>\s*"
    rb"<dlr>\s*<received><total>(?P<dlr_received>\d+)</total></received>\s*"
    rb"<sent><total>(?P<dlr_sent>\d+)</total></sent>\s*(?:<(?:in|out)bound>[^<]*</(?:in|out)bound>\s*)*"
    rb"<queued>(?P<dlr_waiting>-?\d+)</queued>\s*<storage>(?P<storage>[^<]*)</storage>\s*</dlr>"
)
_UPTIME = rb"on-line (\d+)d (\d+)h (\d+)m (\d+)s"
_BOX = re.compile(
    rb"<box>\n\s*<type>(?P<type>[a-z]+)</type>\n\s*(?:<id>(?P<id>[^\n]*)</id>\n\s*)?<IP>(?P<address>[^\n<]*)</IP>\n\s*"
    rb"(?:<queue>(?P<queue>-?\d+)</queue>\n\s*)?<status>(?P<state>[^\n<]*)</status>\n\s*<ssl>(?P<tls>[^\n<]*)</ssl>"
)
_LINKS_BEGIN = re.compile(rb"<smscs>\s*<count>-?\d+</count>\n")
_LINK_BEGINS = b"<smsc>\n"
# over 18 digits: nothing that Kannel's C long can print
_NUMBER = rb"(-?\d{1,20})"
_RATES = rb"(?:\s*<(?:in|out)bound>[^\n<]*</(?:in|out)bound>)*\s*"
_LINK = re.compile(
    rb"<smsc>\n\s*<name>([^\n]*)</name>\n\s*<admin-id>([^\n]*)</admin-id>\n\s*<id>([^\n]*)</id>\n\s*"
    rb"<status>([^\n<]*)</status>\n\s*<failed>" + _NUMBER + rb"</failed>\n\s*<queued>" + _NUMBER + rb"</queued>\n\s*"
    rb"<sms>\s*<received>(\d{1,20})</received>\s*<sent>(\d{1,20})</sent>" + _RATES + rb"</sms>\s*"
    rb"<dlr>\s*<received>(\d{1,20})</received>\s*<sent>(\d{1,20})</sent>" + _RATES + rb"</dlr>\s*</smsc>\n"
)


class DeniedError(GatewayError):
    """bearerbox does not take the password."""


def parse_status(octets: bytes) -> GatewayStatus:
    """Read what `status.xml` of Kannel 1.4.5 answered.

    Raises DeniedError when the password was another, GatewayError when it is no status, cut or over 8 MiB.
    """
    if len(octets) > MOST_OCTETS:
        raise GatewayError(f"status.xml has {len(octets)} octets, more than a gateway's {MOST_OCTETS}", _KNOWN)
    if b"<gateway>\nDenied</gateway>" in octets[:64]:
        raise DeniedError(
            "bearerbox denies the status: the password is not its admin-password or status-password",
            "is this the gateway that the spec describes?",
        )
    if not octets.endswith(b"</gateway>\n"):
        raise GatewayError(
            "status.xml is cut or is not from bearerbox",
            _KNOWN,
        )
    boxes_at = octets.find(b"<boxes>")
    lists = list(_LINKS_BEGIN.finditer(octets, max(0, boxes_at)))
    if boxes_at < 0 or not lists:
        raise GatewayError("status.xml has no list of links", _KNOWN)
    begins = lists[-1]  # what stands before it in this form is inside a box's id
    head = _HEAD.match(octets, 0, boxes_at)  # only at the start: an answer cannot make it search long
    if head is None:
        raise GatewayError("status.xml of this Kannel cannot be read", _KNOWN)
    links = tuple(_link(match) for match in _LINK.finditer(octets, begins.end()))
    if len(links) != octets.count(_LINK_BEGINS, begins.end()):
        raise GatewayError("status.xml has a link that cannot be read", _KNOWN)
    boxes = tuple(_box(match) for match in _BOX.finditer(octets, boxes_at, begins.start()))
    state = _words(head["state"])
    return GatewayStatus(
        version=_words(head["version"]).strip(),
        state=_STATES.get(state, state),
        uptime_seconds=_duration(head["days"], head["hours"], head["minutes"], head["seconds"]),
        links=links,
        boxes=boxes,
        sms_queued_in=_count(head["queued_in"]),
        sms_queued_out=_count(head["queued_out"]),
        store_size=_count_or_none(head["store"]),
        sms_sent_total=_count(head["sms_sent"]),
        sms_received_total=_count(head["sms_received"]),
        dlr_received_total=_count(head["dlr_received"]),
        dlr_sent_total=_count(head["dlr_sent"]),
        dlr_waiting=_count_or_none(head["dlr_waiting"]),
        dlr_storage=_words(head["storage"]),
    )


def _link(match: re.Match[bytes]) -> LinkStatus:
    name, admin_id, smsc_id, status, failed, queued, received, sent, dlr_received, dlr_sent = match.groups()
    state, _, online = status.partition(b" ")
    return LinkStatus(
        _name(name),
        _name(admin_id),
        _name(smsc_id),
        _name(state),
        _count(online[:-1]) if state == b"online" and online[:-1].isdigit() else None,
        max(0, int(failed)),  # below 0: a kind of link that cannot say
        max(0, int(queued)),
        int(sent),
        int(received),
        int(dlr_received),
        int(dlr_sent),
    )


def _box(match: re.Match[bytes]) -> BoxStatus:
    online = re.fullmatch(_UPTIME, match["state"])
    return BoxStatus(
        type=_words(match["type"]),
        id=_words((match["id"] or b"")[:_LONGEST_KNOWN]),  # comes from the network, and is as long as somebody likes
        address=_words(match["address"]),
        queue=None if match["queue"] is None else _count(match["queue"]),
        state="online" if online else _words(match["state"]),
        seconds=_duration(*online.groups()) if online else None,
        tls=match["tls"] == b"yes",
    )


def _name(octets: bytes) -> str:
    """Return text as _words does; a link's names are the same at every look."""
    return _known_words(octets) if len(octets) <= _LONGEST_KNOWN else _words(octets)


def _words(octets: bytes) -> str:
    """Return text that a terminal can show: other octets than UTF-8 and control characters as backslash escapes."""
    text = octets.decode("utf-8", "backslashreplace")
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c == "\n" else c.encode("unicode_escape").decode() for c in text)


_LONGEST_KNOWN = 200
_known_words = lru_cache(maxsize=8192)(_words)


def _count(digits: bytes) -> int:
    # over 18 digits: nothing that Kannel's C long can print
    if len(digits) > 20:
        raise GatewayError("status.xml has a number that is none", _KNOWN)
    return max(0, int(digits))


def _count_or_none(digits: bytes) -> int | None:
    return None if digits.startswith(b"-") else _count(digits)


def _duration(days: bytes, hours: bytes, minutes: bytes, seconds: bytes) -> int:
    return ((_count(days) * 24 + _count(hours)) * 60 + _count(minutes)) * 60 + _count(seconds)

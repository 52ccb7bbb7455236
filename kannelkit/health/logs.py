"""What bearerbox's logs tell of the last minutes; pure, given their last octets.

A stamp is local time to the second (gwlib/log.c, format), and so is compared as text with stamps of the same clock.
The access log can be forged by whoever may send a message (`binfo` and `from` are written with their line feeds), so
what it tells makes people look, and decides nothing.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta

from kannelkit.health.observed import Traffic, Troubles
from kannelkit.throttle.lines import BindRefused, LinkTroubled, SubmitRefused, Trouble, read_events

_STAMP = re.compile(rb"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d ")
_FORM = "%Y-%m-%d %H:%M:%S"
_STAMP_OCTETS = 19
# gw/bb_alog.c, bb_alog_sms: without an access-log-format of its own
_LINE = re.compile(
    rb"(?P<stamp>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) (?P<verb>[A-Z][A-Za-z]{3,12}(?: [A-Z][a-z]{3,6})? (?:SMS|DLR)) "
    rb"\[SMSC:(?P<smsc>[^\]\n]{0,200})\]"
)
# gwlib/accesslog.c: when a log is opened and closed
_MARK = re.compile(rb"\bLog (?:begins|ends)\b")
# the last flag is what delivery receipts are asked for (sms.dlr_mask)
_FLAGS = re.compile(rb" \[flags:-?\d+:-?\d+:-?\d+:-?\d+:(-?\d+)\] ")
_SENT, _RECEIPT = "Sent SMS", "Receive DLR"
_MINUTE, _MOMENT = 60, 10
# what has the SMSC asked for a receipt: delivered, undeliverable, buffered (gw/dlr.h, DLR_IS_ENABLED_DEVICE)
_ASKS_SMSC = 1 | 2 | 4


def stamp(now: datetime, seconds: float) -> bytes:
    """Return how a log stamps the moment `seconds` before `now`, which is local time without a zone."""
    return (now - timedelta(seconds=seconds)).strftime(_FORM).encode()


def since(block: bytes, first: bytes) -> bytes:
    """Return the part of a log that begins with the first line stamped `first` or later.

    Lines without a stamp belong to the one before them; what stands before the first stamp is left out.
    """
    low, high = 0, len(block)
    while low < high:  # by halves: stamps never go back but when the clock is set
        middle = (low + high) // 2
        found = _stamped(block, middle, high)
        if found is None:
            high = middle
        elif block[found : found + _STAMP_OCTETS] < first:
            end = block.find(b"\n", found)
            low = len(block) if end < 0 else end + 1
        else:
            high = middle
    begin = _stamped(block, low, len(block))
    return b"" if begin is None else block[begin:]


def _stamped(block: bytes, begin: int, end: int) -> int | None:
    """Return where the first line with a stamp begins that begins at `begin` or after it, and before `end`."""
    at = begin if begin == 0 or block[begin - 1 : begin] == b"\n" else block.find(b"\n", begin) + 1
    while begin == 0 or at > 0:
        if at >= end:
            return None
        if _STAMP.match(block, at):
            return at
        at = block.find(b"\n", at) + 1
        if at == 0:
            return None
    return None


def troubles(blocks: Iterable[bytes], pid: int, first: bytes) -> Mapping[str, Troubles]:
    """Return what the ends of bearerbox's logs tell of each account since the stamp `first`; `pid` is bearerbox's."""
    throttled: Counter[str] = Counter()
    lost: dict[Trouble, Counter[str]] = {trouble: Counter() for trouble in Trouble}
    refused: dict[str, Counter[int]] = {}
    binds: dict[str, Counter[int]] = {}
    for block in blocks:
        for event in read_events(since(block, first), pid):
            if isinstance(event, SubmitRefused):
                if event.throttled:
                    throttled[event.smsc_id] += 1
                else:
                    refused.setdefault(event.smsc_id, Counter())[event.command_status] += 1
            elif isinstance(event, BindRefused):
                binds.setdefault(event.smsc_id, Counter())[event.command_status] += 1
            elif isinstance(event, LinkTroubled):
                lost[event.trouble][event.smsc_id] += 1
    names = {*throttled, *refused, *binds, *(name for each in lost.values() for name in each)}
    return {
        name: Troubles(
            throttled=throttled[name],
            refused=dict(refused.get(name, {})),
            binds=dict(binds.get(name, {})),
            broken=lost[Trouble.BROKEN][name],
            unreachable=lost[Trouble.UNREACHABLE][name],
            unanswered=lost[Trouble.UNANSWERED][name],
        )
        for name in names
    }


def traffic(block: bytes, now: datetime, window: float) -> Mapping[str, Traffic] | None:
    """Return what the end of an access log tells of each account, by smsc-id, "" for messages that no link took.

    Verbs are counted over the last `window` seconds, receipts as far back as the block goes. Returns None where the
    log tells of messages in another form than Kannel's own default (access-log-format).
    """
    first, minute, moment = stamp(now, window), stamp(now, _MINUTE), stamp(now, _MOMENT)
    verbs: dict[str, Counter[str]] = {}
    sent: dict[str, Counter[int]] = {}
    unheard: dict[str, tuple[int, bytes]] = {}
    read = False
    for match, rest in _lines(block):
        read = True
        name, verb, at = match["smsc"].decode("utf-8", "backslashreplace"), match["verb"].decode(), match["stamp"]
        if at >= first:
            verbs.setdefault(name, Counter())[verb] += 1
        if verb == _RECEIPT:
            unheard[name] = (0, b"")
        elif verb == _SENT:
            if at >= minute:
                sent.setdefault(name, Counter()).update((_MINUTE, _MOMENT) if at >= moment else (_MINUTE,))
            if _asks(rest):
                count, begun = unheard.get(name, (0, b""))
                unheard[name] = (count + 1, begun or at)
    if not read and any(line.strip() and not _MARK.search(line) for line in block.split(b"\n")):
        return None
    return {
        name: Traffic(
            verbs=dict(verbs.get(name, {})),
            rate=max((count / seconds for seconds, count in sent.get(name, {}).items()), default=0.0),
            without_receipt=unheard.get(name, (0, b""))[0],
            unheard=_age(unheard.get(name, (0, b""))[1], now),
        )
        for name in {*verbs, *unheard}
    }


def _lines(block: bytes) -> Iterator[tuple[re.Match[bytes], bytes]]:
    for line in block.split(b"\n"):
        match = _LINE.match(line)
        if match is not None:
            yield match, line[match.end() :]


def _asks(rest: bytes) -> bool:
    flags = _FLAGS.search(rest)
    return flags is not None and len(flags[1]) < 10 and int(flags[1]) > 0 and bool(int(flags[1]) & _ASKS_SMSC)


def _age(at: bytes, now: datetime) -> float:
    try:
        return max(0.0, (now - datetime.strptime(at.decode(), _FORM)).total_seconds())  # noqa: DTZ007 - logs name no zone
    except ValueError:  # none, or a stamp of no day
        return 0.0

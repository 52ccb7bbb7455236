"""Text of bearerbox's log -> the events it tells of.

Only lines that bearerbox itself wrote count. Text of an application can reach a log with its line feeds (`binfo`
and `from` of a sendsms request do, in the access log and in smsbox's), so a line must carry bearerbox's own process
id and the level and form that Kannel's source gives it; and what it claims is believed only as far as bearerbox's
counters agree (see `controller`).

What no line tells at log-level 1: that a link is bound (status.xml does), and that a bind was answered with
ESME_RALYBND, which Kannel takes for success (gw/smsc/smsc_smpp.c, handle_pdu); the SMSC's refusals of the submits
on such a link tell, `Cause.NOT_BOUND`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from kannelkit.smpp.constants import CommandStatus

THROTTLED = int(CommandStatus.ESME_RTHROTTLED)
_MOST_TEXT = 200  # characters of a panic


class Cause(StrEnum):
    """Whose matter a refused submit is, and so what becomes of the message."""

    TOO_FAST = "too fast"  # Kannel pauses, then tries again
    QUEUE_FULL = "queue full"  # their system, not our speed; Kannel tries again, without a pause
    THEIR_TROUBLE = "trouble on their side"  # as with a full queue
    NOT_BOUND = "not bound"  # the message is rejected, as every other one on this link
    MESSAGE = "message refused"  # this message is rejected


# Four statuses have the message tried again, every other one rejects it (gw/smsc/smsc_smpp.c,
# smpp_status_to_smscconn_failure_reason); their meanings are SMPP 3.4's, 5.1.3.
CAUSES: Mapping[int, Cause] = MappingProxyType(
    {
        int(CommandStatus.ESME_RTHROTTLED): Cause.TOO_FAST,
        int(CommandStatus.ESME_RMSGQFUL): Cause.QUEUE_FULL,
        int(CommandStatus.ESME_RSYSERR): Cause.THEIR_TROUBLE,
        int(CommandStatus.ESME_RX_T_APPN): Cause.THEIR_TROUBLE,
        int(CommandStatus.ESME_RINVBNDSTS): Cause.NOT_BOUND,
    }
)
TRIED_AGAIN = frozenset({Cause.TOO_FAST, Cause.QUEUE_FULL, Cause.THEIR_TROUBLE})

# A link whose bind is refused so is dead for good; after any other status it tries again, after reconnect-delay
# (gw/smsc/smsc_smpp.c, handle_pdu, bind_transceiver_resp).
FINAL_BIND_STATUSES = frozenset(
    int(status)
    for status in (CommandStatus.ESME_RINVPASWD, CommandStatus.ESME_RINVSYSID, CommandStatus.ESME_RINVSYSTYP)
)


class Trouble(StrEnum):
    """What befell a link."""

    UNREACHABLE = "could not connect"  # TCP or TLS
    BROKEN = "connection broken"  # closed by the SMSC, or what came was no SMPP
    SILENT = "no PDU for connection-timeout"  # enquire_link too had no answer; the link reconnects
    UNANSWERED = "a submit without answer, reconnecting"  # wait-ack-expire = 0
    REPEATED = "a submit without answer, sent again"  # wait-ack-expire = 1; perhaps a double
    WAITING = "waiting to connect again"  # for reconnect-delay, whatever the reason; a dead link does not


@dataclass(frozen=True, slots=True)
class SubmitRefused:
    """The SMSC answered a submit_sm with an error.

    `second` is the wall clock's second of the minute (0 to 60) in which bearerbox wrote the line; every time zone
    shares it, which is why the rest of the stamp is not kept. `thread` is bearerbox's number of the thread, one for
    each life of a link: the links of an account have one smsc-id.
    """

    smsc_id: str
    command_status: int
    second: int
    pid: int
    thread: int

    @property
    def throttled(self) -> bool:
        """Whether the provider says "too fast" (ESME_RTHROTTLED), the one status that makes Kannel pause."""
        return self.command_status == THROTTLED

    @property
    def cause(self) -> Cause:
        """Whose matter it is."""
        return CAUSES.get(self.command_status, Cause.MESSAGE)


@dataclass(frozen=True, slots=True)
class BindRefused:
    """The SMSC answered a bind with an error; the other fields are as in SubmitRefused."""

    smsc_id: str
    command_status: int
    second: int
    pid: int
    thread: int

    @property
    def final(self) -> bool:
        """Whether the link is dead now, so that only a start by hand or by the supervisor tries again."""
        return self.command_status in FINAL_BIND_STATUSES


@dataclass(frozen=True, slots=True)
class LinkTroubled:
    """A link lost its connection, or came to none; `smsc_id` is "" for SILENT, whose line names the thread alone."""

    smsc_id: str
    trouble: Trouble
    second: int
    pid: int
    thread: int


@dataclass(frozen=True, slots=True)
class Panicked:
    """bearerbox ended itself, for the reason in `text`: at most 200 characters, a control character is U+FFFD."""

    text: str
    second: int
    pid: int
    thread: int


Event = SubmitRefused | BindRefused | LinkTroubled | Panicked


def read_events(text: bytes, pid: int) -> list[Event]:
    """Return the events, in their order, that whole lines of the log of the bearerbox with process id `pid` tell of.

    Each line is judged for itself: text that is cut into blocks anywhere between lines gives the same events. The
    needles are searched in the whole text, so a line that holds none costs next to nothing.
    """
    found: list[tuple[int, Event]] = []
    for needle, (pattern, make) in _FORMS.items():
        for begin, end in _lines_with(needle, text):
            match = pattern.fullmatch(text, begin, end)
            if match is not None and int(match["pid"]) == pid:
                found.append((begin, make(match)))
    found.sort(key=lambda each: each[0])
    return [event for _, event in found]


def read_line(line: bytes, pid: int) -> SubmitRefused | None:
    """Return the refused submit that one line of the log of the bearerbox with process id `pid` tells of, or None."""
    return next((event for event in read_events(line, pid) if isinstance(event, SubmitRefused)), None)


def _lines_with(needle: bytes, text: bytes) -> Iterator[tuple[int, int]]:
    """Yield where each line with the needle in it begins and ends, without its line feed."""
    at = text.find(needle)
    while at >= 0:
        end = text.find(b"\n", at)
        if end < 0:
            end = len(text)
        yield text.rfind(b"\n", 0, at) + 1, end
        at = text.find(needle, end)


# -- the forms of the lines

# gwlib/log.c, format
_STAMP = rb"\d{4}-\d\d-\d\d \d\d:\d\d:(?P<second>\d\d) \[(?P<pid>\d{1,10})\] \[(?P<thread>\d{1,10})\] "
_LINK = rb"SMPP\[(?P<smsc_id>[^\r\n]{1,200})\]: "
_STATUS = rb"0x([0-9a-f]{8}) \([^()\r\n]{0,100}\)"
# gwlib/log.c, gw_backtrace: what follows the reason of a panic
_FRAME = rb"\S+\(\S*\) \[0x[0-9a-f]+\]"

# gw/smsc/smsc_smpp.c (handle_pdu, open_transceiver, io_thread, do_queue_cleanup): what stands behind a link's smsc-id
_ERRORS = {
    "submit": rb"SMSC returned error code " + _STATUS + rb" in response to submit_sm PDU\.",
    "bind": rb"SMSC rejected login to (?:transmit|receive), code " + _STATUS + rb"\.",
    Trouble.UNREACHABLE.name: rb"Couldn't connect to server\.",
    Trouble.BROKEN.name: rb"(?:I/O error or other error\. Re-connecting|Couldn't send bind_[a-z]{1,20} to server)\.",
    Trouble.WAITING.name: rb"Couldn't connect to SMS center \(retrying in \d{1,20} seconds\)\.",
}
_ANSWERS: Mapping[str, type[SubmitRefused | BindRefused]] = {"submit": SubmitRefused, "bind": BindRefused}
_WARNINGS = {
    Trouble.UNANSWERED.name: rb"Not ACKED message found, reconnecting\.",
    Trouble.REPEATED.name: rb"Not ACKED message found, will retransmit\. SENT<\d{1,20}>sec\. ago, SEQ<.*>, DST<.*>",
}


def _one_of(bodies: Mapping[str, bytes]) -> bytes:
    """Return the expression that any of them fits, each as a group of its name."""
    return b"(?:" + b"|".join(b"(?P<%b>%b)" % (name.encode(), body) for name, body in bodies.items()) + b")"


def _of_link(match: re.Match[bytes]) -> Event:
    smsc_id = match["smsc_id"].decode("utf-8", "surrogateescape")
    second, pid, thread = int(match["second"]), int(match["pid"]), int(match["thread"])
    what = match.lastgroup or ""  # the outermost of the groups that ended last
    if what in _ANSWERS:
        status = int(match[(match.lastindex or 0) + 1], 16)
        return _ANSWERS[what](smsc_id, status, second, pid, thread)
    return LinkTroubled(smsc_id, Trouble[what], second, pid, thread)


def _of_thread(match: re.Match[bytes]) -> Event:
    return LinkTroubled("", Trouble.SILENT, int(match["second"]), int(match["pid"]), int(match["thread"]))


def _of_process(match: re.Match[bytes]) -> Event:
    text = match["text"].decode("utf-8", "replace")[:_MOST_TEXT]
    shown = "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)
    return Panicked(shown, int(match["second"]), int(match["pid"]), int(match["thread"]))


def _form(level: bytes, body: bytes) -> re.Pattern[bytes]:
    return re.compile(_STAMP + level + b": " + body + rb"\r?")


# what to search for -> what the line with it has to look like, and what it is then
_FORMS: Mapping[bytes, tuple[re.Pattern[bytes], Callable[[re.Match[bytes]], Event]]] = {
    b"] ERROR: SMPP[": (_form(b"ERROR", _LINK + _one_of(_ERRORS)), _of_link),
    b"] WARNING: SMPP[": (_form(b"WARNING", _LINK + _one_of(_WARNINGS)), _of_link),
    b"] WARNING: Got no responses within ": (
        _form(b"WARNING", rb"Got no responses within \d{1,20} sec\., reconnecting\.\.\."),
        _of_thread,
    ),
    b"] PANIC: ": (_form(b"PANIC", b"(?!" + _FRAME + rb"\r?$)(?P<text>[^\n]*?)"), _of_process),
}


def pause_end(second: int, wall: float) -> float:
    """Return the wall time (seconds since the epoch) at which bearerbox sends again after a refusal.

    Kannel compares whole seconds of the wall clock and waits until more than one lies between (gw/smsc/smsc_smpp.c,
    SMPP_THROTTLING_SLEEP_TIME): a refusal read at 12:00:07.9 holds the link until 12:00:09.0. `second` is the
    stamp's second of the minute, `wall` the time now; a stamp older than 30 s is taken for one of now.
    """
    age = (int(wall) - second) % 60
    return float(int(wall) - (age if age <= 30 else 0) + 2)

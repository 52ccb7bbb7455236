"""One line of bearerbox's log -> the event it tells of.

Only lines that bearerbox itself wrote count. Text of an application can reach a log with its line feeds (`binfo`
and `from` of a sendsms request do, in the access log and in smsbox's), so a line must carry bearerbox's own process
id and the level and form that Kannel's source gives it; and what it claims is believed only as far as bearerbox's
counters agree (see `controller`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from kannelkit.smpp.constants import CommandStatus

# gw/smsc/smsc_smpp.c, handle_pdu, is where this line is written
_SUBMIT_REFUSED = re.compile(
    rb"\d{4}-\d\d-\d\d \d\d:\d\d:(?P<second>\d\d) \[(?P<pid>\d{1,10})\] \[\d{1,10}\] ERROR: "
    rb"SMPP\[(?P<smsc_id>[^\r\n]{1,200})\]: SMSC returned error code 0x(?P<status>[0-9a-f]{8}) "
    rb"\([^()\r\n]{0,100}\) in response to submit_sm PDU\."
)

THROTTLED = int(CommandStatus.ESME_RTHROTTLED)


@dataclass(frozen=True, slots=True)
class SubmitRefused:
    """The SMSC answered a submit_sm with an error.

    `second` is the wall clock's second of the minute (0 to 60) in which bearerbox read the answer; every time zone
    shares it, which is why the rest of the stamp is not kept.
    """

    smsc_id: str
    command_status: int
    second: int
    pid: int

    @property
    def throttled(self) -> bool:
        """Whether the provider says "too fast" (ESME_RTHROTTLED), the one status that makes Kannel pause."""
        return self.command_status == THROTTLED


def read_line(line: bytes, pid: int) -> SubmitRefused | None:
    """Return the event that a line of the log of the bearerbox with process id `pid` tells of, or None."""
    if b"ERROR: SMPP[" not in line:
        return None
    match = _SUBMIT_REFUSED.fullmatch(line.rstrip(b"\r\n"))
    if match is None or int(match["pid"]) != pid:
        return None
    return SubmitRefused(
        smsc_id=match["smsc_id"].decode("utf-8", "surrogateescape"),
        command_status=int(match["status"], 16),
        second=int(match["second"]),
        pid=pid,
    )


def pause_end(second: int, wall: float) -> float:
    """Return the wall time (seconds since the epoch) at which bearerbox sends again after a refusal.

    Kannel compares whole seconds of the wall clock and waits until more than one lies between (gw/smsc/smsc_smpp.c,
    SMPP_THROTTLING_SLEEP_TIME): a refusal read at 12:00:07.9 holds the link until 12:00:09.0. `second` is the
    stamp's second of the minute, `wall` the time now; a stamp older than 30 s is taken for one of now.
    """
    age = (int(wall) - second) % 60
    return float(int(wall) - (age if age <= 30 else 0) + 2)

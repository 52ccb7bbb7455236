"""Follows a gateway's logs for what no counter of Kannel's has: refusals, and messages that are lost.

For a gateway that nobody supervises; a supervisor follows bearerbox's logs itself, and counts what it read there.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from pathlib import Path

from kannelkit.errors import HostError
from kannelkit.health.metrics_totals import Totals
from kannelkit.host.tail import Tail
from kannelkit.throttle.lines import BindRefused, SubmitRefused, read_events

# gw/bb_smscconn.c, bb_smscconn_send_failed; gw/bb_alog.c, bb_alog_sms, without an access-log-format of its own
_LOST = {
    b"DISCARDED SMS": "kannelkit_discarded_total",
    b"REJECTED Send SMS": "kannelkit_rejected_total",
    b"FAILED Send SMS": "kannelkit_failed_total",
    b"EXPIRED SMS": "kannelkit_expired_total",
}
_ACCESS = re.compile(
    rb"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d (" + b"|".join(_LOST) + rb") \[SMSC:([^\]\n]{0,200})\]", re.MULTILINE
)
# what stands in every line that tells of a refusal, and in lines that only claim to
_CLAIMS = (b"SMSC returned error code 0x", b"SMSC rejected login to ")


class LogCounts:
    """Counts what is written to a gateway's logs from now on. `troubles` says which cannot be read, and why.

    `accounts` are those whose lost messages are counted by name; what the access log says of any other is counted
    without one, for whoever may send a message can write lines there.
    """

    def __init__(
        self, totals: Totals, logs: Iterable[Path], access_log: Path | None, accounts: Collection[str]
    ) -> None:
        self.troubles: dict[Path, str] = {}
        self._totals = totals
        self._accounts = frozenset(accounts)
        self._logs = tuple(dict.fromkeys(logs))
        self._access_log = access_log
        self._tails: dict[Path, Tail] = {}
        self._dropped: dict[Path, int] = {}
        self._first = True

    def read(self, pid: int | None) -> None:
        """Count what was written since the last call; `pid` is bearerbox's, None where it does not run."""
        for path in self._logs:
            for text in self._texts(path):
                events = read_events(text, -1 if pid is None else pid)
                refusals = [event for event in events if isinstance(event, SubmitRefused | BindRefused)]
                self._totals.logged(event for event in refusals if event.smsc_id in self._accounts)
                claimed = sum(text.count(claim) for claim in _CLAIMS)
                self._unparsed(path, max(0, claimed - len(refusals)))
        if self._access_log is not None:
            for text in self._texts(self._access_log):
                for verb, smsc_id in _ACCESS.findall(text):
                    name = smsc_id.decode("utf-8", "replace")
                    self._totals.add(_LOST[verb], (name if name in self._accounts else "",))
        self._first = False

    def close(self) -> None:
        """Give back what is open."""
        for tail in self._tails.values():
            tail.close()

    def _texts(self, path: Path) -> list[bytes]:
        """Return what was written to a log since the last call; a file that comes later is read from its start."""
        try:
            tail = self._tails.get(path)
            if tail is None:
                tail = self._tails[path] = Tail(path, from_end=self._first)
            texts = list(tail.texts())
        except HostError as error:
            self.troubles[path] = error.message
            return []
        self.troubles.pop(path, None)
        if tail.problem:
            self.troubles[path] = tail.problem
        self._totals.add("kannelkit_log_read_bytes_total", (path.name,), sum(map(len, texts)))
        self._unparsed(path, tail.dropped - self._dropped.get(path, 0))
        self._dropped[path] = tail.dropped
        return texts

    def _unparsed(self, path: Path, lines: int) -> None:
        self._totals.add("kannelkit_log_lines_unparsed_total", (path.name,), lines)

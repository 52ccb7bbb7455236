"""What is counted of a gateway, as totals that never fall while this kannelkit runs.

Kannel's counters begin at 0 with every new link, and every change of rate makes links anew. Totals begin at 0 when this
kannelkit starts: one that took over what Kannel shows would, after a restart of kannelkit, be taken for a counter that
was reset and grew by all of it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter

from kannelkit.gateway.status import GatewayStatus
from kannelkit.health.exposition import Sample, labels
from kannelkit.health.metrics import METRICS
from kannelkit.health.metrics_rows import LinkRow
from kannelkit.smpp.constants import status_name
from kannelkit.throttle.lines import THROTTLED, BindRefused, Event, SubmitRefused

# more of one metric are names that somebody makes up: a thousand links have far fewer
MOST_SERIES = 20_000
# an account's provider may answer with any of 4,294,967,296 numbers
_MOST_STATUSES = 50

_OF_LINK = {
    "kannel_link_sms_sent_total": "sms_sent",
    "kannel_link_sms_received_total": "sms_received",
    "kannel_link_dlr_sent_total": "dlr_sent",
    "kannel_link_dlr_received_total": "dlr_received",
    "kannel_link_failed_total": "failed",
}
_FIRST_OF_LINK = next(iter(_OF_LINK))
_reading = attrgetter(*_OF_LINK.values())
_SENT = tuple(_OF_LINK).index("kannel_link_sms_sent_total")
# bearerbox takes its numbers one after another while messages go on: its total may be apart from its links' by as many
_RACE = 5
_DIRECTIONS = ("lower", "raise", "by-hand")
_RARE = (
    ("kannelkit_accepted_total",),
    ("kannelkit_refused_total", status_name(THROTTLED)),
    ("kannelkit_discarded_total",),
    ("kannelkit_rejected_total",),
    ("kannelkit_failed_total",),
    ("kannelkit_expired_total",),
    *(("kannelkit_throughput_changes_total", direction) for direction in _DIRECTIONS),
    *(("kannelkit_failovers_total", side) for side in ("primary", "backup")),
)

Key = tuple[str, ...]


@dataclass(slots=True)
class _Series:
    """One counter, with its labels as they are written."""

    labels: str
    total: float


class Totals:
    """Counters by metric and labels. `left_out` counts series beyond the most that are kept of one metric."""

    def __init__(self) -> None:
        self.left_out = 0
        self._totals: dict[str, dict[Key, _Series]] = {}
        self._durations: dict[Key, tuple[int, float]] = {}
        self._readings: dict[tuple[Key, int], tuple[int, ...]] = {}
        self._online: dict[tuple[Key, int], int] = {}
        self._uptime = -1
        self._sent = self._apart = 0
        self._statuses: dict[tuple[str, str], set[str]] = {}

    # -- feeding ---------------------------------------------------------------------------------------------------

    def begin(self, accounts: Iterable[str]) -> None:
        """Begin what is rare at 0 for these accounts: Prometheus sees no growth from nothing to 1."""
        for account in accounts:
            for metric, *more in _RARE:
                self.add(metric, (account, *more), 0)

    def add(self, metric: str, key: Key, amount: float = 1) -> None:
        """Add to one series of a counter of the table. Raises KeyError, ValueError where there is none such."""
        row = METRICS[metric]
        if row.type != "counter" or len(key) != len(row.labels) or amount < 0:
            raise ValueError(f"{metric}{key} cannot grow by {amount}")
        of = self._totals.setdefault(metric, {})
        series = of.get(key)
        if series is not None:
            series.total += amount
        elif len(of) < MOST_SERIES:
            of[key] = _Series(labels(row.labels, key), amount)
        else:
            self.left_out += 1

    def status(self, status: GatewayStatus, rows: Sequence[LinkRow]) -> None:
        """Count what links did since the last status; what the first one shows was before."""
        first = self._uptime < 0
        if status.uptime_seconds < self._uptime:
            self._readings.clear()  # bearerbox is a new process: every count began at 0
            self._sent = self._apart = 0
        if first:
            self._sent = status.sms_sent_total
        self._uptime = status.uptime_seconds
        readings: dict[tuple[Key, int], tuple[int, ...]] = {}
        online: dict[tuple[Key, int], int] = {}
        accepted = 0
        seen = [((row.key, number), row, link) for row in rows for number, link in enumerate(row.links)]
        anew = {key[0] for key, _ in self._readings.keys() - {place for place, _, _ in seen}}
        for place, row, link in seen:
            readings[place] = now = _reading(link)
            before = self._readings.get(place)
            if first:
                before = now
            elif before is not None and before != now and _fell(now, before):
                anew.add(row.account)
                before = None
            accepted += self._count(row, place[0], now, before)
            online[place] = seconds = link.seconds or 0
            if seconds < self._online.get(place, 0):
                anew.add(row.account)  # or bound anew only, and then nothing is missing
        self._readings, self._online = readings, online
        names = {row.account for row in rows if row.links}
        self._between(status.sms_sent_total, accepted, anew or (names if len(names) == 1 else ()))

    def _between(self, sent: int, accepted: int, anew: Collection[str]) -> None:
        """Give an account what its links sent between the last look and their end.

        bearerbox's own total has it, and goes up where a link's does (gw/bb_smscconn.c, bb_smscconn_sent). Where links
        of several accounts were made anew nobody can say whose it was.
        """
        more = self._apart + sent - self._sent - accepted
        self._sent, self._apart = sent, 0
        if more > 0 and len(anew) == 1:
            self.add("kannelkit_accepted_total", (*anew,), more)
        elif abs(more) <= _RACE:
            self._apart = more

    def _count(self, row: LinkRow, key: Key, now: Sequence[int], before: Sequence[int] | None) -> int:
        """Count what a link did since `before`, None for a new one; return how many messages it sent."""
        begun = not row.counted or key in self._totals.get(_FIRST_OF_LINK, ())
        if begun and now == before:
            return 0  # most links, at most looks
        if before is None:
            before = (0,) * len(now)
        if row.counted:
            for metric, new, old in zip(_OF_LINK, now, before, strict=True):
                if new != old or not begun:
                    self.add(metric, key, new - old)
        accepted = now[_SENT] - before[_SENT]
        self.add("kannelkit_accepted_total", (row.account,), accepted)
        return accepted

    def logged(self, events: Iterable[Event]) -> None:
        """Count what a log told of: refused submits and binds."""
        for event in events:
            if isinstance(event, SubmitRefused):
                self.refused(event.smsc_id, event.command_status)
            elif isinstance(event, BindRefused):
                self._of_status("kannelkit_binds_refused_total", event.smsc_id, event.command_status, 1)

    def refused(self, account: str, command_status: int, count: int = 1) -> None:
        """Count submits that an account's provider refused."""
        self._of_status("kannelkit_refused_total", account, command_status, count)

    def _of_status(self, metric: str, account: str, command_status: int, count: int) -> None:
        known = self._statuses.setdefault((metric, account), set())
        name = status_name(command_status)
        if name not in known and len(known) >= _MOST_STATUSES:
            name = "other"
        known.add(name)
        self.add(metric, (account, name), count)

    def happened(self, event: Mapping[str, object]) -> None:
        """Count an event of the journal, as one JSON object; others than changes, moves and doubts are let by."""
        account = event.get("account")
        if not isinstance(account, str):
            return
        if event.get("kind") == "rate" and event.get("direction") in _DIRECTIONS:
            self.add("kannelkit_throughput_changes_total", (account, str(event["direction"])))
            away = event.get("links_away_ms")
            if isinstance(away, int | float) and away >= 0 and len(self._durations) < MOST_SERIES:
                count, seconds = self._durations.get((account,), (0, 0.0))
                self._durations[account,] = count + 1, seconds + away / 1000
        elif event.get("kind") == "failover" and event.get("to") in ("primary", "backup"):
            self.add("kannelkit_failovers_total", (account, str(event["to"])))
        elif event.get("kind") == "note" and isinstance(doubted := event.get("doubted"), int) and doubted > 0:
            self.add("kannelkit_refusals_doubted_total", (account,), doubted)

    # -- reading ---------------------------------------------------------------------------------------------------

    def samples(self, metric: str) -> list[Sample]:
        """Return every series of a counter, in the order in which they came."""
        return [(series.labels, series.total) for series in self._totals.get(metric, {}).values()]

    def total(self, metric: str, key: Key) -> float:
        """Return one series' total, 0 where nothing was counted."""
        series = self._totals.get(metric, {}).get(key)
        return 0 if series is None else series.total

    def durations(self, metric: str) -> list[tuple[str, int, float]]:
        """Return how many changes of rate there were and how many seconds they kept links away, by account."""
        names = METRICS[metric].labels
        return [(labels(names, key), count, round(seconds, 3)) for key, (count, seconds) in self._durations.items()]


def _fell(now: Sequence[int], before: Sequence[int]) -> bool:
    return any(new < old for new, old in zip(now, before, strict=True))

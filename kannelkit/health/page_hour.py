"""The last hour of each account, minute by minute, as the page for people plots it; pure, and of a fixed size."""

from __future__ import annotations

from array import array
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from kannelkit.supervise.views import AccountView, Overview

MINUTES = 60

_MINUTE = 60.0
_SPAN = 10.0
_MOST_CHANGES = 40
_NO_LIMIT = -1.0
_TENTHS_UP_TO = 10.0  # SMS per second


@dataclass(frozen=True, slots=True)
class Minute:
    """One minute that begins at `at` (seconds since the epoch): SMS per second, None where it was not seen.

    `refusals` is how many submits were refused as too fast, `throughput` the rate in force at its end, None for
    "no limit" or "not seen".
    """

    at: float
    accepted: float | None
    refused: float | None
    refusals: int
    throughput: float | None


@dataclass(frozen=True, slots=True)
class Change:
    """That the rate in force (SMS per second, None for "no limit") or the side became another one, at `at`."""

    at: float
    before: str | float | None
    after: str | float | None
    kind: str


@dataclass(slots=True)
class _Lane:
    """One account's minutes, as rings; `minutes` tells which minute a place holds, `spans` how much of it was seen.

    `span` is the number of the ten seconds that are not over, `pending` what is known of them: accepted and refused.
    """

    throughput: float | None
    side: str
    span: int = -1
    pending: tuple[float, float] = (0.0, 0.0)
    minutes: array[int] = field(default_factory=lambda: array("q", [-1] * MINUTES))
    spans: array[int] = field(default_factory=lambda: array("b", bytes(MINUTES)))
    accepted: array[float] = field(default_factory=lambda: array("f", bytes(4 * MINUTES)))
    refused: array[float] = field(default_factory=lambda: array("f", bytes(4 * MINUTES)))
    throughputs: array[float] = field(default_factory=lambda: array("d", [_NO_LIMIT] * MINUTES))
    changes: deque[Change] = field(default_factory=lambda: deque(maxlen=_MOST_CHANGES))


class Hour:
    """Remembers what each account's provider accepted and refused in each of the last 60 minutes.

    About 2 kB an account, at the most 8 kB with many changes of rate. Ten seconds are what was last said of the last
    ten seconds within them, so an account is to be noted every few seconds.
    """

    def __init__(self) -> None:
        self._lanes: dict[str, _Lane] = {}

    def noted(self, state: Overview) -> None:
        """Take note of how the gateway stands; accounts that it has no more are forgotten."""
        for account in state.accounts:
            lane = self._lanes.get(account.smsc_id)
            if lane is None:
                lane = self._lanes[account.smsc_id] = _Lane(_plotted(account), account.side)
            _changed(lane, account, state.at)
            _note(lane, account, state.at)
        if len(self._lanes) > len(state.accounts):
            names = {account.smsc_id for account in state.accounts}
            self._lanes = {name: lane for name, lane in self._lanes.items() if name in names}

    def minutes(self, account: str, now: float) -> tuple[Minute, ...]:
        """Return the account's last 60 minutes, oldest first, that of `now` included; () where none was seen."""
        lane = self._lanes.get(account)
        if lane is None:
            return ()
        last = int(now // _MINUTE)
        found = tuple(_minute(lane, number) for number in range(last - MINUTES + 1, last + 1))
        return found if any(minute.accepted is not None for minute in found) else ()

    def changes(self, account: str, now: float) -> Sequence[Change]:
        """Return what changed within those minutes, oldest first; the newest 40 where there were more."""
        lane = self._lanes.get(account)
        first = (now // _MINUTE - MINUTES + 1) * _MINUTE
        return [change for change in lane.changes if first <= change.at <= now] if lane else []


def _changed(lane: _Lane, account: AccountView, at: float) -> None:
    throughput = _plotted(account)
    if throughput != lane.throughput:
        lane.changes.append(Change(at, lane.throughput, throughput, "rate"))
        lane.throughput = throughput
    if account.side != lane.side:
        lane.changes.append(Change(at, lane.side, account.side, "side"))
        lane.side = account.side


def _note(lane: _Lane, account: AccountView, at: float) -> None:
    if account.accepted is None:
        return
    span = int(at // _SPAN)
    place = _place(lane, span)
    if span != lane.span:
        _settle(lane)
        lane.span = span
    lane.pending = account.accepted.ten_seconds, account.refused.ten_seconds if account.refused else 0.0
    throughput = _plotted(account)
    lane.throughputs[place] = _NO_LIMIT if throughput is None else throughput


def _plotted(account: AccountView) -> float | None:
    """Return the rate in force, and where it is learnt no more exactly than a change of it is worth a mark."""
    rate = account.throughput
    if rate is None or rate == account.ceiling or isinstance(rate, int):
        return rate
    return round(rate) if rate >= _TENTHS_UP_TO else round(rate, 1)


def _place(lane: _Lane, span: int) -> int:
    """Return the place of the minute in which ten seconds lie, emptied of what was there an hour ago."""
    minute = int(span * _SPAN // _MINUTE)
    place = minute % MINUTES
    if lane.minutes[place] != minute:
        lane.minutes[place], lane.spans[place] = minute, 0
        lane.accepted[place] = lane.refused[place] = 0.0
    return place


def _settle(lane: _Lane) -> None:
    """Add the ten seconds that are over to their minute."""
    minute = int(lane.span * _SPAN // _MINUTE)
    place = minute % MINUTES
    if lane.span >= 0 and lane.minutes[place] == minute:
        accepted, refused = lane.pending
        lane.spans[place] += 1
        lane.accepted[place] += accepted
        lane.refused[place] += refused


def _minute(lane: _Lane, number: int) -> Minute:
    place = number % MINUTES
    if lane.minutes[place] != number:
        return Minute(number * _MINUTE, None, None, 0, None)
    spans, accepted, refused = lane.spans[place], lane.accepted[place], lane.refused[place]
    if lane.span * _SPAN // _MINUTE == number:
        spans, accepted, refused = spans + 1, accepted + lane.pending[0], refused + lane.pending[1]
    throughput = lane.throughputs[place]
    return Minute(
        number * _MINUTE,
        round(accepted / spans, 2),
        round(refused / spans, 2),
        round(refused * _SPAN),
        throughput if throughput != _NO_LIMIT else None,
    )

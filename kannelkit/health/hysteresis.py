"""Answers that do not flap: quick to call down, slow to call up, and slower each time it was too early; pure.

A status is told once it has been that bad for `quick` seconds, added up over a while, so that a link which comes and
goes is called down as well; and it is taken back only after it has been better for `slow` seconds without a break.
Where it gets worse again soon after, the next time takes twice as long, up to `slowest`.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field

from kannelkit.health.values import Check, Report, Status

_LEVELS: tuple[Status, ...] = ("ok", "unknown", "warning", "critical")
# of a second that was bad, what a second that is good takes back
_FORGIVEN = 0.25
# after so many times `slow` without a relapse, the next return is as quick as the first
_FORGOTTEN = 20

_Key = tuple[str, str | None, str | None]


@dataclass(slots=True)
class _Latch:
    """Whether things are at least as bad as one level, as it is told."""

    told: bool
    bad: float = 0.0
    better_since: float | None = None
    wait: float = 0.0
    let_go: float | None = None


@dataclass(slots=True)
class _Lane:
    """One check as it is told: the latches above "ok", and the last check seen at each level."""

    at: float
    seen: int
    told: int
    since: float
    latches: tuple[_Latch, ...]
    last: dict[int, Check] = field(default_factory=dict)


class Steady:
    """Settles reports one after another; what it says of a check changes only as the module promises.

    Times are seconds: `now` of a monotonic clock, that of a report since the epoch. A check that is seen for the first
    time is told as it is.
    """

    def __init__(self, quick: float = 2.0, slow: float = 4.0, slowest: float = 60.0) -> None:
        self._quick = quick
        self._slow = slow
        self._slowest = slowest
        self._lanes: dict[_Key, _Lane] = {}

    def settled(self, report: Report, now: float) -> Report:
        """Return the report as it is to be told at `now`; checks that it has no more are forgotten."""
        lanes: dict[_Key, _Lane] = {}
        checks = []
        for check in report.checks:
            key = (check.id, check.account, check.link if check.id in _BY_LINK else None)
            level = _LEVELS.index(check.status)
            lane = self._lanes.get(key)
            if lane is None:
                since = report.at if check.since is None or level else check.since
                latches = tuple(_Latch(level > floor, wait=self._slow) for floor in range(len(_LEVELS) - 1))
                lane = _Lane(now, level, level, since, latches)
            else:
                self._advance(lane, level, max(0.0, now - lane.at), now)
                told = sum(latch.told for latch in lane.latches)
                if told != lane.told:
                    lane.told, lane.since = told, report.at
            lane.last[level] = check
            lanes[key] = lane
            checks.append(_told(lane, check, level))
        self._lanes = lanes
        return Report(report.at, tuple(checks))

    def _advance(self, lane: _Lane, level: int, passed: float, now: float) -> None:
        """Let `passed` seconds go by at the level that was seen last, and then see this one."""
        for floor, latch in enumerate(lane.latches):
            was, is_ = lane.seen > floor, level > floor
            latch.bad = latch.bad + passed if was else max(0.0, latch.bad - _FORGIVEN * passed)
            latch.bad = min(latch.bad, self._quick)
            if is_:
                latch.better_since = None
            elif latch.better_since is None:
                latch.better_since = now
            if not latch.told and is_ and latch.bad >= self._quick:
                self._call_down(latch, now)
            elif latch.told and latch.better_since is not None and now - latch.better_since >= latch.wait:
                latch.told, latch.bad, latch.let_go = False, 0.0, now
        # at least as bad as "critical" is at least as bad as "warning", however each of them was reached
        for lower, upper in zip(lane.latches, lane.latches[1:], strict=False):
            if upper.told and not lower.told:
                lower.told = True
        lane.at, lane.seen = now, level

    def _call_down(self, latch: _Latch, now: float) -> None:
        latch.told = True
        if latch.let_go is None:
            return
        relapsed = now - latch.let_go < _FORGOTTEN * self._slow
        latch.wait = min(self._slowest, 2 * latch.wait) if relapsed else self._slow


# checks of which there is one for each box, folder or host; in others the link only says which of them is worst now
_BY_LINK = frozenset({"memory", "descriptors", "disk", "hosts"})


def _told(lane: _Lane, check: Check, level: int) -> Check:
    """Return the check with the status that is told, in the words that go with it, and its figures as they are."""
    if level == lane.told:
        return dataclasses.replace(check, since=lane.since)
    before = lane.last.get(lane.told)
    status = _LEVELS[lane.told]
    if before is None:  # between two levels, and never seen at the one that is told
        return dataclasses.replace(check, status=status, since=lane.since)
    words = f"{before.summary} (better, for a moment)" if level < lane.told else before.summary
    return dataclasses.replace(before, summary=words, since=lane.since, figures=check.figures)

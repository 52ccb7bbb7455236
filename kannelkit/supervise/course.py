"""What the last minutes brought each account, second by second; pure, and of a fixed size."""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from dataclasses import dataclass, field

SECONDS = 300

_TEN, _MINUTE = 10, 60


@dataclass(frozen=True, slots=True)
class Flow:
    """Submits per second: in the last whole second, and on average over the last ten seconds and the last minute."""

    second: int
    ten_seconds: float
    minute: float


@dataclass(frozen=True, slots=True)
class Minute:
    """How many submits were accepted and refused as too fast in the last 60 whole seconds; less where less was seen.

    `first` and `last` are how many seconds ago the first and the last of these refusals were, None where none was.
    """

    accepted: int
    refused: int
    first: int | None = None
    last: int | None = None


@dataclass(frozen=True, slots=True)
class Curve:
    """Submits in each of the last whole seconds, oldest first; shorter than `SECONDS` while less has been seen."""

    accepted: tuple[int, ...] = ()
    refused: tuple[int, ...] = ()


@dataclass(slots=True)
class _Lane:
    """One account's seconds, as a ring; `last` is the newest second that something was written for."""

    since: int
    accepted_total: int
    refused_total: int
    last: int
    # one more than is shown: the second that has not passed yet
    accepted: array[int] = field(default_factory=lambda: array("I", bytes(4 * (SECONDS + 1))))
    refused: array[int] = field(default_factory=lambda: array("I", bytes(4 * (SECONDS + 1))))

    def add(self, first: int, now: int, accepted: int, refused: int) -> None:
        for second in range(max(self.last + 1, now - SECONDS), now + 1):
            self.accepted[second % (SECONDS + 1)] = self.refused[second % (SECONDS + 1)] = 0
        self.last = max(self.last, now)
        for ring, count in ((self.accepted, accepted), (self.refused, refused)):
            # a reading that took seconds says nothing of which of them it was
            each, left = divmod(count, now - first + 1)
            for second in range(max(first, now - SECONDS), now + 1):
                ring[second % (SECONDS + 1)] += each
            ring[now % (SECONDS + 1)] += left

    def shown(self, ring: array[int], now: int, seconds: int) -> list[int]:
        begin = max(self.since, now - seconds)
        return [ring[second % (SECONDS + 1)] if second <= self.last else 0 for second in range(begin, now)]


class Course:
    """Remembers what was accepted and refused in each of the last 300 seconds, for each account.

    About 2.4 kB an account, however much it sends. Times are seconds of one monotonic clock.
    """

    def __init__(self) -> None:
        self._lanes: dict[str, _Lane] = {}
        self._second: int | None = None

    def sampled(self, at: float, totals: Mapping[str, tuple[int, int]]) -> None:
        """Take note of each account's totals of accepted and refused submits at `at`.

        What an account's first totals hold was before; accounts that are not among these are forgotten.
        """
        now = int(at)
        first = now if self._second is None else min(now, self._second + 1)
        for name, (accepted, refused) in totals.items():
            lane = self._lanes.get(name)
            if lane is None:
                self._lanes[name] = _Lane(now, accepted, refused, now)
            elif accepted != lane.accepted_total or refused != lane.refused_total:
                # a total that fell began anew
                more = max(0, accepted - lane.accepted_total), max(0, refused - lane.refused_total)
                lane.add(max(first, lane.since), now, *more)
                lane.accepted_total, lane.refused_total = accepted, refused
        if len(self._lanes) > len(totals):
            self._lanes = {name: lane for name, lane in self._lanes.items() if name in totals}
        self._second = now

    def curve(self, account: str, at: float) -> Curve:
        """Return the account's last seconds as they are known at `at`; empty where nothing is."""
        lane = self._lanes.get(account)
        if lane is None:
            return Curve()
        now = int(at)
        return Curve(tuple(lane.shown(lane.accepted, now, SECONDS)), tuple(lane.shown(lane.refused, now, SECONDS)))

    def minute(self, account: str, at: float) -> Minute | None:
        """Return what the account's last minute brought; None where nothing is counted for it."""
        lane = self._lanes.get(account)
        if lane is None:
            return None
        accepted, refused = (lane.shown(ring, int(at), _MINUTE) for ring in (lane.accepted, lane.refused))
        ago = [len(refused) - second for second, count in enumerate(refused) if count]
        return Minute(sum(accepted), sum(refused), max(ago, default=None), min(ago, default=None))

    def accepted(self, account: str, at: float) -> Flow | None:
        """Return how fast the account's submits were accepted; None until a second of it has been seen."""
        lane = self._lanes.get(account)
        return None if lane is None else _flow(lane.shown(lane.accepted, int(at), _MINUTE))

    def refused(self, account: str, at: float) -> Flow | None:
        """Return how fast the account's submits were refused as too fast; None until a second of it has been seen."""
        lane = self._lanes.get(account)
        return None if lane is None else _flow(lane.shown(lane.refused, int(at), _MINUTE))


def _flow(minute: list[int]) -> Flow | None:
    if not minute:
        return None
    ten = minute[-_TEN:]
    return Flow(minute[-1], round(sum(ten) / len(ten), 2), round(sum(minute) / len(minute), 2))

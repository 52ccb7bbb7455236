"""Refusals on end: one submit at a time finds out when something is accepted again."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

PUNISHED: Final = 2.6
"""Seconds: refusals on end for longer are a punishment, for no window that is recognised is as long."""

# a submit leaves so long after the refusal of the one before, and so many times as long each time
_AGAIN: Final = 0.03
_LONGER: Final = 1.5
_LONGEST, _LONGEST_PUNISHED = 0.25, 0.5
_SUBMITS: Final = 4.0  # and no longer than so many take
_LASTING: Final = 0.01  # seconds: refusals on end for as long are no jitter
# in so many seconds, and the time that a bucket needs for so many submits, it accepts one; one at a time, or not
_BUCKETS: Final = 0.1
_BUCKETS_ONE_BY_ONE, _BUCKETS_SUBMITS = 4.0, 2.0


class OnEnd:
    """How many were refused since something was accepted; times are those at which they left, in seconds."""

    def __init__(self) -> None:
        self.number = 0
        self.since = self.last = -math.inf

    def refused(self, at: float) -> None:
        """One was refused."""
        if at > self.last:
            self.last = at
            self.since = self.since if self.number else at
            self.number += 1

    def over(self) -> int:
        """Return how many they were: one is accepted that left after them."""
        number, self.number = self.number, 0
        return number

    def lasting(self, at: float) -> bool:
        """Return whether they are no jitter, of which this is one."""
        return self.number >= 2 and at - self.since >= _LASTING

    def too_long(self, limit: float) -> bool:
        """Return whether a bucket of this limit would have accepted one between the first and the last of them."""
        return self.last - self.since > max(_BUCKETS, _BUCKETS_SUBMITS / limit)


@dataclass(slots=True)
class Streak:
    """When the first and the last refused one left, in seconds, and the limit in submits per second at the first."""

    begin: float
    last: float
    limit: float
    next_at: float = -math.inf
    _gap: float = 0.0

    @property
    def lasted(self) -> float:
        """Seconds."""
        return self.last - self.begin

    def too_long(self, limit: float) -> bool:
        """Return whether a bucket of this limit would have accepted one between the first and the last of them."""
        return self.lasted > max(_BUCKETS, _BUCKETS_ONE_BY_ONE / limit)

    def refused(self, at: float, now: float) -> None:
        """One more was refused: the next one waits longer."""
        between = 1.0 / self.limit
        gap = self._gap or max(_AGAIN, between)
        self.last = max(self.last, at)
        self.next_at = max(self.next_at, now + gap)
        longest = min(_LONGEST, max(_AGAIN, _SUBMITS * between)) if self.lasted < PUNISHED else _LONGEST_PUNISHED
        self._gap = min(max(longest, between), gap * _LONGER)

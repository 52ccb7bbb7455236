"""What flows into a bucket that is empty: it accepts and refuses in turn, and that as no window does.

A fixed second refuses everything until it ends; a sliding one has as many in it each time that it refuses.
"""

from __future__ import annotations

import math
from typing import Final

from kannelkit.pacing.window import HALVES, LONG

_FOR: Final = 1.0  # seconds: later there was another one of a fixed second's edges
_TURNS: Final = 3
_APART: Final = 0.01  # seconds: of two that left within so many, either may have come first
_DIFFER, _DIFFER_SHARE = 2.0, 0.05  # submits, and of those in a window


class Flow:
    """Refusals one after the other; times are seconds of one clock, numbers of submits are counted from anywhere."""

    def __init__(self) -> None:
        self.began = -math.inf
        self.accepted_before = 0
        self._second = self._two = 0
        self._turns = self._accepted = 0
        self._turned = -math.inf

    def told(self, at: float, accepted: int, second: int, two: int) -> float | None:
        """Take a refusal into account, and return what flows in per second; None where it need be no bucket.

        So many were accepted by then, and so many of those had left in the second before, and in the two.
        """
        if not 0.0 <= at - self.began <= _FOR:
            self.began, self.accepted_before = at, accepted
            self._second, self._two = second, two
            self._turns, self._turned = 0, at
        elif accepted > self._accepted and at - self._turned >= _APART:
            self._turns += 1
            self._turned = at
        self._accepted = accepted
        # so many in two seconds are not looked for: what they let through may be what a bucket does
        long = two < HALVES * LONG and not _other(self._two, two)
        if self._turns < _TURNS or long or not _other(self._second, second):
            return None
        flowed = accepted - self.accepted_before
        return (flowed + 0.5 + 2.0 / (flowed + 1.0)) / (at - self.began)


def _other(before: int, now: int) -> bool:
    """Return whether a window that is full with so many now is another one than was full with those before."""
    return abs(before - now) >= max(_DIFFER, _DIFFER_SHARE * before)

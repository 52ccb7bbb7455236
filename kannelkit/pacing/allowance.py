"""How many submits may leave together after a rest: one more each time that as many were accepted."""

from __future__ import annotations

import math
from typing import Final

_SHARE, _MOST = 0.25, 8.0  # of a second's submits, and at the most
_REST: Final = 1.0  # seconds
_WITHIN: Final = 0.25  # of the time that one submit has: closer ones leave together


class Allowance:
    """A number of submits, 1 at first; times are seconds of one clock."""

    def __init__(self) -> None:
        self.now = 1.0
        self._most = _MOST
        self._last = math.inf
        self._together = 0
        self._rested = -math.inf  # when those that leave together began to

    def left(self, now: float, limit: float) -> int:
        """Return the how manieth this submit is of those that leave together after a rest, 0 for none of them."""
        since, self._last = now - self._last, now
        if since >= _REST:
            self._together, self._rested = 1, now
        elif self._together and since * limit < _WITHIN:
            self._together += 1
        else:
            self._together = 0
        return self._together

    def accepted(self, together: int, limit: float) -> None:
        """One of those that left together was accepted."""
        if together and together >= self.now:
            self.now += 1.0
            self.bound(limit)

    def blamed(self, at: float) -> bool:
        """Return whether it may be why a submit that left at this moment was refused."""
        return self.now > 1.0 and 0.0 <= at - self._rested < _REST

    def refused(self, together: int) -> None:
        """One of those, or one soon after them (0), was refused: so many are too many."""
        self._most = max(1.0, min(self.now, together or self.now) - 1.0)
        self.now = min(self.now, self._most)

    def bound(self, limit: float) -> None:
        """Keep within what a limit, in submits per second, has room for."""
        self.now = max(1.0, min(self.now, self._most, limit * _SHARE))

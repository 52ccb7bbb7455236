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


@dataclass(slots=True)
class Streak:
    """When the first and the last refused one left, in seconds, and the limit that was believed."""

    begin: float
    last: float
    limit: float
    next_at: float = -math.inf
    _gap: float = 0.0

    @property
    def lasted(self) -> float:
        """Seconds."""
        return self.last - self.begin

    def refused(self, at: float, now: float) -> None:
        """One more was refused: the next one waits longer."""
        between = 1.0 / self.limit
        gap = self._gap or max(_AGAIN, between)
        self.last = max(self.last, at)
        self.next_at = max(self.next_at, now + gap)
        longest = min(_LONGEST, max(_AGAIN, _SUBMITS * between)) if self.lasted < PUNISHED else _LONGEST_PUNISHED
        self._gap = min(max(longest, between), gap * _LONGER)

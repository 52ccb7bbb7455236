"""A cold start: what is on its way when the first refusal comes is refused with it, so first answers are waited for.

It begins at a share of the ceiling, and grows with each round trip until the ceiling is reached or something refused:
slower where so many are on their way for so long that they would cost too many refusals.
"""

from __future__ import annotations

import math
from typing import Final

_SHARE: Final = 0.5  # of the ceiling
_ROUND_TRIPS: Final = 4.0  # in which it becomes e times as much
_SHORT, _SLOWER = 0.1, 5.0  # seconds of a round trip; so many times as many more for each second that it is longer
_ON_THEIR_WAY: Final = 4.0  # submits: one for each of these that many times as many more, at the most


class Start:
    """The rate of a cold start, in submits per second; times are seconds of one clock."""

    def __init__(self, ceiling: float) -> None:
        self._ceiling = ceiling
        self.rate = ceiling * _SHARE
        self._grown = math.nan

    def accepted(self, delay: float, now: float) -> bool:
        """Grow, for an answer came after so many seconds; return whether it is over."""
        since = min(delay, now - self._grown) if self._grown == self._grown else delay
        self._grown = now
        slower = 1.0 + min(_SLOWER * max(0.0, delay - _SHORT), self.rate * delay / _ON_THEIR_WAY)
        self.rate *= math.exp(min(1.0, since / (_ROUND_TRIPS * slower * max(delay, 1e-6))))
        return self.rate >= self._ceiling

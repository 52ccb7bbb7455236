"""How late an answer is: what stood still, the way there or the way back, let submits arrive later than others do."""

from __future__ import annotations

import math
from typing import Final

_USUAL_FOR: Final = 5.0  # seconds, and as many more: the shortest delay of these is the usual one
_JITTER: Final = 0.004  # seconds
_MOST: Final = 0.25  # seconds: what is later than this stood in a queue, and a second's count has no room for it


class Delay:
    """Seconds from a submit's leaving to its answer; times are seconds of one clock."""

    def __init__(self) -> None:
        self.last = 0.0
        self._least = self._least_before = math.inf
        self._since = -math.inf

    def late(self, delay: float, now: float) -> float:
        """Take an answer into account, and return by how many seconds it is later than usual; 0 for jitter."""
        self.last = delay
        if now - self._since >= _USUAL_FOR:
            self._least_before, self._least, self._since = self._least, delay, now
        elif delay < self._least:
            self._least = delay
        late = delay - min(self._least, self._least_before)
        return late if _JITTER < late <= _MOST else 0.0

"""Where a fixed second may end: between the last that was refused and the first that is accepted again."""

from __future__ import annotations

import math
from typing import Final

_JITTER: Final = 0.003  # seconds


class Edges:
    """A stretch of time in which one of them lies, and with it all others, a second apart each."""

    def __init__(self) -> None:
        self._begin = self._end = -math.inf

    def between(self, begin: float, end: float) -> tuple[float, float]:
        """Take another such stretch into account; return what is left of it when those before are true of it, too."""
        if self._begin > -math.inf:
            seconds = round((begin + end - self._begin - self._end) / 2.0)
            narrow = max(begin, self._begin + seconds - _JITTER), min(end, self._end + seconds + _JITTER)
            if narrow[0] < narrow[1]:
                begin, end = narrow
        self._begin, self._end = begin, end
        return begin, end

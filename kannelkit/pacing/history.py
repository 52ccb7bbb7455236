"""When submits left that were not refused, for as long as a provider may count them."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import deque
from typing import Final

_KEPT: Final = 3.2  # seconds: the longest window that is recognised, and the answers of its submits


class History:
    """Moments in order, in seconds; what is older than some seconds is forgotten."""

    def __init__(self) -> None:
        self._left: deque[float] = deque()

    def __len__(self) -> int:
        return len(self._left)

    def left(self, now: float) -> None:
        """A submit leaves."""
        moments = self._left
        while moments and moments[0] < now - _KEPT:
            moments.popleft()
        moments.append(now)

    def refused(self, at: float) -> None:
        """The submit that left at this moment does not count."""
        place = bisect_left(self._left, at)
        if place < len(self._left) and self._left[place] == at:
            del self._left[place]

    def arrived(self, at: float, later: float) -> None:
        """The submit that left at this moment may have arrived so many seconds later than others do."""
        moments = self._left
        place = bisect_left(moments, at)
        if place < len(moments) and moments[place] == at:
            moment = at + later
            if place + 1 == len(moments) or moments[place + 1] >= moment:
                moments[place] = moment
            else:
                del moments[place]
                moments.insert(bisect_left(moments, moment), moment)

    def last(self, number: int) -> float:
        """Return when the last one left, or the last but one, and so on; there must be so many."""
        return self._left[-number]

    def first_after(self, moment: float) -> float:
        """Return when the first one left after a moment, or the moment itself where none did."""
        place = bisect_right(self._left, moment)
        return self._left[place] if place < len(self._left) else moment

    def before(self, end: float, seconds: float) -> int:
        """Return how many left within so many seconds before a moment, both ends left out."""
        return bisect_left(self._left, end) - bisect_right(self._left, end - seconds)

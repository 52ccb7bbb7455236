"""How long the provider counts, one second or two, and what it had accepted in that time."""

from __future__ import annotations

import math
from typing import Final

from kannelkit.pacing.edges import Edges
from kannelkit.pacing.history import History

LONG: Final = 2
"""Seconds in which some providers count instead of one."""
HALVES: Final = 16.0
"""Submits per second below which it matters whether a limit is a whole number in one second or in two."""
LITTLE_LESS: Final = 0.85
"""Of a limit: less than so much of it is another one."""

_MUCH_LESS: Final = 0.75
_MARGIN: Final = 0.01  # seconds: one too many is found out at once, one too few is not
# what is refused so shortly after a window, in seconds and of the time that one submit has, is refused by jitter
_JITTER, _JITTER_SHARE = 0.1, 0.25
_FEW: Final = 4  # of more than these in a window, one less is no other limit


class Window:
    """A window of a provider's, over what a history has; limits are in submits per second."""

    def __init__(self, history: History) -> None:
        self.seconds = 1
        self._history = history
        self._edges = Edges()

    def long(self, at: float) -> float:
        """Return what was accepted per second of the two before a moment."""
        return self._history.before(at, float(LONG)) / LONG

    def counted(self, at: float, slack: float, limit: float) -> float:
        """Return what was accepted per second of the window before a refusal; `slack` is a share of it."""
        counted = self._history.before(at, self.seconds * (1.0 + slack)) / self.seconds
        if self.seconds > 1:
            second = self._history.before(at, 1.0 + slack)
            if second < counted * _MUCH_LESS and counted < LITTLE_LESS * limit:
                self.seconds = 1
                return second
        return counted

    def just_before(self, at: float, limit: float) -> bool:
        """Return whether a refused submit left just after a window in which as many as may be had left.

        False also where so many are in a window that one less is no other limit.
        """
        number = math.ceil(limit * self.seconds - 1e-6)
        if not 1 <= number <= _FEW or len(self._history) < number:
            return False
        left = self._history.before(at, math.inf)
        if left < number:
            return False
        late = at - self._history.last(len(self._history) - left + number) - self.seconds
        return late <= min(_JITTER, _JITTER_SHARE / limit)

    def left_by(self, last: float, at: float, sure: bool = False) -> float:
        """Return the limit that one may have who refused this last one, and accepted that first one after it.

        `sure` says that it is known how long a window is.
        """
        begin = self._edges.between(last, at)[0]
        if sure and self.seconds == 1:
            return self._whole(self._history.before(last, 1.0 + _MARGIN))
        return self._whole(max(self._history.before(begin, 1.0), self.long(last)))

    def _whole(self, limit: float) -> float:
        """Return the limit that a window may have that has no more than this one."""
        parts = 2 if limit < HALVES else self.seconds
        return max(1.0, math.floor(limit * parts)) / parts

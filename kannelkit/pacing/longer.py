"""Whether the provider counts in longer than a second: two refusals then agree on two seconds, and not on one."""

from __future__ import annotations

import math
from typing import Final

from kannelkit.pacing.history import History
from kannelkit.pacing.window import HALVES, LONG

_AGREE: Final = 0.01  # of what was accepted in two seconds, or half a submit
_DIFFER: Final = 0.06  # of what was accepted in one second, or one submit
_EVEN: Final = 1.75  # so many times what was accepted in one second: two are as full as they get, and tell nothing
_FORGOTTEN: Final = 10.0  # seconds: what many say that is older agrees by chance
_JITTER: Final = 0.05  # seconds


class Longer:
    """What was accepted in the second, and in the two seconds, before the last refusal, over what a history has."""

    def __init__(self, history: History) -> None:
        self._history = history
        self._at = -math.inf
        self._second = self._two = 0
        self._edge = False  # something was accepted while two seconds were full: if so, they are fixed ones
        self._agreed = False

    def accepted(self, at: float) -> None:
        """The first submit after a refusal was accepted."""
        self._edge = self._edge or self._history.before(at, LONG - _JITTER) >= self._two

    def told(self, at: float) -> bool:
        """Take another refusal into account, and return whether it shows that two seconds are counted.

        Where that is likely to be chance, a third one must agree.
        """
        second, two = self._history.before(at, 1.0), self._history.before(at, float(LONG))
        known = second < HALVES or at - self._at <= _FORGOTTEN
        agree = known and abs(two - self._two) <= max(0.5, _AGREE * two)
        differ = second <= self._second - max(1.0, _DIFFER * self._second) and two <= _EVEN * self._second
        again, self._agreed = agree and self._agreed, agree and (differ or self._agreed)
        shown = again or (self._agreed and (second < HALVES or not self._edge))
        self._at, self._second, self._two, self._edge = at, second, two, False
        return shown

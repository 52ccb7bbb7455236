"""Whether the provider counts in longer than a second: two refusals then agree on two seconds, and not on one."""

from __future__ import annotations

import math
from typing import Final

from kannelkit.pacing.window import HALVES

_AGREE: Final = 0.01  # of what was accepted in two seconds, or half a submit
_DIFFER: Final = 0.06  # of what was accepted in one second, or one submit
_EVEN: Final = 1.75  # so many times what was accepted in one second: two are as full as they get, and tell nothing
_FORGOTTEN: Final = 10.0  # seconds: what many say that is older agrees by chance


class Longer:
    """What was accepted in the second, and in the two seconds, before the last refusal."""

    def __init__(self) -> None:
        self._at = -math.inf
        self._second = self._two = 0

    def told(self, at: float, second: int, two: int) -> bool:
        """Take another refusal into account, and return whether it shows that two seconds are counted."""
        known = second < HALVES or at - self._at <= _FORGOTTEN
        self._at = at
        before, self._second = self._second, second
        two_before, self._two = self._two, two
        agree = known and abs(two - two_before) <= max(0.5, _AGREE * two)
        return agree and second <= before - max(1.0, _DIFFER * before) and two <= _EVEN * before

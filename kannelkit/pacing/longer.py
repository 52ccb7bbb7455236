"""Whether the provider counts in longer than a second: two refusals then agree on two seconds, and not on one."""

from __future__ import annotations

from typing import Final

_AGREE: Final = 0.01  # of what was accepted in two seconds, or half a submit
_DIFFER: Final = 0.02  # of what was accepted in one second, or one submit
_EVEN: Final = 1.75  # so many times what was accepted in one second: two are as full as they get, and tell nothing


class Longer:
    """What was accepted in the second, and in the two seconds, before the last refusal."""

    def __init__(self) -> None:
        self._second = self._two = 0

    def told(self, second: int, two: int) -> bool:
        """Take another refusal into account, and return whether it shows that two seconds are counted."""
        before, self._second = self._second, second
        two_before, self._two = self._two, two
        agree = abs(two - two_before) <= max(0.5, _AGREE * two)
        return agree and second <= before - max(1.0, _DIFFER * before) and two <= _EVEN * before

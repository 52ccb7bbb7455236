"""What a bucket's limit may be: between two moments at which it was empty it lets through what flowed into it."""

from __future__ import annotations

import math
from collections import deque
from typing import Final

# so many accepted, or so many seconds, between two such moments tell of a bucket where nobody knew of one
_BETWEEN, _BETWEEN_SECONDS = 4, 1.0
_MARKS: Final = 8
_SHORTEST: Final = 0.05  # seconds: within less the order of what stood still on the way tells more than the limit


class Emptied:
    """The last moments at which the provider had nothing left, with how many submits it had accepted until then."""

    def __init__(self) -> None:
        self._marks: deque[tuple[float, int]] = deque(maxlen=_MARKS)

    def add(self, at: float, accepted: int) -> None:
        """It refused a submit that left now; so many were accepted by then, counted from anywhere."""
        self._marks.append((at, accepted))

    def clear(self) -> None:
        """Forget it all: the limit changed, or the bucket may have run over."""
        self._marks.clear()

    def restart(self, at: float, accepted: int) -> None:
        """Forget it all but this one, as `add` has it."""
        self.clear()
        self.add(at, accepted)

    def known_for(self, at: float) -> float:
        """Return the seconds since the first of them, 0 where there is none."""
        return at - self._marks[0][0] if self._marks else 0.0

    def spare(self, at: float, accepted: int, limit: float) -> float | None:
        """Return how many submits a bucket of this limit would hold by now, None where it never was empty."""
        if not self._marks:
            return None
        since, before = self._marks[-1]
        return limit * (at - since) - (accepted - before)

    def most(self, at: float, accepted: int, jitter: float, known: bool) -> float:
        """Return the highest limit that a bucket may have which is empty again.

        `jitter` in seconds; `known` says that it is a bucket: then a short time tells something, too.
        """
        most = math.inf
        for since, before in self._marks:
            between, seconds = accepted - before, at - since - jitter
            if seconds >= _SHORTEST and (known or between >= _BETWEEN or seconds >= _BETWEEN_SECONDS):
                # a submit or none is left in it at each of the moments; after few, more may be by chance
                most = min(most, (between + 0.5 + 2.0 / (between + 1.0)) / seconds)
        return most

    def too_many(self, at: float, accepted: int, limit: float, window: float) -> bool:
        """Return whether more was accepted since one of them than windows of so many seconds and this limit accept."""
        return any(accepted - before > limit * (at - since + window) + 0.5 for since, before in self._marks)

"""How a provider counts: five laws that say of each submit whether it is within the limit.

Pure: the moment is an argument, in seconds of any clock that does not go back. A submit counts when it arrives, and
only when it is admitted: a refused one takes nothing from the limit, though under one law it has a consequence.
"""

from __future__ import annotations

import math
from collections import deque
from enum import StrEnum


class Law(StrEnum):
    """The names of the laws, as options and the control port spell them."""

    SLIDING_WINDOW = "sliding-window"
    FIXED_WINDOW = "fixed-window"
    TOKEN_BUCKET = "token-bucket"  # noqa: S105 - the name of a law, not a password
    PUNISHING = "punishing"
    CLOSING = "closing"


class SlidingWindow:
    """Admits at most `limit` submits in any second, wherever that second begins."""

    law = Law.SLIDING_WINDOW

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._admitted: deque[float] = deque()

    def admits(self, now: float) -> bool:
        """Return whether a submit that arrives at `now` is within the limit, and count it if so."""
        admitted = self._admitted
        while admitted and now - admitted[0] >= 1:
            admitted.popleft()
        if len(admitted) >= self.limit:
            return False
        admitted.append(now)
        return True


class Closing(SlidingWindow):
    """Admits at most `limit` submits in any second; the connection over which an excess comes is to be closed."""

    law = Law.CLOSING


class FixedWindow:
    """Admits at most `limit` submits in each second of the clock; `edge` is a moment at which such a second begins."""

    law = Law.FIXED_WINDOW

    def __init__(self, limit: int, edge: float = 0.0) -> None:
        self.limit = limit
        self._edge = edge
        self._second: int | None = None
        self._admitted = 0

    def admits(self, now: float) -> bool:
        """Return whether a submit that arrives at `now` is within the limit, and count it if so."""
        second = math.floor(now - self._edge)
        if second != self._second:
            self._second = second
            self._admitted = 0
        if self._admitted >= self.limit:
            return False
        self._admitted += 1
        return True


class TokenBucket:
    """Admits at most `burst` submits at once and `limit` a second in the long run; the bucket is full at the start."""

    law = Law.TOKEN_BUCKET

    def __init__(self, limit: int, burst: int) -> None:
        self.limit = limit
        self.burst = burst
        self._tokens = float(burst)
        self._filled: float | None = None

    def admits(self, now: float) -> bool:
        """Return whether a submit that arrives at `now` is within the limit, and count it if so."""
        if self._filled is not None:
            self._tokens += (now - self._filled) * self.limit
        self._tokens = min(self._tokens, float(self.burst))
        self._filled = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True


class Punishing:
    """Admits at most `limit` submits in any second, and for `seconds` after an excess none at all."""

    law = Law.PUNISHING

    def __init__(self, limit: int, seconds: float = 5.0) -> None:
        self._window = SlidingWindow(limit)
        self._seconds = seconds
        self._until = -math.inf

    @property
    def limit(self) -> int:
        """SMS per second."""
        return self._window.limit

    @limit.setter
    def limit(self, limit: int) -> None:
        self._window.limit = limit

    def admits(self, now: float) -> bool:
        """Return whether a submit that arrives at `now` is within the limit, and count it if so."""
        if now < self._until:
            return False
        admitted = self._window.admits(now)
        if not admitted:
            self._until = now + self._seconds
        return admitted


Limit = SlidingWindow | FixedWindow | TokenBucket | Punishing


def make(law: Law, limit: int, burst: int | None = None, edge: float = 0.0) -> Limit:
    """Return a fresh limit of `limit` SMS per second under `law`; without `burst` a bucket holds one second's worth."""
    if law is Law.SLIDING_WINDOW:
        return SlidingWindow(limit)
    if law is Law.FIXED_WINDOW:
        return FixedWindow(limit, edge)
    if law is Law.PUNISHING:
        return Punishing(limit)
    if law is Law.CLOSING:
        return Closing(limit)
    return TokenBucket(limit, limit if burst is None else burst)


def change(old: Limit | None, new: Limit) -> Limit:
    """Return the limit to go on with: what `old` has admitted lately still counts when both follow the same law."""
    if isinstance(old, TokenBucket) and isinstance(new, TokenBucket):
        old.limit, old.burst = new.limit, new.burst
        return old
    if old is not None and old.law is new.law:
        old.limit = new.limit  # a punishment goes on
        return old
    return new

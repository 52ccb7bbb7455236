"""How a provider counts: five laws that say of each submit whether it is within the limit.

Pure: the moment is an argument, in seconds of any clock that does not go back. A submit counts when it arrives, and
only when it is admitted: a refused one takes nothing from the limit, though under one law it has a consequence.

A limit is in SMS per second, with one decimal at the most. A window counts whole messages: where the limit is no whole
number it is as many seconds long as make it one, so 7.5 is 15 in two seconds, and 0.1 is one in ten.
"""

from __future__ import annotations

import math
from collections import deque
from enum import StrEnum
from typing import Final

_LONGEST: Final = 10  # seconds; the longest window that one decimal needs


class Law(StrEnum):
    """The names of the laws, as options and the control port spell them."""

    SLIDING_WINDOW = "sliding-window"
    FIXED_WINDOW = "fixed-window"
    TOKEN_BUCKET = "token-bucket"  # noqa: S105 - the name of a law, not a password
    PUNISHING = "punishing"
    CLOSING = "closing"


def window(limit: float) -> tuple[int, int]:
    """Return how many submits a window of a limit admits, and its length in seconds.

    Raises ValueError for a limit below 0, or with more than one decimal.
    """
    tenths = round(limit * _LONGEST) if math.isfinite(limit) else -1
    if tenths < 0 or tenths / _LONGEST != limit:
        raise ValueError("a limit is a number of SMS per second, 0 or more, with one decimal at the most")
    seconds = _LONGEST // math.gcd(tenths, _LONGEST)
    return tenths * seconds // _LONGEST, seconds


class SlidingWindow:
    """Admits at most `limit` submits in any second, wherever that second begins."""

    law = Law.SLIDING_WINDOW

    def __init__(self, limit: float) -> None:
        """Raises ValueError for what is no limit."""
        self._most, self._seconds = window(limit)
        self._limit = limit
        self._admitted: deque[float] = deque()

    @property
    def limit(self) -> float:
        """SMS per second."""
        return self._limit

    @limit.setter
    def limit(self, limit: float) -> None:
        self._most, self._seconds = window(limit)
        self._limit = limit

    def admits(self, now: float) -> bool:
        """Return whether a submit that arrives at `now` is within the limit, and count it if so."""
        admitted = self._admitted
        seconds = self._seconds
        while admitted and now - admitted[0] >= seconds:
            admitted.popleft()
        if len(admitted) >= self._most:
            return False
        admitted.append(now)
        return True


class Closing(SlidingWindow):
    """Admits at most `limit` submits in any second; the connection over which an excess comes is to be closed."""

    law = Law.CLOSING


class FixedWindow:
    """Admits at most `limit` submits in each second of the clock; `edge` is a moment at which such a second begins."""

    law = Law.FIXED_WINDOW

    def __init__(self, limit: float, edge: float = 0.0) -> None:
        """Raises ValueError for what is no limit."""
        self._most, self._seconds = window(limit)
        self._limit = limit
        self._edge = edge
        self._window: int | None = None
        self._admitted = 0

    @property
    def limit(self) -> float:
        """SMS per second."""
        return self._limit

    @limit.setter
    def limit(self, limit: float) -> None:
        before = self._seconds
        self._most, self._seconds = window(limit)
        self._limit = limit
        if self._window is not None:  # what was admitted counts in the new window that holds the old one's beginning
            self._window = self._window * before // self._seconds

    def admits(self, now: float) -> bool:
        """Return whether a submit that arrives at `now` is within the limit, and count it if so."""
        which = math.floor((now - self._edge) / self._seconds)
        if which != self._window:
            self._window = which
            self._admitted = 0
        if self._admitted >= self._most:
            return False
        self._admitted += 1
        return True


class TokenBucket:
    """Admits at most `burst` submits at once and `limit` a second in the long run; the bucket is full at the start."""

    law = Law.TOKEN_BUCKET

    def __init__(self, limit: float, burst: float) -> None:
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

    def __init__(self, limit: float, seconds: float = 5.0) -> None:
        """Raises ValueError for what is no limit."""
        self._window = SlidingWindow(limit)
        self._seconds = seconds
        self._until = -math.inf

    @property
    def limit(self) -> float:
        """SMS per second."""
        return self._window.limit

    @limit.setter
    def limit(self, limit: float) -> None:
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


def make(law: Law, limit: float, burst: int | None = None, edge: float = 0.0) -> Limit:
    """Return a fresh limit of `limit` SMS per second under `law`; raises ValueError for what is no limit.

    Without `burst` a bucket holds one second's worth, and one SMS at the least: with less it would admit nothing.
    """
    if law is Law.SLIDING_WINDOW:
        return SlidingWindow(limit)
    if law is Law.FIXED_WINDOW:
        return FixedWindow(limit, edge)
    if law is Law.PUNISHING:
        return Punishing(limit)
    if law is Law.CLOSING:
        return Closing(limit)
    usual = max(1.0, limit) if limit else 0.0
    return TokenBucket(limit, usual if burst is None else burst)


def change(old: Limit | None, new: Limit) -> Limit:
    """Return the limit to go on with: what `old` has admitted lately still counts when both follow the same law."""
    if isinstance(old, TokenBucket) and isinstance(new, TokenBucket):
        old.limit, old.burst = new.limit, new.burst
        return old
    if old is not None and old.law is new.law:
        old.limit = new.limit  # a punishment goes on
        return old
    return new

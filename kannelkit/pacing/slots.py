"""When the next submit may leave: evenly at a rate, a lone one at once.

A generic cell rate algorithm (ITU-T I.371): each submit moves the moment at which the next is due by one interval. A
sender that wakes up a little late catches up by `late` seconds at the most, so that jitter costs no speed and makes no
burst. After a rest `allowance` submits may leave together; the ones behind them wait for it.
"""

from __future__ import annotations

import math

LATE = 0.004
"""Seconds that are caught up: what an event loop's timers are late by, and less than a provider's second leaves."""


class Slots:
    """The moments at which submits of one account may leave; times are seconds of one clock that does not go back."""

    def __init__(self, rate: float, allowance: float = 1.0) -> None:
        """`rate` in submits per second, above 0, infinity for no limit; `allowance` in submits, 1 or more."""
        self._interval = 1.0 / rate
        self._allowance = allowance
        self._due = -math.inf  # when the next one would leave if all left evenly

    @property
    def rate(self) -> float:
        """Submits per second."""
        return 1.0 / self._interval if self._interval else math.inf

    def pace(self, rate: float, now: float) -> None:
        """Go on at another rate; what left before counts as it did."""
        interval = 1.0 / rate
        if self._due > now and self._interval:
            # what is owed is owed in submits, not in seconds
            self._due = now + (self._due - now) * interval / self._interval
        self._interval = interval

    def allow(self, allowance: float) -> None:
        """Let so many leave together after a rest."""
        self._allowance = allowance

    def wait(self, now: float) -> float:
        """Return the seconds until a submit may leave; 0 when it may now."""
        return max(0.0, self._due - (self._allowance - 1.0) * self._interval - now)

    def take(self, now: float) -> None:
        """A submit leaves now."""
        self._due = max(self._due, now - LATE) + self._interval

    def rested(self, now: float) -> bool:
        """Return whether nothing is owed: the next one finds all of the allowance."""
        return now >= self._due

"""Trials of more than the limit: when one may begin, how much more it is, and what it may cost."""

from __future__ import annotations

import math
from typing import Final

# a trial is for so many submits per second more, or such a share
_MORE, _MORE_SHARE = 0.6, 0.02
_BUCKETS_STEP: Final = 1.7  # times as much more where a bucket is to be emptied first
_LATE: Final = 0.15  # seconds: with answers as late as this that costs refusals
# it lasts so many times as long as the provider's window, and so do those that follow when it was accepted
_LASTS, _NEXT_LASTS = 2.6, 1.15
_FASTER: Final = 3.5
# seconds between two of them: twice as many after each one in vain, for what was found lately is least certain
_SOON, _EVERY = 10.5, 21.0
# seconds until a limit is tried that little speaks for, at first and later
_DOUBTED, _DOUBTED_MOST = 5.0, 600.0
_DOUBTED_LONGER: Final = 6.0
# one refusal may be had for so many submits; so many are saved up, or owed, at the most
_COSTS: Final = 460.0
_SAVED, _OWED = 4.0, 16.0
_SELDOM: Final = 23.0  # seconds: where one takes longer to be earned, what the beginning cost is owed too
_GIVEN_UP: Final = 10.0  # seconds more than it should last


def first_step(limit: float, window: int, slack: float, bucket: bool, delay: float) -> float:
    """Return how many submits per second more to try first; `delay` of an answer in seconds, `slack` a share."""
    more = max(min(_MORE / window, _MORE * limit) + slack * limit, limit * _MORE_SHARE)
    return more * _BUCKETS_STEP if bucket and delay < _LATE else more


class Trials:
    """The trial that is on, and the refusals that may be had for the next; times are seconds of one clock."""

    def __init__(self) -> None:
        self.number = 0  # of the one that is on, 0 for none
        self.first = False  # nothing of it was accepted yet
        self.base = 0.0  # the limit that it began from
        self.step = 0.0  # submits per second more
        self.began = -math.inf
        self._accepted = 0
        self._last = 0
        self._credit = 0.0
        self._most = 0.0  # of the limits that were left for a trial
        self._not_before = -math.inf
        self._every = _SOON
        self._doubtful = False  # the limit that is believed
        self._doubted = _DOUBTED

    @property
    def made(self) -> bool:
        """Whether there was any: the limit had held for a while."""
        return self._last > 0

    @property
    def affordable(self) -> bool:
        """Whether a refusal may be had."""
        return self._credit >= 1.0

    def earn(self, limit: float, seconds: float) -> None:
        """So many seconds were sent at a limit, in submits per second."""
        self._credit = min(_SAVED, self._credit + limit * seconds / _COSTS)

    def pay(self, limit: float) -> None:
        """One was refused."""
        # what a fall costs is not of the beginning
        owed = _OWED if max(limit, self._most) * _SELDOM < _COSTS else 0.0
        self._credit = max(-owed, self._credit - 1.0)

    def due(self, now: float) -> bool:
        """Return whether one may begin."""
        return now >= self._not_before and (self.affordable or self._doubtful)

    def doubt(self, now: float) -> None:
        """Try more soon, whatever it costs: a limit is believed that little speaks for. Each time less soon."""
        self._doubtful = True
        self._every = _SOON
        self._not_before = max(self._not_before, now + self._doubted)

    def sure(self) -> None:
        """The limit that little spoke for is not believed any more."""
        self._doubtful = False

    def begin(self, base: float, step: float, now: float) -> None:
        """Try so many more submits per second."""
        if not self.affordable:
            self._doubted = min(_DOUBTED_MOST, self._doubted * _DOUBTED_LONGER)
        self.first, self.base, self.step = True, base, step
        self._most = max(self._most, base)
        self._go(now)

    def go_on(self, now: float) -> None:
        """Try more again, and faster, for it was accepted."""
        self.first = False
        self._every = _SOON
        self.step *= _FASTER
        self._go(now)

    def end(self, not_before: float) -> None:
        """Go back to what holds; no other one before a moment, nor soon."""
        self.number = 0
        self._not_before = max(self._not_before, not_before)

    def rest(self, now: float) -> None:
        """End it; the next one comes after the usual time."""
        if self.number:
            self._doubtful = False
            self._every = min(_EVERY, self._every * 2.0)
        self.end(now + self._every)

    def accepted(self, number: int) -> None:
        """A submit that left in a trial was accepted."""
        if number and number == self.number:
            self._accepted += 1

    def stood(self, now: float, rate: float, window: int) -> bool:
        """Return whether it lasted, with a whole window of the provider's accepted at its rate."""
        return now - self.began >= self._lasts(window) and self._accepted >= rate * window

    def given_up(self, now: float, window: int) -> bool:
        """Return whether it should be over by now: fewer left than should have."""
        return now - self.began >= self._lasts(window) + _GIVEN_UP

    def early(self, at: float, window: int) -> bool:
        """Return whether a submit left so early in it that no bucket would have been emptied."""
        return at - self.began < _NEXT_LASTS * window

    def _lasts(self, window: int) -> float:
        return (_LASTS if self.first else _NEXT_LASTS) * window

    def _go(self, now: float) -> None:
        self._last += 1
        self.number, self.began, self._accepted = self._last, now, 0

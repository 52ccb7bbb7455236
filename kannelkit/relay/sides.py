"""Which of a provider's two hosts an account uses: what is seen in, a move out; no sockets, no clock."""

from __future__ import annotations

import math
from typing import Final

_SUSPICION: Final = 0.5  # part of `after` from which on the other host is tried
_PROBE_EVERY: Final = 2.0
_LONGEST: Final = 3600.0


class Sides:
    """The host in force, 0 for the primary and 1 for the backup; times are seconds of one clock.

    It is left when it was of no use for `after` seconds and the other one can be reached; the primary is used again
    when it could be reached for `back_after` seconds on end, twice as many after each return that did not last. Moved
    to the backup by hand, it is used until it is of no use, or until somebody moves it again.
    """

    def __init__(self, hosts: int, after: float, back_after: float) -> None:
        self.current = 0
        self._two = hosts > 1
        self._after, self._back_after = after, back_after
        self._useless_since: float | None = None
        self._answering_since: float | None = None  # the other host
        self._probed = -math.inf
        self._moved = -math.inf
        self._failed_returns = 0
        self.by_hand = False
        """Whether somebody chose the host in force."""

    @property
    def failed_returns(self) -> int:
        """How many returns to the primary did not last."""
        return self._failed_returns

    @property
    def back_wait(self) -> float:
        """For how many seconds the primary has to be reached before it is used again."""
        return min(_LONGEST, self._back_after * 2.0 ** min(self._failed_returns, 16))

    def resume(self, current: int, *, by_hand: bool, failed_returns: int, now: float) -> None:
        """Go on at the host that was in force before this began."""
        self.current, self.by_hand, self._failed_returns = current, by_hand, failed_returns
        self._moved = now

    def useless_for(self, now: float) -> float | None:
        """Return for how long the host in force has been of no use, None where it is of use or nobody knows."""
        return None if self._useless_since is None else now - self._useless_since

    @property
    def other(self) -> int:
        """The host that is not in force."""
        return 1 - self.current

    def seen(self, good: bool | None, now: float) -> None:
        """Take note of whether the host in force takes messages; None where nobody knows."""
        if good is not False:
            self._useless_since = None
            if good and self.current == 0 and now - self._moved >= 2 * self._back_after:
                self._failed_returns = 0
        elif self._useless_since is None:
            self._useless_since = now

    def wants_probe(self, now: float) -> bool:
        """Return whether to try now if the other host can be reached."""
        if not self._two or now - self._probed < _PROBE_EVERY:
            return False
        useless = self._useless_since is not None and now - self._useless_since >= self._after * _SUSPICION
        if useless or self.current == 1:
            self._probed = now
            return True
        self._answering_since = None
        return False

    def probed(self, answers: bool, now: float) -> None:
        """Take note of whether it can be."""
        if not answers:
            self._answering_since = None
        elif self._answering_since is None:
            self._answering_since = now

    def decide(self, now: float) -> str | None:
        """Return why to move to the other host, None where the one in force stays."""
        if self._answering_since is None:
            return None
        if self._useless_since is not None and now - self._useless_since >= self._after:
            return f"of no use for {now - self._useless_since:.0f} s"
        if self.current == 1 and not self.by_hand and now - self._answering_since >= self.back_wait:
            return f"the primary has answered for {now - self._answering_since:.0f} s"
        return None

    def moved(self, now: float, *, by_hand: bool = False) -> None:
        """Take note that the other host is in force."""
        if self.current == 0 and not by_hand and now - self._moved < 2 * self._back_after:
            self._failed_returns += 1
        self.current = self.other
        self.by_hand = by_hand
        self._useless_since = self._answering_since = None
        self._moved = now

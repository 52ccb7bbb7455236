"""How many requests may be under way, how long to wait, and when to give up: from the answers so far."""

from __future__ import annotations

from collections.abc import Sequence

from kannelkit.gateway.sendsms import Answer, Fate

CONCURRENCY = 8
# seconds before the next try while bearerbox's queue is full or smsbox is away; after the last one it is given up
PAUSES = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0)
# one begun after the other: then more would only be more of which nobody knows
_MOST_UNKNOWN = 3


class Pace:
    """One request at a time after trouble, more with each answer that is none.

    `room` is how many may be under way; `trouble` is the answer behind which no more are to be made.
    """

    def __init__(self, concurrency: int = CONCURRENCY, pauses: Sequence[float] = PAUSES) -> None:
        """Take `pauses` in seconds."""
        self.trouble: Answer | None = None
        self._most = concurrency
        self._room = concurrency
        self._pauses = pauses
        self._in_vain = 0  # tries in a row
        self._unknown = 0  # in a row; those that were under way together are one
        self._known_since = 0  # the turn from which on another unknown fate is news
        self._turn = 0
        self._answered = False

    @property
    def room(self) -> int:
        """How many requests may be under way."""
        return 0 if self.trouble else self._room

    def begin(self) -> int:
        """Return the number of a new turn, in which requests are made."""
        self._turn += 1
        return self._turn

    def take(self, answer: Answer, turn: int) -> bool:
        """Take the answer to a request of a turn; return whether the message is done with."""
        if answer.fate in (Fate.NOT_NOW, Fate.UNREACHED):
            self._room = 1
            # nobody was ever there: that is a wrong port or a gateway that does not run, and waiting helps with neither
            if self._in_vain >= len(self._pauses) or (answer.fate is Fate.UNREACHED and not self._answered):
                self.trouble = answer
            return False
        self._answered = True
        self._in_vain = 0
        if answer.fate is Fate.UNKNOWN:
            self._room = 1
            if turn > self._known_since:
                self._unknown += 1
                self._known_since = self._turn
            if self._unknown >= _MOST_UNKNOWN:
                self.trouble = answer
        else:
            self._unknown = 0
            self._room = min(self._most, self._room + 1)
        return True

    def pause(self) -> float:
        """Return how many seconds to wait before what was not taken is tried again."""
        if self.trouble:
            return 0.0
        self._in_vain += 1
        return self._pauses[self._in_vain - 1]

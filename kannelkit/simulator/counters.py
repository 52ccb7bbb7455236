"""What an account did, in numbers: totals, and a timeline of what was accepted and refused."""

from __future__ import annotations

from array import array
from dataclasses import dataclass

SLOTS_KEPT = 36_000  # one hour of tenths of a second


@dataclass(slots=True)
class Counters:
    """Totals since the start or the last reset. Moments are seconds since the simulator's start; None: not yet.

    A submit is a submit_sm or data_sm. Each is accepted, refused (ESME_RTHROTTLED) or rejected (any other error);
    `doubled` counts the accepted ones whose source, destination and content were accepted before, `unanswered` the
    submits whose answer is still to come or never will. `incoming` counts messages, what is sent of them parts.
    """

    submits: int = 0
    accepted: int = 0
    refused: int = 0
    rejected: int = 0
    doubled: int = 0
    unanswered: int = 0
    binds: int = 0
    binds_refused: int = 0
    closed_by_newer: int = 0
    closed_idle: int = 0
    receipts_sent: int = 0
    receipts_acknowledged: int = 0
    receipts_dropped: int = 0
    incoming: int = 0
    incoming_sent: int = 0
    incoming_acknowledged: int = 0
    incoming_dropped: int = 0
    first_submit: float | None = None
    last_submit: float | None = None
    first_accepted: float | None = None
    last_accepted: float | None = None
    first_refused: float | None = None
    last_refused: float | None = None


@dataclass(frozen=True, slots=True)
class Slots:
    """Submits by slots of time: the first begins at `start`, each lasts `slot`, in seconds."""

    slot: float
    start: float
    accepted: list[int]
    refused: list[int]


class Timeline:
    """Accepted and refused submits by slots of `slot` seconds since the start; the last hour is kept."""

    def __init__(self, slot: float = 0.1, kept: int = SLOTS_KEPT) -> None:
        self.slot = slot
        self._kept = kept
        self._first = 0  # the number of the slot that the arrays begin with
        self._accepted = array("L", [0])
        self._refused = array("L", [0])

    def accepted(self, now: float) -> None:
        """Count one accepted submit at `now`, in seconds since the start."""
        self._reach(now)
        self._accepted[-1] += 1

    def refused(self, now: float) -> None:
        """Count one refused submit at `now`, in seconds since the start."""
        self._reach(now)
        self._refused[-1] += 1

    def between(self, start: float, end: float) -> tuple[int, int]:
        """Return how many were accepted and refused in the slots that begin from `start` on and before `end`."""
        first, last = (max(0, round(moment / self.slot) - self._first) for moment in (start, end))
        return sum(self._accepted[first:last]), sum(self._refused[first:last])

    def slots(self) -> Slots:
        """Return all slots that are kept."""
        return Slots(self.slot, self._first * self.slot, self._accepted.tolist(), self._refused.tolist())

    def _reach(self, now: float) -> None:
        """Make the slot of `now` the last one of the arrays."""
        missing = int(now / self.slot) - self._first - len(self._accepted) + 1
        if missing <= 0:
            return  # the same slot, or a moment just before it: the last slot takes it
        if missing > self._kept:
            self._first += len(self._accepted) + missing - 1
            self._accepted, self._refused = array("L", [0]), array("L", [0])
            return
        empty = bytes(self._accepted.itemsize * missing)
        self._accepted.frombytes(empty)
        self._refused.frombytes(empty)
        surplus = len(self._accepted) - self._kept
        if surplus >= self._kept // 10:  # a tenth at a time, so that the copying is rare
            del self._accepted[:surplus], self._refused[:surplus]
            self._first += surplus

"""What goes into the rate controller and what comes out of it. Times are seconds of one monotonic clock."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Sample:
    """What bearerbox's counters said of one account at one moment.

    `accepted` is a running total of submits that the provider accepted, over all the account's links, and never
    falls (Kannel's own counters begin at 0 with every new link). `waiting` counts the messages queued for the
    account's links and in the global queue. `in_flight` counts the submits that have no answer yet, None where that
    cannot be told. `online` says that every link that should be bound is. `parts` is the
    mean number of submits that a waiting message takes: Kannel counts a long message as one, the provider each part.
    """

    at: float
    accepted: int
    waiting: int
    in_flight: int | None
    online: bool
    parts: float = 1.0


@dataclass(frozen=True, slots=True)
class Learnt:
    """What outlives a restart: the throughput in force (SMS per second, all links), and how often more was refused."""

    throughput: int
    refuted: int = 0


@dataclass(frozen=True, slots=True)
class Decision:
    """One change of rate, and what it rests on.

    `before` and `after` are SMS per second over all the account's links; `before` is None where no throughput was
    set. Of `submits` seen within `seconds`, `refused` were refused and `accepted` accepted.
    """

    account: str
    kind: Literal["lower", "raise"]
    before: int | None
    after: int
    refused: int
    submits: int
    accepted: int
    seconds: float

    def __str__(self) -> str:
        before = "unlimited" if self.before is None else str(self.before)
        if self.kind == "lower":
            why = f"{self.refused} of {self.submits} refused in {self.seconds:.0f} s, accepted {self.accepted}"
        elif self.submits:
            why = f"only {self.accepted / self.seconds:.1f} a second arrive, fewer than at the rate before"
        else:
            why = f"nothing refused for {self.seconds:.0f} s while messages wait"
        return f"{self.account}: {why}: throughput {before} -> {self.after}"


@dataclass(frozen=True, slots=True)
class Settings:
    """What an operator sets: bounds in SMS per second over all links (`ceiling` None: no upper bound), and seconds.

    `requeues` is False where `sms-resend-retry` is finite: a refused message may then be discarded at once instead
    of going back into the queue. `links` is how many the account's throughput is shared by, and `window` how many
    submits may be unanswered over all of them (None: as many as one likes).
    """

    ceiling: int | None
    floor: int = 1
    raise_after: float = 20.0
    requeues: bool = True
    links: int = 1
    window: int | None = None

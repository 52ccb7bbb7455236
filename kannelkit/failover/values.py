"""What goes into the decision about an account's side and what comes out of it. Times are monotonic seconds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

# the links to an account's first host, or those to its second one
Side = Literal["primary", "backup"]

# a side that fails again and again is tried this rarely at last
LONGEST = 6 * 3600.0


@dataclass(frozen=True, slots=True)
class Settings:
    """What an operator sets: seconds until a side is of no use, and until a primary that answers is used again."""

    after: float
    back_after: float


@dataclass(frozen=True, slots=True)
class Seen:
    """What bearerbox showed of the side in force at one moment.

    `links` says of each of its links whether it is online. `signs` is a number that is another one whenever the SMSC
    has answered a submit, whatever it said, or sent something of its own. `queued` is whether a message is in the queue
    of a link that is online: those in the global queue may be meant for later, or for others. `in_flight` is how many
    messages bearerbox holds outside its queues, which are those without an answer and segments of received messages
    that are not whole yet; None where they need not be this account's. `unanswered` is whether a message is known to
    have left for the host without anything having come from there since.
    """

    at: float
    links: Mapping[str, bool]
    signs: int
    queued: bool
    in_flight: int | None = None
    unanswered: bool = False


@dataclass(frozen=True, slots=True)
class Probe:
    """Try whether the host of a side can be reached, and tell `AccountSide.probed`."""

    side: Side


@dataclass(frozen=True, slots=True)
class Move:
    """Stop the links of the side in force and start those of `to`; `home` where nothing forces it this moment."""

    to: Side
    why: str
    home: bool = False


def other(side: Side) -> Side:
    """Return the side that a side is not."""
    return "backup" if side == "primary" else "primary"

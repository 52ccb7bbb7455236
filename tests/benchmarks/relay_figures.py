"""What one limit's run through the relay says, from what the SMSC and the client counted. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import accumulate
from statistics import median

from kannelkit.simulator import Law
from tests.benchmarks.laws_figures import LEARNT, SLOT, reached, share
from tests.benchmarks.laws_smsc import Slots
from tests.benchmarks.relay_rows import Row

GOODPUT, GOODPUT_PUNISHED = 0.985, 0.90  # of the limit
REFUSED = 0.003  # of the submits
FALL_WITHIN, RISE_WITHIN = 2.0, 30.0  # seconds
SETTLED_SHARE = 0.95  # of the new limit that is accepted after a fall, and no more than the rest to one is refused
SETTLED_OVER = 10.0  # seconds
EVEN = 0.05  # by how much an account's share of a limit may be off

HEAD = (
    f"  {'':40} {'of limit':>8} {'refused':>8} {'later':>7} {'95 % in':>8} {'lost':>5} {'doubled':>7}  "
    "(later: refused after the first 30 s)"
)


@dataclass(frozen=True, slots=True)
class Change:
    """How one fall and the rise after it were followed, in seconds (None: not until the next change)."""

    fall: float | None
    rise: float | None


@dataclass(frozen=True, slots=True)
class Figures:
    """What came of a row: shares of the limit and of the submits, seconds until 95 % of the limit was accepted.

    `shares` are what each of several accounts had of what was accepted. `handed_back` were answered to the client as
    bearerbox would be, when they could not leave in time; it does not send them again.
    """

    seconds: float
    accepted: float
    refused: float
    refused_later: float
    within: float | None
    lost: int
    doubled: int
    handed_back: int = 0
    shares: tuple[float, ...] = ()
    changes: tuple[Change, ...] = ()

    def missed(self, row: Row) -> list[str]:
        """Return which aims are missed."""
        found = []
        if not row.low:
            punishing = row.law is Law.PUNISHING
            if self.accepted < (GOODPUT_PUNISHED if punishing else GOODPUT):
                found.append("goodput")
            if self.refused >= REFUSED and not punishing:
                found.append("refused")
        if any(change.fall is None or change.fall > FALL_WITHIN for change in self.changes):
            found.append("fall")
        if any(change.rise is None or change.rise > RISE_WITHIN for change in self.changes):
            found.append("rise")
        if any(abs(each * len(self.shares) - 1) > EVEN for each in self.shares):
            found.append("shares")
        return found + [name for name, count in (("lost", self.lost), ("doubled", self.doubled)) if count]

    def line(self, row: Row) -> str:
        """Return the row as a line of the table."""
        misses = self.missed(row)
        words = [f"misses: {', '.join(misses)}"] if misses else []
        if self.handed_back:
            words.append(f"{self.handed_back} handed back")
        if self.shares:
            words.append(f"shares {' and '.join(f'{each:.1%}' for each in self.shares)}")
        if row.low:
            words.append(told(self.changes))
        accepted, refused, within = f"{self.accepted:8.2%}", f"{self.refused:8.2%} {self.refused_later:7.2%}", "never"
        if self.within is not None:
            within = f"{self.within:.1f} s"
        if row.low:  # the limit was not the same all the time
            accepted = f"{'':8}"
        counts = f"{within:>8} {self.lost:>5} {self.doubled:>7}"
        return f"{'!' if misses else ' '} {row!s:40} {accepted} {refused} {counts}  {'; '.join(words)}".rstrip()

    def plain(self, row: Row) -> dict[str, object]:
        """Return the row as plain values."""
        return {"row": str(row), "misses": self.missed(row), **asdict(self)}


def told(changes: Sequence[Change]) -> str:
    """Return how changes were followed, in words: the median and longest times, and how many took too long."""
    if not changes:
        return "no changes: the run is too short"
    words = []
    for what, done, seconds, most in (
        ("falls", "settled", [change.fall for change in changes], FALL_WITHIN),
        ("rises", "used", [change.rise for change in changes], RISE_WITHIN),
    ):
        known = sorted(each for each in seconds if each is not None)
        if known:
            words.append(f"{what} {done} in {median(known):.1f} s, {known[-1]:.1f} s at the most")
        if longer := sum(each > most for each in known):
            words.append(f"{longer} above {most:g} s")
        if len(known) < len(seconds):
            words.append(f"{len(seconds) - len(known)} {what} not {done} before the next change")
    return f"{len(changes)} changes: {', '.join(words)}"


def place(timeline: Slots, moment: float) -> int:
    """Return the number of the slot at a moment of the SMSC."""
    return max(0, round((moment - timeline.start) / timeline.slot))


def settled(accepted: Sequence[int], refused: Sequence[int], limit: float) -> float | None:
    """Return the first moment, in seconds, from which on a lower limit is used and kept to; None: never.

    That is: over 10 s at least 95 % of the limit is accepted, and no more than 5 % of the submits is refused.
    """
    over = round(SETTLED_OVER / SLOT)
    taken, not_taken = [0, *accumulate(accepted)], [0, *accumulate(refused)]
    for begin in range(min(len(accepted), len(refused)) - over + 1):
        well, badly = taken[begin + over] - taken[begin], not_taken[begin + over] - not_taken[begin]
        if well >= SETTLED_SHARE * limit * SETTLED_OVER and badly <= (1 - SETTLED_SHARE) * (well + badly):
            return begin * SLOT
    return None


def followed(row: Row, timeline: Slots, moments: Sequence[tuple[float, float]], end: float) -> tuple[Change, ...]:
    """Return how each fall and the rise after it were followed; moments are the SMSC's."""
    found = []
    for number, (fall, rise) in enumerate(moments):
        until = moments[number + 1][0] if number + 1 < len(moments) else end
        fell, rose, ended = (place(timeline, moment) for moment in (fall, rise, until))
        found.append(
            Change(
                settled(timeline.accepted[fell:rose], timeline.refused[fell:rose], row.low),
                reached(timeline.accepted[rose:ended], row.limit),
            )
        )
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Counted:
    """What both ends counted when all was over: the SMSC, and each client."""

    at_smsc: int
    doubled: int
    by_client: tuple[int, ...]
    unanswered: int = 0
    handed_back: int = 0

    @property
    def lost(self) -> int:
        """Submits that the client was told are accepted and that the SMSC has not, and those never answered."""
        return max(0, self._untold) + self.unanswered

    @property
    def twice(self) -> int:
        """Those that the SMSC has twice, and those that it has and a client would send again."""
        return self.doubled + max(0, -self._untold - self.unanswered)

    @property
    def _untold(self) -> int:
        return sum(self.by_client) - (self.at_smsc - self.doubled)


def figures(
    row: Row, seconds: float, begin: float, timeline: Slots, counted: Counted, moments: Sequence[tuple[float, float]]
) -> Figures:
    """Return the figures of a run of so many seconds from `begin`; it and the changes' moments are the SMSC's."""
    learnt = min(LEARNT, seconds / 2)
    first, known, last = (place(timeline, begin + at) for at in (0.0, learnt, seconds))
    accepted, refused = timeline.accepted[first:last], timeline.refused[first:last]
    total = sum(counted.by_client)
    return Figures(
        seconds=seconds,
        accepted=sum(accepted) / seconds / row.limit,
        refused=share(accepted, refused),
        refused_later=share(timeline.accepted[known:last], timeline.refused[known:last]),
        within=reached(accepted, row.limit),
        lost=counted.lost,
        doubled=counted.twice,
        handed_back=counted.handed_back,
        shares=tuple(each / max(1, total) for each in counted.by_client) if row.accounts > 1 else (),
        changes=followed(row, timeline, moments, begin + seconds),
    )

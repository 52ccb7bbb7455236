"""What a gateway's run says, from what the SMSC counted: figures, and which of the aims it misses. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate
from statistics import fmean

LEARNT = 30.0  # seconds after which nothing is left to learn of a law that stays the same
GOODPUT = 0.97  # of what the best constant throughput delivers
REACHED = 0.95  # of it, and a moment from which on so much is accepted for some seconds is when the limit is reached
REACHED_OVER = 5.0  # seconds
WHOLE = 0.01  # refused of all submits more than that constant has, in the whole run
LATER = 0.002  # and after LEARNT; where it has none these are the shares allowed, and elsewhere what chance moves
FALL_WITHIN = 3.0  # seconds from the first refusal to the change of rate
SLOT = 0.1  # seconds; the SMSC's timeline counts by such
RISE_WITHIN = 120.0  # seconds from the rise until it is used


@dataclass(frozen=True, slots=True)
class Delivered:
    """What one gateway delivered from its first submit on; shares are of the submits, moments in seconds from there."""

    throughput: float
    accepted: float
    refused: float
    refused_later: float
    binds: int
    lost: int
    doubled: int
    changes: int = 0
    slots: tuple[float, ...] = field(default=(), repr=False)  # the accepted ones, by SLOT seconds
    note: str = ""
    disturbed: bool = False

    def reached(self, rate: float) -> float | None:
        """Return when a rate was reached; None: never."""
        return reached(self.slots, rate)


def mean(runs: Sequence[Delivered]) -> Delivered:
    """Return what several runs of one gateway delivered in the mean; of what no run may have, the sum or the worst."""
    if len(runs) == 1:
        return runs[0]
    slots = zip(*(run.slots for run in runs), strict=False)
    return replace(
        runs[0],
        accepted=fmean(run.accepted for run in runs),
        refused=fmean(run.refused for run in runs),
        refused_later=fmean(run.refused_later for run in runs),
        binds=max(run.binds for run in runs),
        lost=sum(run.lost for run in runs),
        doubled=sum(run.doubled for run in runs),
        changes=max(run.changes for run in runs),
        slots=tuple(fmean(each) for each in slots),
        note="; ".join(run.note for run in runs if run.note),
        disturbed=any(run.disturbed for run in runs),
    )


def share(accepted: Sequence[int], refused: Sequence[int]) -> float:
    """Return the share of the submits that was refused."""
    return sum(refused) / max(1, sum(accepted) + sum(refused))


def reached(accepted: Sequence[float], rate: float) -> float | None:
    """Return the first moment, in seconds from the first slot's begin, from which on `rate` was reached; None: never.

    Reached is 95 % of it over 5 s.
    """
    over = round(REACHED_OVER / SLOT)
    sums = [0, *accumulate(accepted)]
    for place in range(len(accepted) - over + 1):
        if sums[place + over] - sums[place] >= REACHED * rate * REACHED_OVER:
            return place * SLOT
    return None


def longest_gap(accepted: Sequence[int]) -> float:
    """Return for how many seconds on end nothing was accepted, at the most."""
    longest = current = 0
    for count in accepted:
        current = 0 if count else current + 1
        longest = max(longest, current)
    return longest * SLOT


def missed(delivered: Delivered, best: Delivered, *, in_order: bool) -> list[str]:
    """Return which aims a row of a law that stays the same misses, beside the best constant throughput."""
    found = []
    if delivered.accepted < GOODPUT * best.accepted:
        found.append("goodput")
    if delivered.refused > best.refused + WHOLE:
        found.append("refused")
    if delivered.refused_later > best.refused_later + LATER:
        found.append("refused later")
    if delivered.lost:
        found.append("lost")
    if delivered.doubled and in_order:
        found.append("doubled")
    if delivered.disturbed:
        found.append("the other account")
    return found


@dataclass(frozen=True, slots=True)
class Followed:
    """How a limit that fell and rose was followed, in seconds (None: not at all): of the first refusal, of the rise.

    A fall is answered when the links with the rate that is too high are stopped: nothing above the new limit leaves
    any more. `lowered` is when links with a rate that fits are back.
    """

    answered: float | None
    lowered: float | None
    used: float | None
    lost: int
    doubled: int
    changes: int

    def missed(self) -> list[str]:
        """Return which aims are missed."""
        found = []
        if self.answered is None or self.answered > FALL_WITHIN:
            found.append("fall")
        if self.used is None or self.used > RISE_WITHIN:
            found.append("rise")
        if self.lost:
            found.append("lost")
        if self.doubled:
            found.append("doubled")
        return found


@dataclass(frozen=True, slots=True)
class RateChange:
    """A change to `rate`: when the links were stopped and when they were back, in seconds."""

    stopped: float
    back: float
    rate: int


def answered(
    refused: Sequence[int], fall: float, low: int, changes: Iterable[RateChange]
) -> tuple[float, float] | tuple[None, None]:
    """Return the seconds from the first refusal after a fall until a change of rate to at most `low` began and ended.

    `refused` is by slots from a moment 0 on, from which `fall` and the moments of `changes` count. None without one.
    """
    first = next((place * SLOT for place in range(int(fall / SLOT), len(refused)) if refused[place]), None)
    change = next((change for change in changes if change.back >= fall and change.rate <= low), None)
    if first is None or change is None:
        return None, None
    return max(0.0, change.stopped - first), max(0.0, change.back - first)


def rates(events: Iterable[Mapping[str, object]], account: str, begin: float) -> list[RateChange]:
    """Return the account's changes of rate among the events, in seconds from `begin` (epoch)."""
    found = []
    for event in events:
        at, after, away = event.get("at"), event.get("after"), event.get("links_away_ms", 0)
        its = event.get("kind") == "rate" and event.get("account") == account
        if its and isinstance(at, float) and isinstance(after, int) and isinstance(away, int):
            found.append(RateChange(at - away / 1000 - begin, at - begin, after))
    return found

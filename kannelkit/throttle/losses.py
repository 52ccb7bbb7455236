"""Refusals that go on although no burst proves a limit: what they cost, and which rate would cost less.

A burst that meets an empty window and is accepted whole proves nothing, yet the bursts after it may be refused again
and again. A token bucket does that at any rate above its own: it fills up in Kannel's pauses. So do bursts so large
that they touch the window's edge with their tails, and those of several links that overlap.

Each refusal costs a pause of 1 to 2 s, and what arrives is known, pauses and all. What says which rate is worth
having is what was refused of a burst:

- A little, every time: the rate is lowered by that, or by what a large burst's tail takes where that is more.
- Much of it: a bucket lasts for what arrives from refusal to refusal, and the least rate that delivers so much is as
  good and is refused next to nothing. But where a burst proved the rate, whole bursts touch by chance, and a lower rate
  gains nothing (seen on a real Kannel: 100 left for 67), unless a fifth is missing for most of a minute; nor then where
  a small window stretches each burst (seen: 22 a second at 30, 20 at 23). Proofs that contradict each other prove
  nothing: a bucket's burst is accepted as far as the bucket is full.
- Nearly a burst or more, again and again: answers of several ran together, and what was accepted of each is the limit.

Where an excess is punished nothing of this says much: there only that half is missing for long counts.

Lines in the log that nobody's refusals wrote take nothing from what arrives, and so nothing from the rate.

Whether the lower rate is the better one is seen only there. Where less arrives, the account goes back.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace
from itertools import pairwise
from math import ceil, sqrt

# looked at over this span; fewer bursts than this tell nothing, but two do where much is missing
_SPAN = 60.0
_BURSTS = 3
_MUCH = 0.2
# what is missing for so long, with so many bursts refused, is not chance, and what arrives is known well
_LASTS = 50.0
_OFTEN = 6
# at least this share of what an undisturbed sender delivers at the worst is missing
_MISSING = 0.05
# a little is one of so many parts of the rate: a bucket fills by about that while the burst is written
_LITTLE = 20
# nearly a whole burst is one of so many parts of the rate
_WHOLE = 4 / 3
# from twice the limit a rate comes to half; less than this share of it takes more bursts
_UNLIKELY = 0.45
# where an excess is punished and half is missing for so many seconds, the rate is lowered by one of so many parts at
# the least
_STARVES_AFTER = 30.0
_STEP = 14
# what is refused sooner than so many seconds after the refusals before is another link's burst in the same second
_ANOTHER = 0.95
# a good part of a burst
_PART = 0.25
# a large burst is written in some ten milliseconds, and its tail is that late; seconds of one submit that count
_TAIL = 15e-6
# a proof that another one contradicts within this time was none: the provider has a burst of its own
_CONTRADICTED = 60.0
# a lower rate is judged after so many seconds, and left where this share of what the former one brought is not reached:
# soon by what is plain, later by what takes longer to know
_JUDGED = ((20.0, 0.95), (55.0, 0.98))
# less of what the former one brought for some seconds only: one burst more or less
_HARDLY_KNOWN = 0.15


@dataclass(frozen=True, slots=True)
class Loss:
    """What refusals cost: of `refused` + `accepted` submits within `seconds`; `throughput` would cost less."""

    throughput: int
    refused: int
    accepted: int
    seconds: float


@dataclass(frozen=True, slots=True)
class _Refusal:
    at: float
    refused: int
    accepted: int


@dataclass(frozen=True, slots=True)
class _Former:
    """A rate that was left for a lower one, and what arrived at it per second."""

    throughput: int
    per_second: float
    well_known: bool
    judged: int = 0  # so often


class Losses:
    """Follows bursts of refusals at one rate, while messages wait and the links are online.

    `window` submits may be unanswered, over all links; None: as many as one likes.
    """

    def __init__(self, links: int, proved: int | None = None, window: int | None = None) -> None:
        self._links = links
        self._window = window
        self._counts: deque[tuple[float, int]] = deque()
        self._refusals: deque[_Refusal] = deque()
        self._former: _Former | None = None
        self._in_vain = False
        self._proved = proved
        self._proved_at = float("-inf")

    def forget(self) -> None:
        """What was seen says nothing of what comes: another rate, an idle or a lost link."""
        self._counts.clear()
        self._refusals.clear()

    def proved(self, throughput: int, at: float) -> None:
        """A burst that met an empty window proved the limit: where much is refused at it from now on, that is drift."""
        self._former, self._in_vain = None, False
        self._proved = throughput if at - self._proved_at > _CONTRADICTED else None
        self._proved_at = at

    def sampled(self, at: float, accepted: int) -> None:
        """Take note that `accepted` messages in all were accepted until `at`."""
        if not self._counts or at - self._counts[-1][0] >= 1.0:
            self._counts.append((at, accepted))
        while self._counts and at - self._counts[0][0] > _SPAN:
            self._counts.popleft()
        while self._refusals and at - self._refusals[0].at > _SPAN:
            self._refusals.popleft()

    def refused(self, at: float, refused: int, accepted: int) -> None:
        """Take note of a burst first refused at `at`, of which `refused` were; `accepted` messages in all by then."""
        self._refusals.append(_Refusal(at, refused, accepted))

    def better(
        self, throughput: int, at: float, accepted: int, parts: float, base: int | None = None, *, trial: bool = False
    ) -> Loss | None:
        """Return what going on at `throughput` costs, where another rate would cost less.

        `accepted` messages in all were accepted until `at`; `parts` is how many submits one takes. `base` is the rate
        that steps up led from not long ago; during a `trial` the last step is taken back for little.
        """
        if len(self._refusals) < 2 or self._in_vain or not self._counts:
            return None
        begin, before = self._counts[0]
        seconds, submits = at - begin, round((accepted - before) * parts)
        whole = self._undisturbed(throughput) * (seconds - 1)
        if submits <= 0:
            return None
        # whole bursts touch by chance; what is too fast by a step is refused in part
        in_part = all(_WHOLE * each.refused * self._links < throughput for each in self._refusals)
        if not (trial and in_part):
            if submits > (1 - _MISSING) * whole:
                return None
            much = submits <= (1 - _MUCH) * whole and (base is None or in_part)
            if len(self._refusals) < _BURSTS and not much:
                return None
        # what another link had accepted a moment ago fills a window, and this one's burst is refused whole for that
        apart = _ANOTHER if self._links > 1 else 0.0
        pairs = pairwise(self._refusals)
        if any(now.accepted == before.accepted and now.at - before.at >= apart for before, now in pairs):
            return None  # all is refused for a while after an excess: that says nothing of the rate
        lasting = self._lasting(parts)
        if base is not None:
            if self._by_chance(throughput, submits):
                return None  # a step that is too large is refused in part, after a pause
            better = self._delivering(lasting)
            better = better if better > base + max(1, base // 10) else base
        else:
            often = seconds >= _LASTS and len(self._refusals) >= _OFTEN
            stretched = self._window is not None and self._window < throughput
            drifts = stretched or not often or submits > (1 - _MUCH) * whole
            by_turns = self._by_turns(throughput, parts)
            better = self._least(throughput, lasting, submits, drifts) if by_turns is None else by_turns
        if better >= throughput:
            return None
        arrived = max(lasting, submits / seconds if seconds >= _LASTS else 0.0)
        if base is not None:
            self._former = None
        elif self._former is None or arrived >= self._former.per_second:
            self._former = _Former(throughput, arrived, seconds >= _JUDGED[0][0])
        else:
            self._former = replace(self._former, judged=0)
        return Loss(better, sum(each.refused for each in self._refusals), submits, seconds)

    def punished(self, throughput: int, at: float, accepted: int, parts: float) -> Loss | None:
        """Return what going on at `throughput` costs where an excess is punished, and half of it is missing."""
        if not self._counts:
            return None
        begin, before = self._counts[0]
        seconds, submits = at - begin, round((accepted - before) * parts)
        taken = [now.accepted - before.accepted for before, now in pairwise(self._refusals)]
        taken = [round(each * parts) for each in taken if each]
        if seconds < _STARVES_AFTER or len(taken) < 2 or 2 * submits > self._undisturbed(throughput) * (seconds - 1):
            return None
        # between two punishments is what a burst was accepted, or several
        better = min(throughput - max(1, throughput // _STEP), max(max(taken), throughput // 2))
        return Loss(better, sum(each.refused for each in self._refusals), submits, seconds)

    def _least(self, throughput: int, lasting: float, submits: int, drifts: bool) -> int:
        """Return the rate that what is refused asks for, `throughput` itself where it asks for nothing.

        `submits` were accepted meanwhile. `drifts` says that what is refused of a rate that was proved may be chance.
        """
        refused = sorted(each.refused for each in self._refusals)
        excess = refused[(3 * len(refused) - 1) // 4]  # three of four bursts would not have been too large by more
        little = refused[3 * (len(refused) - 1) // 4]  # of three bursts, two
        proved = throughput == self._proved
        if little <= max(1, throughput // _LITTLE):
            better = throughput - max(little, round(throughput**2 * _TAIL))
        elif proved and (drifts or _WHOLE * excess >= throughput):
            return throughput
        elif _WHOLE * excess >= throughput:
            if _BURSTS * sum(refused) < submits:
                return throughput  # whole bursts that touch by chance, between many that do not
            better, proved = self._of_each(throughput), True
            if len(refused) < _BURSTS and better < _UNLIKELY * throughput:
                return throughput  # two bursts may be what a punishment left of them
        else:
            better = max(throughput - excess, self._delivering(lasting))
        if proved:
            self._proved = better
        return better

    def _by_chance(self, throughput: int, submits: int) -> bool:
        """Return whether each burst was refused whole, with many between them that were not at all; `submits` were
        accepted meanwhile.
        """
        refused = [each.refused for each in self._refusals]
        return all(_WHOLE * each >= throughput for each in refused) and _BURSTS * sum(refused) < submits

    def _lasting(self, parts: float) -> float:
        """Return what arrived per second from refusal to refusal: what a bucket held before does not come again."""
        first, last = self._refusals[0], self._refusals[-1]
        return (last.accepted - first.accepted) * parts / (last.at - first.at)

    def _undisturbed(self, throughput: int) -> float:
        """Return what arrives per second at the worst where nothing is refused."""
        # Kannel's period is over at the first look after a second, and a look comes every 1 / throughput seconds
        return throughput / (1.0 + self._links / throughput)

    def _delivering(self, per_second: float) -> int:
        """Return the least throughput at which so much arrives where nothing is refused."""
        return ceil((per_second + sqrt(per_second**2 + 4 * self._links * per_second)) / 2)

    def _by_turns(self, throughput: int, parts: float) -> int | None:
        """Return what all links would be accepted, where some send while the others pause, each refused in part.

        None where it is not so, or where little of each burst is refused.
        """
        if self._links == 1:
            return None
        share = throughput / self._links
        most = 0.0
        for before, now in pairwise(self._refusals):
            accepted = (now.accepted - before.accepted) * parts
            bursts = (accepted + now.refused) / share
            sent = round(bursts)
            if not 1 <= sent <= self._links or abs(bursts - sent) > _PART or now.refused < _PART * sent * share:
                return None
            most = max(most, accepted / sent)
        return round(self._links * most)

    def _of_each(self, throughput: int) -> int:
        """Return the most that was accepted of a burst, where the answers of several run together."""
        return max(
            (now.accepted - before.accepted)
            // max(1, round((now.accepted - before.accepted + now.refused) / throughput))
            for before, now in pairwise(self._refusals)
        )

    def worse(self, throughput: int, at: float, accepted: int, parts: float) -> Loss | None:
        """Return what comes of `throughput`, where it is less than what came of the rate that it was lowered from."""
        former = self._former
        if former is None or former.throughput <= throughput or not self._counts:
            return None
        begin, before = self._counts[0]
        after, share = _JUDGED[former.judged]
        if at - begin < after:
            return None
        judged = former.judged + 1
        self._former = replace(former, judged=judged) if judged < len(_JUDGED) else None
        submits = round((accepted - before) * parts)
        share -= 0.0 if former.well_known else _HARDLY_KNOWN
        if submits >= share * former.per_second * (at - begin):
            return None
        self._former, self._in_vain = None, True
        return Loss(former.throughput, sum(each.refused for each in self._refusals), submits, at - begin)

"""What a provider accepts per second, learnt from its answers alone: submits with their moments in, a rate out.

Under a law that counts submits in a second, sliding or fixed, a refusal tells the limit: it is what was accepted of the
submits that left within the second before. Under a bucket's it does not, for the bucket held more; there the limit is
what is accepted from one refusal to the next. A limit that fell refuses everything until what it had accepted is a
second old, and one that punishes an excess refuses everything for longer: which of the two it is is seen when
something is accepted again.

What the provider takes more is found by trying a little more, ever more rarely where that is refused, and ever faster
while it is not.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass

_WINDOW = 1.0
# a second of ours is so much longer than the provider's at first; each refusal that this explains adds as much again
_SLACK = 0.004
_MORE_SLACK = 0.004
_MOST_SLACK = 0.05
_SLACK_LASTS = 60.0  # seconds after which one of these is taken back
# refusals on end for longer than this: an excess is being punished
_PUNISHED = 2.5
# a limit that fell accepts again while at least this share of what it accepted before counts; one of a longer window,
# which counts in two seconds what it allows in two, when none of it does
_COUNTS = 0.25
# after a refusal the next submit waits so long, and so many times as long after each further one; longer yet when it
# is being punished
_AGAIN, _LONGER, _LONGEST, _LONGEST_PUNISHED = 0.02, 1.5, 0.2, 1.0
# two refusals say how much is accepted between them if so many are, or so many seconds passed
_BETWEEN, _BETWEEN_SECONDS = 8, 1.0
_SAME = 0.97  # of the limit that is believed: nothing new
# a trial of more lasts so many seconds, and comes after so many without a refusal
_TRIAL = 1.15
_TRIAL_TELLS = 3.0  # what is refused so soon after a trial began is its cost
_QUIET = 5.0
# a trial is for so much more, in submits and as a share; half of it after each that was refused, down to the least
_MORE, _MORE_SHARE, _LEAST_SHARE = 1.0, 0.02, 0.02
# one refusal may be had for so many submits; so many are saved up, or owed, at the most
_COSTS = 450.0
_SAVED, _OWED = 3.0, 3.0
# what was punished is tried again after so many times the seconds that it cost
_PUNISHED_FOR = 60.0
_LOWEST = 0.1


@dataclass(slots=True, eq=False)
class Sent:
    """A submit on its way: when it left, and whether it was accepted; None while nobody knows."""

    at: float
    accepted: bool | None = None


@dataclass(frozen=True, slots=True)
class Learnt:
    """What outlives a restart: the limit in submits per second."""

    limit: float


class Limit:
    """One limit as it is believed to be; times are seconds of one clock that does not go back.

    `ceiling` in submits per second is never exceeded; infinity where nobody set one.
    """

    def __init__(self, ceiling: float = math.inf, learnt: Learnt | None = None) -> None:
        self.ceiling = ceiling
        self.limit = min(ceiling, learnt.limit) if learnt else ceiling
        self._credit = 0.0  # refusals that may be had
        self._costs = 1.0  # refusals that the last trial cost
        self._not_before = -math.inf  # no trial
        self._slack = _SLACK
        self._slack_at = -math.inf
        self._window: deque[Sent] = deque()  # what left within the last seconds
        self._again_at = -math.inf
        self._streak: list[tuple[float, int]] = []  # refusals on end: when each left, what was accepted before it
        self._unexplained: tuple[float, int] | None = None  # a refusal, and how many were accepted until then
        self._accepted = 0
        self._quiet = 0.0
        self._looked: float | None = None
        self._base: float | None = None  # the limit that a trial began from
        self._step = 0.0
        self._finer = 1.0
        self._cost = 0.0  # refusals since the last trial began
        self._trial_since = -math.inf
        self._changed = -math.inf

    @property
    def rate(self) -> float:
        """Submits per second that may leave."""
        return self.limit / (_WINDOW + self._slack)

    @property
    def learnt(self) -> Learnt | None:
        """What to keep for the next start; None where nothing was learnt."""
        limit = self.limit if self._base is None else self._base
        return Learnt(limit) if limit < self.ceiling else None

    @property
    def trying(self) -> bool:
        """Whether more is being tried."""
        return self._base is not None

    def wait(self, now: float) -> float:
        """Return the seconds for which nothing may leave, whatever the rate: a second must not hold too many."""
        wait = self._again_at - now
        if self.limit < math.inf:
            self._forget(now)
            most = math.ceil(self.limit)
            if len(self._window) >= most:
                counted = [each for each in self._window if each.accepted is not False]
                if len(counted) >= most:
                    wait = max(wait, counted[-most].at + _WINDOW + self._slack - now)
        return max(0.0, wait)

    def sent(self, now: float) -> Sent:
        """A submit leaves now; its answer is told by what is returned."""
        sent = Sent(now)
        self._window.append(sent)
        return sent

    def accepted(self, sent: Sent, now: float) -> None:
        """A submit was accepted."""
        sent.accepted = True
        self._accepted += 1
        if self._streak and sent.at > self._streak[-1][0]:
            self._over(sent.at)

    def lost(self, sent: Sent) -> None:
        """Nobody will know what became of a submit, or it was refused for a reason that is not its speed."""
        sent.accepted = True

    def refused(self, sent: Sent, now: float) -> None:
        """A submit was refused as one too many."""
        sent.accepted = False
        if sent.at - self._trial_since < _TRIAL_TELLS:
            self._credit = max(-_OWED, self._credit - 1.0)
            self._cost += 1
        self._quiet = 0.0
        accepted = self._count(sent.at - _WINDOW, sent.at)
        first = not self._streak
        self._streak.append((sent.at, accepted))
        longest = _LONGEST if sent.at - self._streak[0][0] < _PUNISHED else _LONGEST_PUNISHED
        gap = min(longest, _AGAIN * _LONGER ** min(20, len(self._streak) - 1))
        self._again_at = max(self._again_at, now + gap)
        if sent.at < self._changed or not first:
            return
        if self._base is not None:
            base, self._base = self._base, None
            self._finer = self._finer / 2 if self._step <= max(_MORE, _MORE_SHARE * base) else 1.0
            self._believe(max(base, min(accepted, self.limit)), now)
        elif accepted < self.limit * _SAME:
            self._believe(accepted, now)
            self._unexplained = None
        else:
            self._weigh(sent.at, now)

    def look(self, now: float, waiting: bool) -> None:
        """Look whether to try more, or to keep what was tried; `waiting` says that more is there than may leave."""
        seconds = now - self._looked if self._looked is not None else 0.0
        self._looked = now
        if now - self._slack_at >= _SLACK_LASTS and self._slack > _SLACK:
            self._slack, self._slack_at = max(_SLACK, self._slack - _MORE_SLACK), now
        if not waiting or self._streak:
            return
        self._quiet += seconds
        if self.limit < math.inf:
            self._credit = min(max(_SAVED, self._costs), self._credit + self.limit * seconds / _COSTS)
        if self._base is not None:
            if now - self._trial_since >= _TRIAL and not any(
                each.accepted is None for each in self._window if each.at <= self._trial_since + _TRIAL
            ):
                self._step *= 2
                self._finer = 1.0
                self._try(self.limit, now)
        elif self.limit < self.ceiling and self._quiet >= _QUIET and self._may_try(now):
            self._cost = 0.0
            more = max(_MORE, self.limit * _MORE_SHARE) * self._finer
            if more < self.limit * _LEAST_SHARE:
                self._finer, more = 1.0, max(_MORE, self.limit * _MORE_SHARE)
            self._step = more
            self._try(self.limit, now)

    # -- what a refusal says -----------------------------------------------------------------------------------

    def _over(self, at: float) -> None:
        """Something is accepted again."""
        streak, self._streak = self._streak, []
        self._again_at = -math.inf
        first = streak[0]
        lasted = streak[-1][0] - first[0]
        if len(streak) < 2 or first[0] < self._changed - _PUNISHED:
            return
        if lasted < _PUNISHED:
            counted = 1.0 + self._count(at - _WINDOW, at)
            if counted < _COUNTS * first[1]:
                counted = self._count(first[0] - _WINDOW, at) / (at - first[0] + _WINDOW)
            self._believe(min(self.limit, counted), at)
        else:
            self._slacken(at)
            self._not_before = at + lasted * _PUNISHED_FOR

    def _may_try(self, now: float) -> bool:
        if self._cost:
            self._costs = max(1.0, min(self._cost, 10.0))
        return self._credit >= self._costs and now >= self._not_before

    def _count(self, begin: float, end: float) -> int:
        """Return how many that left between these moments were not refused."""
        return sum(each.accepted is not False for each in self._window if begin < each.at < end)

    def _weigh(self, at: float, now: float) -> None:
        """A refusal although no more were accepted than ever: a bucket is empty, or submits ran together on the way."""
        self._slacken(now)
        if self._unexplained is None or at - self._unexplained[0] > _SLACK_LASTS:
            self._unexplained = (at, self._accepted)
            return
        since, before = self._unexplained
        between, seconds = self._accepted - before, at - since
        if between < _BETWEEN and seconds < _BETWEEN_SECONDS:
            return
        self._unexplained = (at, self._accepted)
        if seconds > 0 and between / seconds < self.limit * _SAME:
            self._believe(between / seconds, now)

    def _slacken(self, now: float) -> None:
        self._slack, self._slack_at = min(_MOST_SLACK, self._slack + _MORE_SLACK), now

    def _believe(self, limit: float, now: float) -> None:
        self.limit = min(self.ceiling, max(_LOWEST, limit))
        self._changed = now

    def _try(self, base: float, now: float) -> None:
        self.limit = min(self.ceiling, base + min(self._step, base))
        self._base = base if self.limit > base else None
        self._trial_since = now

    def _forget(self, now: float) -> None:
        window = self._window
        while window and window[0].at <= now - _WINDOW - _PUNISHED:
            window.popleft()

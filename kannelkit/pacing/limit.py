"""What a provider accepts per second, learnt from its answers alone: submits with their moments in, a rate out.

Under a law that counts submits in a second, sliding or fixed, a refusal tells the limit: it is what was accepted of the
submits that left within the second before. Under a bucket's it does not, for the bucket held more; there the limit is
what is accepted from one refusal to the next. A limit that fell, and one that counts in longer than a second, refuse
everything for a while; then one submit at a time finds out when something is accepted again, and what had been
accepted until then is more than the limit by little.

That the provider takes more is found by trying a little more for a second or two, ever faster while it is accepted.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections import deque
from dataclasses import dataclass
from typing import Final

# a second of ours is so much longer than the provider's; each refusal that this explains adds half as much again
_SLACK: Final = 0.005
_MORE_SLACK: Final = 1.5
_MOST_SLACK: Final = 0.05
_BUCKETS_SLACK: Final = 0.002
_SLACK_LASTS: Final = 120.0  # seconds without such a refusal after which one of these is taken back
# seconds of history, which is as long as the longest window that is recognised and its slack
_KEPT: Final = 3.2
_LONG: Final = 2  # seconds in which some providers count instead of one
# refusals on end for longer than this: an excess is being punished
_PUNISHED: Final = 2.6
# one submit at a time leaves so long after the refusal of the one before, and so many times as long each time
_AGAIN: Final = 0.03
_LONGER: Final = 1.5
_LONGEST, _LONGEST_PUNISHED = 0.25, 1.0
_LOST: Final = 10.0  # seconds after which nobody waits for that one's answer any more
# so many accepted, or so many seconds, between two refusals tell a bucket's limit
_BETWEEN, _BETWEEN_SECONDS = 4, 1.0
_MARKS: Final = 8
# a trial of more: so many times as long as the provider's window, for so many submits per second more or such a share
_TRIAL, _NEXT_TRIAL = 2.6, 1.15
_MORE, _MORE_SHARE, _FASTER = 0.6, 0.02, 3.0
_BUCKETS_STEP: Final = 1.7  # times as much more where a bucket is to be emptied first
_SOON: Final = 0.15  # seconds: with answers as late as this that costs refusals
_BUCKETS_RISE: Final = 1.5
_EVERY: Final = 20.0  # seconds between two of them
# one refusal may be had for so many submits; so many are saved up, or owed, at the most
_COSTS: Final = 400.0
_SAVED, _OWED = 4.0, 12.0
_SELDOM: Final = 20.0  # seconds: where one takes longer to be earned, what the beginning cost is owed too
# what was punished is tried again after so many times the seconds that it cost
_PUNISHED_FOR: Final = 60.0
_LESS, _LITTLE_LESS, _MUCH_LESS = 0.9, 0.85, 0.7  # than so much of it: another limit
_DOUBTED: Final = 2.0  # limits from which on it is worth a refusal to know whether it is a bucket's
_MANY: Final = 60.0  # from this on one more or less in a second does no harm
_ON_END: Final = 0.01  # seconds: refusals on end for as long are no jitter
_NARROW: Final = 0.2  # seconds between a refusal and an acceptance in which few can have become old
_SETTLED: Final = 5.0  # seconds after which a limit that moved is well known
_HALVES: Final = 16.0  # below this it matters whether a limit is a whole number in one second or in two
_NO_BUCKET: Final = 4  # so many refusals on end at less than twice its limit: not a bucket's
_NO_BUCKET_SECONDS: Final = 0.3
_IDLE: Final = 0.5  # seconds in which nothing more was there than might leave
_SUSPECTED_FOR: Final = 30.0
_LOWEST: Final = 0.1
# of the limit, and of a second: less than these is none
_NEXT_TO_NOTHING: Final = 0.002
_SAME_MOMENT: Final = 1e-9
# submits that may leave together after a rest, as a share of a second's and at the most
_TOGETHER_SHARE, _TOGETHER = 0.25, 8.0
_REST: Final = 1.0  # seconds
_TOGETHER_WITHIN: Final = 0.25  # of the time that one submit has: closer ones leave together


@dataclass(slots=True, eq=False)
class Sent:
    """A submit on its way: when it left, the how manieth of those after a rest, and of which trial."""

    at: float
    together: int = 0
    trial: int = 0


@dataclass(frozen=True, slots=True)
class Learnt:
    """What outlives a restart: the limit in submits per second."""

    limit: float


@dataclass(slots=True)
class _Mark:
    """A moment at which the provider had nothing left, and how many it had accepted until then."""

    at: float
    accepted: int


@dataclass(slots=True)
class _Doubt:
    """A limit that was read from a refusal, unless something is accepted between these moments: then it was a bucket."""

    begin: float
    end: float
    before: float  # the limit that was believed
    probe_at: float  # when one submit leaves to find out
    seen: float  # refusals on end until after this one: no bucket
    refused: int = 0  # so many on end meanwhile


@dataclass(slots=True)
class _Streak:
    """Refusals on end: when the first and the last left, what was accepted per long window then, the next one's wait."""

    begin: float
    last: float
    long: float
    gap: float


class Limit:
    """One limit as it is believed to be; times are seconds of one clock that does not go back.

    `ceiling` in submits per second is never exceeded; infinity where nobody set one.
    """

    def __init__(self, ceiling: float = math.inf, learnt: Learnt | None = None) -> None:
        self.ceiling = ceiling
        self.limit = self._base = ceiling
        self._most = 0  # submits in a second, 0 for no limit
        self._sent: deque[float] = deque()  # when those left that were not refused
        self._accepted = 0
        self._delay = 0.0
        self._slack = _SLACK
        self._slack_until = math.inf
        self._window = 1  # seconds in which the provider counts
        self._bucket = False  # it is known to be one
        self._changed = -math.inf  # what left before says nothing new
        self._answered_well = True  # something was accepted that left since
        self._last_refused = -math.inf
        self._answered = True  # something was accepted that left after the last refusal
        self._refused_since = -math.inf
        self._moved_at = math.inf  # the limit moved by much: at first, always
        self._on_end = 0  # refusals
        self._punished_until = -math.inf
        self._counted_at = -math.inf
        self._streak: _Streak | None = None
        self._probe: Sent | None = None  # the only one on its way, in a streak
        self._again_at = -math.inf
        self._marks: deque[_Mark] = deque(maxlen=_MARKS)
        self._doubt: _Doubt | None = None
        self._suspect: float | None = None  # the limit, if it is a bucket
        self._suspect_at = -math.inf
        self._waited_at = -math.inf
        self._looked: float | None = None
        self._credit = 0.0  # refusals that may be had
        self._cost = 0.0  # of the last trial
        self._not_before = -math.inf  # no trial
        self._trial = 0  # 0: none is on
        self._trials = 0
        self._trial_at = -math.inf
        self._trial_accepted = 0
        self._step = 0.0
        self._tried_from = 0.0
        self._first = False  # nothing of the trial was accepted yet
        self._together = 1.0
        self._most_together = _TOGETHER
        self._last_sent = -math.inf
        self._last_together = 0
        self._believe(min(ceiling, learnt.limit) if learnt else ceiling)

    @property
    def rate(self) -> float:
        """Submits per second that may leave."""
        return self.limit / (1.0 + (_BUCKETS_SLACK if self._bucket else self._slack))

    @property
    def allowance(self) -> float:
        """Submits that may leave together after a rest."""
        return 1.0 if self._streak or self._trial else self._together

    @property
    def learnt(self) -> Learnt | None:
        """What to keep for the next start; None where nothing was learnt."""
        return Learnt(self._base) if self._base < self.ceiling else None

    @property
    def trying(self) -> bool:
        """Whether more is being tried."""
        return self._trial > 0

    def wait(self, now: float) -> float:
        """Return the seconds for which nothing may leave, whatever the rate: a second must not hold too many."""
        wait = self._again_at - now
        if self._probe is not None:
            wait = max(wait, self._probe.at + _LOST - now)
        if self._doubt is not None and self._doubt.probe_at < math.inf:
            wait = max(wait, self._doubt.probe_at - now)
        elif 0 < self._most <= len(self._sent):
            wait = max(wait, self._sent[-self._most] + self._window * (1.0 + self._slack) - now)
        return wait if wait > _SAME_MOMENT else 0.0

    def sent(self, now: float) -> Sent:
        """A submit leaves now; its answer is told by what is returned."""
        history = self._sent
        while history and history[0] < now - _KEPT:
            history.popleft()
        since = now - self._last_sent
        if _REST <= since < math.inf:
            self._last_together = 1
        elif self._last_together and since * self.limit < _TOGETHER_WITHIN:
            self._last_together += 1
        else:
            self._last_together = 0
        self._last_sent = now
        history.append(now)
        sent = Sent(now, self._last_together, self._trial)
        if self._streak is not None:
            self._probe = sent
        if self._doubt is not None:
            self._doubt.probe_at = math.inf
        return sent

    def accepted(self, sent: Sent, now: float) -> None:
        """A submit was accepted."""
        self._accepted += 1
        self._delay = now - sent.at
        if sent.trial and sent.trial == self._trial:
            self._trial_accepted += 1
        if sent is self._probe:
            self._probe = None
        if self._doubt is not None and sent.at > self._doubt.begin:
            doubt, self._doubt = self._doubt, None
            if sent.at < doubt.end:
                self._bucket = True
                self._marks.clear()  # while one was waited for it may have run over
                self._changes(doubt.before, now)
        if sent.at > self._last_refused:
            answered, self._answered = self._answered, True
            if self._streak is not None:
                self._over(self._streak, sent.at, now)
            else:
                if not answered and self._on_end >= _NO_BUCKET and not self._bucket:
                    self._believe(min(self._base, self._left_by(self._last_refused, sent.at)))
                if sent.at >= self._changed:
                    self._answered_well = True
        if sent.together >= self._together and sent.together:
            self._together = min(self._allowable, self._together + 1.0)

    def lost(self, sent: Sent) -> None:
        """Nobody will know what became of a submit, or it was refused for a reason that is not its speed."""
        if sent is self._probe:
            self._probe = None

    def refused(self, sent: Sent, now: float) -> None:
        """A submit was refused as one too many."""
        at = sent.at
        place = bisect_left(self._sent, at)
        if place < len(self._sent) and self._sent[place] == at:
            del self._sent[place]
        if sent is self._probe:
            self._probe = None
        owed = _OWED if self._base * _SELDOM < _COSTS else 0.0
        self._credit = max(-owed, self._credit - 1.0)
        self._cost += 1.0
        if at > self._last_refused:
            self._last_refused = at
            if self._answered:
                self._refused_since, self._on_end = at, 0
            self._answered = False
            self._on_end += 1
        if self._doubt is not None and at > self._doubt.begin:
            self._doubt.refused += 1
            if self._doubt.refused >= _NO_BUCKET and at > self._doubt.seen:
                self._doubt = None
        on_end = self._on_end >= 2 and at - self._refused_since >= _ON_END
        if self._streak is not None:
            self._go_on_refused(self._streak, at, now)
        elif on_end and at - self._moved_at < _SETTLED and not self._bucket:
            self._one_by_one(at, now)
        elif at < self._changed:
            return  # it left before what was learnt last
        elif sent.together > 1 and self._together > 1.0 and self._count(at, 1.0) < self._base - 1.0:
            self._most_together = max(1.0, min(self._together, sent.together) - 1.0)
            self._together = min(self._together, self._most_together)
        elif on_end and not self._answered_well:
            self._one_by_one(at, now)
        elif self._trial:
            self._tried_in_vain(at, now)
        else:
            self._learn(at, now)

    def look(self, now: float, waiting: bool) -> None:
        """Look whether to try more, or to keep what was tried; `waiting` says that more is there than may leave."""
        seconds = now - self._looked if self._looked is not None else 0.0
        self._looked = now
        if now >= self._slack_until and self._credit >= 1.0:
            self._slack = max(_SLACK, self._slack / _MORE_SLACK)
            self._slack_until = now + _SLACK_LASTS if self._slack > _SLACK else math.inf
        if waiting:
            self._waited_at = now
        elif now - self._waited_at > _IDLE:  # a bucket fills up meanwhile
            self._marks.clear()
            self._suspect = None
            if self._trial:
                self._end_trial(self._base, now)
        if not waiting or self._streak is not None or self._base >= self.ceiling:
            return
        self._credit = min(_SAVED, self._credit + self._base * seconds / _COSTS)
        if self._trial:
            lasts = (_TRIAL if self._first else _NEXT_TRIAL) * self._window
            if now - self._trial_at >= lasts and self._stood(now):
                self._believe(self.limit)
                self._step *= _FASTER
                self._first = False
                self._try(now)
            elif now - self._trial_at >= lasts + _LOST:
                self._end_trial(self._base, now)  # fewer left than should have
        elif now >= self._not_before and self._credit >= 1.0:
            self._cost = 0.0
            self._first = True
            self._tried_from = self._base
            self._step = (_BUCKETS_STEP if self._bucket and self._delay < _SOON else 1.0) * max(
                min(_MORE / self._window, self.limit) + self._slack * self.limit, self.limit * _MORE_SHARE
            )
            self._try(now)

    # -- what a refusal says -----------------------------------------------------------------------------------

    def _learn(self, at: float, now: float) -> None:
        """Learn from a refusal at what was believed to be the limit."""
        before = self._base
        counted = self._counted(at, self._slack)
        most = self._most_between(at)
        self._marks.append(_Mark(at, self._accepted))
        if self._suspect is not None and at - self._suspect_at < _SUSPECTED_FOR:
            self._bucket = True
            limit, self._suspect = self._suspect, None
            self._changes(min(limit, most), now)
        elif most < (before if self._bucket else _LESS * min(before, counted)):
            self._bucket = True
            self._changes(most, now)
        elif not self._bucket and counted <= before - max(0.5 if before < _HALVES else 1.0, before * _NEXT_TO_NOTHING):
            limit = counted
            long = self._count(at, float(_LONG)) / _LONG
            if self._window == 1 and before < _HALVES and limit > _LITTLE_LESS * before and limit < long <= before:
                self._window, limit = _LONG, long
            elif at - self._counted_at < self._window and limit > _LITTLE_LESS * before:
                self._bucket = True  # in a window there would have been room for more
            self._counted_at = at
            self._changes(limit, now)
            self._wonder(at, now, limit, before)
        else:
            if self._bucket:
                before *= 1.0 - _NEXT_TO_NOTHING
            else:
                self._slacken(now)
            self._changes(before, now)

    def _wonder(self, at: float, now: float, limit: float, before: float) -> None:
        """Find out whether a limit that was read from a refusal is a bucket's."""
        if limit < _DOUBTED or limit > _MUCH_LESS * before:
            return
        opens = self._sent[-min(len(self._sent), math.ceil(limit))] + 1.0
        probe_at = max(now, at + 1.6 / limit)
        end = max(at + 3.0 / limit + _MOST_SLACK, probe_at + _AGAIN)
        probe_at = probe_at if probe_at < opens - _AGAIN else math.inf
        self._doubt = _Doubt(at + 0.02, min(opens, end), before, probe_at, at + 1.6 / limit)

    def _counted(self, at: float, slack: float) -> float:
        """Return what was accepted per second of the provider's window before a refusal."""
        window = self._window
        counted = self._count(at, window * (1.0 + slack)) / window
        if window > 1:
            second = self._count(at, 1.0 + slack)
            if second < counted * 0.75:
                self._window = 1
                return second
        return counted

    def _tried_in_vain(self, at: float, now: float) -> None:
        """Learn from a refusal in a trial."""
        base, before = self._base, self._tried_from
        counted = min(self._counted(at, 0.0), self.limit)
        explained, spare = self._explained(at, before)
        self._marks.append(_Mark(at, self._accepted))
        self._suspect = None
        if self._first:
            if counted <= base + 0.5 and spare >= 2.0 and at - self._trial_at < _NEXT_TRIAL * self._window:
                self._bucket = False
            long = self._count(at, float(_LONG)) / _LONG
            if self._bucket:
                if -spare > 0.8 + base * self._slack:
                    base += self._step / 2.0
            elif base >= _MANY:
                base = max(base, counted)
            elif self._window == 1 and base < min(_HALVES, long):
                base, self._window = min(long, self.limit), _LONG
            self._end_trial(base, now)
        elif not explained:
            self._marks.clear()
            self._marks.append(_Mark(at, self._accepted))
            if self._bucket:
                counted = max(counted, min(self.limit, _BUCKETS_RISE * base))
            self._end_trial(counted, now)
        elif self._bucket:
            self._end_trial(before, now)
        else:
            self._suspect, self._suspect_at = before, at
            self._end_trial(counted, now)

    def _explained(self, at: float, limit: float) -> tuple[bool, float]:
        """Return whether a bucket of this limit would be empty, and how much at least would be in it if not."""
        if not self._marks:
            return False, 0.0
        mark = self._marks[-1]
        between, seconds = self._accepted - mark.accepted, at - mark.at
        return between - 1.0 <= limit * seconds * (1.0 + _NEXT_TO_NOTHING), limit * seconds - between

    def _most_between(self, at: float) -> float:
        """Return the highest limit that a bucket may have that was empty at the marks and is now."""
        most = math.inf
        for mark in self._marks:
            between, seconds = self._accepted - mark.accepted, at - mark.at - self._slack
            if seconds > 0 and (self._bucket or between >= _BETWEEN or seconds >= _BETWEEN_SECONDS):
                most = min(most, (between + 0.5 + 2.0 / (between + 1.0)) / seconds)
        return most

    def _one_by_one(self, at: float, now: float) -> None:
        """Let one submit at a time leave until something is accepted."""
        since = self._refused_since
        gap = max(_AGAIN, 1.0 / self.limit)
        self._streak = _Streak(since, at, self._count(since, float(_LONG)) / _LONG, gap)
        self._go_on_refused(self._streak, at, now)

    def _go_on_refused(self, streak: _Streak, at: float, now: float) -> None:
        streak.last = max(streak.last, at)
        self._again_at = max(self._again_at, now + streak.gap)
        longest = _LONGEST if streak.last - streak.begin < _PUNISHED else _LONGEST_PUNISHED
        streak.gap = min(max(longest, 1.0 / self._base), streak.gap * _LONGER)

    def _over(self, streak: _Streak, at: float, now: float) -> None:
        """Something is accepted again."""
        self._streak = None
        self._again_at = -math.inf
        lasted = streak.last - streak.begin
        if lasted > max(_NO_BUCKET_SECONDS, _NO_BUCKET / self._base):
            self._bucket = False
            self._marks.clear()
        if lasted >= _PUNISHED:
            self._not_before = at + lasted * _PUNISHED_FOR
            again = streak.begin - self._punished_until < lasted and self._moved_at < streak.begin
            self._punished_until = at
            if again:
                self._window = _LONG
            self._end_trial(min(self._base, streak.long) if again else self._base, now)
            return
        if self._count(streak.last, 1.0) < self._count(streak.last, float(_LONG)) / _LONG / 2.0:
            self._window = _LONG
        if self._bucket:
            self._end_trial(self._base, now)
            return
        if lasted >= _NO_BUCKET_SECONDS / 2.0:
            self._marks.clear()
        self._end_trial(min(self._base, self._left_by(streak.last, at)), now)

    def _left_by(self, last: float, at: float) -> float:
        """Return the limit that one may have who refused this last one, and accepted that first one after it."""
        most: float = self._count(last, 1.0)
        if at - last < _NARROW:
            least = bisect_left(self._sent, at) - bisect_right(self._sent, at - 1.0)
            most = (most + 3.0 * least) / 4.0
        return self._whole(max(most, self._count(last, float(_LONG)) / _LONG))

    def _whole(self, limit: float) -> float:
        """Return the limit that a window may have that has no more than this one."""
        parts = 2 if limit < _HALVES else self._window
        return max(1.0, math.floor(limit * parts)) / parts

    def _slacken(self, now: float) -> None:
        self._slack = min(_MOST_SLACK, self._slack * _MORE_SLACK)
        self._slack_until = now + _SLACK_LASTS

    def _count(self, end: float, seconds: float) -> int:
        """Return how many left within so many seconds before a moment and were not refused."""
        history = self._sent
        return bisect_left(history, end) - bisect_right(history, end - seconds)

    # -- what is believed --------------------------------------------------------------------------------------

    def _believe(self, limit: float) -> None:
        self._base = min(self.ceiling, max(_LOWEST, limit))
        self._hold(self._base)

    def _hold(self, limit: float) -> None:
        self.limit = limit
        self._most = math.ceil(limit * self._window - _SAME_MOMENT) if limit < math.inf else 0
        self._together = min(self._together, self._allowable)

    def _changes(self, limit: float, now: float) -> None:
        """Believe a limit from now on; what is on its way says nothing of it."""
        if not math.isclose(limit, self._base, rel_tol=1.0 - _LESS):
            self._moved_at = now
        self._believe(limit)
        self._changed = now
        self._answered_well = False

    def _end_trial(self, limit: float, now: float) -> None:
        self._trial = 0
        self._not_before = max(self._not_before, now + _EVERY)
        self._changes(limit, now)

    def _try(self, now: float) -> None:
        """Try a step more than the limit, if the ceiling is not reached."""
        if self._base >= self.ceiling:
            self._trial = 0
            return
        self._trials += 1
        self._trial, self._trial_at, self._trial_accepted = self._trials, now, 0
        self._hold(min(self.ceiling, self._base + self._step))

    def _stood(self, now: float) -> bool:
        """Return whether the trial shows that more is accepted."""
        if self._trial_accepted < self.rate * self._window:
            return False
        if not self._bucket or not self._first or not self._marks:
            return True
        mark = self._marks[-1]
        return self._accepted - mark.accepted - 2.0 > self._base * (now - self._delay - mark.at)

    @property
    def _allowable(self) -> float:
        return max(1.0, min(self._most_together, self._base * _TOGETHER_SHARE))

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
from typing import Final

from kannelkit.pacing.allowance import Allowance
from kannelkit.pacing.bucket import Emptied
from kannelkit.pacing.delay import Delay
from kannelkit.pacing.doubt import Doubt, doubt, doubtful
from kannelkit.pacing.flow import Flow
from kannelkit.pacing.history import History
from kannelkit.pacing.longer import Longer
from kannelkit.pacing.sent import Learnt, Sent
from kannelkit.pacing.slack import Slack
from kannelkit.pacing.start import Start
from kannelkit.pacing.streak import PUNISHED, OnEnd, Streak
from kannelkit.pacing.trials import Trials, first_step
from kannelkit.pacing.window import HALVES, LITTLE_LESS, LONG, Window

__all__ = ["Learnt", "Limit", "Sent"]

_BUCKETS_SLACK: Final = 0.002
_LOST: Final = 10.0  # seconds after which nobody waits for that one's answer any more
_BUCKETS_RISE: Final = 1.5
# what was punished is tried again after so many times the seconds that it cost
_PUNISHED_FOR: Final = 60.0
_LESS: Final = 0.9  # than so much of it: another limit
_MUCH_LESS: Final = 0.75  # than what was tried: nobody knows of what is between
_NOT_ENOUGH: Final = 0.93  # of a limit where slack does not help
_MANY: Final = 60.0  # from this on one more or less in a second does no harm
_SETTLED: Final = 5.0  # seconds after which a limit that moved is well known
_NO_BUCKET: Final = 4  # so many refusals on end at less than twice its limit: not a bucket's
_NO_BUCKET_FOR: Final = 60.0  # seconds in which one is not looked for any more
_IDLE: Final = 0.5  # seconds in which nothing more was there than might leave
_SUSPECTED_FOR: Final = 30.0
_WELL_KNOWN: Final = 3.0  # seconds of a bucket
_LOWEST: Final = 0.1
# of the limit, and of a second: less than these is none
_NEXT_TO_NOTHING, _SAME_MOMENT = 0.002, 1e-9


class Limit:
    """One limit as it is believed to be; times are seconds of one clock that does not go back.

    `ceiling` in submits per second is never exceeded; infinity where nobody set one.
    """

    def __init__(self, ceiling: float = math.inf, learnt: Learnt | None = None) -> None:
        self.ceiling = ceiling
        self.limit = self._base = ceiling
        self._most = 0  # submits in a second, 0 for no limit
        self._history = History()
        self._accepted = 0
        self._delay = Delay()
        self._start = Start(ceiling) if learnt is None and ceiling < math.inf else None
        self._slack = Slack()
        self._window = Window(self._history)
        self._bucket = False  # it is known to be one
        self._changed = -math.inf  # what left before says nothing new
        self._answered_well = True  # something was accepted that left since
        self._on_end = OnEnd()
        self._moved_at = math.inf  # the limit moved by much: at first, always
        self._punished_until = -math.inf
        self._longer = Longer(self._history)
        self._counted_at = -math.inf
        self._streak: Streak | None = None
        self._probe: Sent | None = None  # the only one on its way, in a streak
        self._emptied = Emptied()
        self._flow = Flow()
        self._no_bucket_until = -math.inf
        self._doubt: Doubt | None = None
        self._suspect: float | None = None  # the limit, if it is a bucket
        self._suspect_at = -math.inf
        self._waited_at = -math.inf
        self._looked: float | None = None
        self._trials = Trials()
        self._allowance = Allowance()
        self._believe(min(ceiling, learnt.limit) if learnt else ceiling)

    @property
    def rate(self) -> float:
        """Submits per second that may leave."""
        if self._start is not None:
            return self._start.rate
        return self.limit / (1.0 + (_BUCKETS_SLACK if self._bucket else self._slack.now))

    @property
    def allowance(self) -> float:
        """Submits that may leave together after a rest."""
        return 1.0 if self._streak or self._trials.number else self._allowance.now

    @property
    def learnt(self) -> Learnt | None:
        """What to keep for the next start; None where nothing was learnt."""
        return Learnt(self._base) if self._base < self.ceiling else None

    @property
    def trying(self) -> bool:
        """Whether more is being tried."""
        return self._trials.number > 0

    def wait(self, now: float) -> float:
        """Return the seconds for which nothing may leave, whatever the rate: a second must not hold too many."""
        wait = self._streak.next_at - now if self._streak is not None else 0.0
        if self._probe is not None:
            wait = max(wait, self._probe.at + _LOST - now)
        if self._doubt is not None and self._doubt.probe_at < math.inf:
            wait = max(wait, self._doubt.probe_at - now)
        elif 0 < self._most <= len(self._history) and not (self._bucket and self.limit < self.ceiling):
            wait = max(wait, self._history.last(self._most) + self._window.seconds * (1.0 + self._slack.now) - now)
        return wait if wait > _SAME_MOMENT else 0.0

    def sent(self, now: float, way: Delay | None = None) -> Sent:
        """A submit leaves now, by a way of its own if there are several; its answer is told by what is returned."""
        self._history.left(now)
        sent = Sent(now, way or self._delay, self._allowance.left(now, self.limit), self._trials.number)
        if self._streak is not None:
            self._probe = sent
        if self._doubt is not None:
            self._doubt.probe_at = math.inf
        return sent

    def accepted(self, sent: Sent, now: float) -> None:
        """A submit was accepted."""
        self._accepted += 1
        late = sent.way.late(now - sent.at, now)
        self._delay.last = now - sent.at
        if late:
            self._history.arrived(sent.at, late)
        if self._start is not None and self._start.accepted(now - sent.at, now):
            self._start = None
        self._trials.accepted(sent.trial)
        if sent is self._probe:
            self._probe = None
        if self._doubt is not None and sent.at > self._doubt.begin:
            told, self._doubt = self._doubt, None
            if sent.at < told.end:
                self._bucket = True
                self._trials.sure()
                self._emptied.clear()  # while one was waited for it may have run over
                self._changes(told.before, now)
        if sent.at > self._on_end.last:
            refused = self._on_end.over()
            if refused:
                self._longer.accepted(sent.at)
            if self._streak is not None:
                self._over(self._streak, sent.at, now)
            else:
                if refused >= _NO_BUCKET:
                    self._lasted(self._on_end.too_long(self._base), sent.at)
                    if not self._bucket:
                        self._believe(min(self._base, self._window.left_by(self._on_end.last, sent.at)))
                if sent.at >= self._changed:
                    self._answered_well = True
        self._allowance.accepted(sent.together, self._base)

    def lost(self, sent: Sent) -> None:
        """Nobody will know what became of a submit, or it was refused for a reason that is not its speed."""
        if sent is self._probe:
            self._probe = None

    def refused(self, sent: Sent, now: float) -> None:
        """A submit was refused as one too many."""
        at = sent.at
        self._start = None
        self._history.refused(at)
        if sent is self._probe:
            self._probe = None
        self._trials.pay(self._base)
        self._on_end.refused(at)
        if self._doubt is not None and self._doubt.settled(at):
            self._doubt = None
        flow = self._flow.told(at, self._accepted, self._history.before(at, 1.0), self._history.before(at, float(LONG)))
        on_end = self._on_end.lasting(at)
        if self._streak is not None:
            self._streak.refused(at, now)
        elif on_end and at - self._moved_at < _SETTLED and not self._bucket:
            self._one_by_one(at, now)
        elif at < self._changed:  # it left before what was learnt last, and says nothing new, unless all of them do
            if flow is not None and flow < _LESS * self.limit and at >= self._no_bucket_until:
                self._flows(flow, at, now)
        elif self._allowance.blamed(at) and self._history.before(at, 1.0) < self._base - 1.0:
            self._allowance.refused(sent.together)
        elif not self._answered_well and self._on_end.number >= 2:
            if on_end:
                self._one_by_one(at, now)  # and before that, they say the same as the first of them
        elif self._trials.number:
            self._tried_in_vain(at, now)
        else:
            self._learn(at, now)

    def look(self, now: float, waiting: bool) -> None:
        """Look whether to try more, or to keep what was tried; `waiting` says that more is there than may leave."""
        seconds = now - self._looked if self._looked is not None else 0.0
        self._looked = now
        self._slack.look(now, self._trials.affordable)
        if waiting:
            self._waited_at = now
        elif now - self._waited_at > _IDLE:  # a bucket fills up meanwhile
            self._emptied.clear()
            self._suspect = None
            if self._trials.number:
                self._end_trial(self._base, now)
        if not waiting or self._streak is not None or self._base >= self.ceiling:
            return
        trials = self._trials
        trials.earn(self._base, seconds)
        if trials.number:
            if trials.stood(now, self.rate, self._window.seconds) and self._overran(now):
                self._believe(self.limit)
                trials.go_on(now)
                self._try()
            elif trials.given_up(now, self._window.seconds):
                self._end_trial(self._base, now)
        elif trials.due(now):
            slack, late = self._slack.now, self._delay.last
            trials.begin(self._base, first_step(self.limit, self._window.seconds, slack, self._bucket, late), now)
            self._try()

    def _learn(self, at: float, now: float) -> None:
        """Learn from a refusal at what was believed to be the limit."""
        before = self._base
        # the first time, when more left in a second than ever since, nothing is on the edge of one
        counted = self._window.counted(at, self._slack.now if before < self.ceiling else 0.0, before)
        if (
            not self._bucket
            and counted < before < self.ceiling
            and self._window.just_before(at, before)
            and self._slack.explains(at, before, now)
        ):
            self._changes(before, now)
            return
        if self._longer.told(at) and self._window.seconds == 1:
            self._window.seconds, self._bucket = LONG, False
            self._changes(self._window.long(at), now)
            return
        less = 0.5 if before < HALVES else 1.0
        most = self._emptied.most(at, self._accepted, self._slack.now, self._bucket)
        may_be_one = at >= self._no_bucket_until
        if self._emptied.known_for(at) < _WELL_KNOWN:
            most = max(most, counted)  # in a pause of a window's nothing flows
        self._emptied.add(at, self._accepted)
        if may_be_one and self._suspect is not None and at - self._suspect_at < _SUSPECTED_FOR:
            self._bucket = True
            limit, self._suspect = self._suspect, None
            self._changes(min(limit, most), now)
        elif may_be_one and most < (before if self._bucket else _LESS * min(before, counted)):
            self._bucket = True
            self._changes(most, now)
        elif not self._bucket and counted <= min(before - less, before * (1.0 - _NEXT_TO_NOTHING)):
            limit = counted
            long = self._window.long(at)
            likely = before < HALVES and LITTLE_LESS * before < long <= before
            if self._window.seconds == 1 and limit < long and (likely or not limit):
                self._window.seconds, limit = LONG, long
            elif not limit:
                limit = before / 2.0
            elif may_be_one and self._emptied.too_many(at, self._accepted, limit, self._window.seconds):
                self._bucket, limit = True, min(before, most)
            elif may_be_one and at - self._counted_at < self._window.seconds and limit > LITTLE_LESS * before:
                self._bucket = True  # in a window there would have been room for more
            self._counted_at = at
            self._changes(limit, now)
            if counted >= 1 and may_be_one:
                self._doubt = doubt(at, now, limit, before, self._history)
        else:
            if self._bucket:
                before *= 1.0 - _NEXT_TO_NOTHING
            elif before < HALVES and self._slack.not_enough(at, before):
                before = min(counted, before * _NOT_ENOUGH)
            elif not self._trials.affordable:
                self._slack.more(now)
            self._changes(before, now)

    def _tried_in_vain(self, at: float, now: float) -> None:
        """Learn from a refusal in a trial."""
        base, before = self._base, self._trials.base
        counted = min(self._window.counted(at, 0.0, base), self.limit)
        spare = self._emptied.spare(at, self._accepted, before)
        explained = spare is not None and spare >= -1.0 - _NEXT_TO_NOTHING * before * (at - self._trials.began)
        self._emptied.add(at, self._accepted)
        self._suspect = None
        if self._trials.first:
            spare = spare or 0.0
            if counted <= base + 0.5 and spare >= 2.0 and self._trials.early(at, self._window.seconds):
                self._bucket = False
            long = self._window.long(at)
            if self._bucket:
                if -spare > 0.8 + base * self._slack.now:
                    base += self._trials.step / 2.0
            elif base >= _MANY:
                base = max(base, counted)
            elif self._window.seconds == 1 and base < min(HALVES, long):
                base, self._window.seconds = min(long, self.limit), LONG
            self._end_trial(base, now)
        elif not explained:
            self._emptied.restart(at, self._accepted)
            if self._bucket:
                counted = max(counted, min(self.limit, _BUCKETS_RISE * base))
            tried = self.limit
            self._end_trial(max(counted, base) if base < HALVES else counted, now)
            if self._base < min(HALVES, _MUCH_LESS * tried):
                self._trials.doubt(now)
        elif self._bucket:
            self._end_trial(before, now)
        else:
            self._suspect, self._suspect_at = before, at
            self._end_trial(counted, now)

    def _flows(self, flow: float, at: float, now: float) -> None:
        """Believe in a bucket, from what flows into it."""
        self._bucket, self._doubt, self._window.seconds = True, None, 1
        self._emptied.restart(self._flow.began, self._flow.accepted_before)
        self._emptied.add(at, self._accepted)
        self._end_trial(flow, now)

    def _one_by_one(self, at: float, now: float) -> None:
        """Let one submit at a time leave until something is accepted."""
        self._streak = Streak(self._on_end.since, at, self.limit)
        self._streak.refused(at, now)

    def _over(self, streak: Streak, at: float, now: float) -> None:
        """Something is accepted again."""
        self._streak = None
        lasted = streak.lasted
        self._lasted(streak.too_long(self._base), at)
        if lasted >= PUNISHED:
            self._trials.end(at + lasted * _PUNISHED_FOR)
            base = self._base
            if streak.begin - self._punished_until < lasted:
                if base < HALVES and self._slack.much:
                    base *= _NOT_ENOUGH
                self._slack.more(now)
            self._punished_until = at
            self._end_trial(base, now)
            return
        sure = self._trials.made and self._base >= HALVES  # of how long it counts
        if not sure and self._history.before(streak.last, 1.0) < self._window.long(streak.last) / 2.0:
            self._window.seconds = LONG
        if self._bucket:
            most = self._emptied.most(streak.last, self._accepted - 1, self._slack.now, True)
            self._emptied.add(streak.last, self._accepted - 1)
            self._end_trial(min(self._base, most), now)
            return
        self._emptied.clear()  # while one waited for the other it may have run over
        self._end_trial(min(self._base, self._window.left_by(streak.last, at, sure)), now)

    def _lasted(self, too_long: bool, at: float) -> None:
        """Refusals on end are over, which may have lasted too long for a bucket's."""
        if too_long:
            self._bucket, self._no_bucket_until = False, at + _NO_BUCKET_FOR
            self._emptied.clear()

    def _believe(self, limit: float) -> None:
        self._base = min(self.ceiling, max(_LOWEST, limit))
        self._hold(self._base)

    def _hold(self, limit: float) -> None:
        self.limit = limit
        self._most = math.ceil(limit * self._window.seconds - _SAME_MOMENT) if limit < math.inf else 0
        self._allowance.bound(self._base)

    def _changes(self, limit: float, now: float) -> None:
        """Believe a limit from now on; what is on its way says nothing of it."""
        if not math.isclose(limit, self._base, rel_tol=1.0 - _LESS):
            self._moved_at = now
            if limit < HALVES and not self._bucket and doubtful(limit, self._base, self._base >= self.ceiling):
                self._trials.doubt(now)
        self._believe(limit)
        self._changed = now
        self._answered_well = False

    def _end_trial(self, limit: float, now: float) -> None:
        self._trials.rest(now)
        self._changes(limit, now)

    def _try(self) -> None:
        """Let more leave than the limit, if the ceiling is not reached."""
        if self._base >= self.ceiling:
            self._trials.number = 0
        else:
            self._hold(min(self.ceiling, self._base + self._trials.step))

    def _overran(self, now: float) -> bool:
        """Return whether more was accepted than a bucket could have held."""
        if not self._bucket or not self._trials.first:
            return True
        spare = self._emptied.spare(now - self._delay.last, self._accepted, self._base)
        return spare is None or spare < -2.0

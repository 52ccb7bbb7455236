"""One account's rate: refusals and counters in, decisions out.

The limit is read off the provider itself. After a refusal Kannel is silent for 1 to 2 s and then sends a second's
whole allowance in one burst; that burst meets an empty one-second window. If part of it is refused, the rate is above
the limit, and what was accepted of it *is* the limit. The same holds for the first burst of a new link, and for any
burst after a second of rest. Such a burst is called a proof here, and one proof is enough.

Everything else is not news. Kannel's one-second periods drift against the provider's, so bursts at exactly the limit
touch now and then; a new link's second burst comes less than a second after its first. In both cases a whole
second's allowance was accepted just before, and the burst after the pause is accepted whole: no proof follows.

Refusals may go on without a proof, under a token bucket for instance: `losses` weighs what they cost. When the rate
may rise again is up to `ascent`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from kannelkit.throttle.ascent import Ascent, Cost
from kannelkit.throttle.losses import Losses
from kannelkit.throttle.values import Decision, Learnt, Sample, Settings

# answers of one burst arrive closer together than this; Kannel's pause between two is 1 s or longer
_ONE_BURST = 0.7
# what is accepted within this time counts into one window of the provider
_WINDOW = 1.0
# a rest is believed a little later than it is true, because counters are read a few times a second
_REST = 1.05
# a burst is over when nothing is in flight for this long; where that is unknown, after this silence; where something
# stays in flight, after a longer one
_SETTLED = 0.05
_SILENCE = 0.5
_LONG_SILENCE = 0.9
# Kannel is silent for at least this long after a refusal, less what reading the log takes
_PAUSE = 0.95
# bursts of which nothing was accepted say "slower" but not how slow; a provider that punishes an excess refuses all
# for a while, too, and then a slower rate gains nothing
_EMPTY_BURSTS = 3
# so many bursts on end of which nothing was accepted are no chance, wherever they met what
_WHOLES = 2
_EMPTY_SPAN = 9.0
# behind bursts of which nothing was accepted, less than this share of the first rate is believed when it comes twice
_UNLIKELY = 0.45
# a proof that takes less than this off a rate that has run well may be jitter: it must come twice in a row
_NEAR = 0.9
_RAN_WELL = 3.0
_IN_A_ROW = 4.0
# a rate was the provider's limit, not a trial of it, where so many seconds' worth was accepted at it
_HELD = 10.0
# a new link's second burst comes less than a second after its first
_NEW_LINK = 2.5
# and the pause that this costs is over
_STARTED = 4.0
# a bind that was there so shortly before a refusal, and is not there after it, was closed for it
_LATELY = 4.0
# one of so many parts of a burst, if all of it is refused, is more than a bucket lets pass
_TELLS = 4
# all links that were online so shortly before a refusal took part in the burst
_JUST = 0.5


@dataclass(slots=True)
class _Burst:
    """Refusals that belong together; `reference` is the accepted count when the window was last empty, if known."""

    first: float
    last: float
    refused: int
    reference: int | None
    online_before: float  # seconds since all links were online, when it began
    early: tuple[int, int] | None = None  # accepted and refused when the first sample after its beginning came

    def closed(self, sample: Sample) -> bool:
        """Return whether the provider closed a bind for it."""
        return self.online_before <= _LATELY and not sample.online

    def whole(self, sample: Sample, throughput: int | None) -> bool:
        """Return whether a second's allowance of `throughput` was answered since the window was empty."""
        if self.reference is None or throughput is None:
            return False
        return (sample.accepted - self.reference) * sample.parts + self.refused >= throughput

    def strict(self, sample: Sample, throughput: int) -> bool:
        """Return whether nothing more was accepted once something was refused, of a good part of `throughput`."""
        accepted, refused = self.early or (0, self.refused)
        return sample.accepted == accepted and _TELLS * (self.refused - refused) >= throughput


class AccountRate:
    """Decides one account's throughput, in SMS per second over all its links; None means "no limit set".

    Call `refused` for every throttling error as it is read, `sampled` for every reading of the counters (four times a
    second; more often while `busy`). `sampled` returns a decision when one is due, and none more until the caller
    says `changed` (it is in force) or `abandoned` (it could not be brought into force).
    """

    def __init__(self, account: str, settings: Settings, learnt: Learnt | None = None) -> None:
        self.account = account
        self.settings = settings
        self._ascent = Ascent(settings, learnt.refuted if learnt else 0)
        self._losses = Losses(settings.links, learnt.throughput if learnt else None, settings.window)
        self.throughput = self._bounded(learnt.throughput) if learnt else settings.ceiling
        self._burst: _Burst | None = None
        self._pending: Decision | None = None
        self._last: Sample | None = None
        # the count when the provider's window was last empty, and the first sample that saw it rise since
        self._reference: int | None = None
        self._all_there = True  # whether a second's worth of messages waited then
        self._rose: float | None = None
        self._last_rise = float("-inf")
        self._paused_from = float("-inf")
        self._online_at = float("-inf")
        self._empty_bursts = 0
        self._empty_at = -1
        self._empty_since = 0.0
        # the counts when a burst was refused in part or whole, and whole, and what a burst after that showed
        self._refused_at = self._whole_at = -1
        self._wholes = 0
        self._doubtful = 0
        self._near_proof = float("-inf")
        self._accepted_at_change = 0
        self._changed_at = float("-inf")
        self.doubted = 0  # refusals in the log that bearerbox's queue contradicts

    @property
    def busy(self) -> bool:
        """Whether refusals are being followed, so that the counters should be read often."""
        return self._burst is not None

    @property
    def learnt(self) -> Learnt | None:
        """What to keep for the next start; None where nothing was learnt."""
        if self.throughput is None or (self.throughput == self.settings.ceiling and not self._ascent.refuted):
            return None
        return Learnt(self.throughput, self._ascent.refuted)

    def learnt_with(self, throughput: int) -> Learnt:
        """What to keep while the account is brought to `throughput`."""
        return Learnt(throughput, self._ascent.refuted)

    @property
    def wait(self) -> float:
        """Seconds with messages waiting before the next step up; see `Ascent.wait`."""
        return self._ascent.wait(self.throughput or 1, self._last.at if self._last else 0.0)

    def begun(self, at: float, *, rested: bool = False) -> None:
        """The account's links are new at `at`, and their counts begin anew.

        `rested` says that the provider's window is empty. It need not be: another bearerbox with this login may have
        sent until a moment ago.
        """
        self._reference = (self._last.accepted if self._last else 0) if rested else None
        self._rose = None
        self._burst = None
        self._paused_from = float("-inf")
        self._forget(at)

    def changed(self, throughput: int, at: float, *, slow: bool = False) -> None:
        """The account's links run at `throughput` since `at`; `slow` when a link was away for many seconds."""
        self._ascent.slow = slow
        tried = self._pending is not None and self._pending.kind == "raise" and not self._pending.submits
        self._ascent.changed(self.throughput, at, raised=tried)
        if self.settings.links > 1:
            # the links began one after the other, and each one's second burst came early: that proves nothing
            self._burst = self._reference = None
        self.throughput = throughput
        self._pending = None
        self._forget(at)

    def _forget(self, at: float) -> None:
        self._losses.forget()
        self._last_rise = self._changed_at = self._online_at = at
        self._accepted_at_change = self._last.accepted if self._last else 0
        self._near_proof = float("-inf")
        self._doubtful = 0

    def abandoned(self) -> None:
        """The last decision could not be brought into force; what is seen next may bring another."""
        self._pending = None
        self._ascent.abandoned()

    def refused(self, at: float) -> None:
        """Take note of one throttling error, read at `at`."""
        self._ascent.refused()
        if self._burst is not None and at - self._burst.last <= _ONE_BURST:
            self._burst.last = at
            self._burst.refused += 1
            return
        fits = self._rose is None or at - self._rose <= _WINDOW
        self._burst = _Burst(at, at, 1, self._reference if fits else None, at - self._online_at)

    def sampled(self, sample: Sample) -> Decision | None:
        """Take note of the counters, and return the change of rate that is due, if one is."""
        last, self._last = self._last, sample
        self._follow(sample, last)
        if self._pending is not None:
            return None
        burst = self._burst
        if burst is not None:
            burst.early = burst.early or (sample.accepted, burst.refused)
            quiet = sample.at - burst.last
            silent = sample.at - max(burst.last, self._last_rise)
            if sample.in_flight is None:
                over = silent >= _SILENCE
            elif sample.in_flight > 0:
                # a burst that was answered whole need not wait for the next one, which left before the answers came
                over = quiet >= _LONG_SILENCE or (silent >= _SILENCE and burst.whole(sample, self.throughput))
            else:
                over = quiet >= _SETTLED
            if over:
                self._burst = None
                self._pending = self._told(burst, sample)
        elif last is not None:
            self._pending = self._upwards(sample, last)
        return self._pending

    # -- what the counters say -----------------------------------------------------------------------------------

    def _follow(self, sample: Sample, last: Sample | None) -> None:
        silent = sample.at - self._last_rise
        if last is None:
            self._last_rise = sample.at
        elif sample.accepted > last.accepted:
            self._last_rise = sample.at
            if self._rose is None:
                self._rose = sample.at
                self._all_there = last.waiting >= (self.throughput or 0)
                if sample.at - self._paused_from < _PAUSE:
                    self._reference = None  # no pause: another link sends on, or the log does not tell the truth
        elif self._pending is not None and not sample.online:
            # links are being re-created: where none of the others sends, the window is empty until they are back, which
            # is before `changed` is called
            if self.settings.links == 1 or silent >= _WINDOW:
                self._rest(sample)
        elif silent >= _REST and self._burst is None and not sample.in_flight:
            self._rest(sample)
        if sample.online:
            self._online_at = sample.at
        if sample.online and sample.waiting:
            if sample.at - self._changed_at >= _STARTED:
                self._losses.sampled(sample.at, sample.accepted)
        else:
            self._losses.forget()

    def _rest(self, sample: Sample) -> None:
        """Take note that the provider's window is empty."""
        self._reference, self._rose, self._paused_from = sample.accepted, None, float("-inf")

    # -- the limit is lower --------------------------------------------------------------------------------------

    def _told(self, burst: _Burst, sample: Sample) -> Decision | None:
        """Return what a burst with refusals, now answered whole, asks for."""
        # Kannel puts every refused message back into its queue and is silent for a second: where the queue is shorter
        # than what the log claims, the log does not tell the truth
        if self.settings.requeues and sample.waiting < burst.refused:
            self.doubted += burst.refused
            return None
        if burst.first - self._changed_at >= _NEW_LINK:
            self._losses.refused(burst.first, burst.refused, sample.accepted)
        closed = burst.closed(sample)
        if closed:
            self._ascent.costs(Cost.PUNISHED)
        decision = self._proof(burst, sample) or self._too_much(burst, sample, closed)
        self._wholes = self._wholes + 1 if sample.accepted == self._refused_at else 0
        if self._wholes:
            self._whole_at = sample.accepted
        if self._wholes >= _WHOLES:
            self._ascent.costs(Cost.PUNISHED)
        self._refused_at = sample.accepted
        # the link is silent now for longer than the provider's window: what comes next meets an empty one, unless it is
        # on its way already, or another link sends it
        if self.settings.links == 1 and (sample.in_flight is None or sample.in_flight <= 0):
            self._reference, self._rose, self._paused_from = sample.accepted, None, burst.last
        else:
            self._reference, self._rose = None, sample.at
        return decision

    def _proof(self, burst: _Burst, sample: Sample) -> Decision | None:
        if burst.reference is None:
            return None
        if self.settings.links > 1 and not (sample.online or burst.online_before <= _JUST):
            return None  # what is left of the links took that much; all of them may take more
        learnt = bool(self._ascent.refuted)
        trickled = not (learnt or self._all_there or burst.strict(sample, self.throughput or 0))
        if self.settings.links > 1 and trickled:
            # a first burst that takes as long as its messages to come shows too much of a bucket, and no burst of links
            # that are made one after the other corrects that
            return None
        accepted = self._submits(sample.accepted - burst.reference, burst.refused, sample)
        some = sample.online and accepted + burst.refused < _NEAR * (self.throughput or 0)
        if self.settings.links > 1 and learnt and some:
            return None  # some of the links did not take part: they pause, or had nothing to send
        if accepted <= 0:
            if self._empty_at != sample.accepted:  # the first one, or something was accepted in between
                self._empty_bursts, self._empty_at, self._empty_since = 0, sample.accepted, burst.first
            self._empty_bursts += 1
            self._ascent.costs(Cost.PUNISHED)
            lasted = burst.last - self._empty_since >= _EMPTY_SPAN
            if self._empty_bursts < _EMPTY_BURSTS or not lasted or self.throughput is None:
                return None
            return self._lower(self.throughput // 2, burst.refused, 0, _WINDOW)
        self._empty_bursts = 0
        unlikely = learnt or accepted < _UNLIKELY * (self.throughput or 0)
        if unlikely and self._whole_at == burst.reference and not self._doubtful:
            self._doubtful = accepted  # the provider may have taken up again in the midst of this burst: once more
            return None
        accepted, self._doubtful = max(accepted, self._doubtful), 0
        if self._may_be_jitter(accepted, sample):
            self._near_proof = burst.first
            return None
        return self._lower(accepted, burst.refused, accepted, _WINDOW)

    def _may_be_jitter(self, accepted: int, sample: Sample) -> bool:
        throughput = self.throughput
        if throughput is None or not _NEAR * throughput <= accepted < throughput:
            return False
        ran_well = sample.accepted - self._accepted_at_change >= _RAN_WELL * throughput
        return ran_well and sample.at - self._near_proof > _IN_A_ROW

    def _submits(self, messages: int, refused: int, sample: Sample) -> int:
        """Return how many submits were accepted with `messages` messages, of a burst of which `refused` were not."""
        if sample.parts <= 1.0:
            return messages
        if self.throughput is not None and sample.waiting:
            return self.throughput - refused  # more waits: the burst was a whole second's allowance
        return round(messages * sample.parts)

    def _too_much(self, burst: _Burst, sample: Sample, closed: bool) -> Decision | None:
        """Return what refusals without a proof ask for."""
        if self.throughput is None:
            return None
        if closed and self._ascent.base is not None:
            return self._lower(self._ascent.base, burst.refused, 0, _WINDOW, proved=False)
        if burst.first - self._changed_at < _NEW_LINK:
            if 4 * burst.refused >= self.throughput:
                self._ascent.costs(Cost.ANOTHER_BURST)
            return None
        if self._ascent.cost is Cost.PUNISHED:
            # what is refused after an excess was not too much
            loss = self._losses.punished(self.throughput, sample.at, sample.accepted, sample.parts)
            if loss is None:
                return None
            return self._lower(loss.throughput, loss.refused, loss.accepted, loss.seconds, proved=False)
        loss = self._losses.better(
            self.throughput,
            sample.at,
            sample.accepted,
            sample.parts,
            self._ascent.base,
            trial=self._ascent.trying,
        )
        if loss is None:
            return None
        self._ascent.costs(Cost.LATE)
        return self._lower(loss.throughput, loss.refused, loss.accepted, loss.seconds, proved=False)

    def _lower(
        self, limit: int, refused: int, accepted: int, seconds: float, *, proved: bool = True
    ) -> Decision | None:
        after = self._bounded(limit)
        if self.throughput is not None and after >= self.throughput:
            return None
        if self._last is not None:
            before = self.throughput or after
            held = self._last.accepted - self._accepted_at_change >= _HELD * before
            ran_well = held and self.throughput is not None
            self._ascent.lowered(before, self._last.at, ran_well=ran_well, proved=proved, after=after)
        self._empty_bursts = 0
        if proved:
            self._losses.proved(after, self._last.at if self._last else 0.0)
        return self._decision("lower", after, refused, accepted, max(1.0, seconds))

    # -- the limit may be higher ---------------------------------------------------------------------------------

    def _upwards(self, sample: Sample, last: Sample) -> Decision | None:
        if self.throughput is not None:
            loss = self._losses.worse(self.throughput, sample.at, sample.accepted, sample.parts)
            if loss is not None:
                return self._decision("raise", loss.throughput, loss.refused, loss.accepted, loss.seconds)
        waiting = sample.online and sample.waiting > 0
        after = self._ascent.step(self.throughput, sample.at, sample.at - last.at, waiting=waiting)
        if after is None:
            return None
        return self._decision("raise", self._bounded(after), 0, 0, self._ascent.quiet)

    def _decision(
        self, kind: Literal["lower", "raise"], after: int, refused: int, accepted: int, seconds: float
    ) -> Decision:
        return Decision(self.account, kind, self.throughput, after, refused, refused + accepted, accepted, seconds)

    def _bounded(self, throughput: int) -> int:
        ceiling = self.settings.ceiling
        # a link's share is at least 1
        return max(
            self.settings.floor, self.settings.links, throughput if ceiling is None else min(throughput, ceiling)
        )

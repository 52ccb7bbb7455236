"""One account's rate: refusals and counters in, decisions out.

The limit is read off the provider itself. After a refusal Kannel is silent for 1 to 2 s and then sends a second's
whole allowance in one burst; that burst meets an empty one-second window. If part of it is refused, the rate is above
the limit, and what was accepted of it *is* the limit. The same holds for the first burst of a new link, and for any
burst after a second of rest. Such a burst is called a proof here, and one proof is enough.

Everything else is not news. Kannel's one-second periods drift against the provider's, so bursts at exactly the limit
touch now and then; a new link's second burst comes less than a second after its first. In both cases a whole
second's allowance was accepted just before, and the burst after the pause is accepted whole: no proof follows.

Only where bursts of several links overlap can refusals go on without a proof; then the limit is the most that was
accepted within a second.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

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
# refusals without a proof: looked at over this span
_SUSTAINED_SPAN = 8.0
_SUSTAINED_BURSTS = 3
_SUSTAINED_SHARE = 0.1
# a little under the window, so that two bursts one period apart are not taken for one
_NARROW_WINDOW = 0.9
# bursts of which nothing was accepted say "slower" but not how slow
_EMPTY_BURSTS = 3
# a proof that takes less than this off a rate that has run well may be jitter: it must come twice in a row
_NEAR = 0.9
_RAN_WELL = 3.0
_IN_A_ROW = 4.0
# a rate that was refused once is tried again after 4 x raise_after, then 8 x, ... at the most this many seconds
_REFUTED_AT_FIRST = 2
_LONGEST_WAIT = 3600.0
# a step up that costs half a minute without the link has to be rare to pay
_SLOW_WAIT = 300.0
# a step up that is too high is refused within its first bursts
_TRIAL = 8.0


@dataclass(slots=True)
class _Burst:
    """Refusals that belong together; `reference` is the accepted count when the window was last empty, if known."""

    first: float
    last: float
    refused: int
    reference: int | None


@dataclass(slots=True)
class _Step:
    """A step up on trial: where it came from, and since when it runs."""

    before: int
    since: float


class AccountRate:
    """Decides one account's throughput, in SMS per second over all its links; None means "no limit set".

    Call `refused` for every throttling error as it is read, `sampled` for every reading of the counters (four times a
    second; more often while `busy`). `sampled` returns a decision when one is due, and none more until the caller
    says `changed` (it is in force) or `abandoned` (it could not be brought into force).
    """

    def __init__(self, account: str, settings: Settings, learnt: Learnt | None = None) -> None:
        self.account = account
        self.settings = settings
        self._refuted = learnt.refuted if learnt else 0
        self.throughput = self._bounded(learnt.throughput) if learnt else settings.ceiling
        self._burst: _Burst | None = None
        self._trial: _Step | None = None
        self._pending: Decision | None = None
        self._last: Sample | None = None
        # the count when the provider's window was last empty, and the first sample that saw it rise since
        self._reference: int | None = None
        self._rose: float | None = None
        self._last_rise = float("-inf")
        self._paused_from = float("-inf")
        self._samples: deque[tuple[float, int]] = deque()
        self._refusals: deque[float] = deque()
        self._bursts: deque[float] = deque()
        self._empty_bursts = 0
        self._empty_at = -1
        self._empty_since = 0.0
        self._near_proof = float("-inf")
        self._accepted_at_change = 0
        self._saturated = 0.0
        self._step = 0
        self._slow = False
        self.doubted = 0  # refusals in the log that bearerbox's queue contradicts

    @property
    def busy(self) -> bool:
        """Whether refusals are being followed, so that the counters should be read often."""
        return self._burst is not None

    @property
    def learnt(self) -> Learnt | None:
        """What to keep for the next start; None where nothing was learnt."""
        if self.throughput is None or (self.throughput == self.settings.ceiling and not self._refuted):
            return None
        return Learnt(self.throughput, self._refuted)

    def learnt_with(self, throughput: int) -> Learnt:
        """What to keep while the account is brought to `throughput`."""
        return Learnt(throughput, self._refuted)

    @property
    def wait(self) -> float:
        """Seconds without a refusal, with messages waiting, before the next step up."""
        if self._slow:
            return min(_LONGEST_WAIT, max(_SLOW_WAIT, self.settings.raise_after * 2.0**self._refuted))
        if self._step:
            return _TRIAL
        return min(_LONGEST_WAIT, self.settings.raise_after * 2.0**self._refuted)

    def begun(self, at: float) -> None:
        """The account's links are new at `at`, their counts begin anew, and the provider's window is empty."""
        self._reference = self._last.accepted if self._last else 0
        self._rose = None
        self._burst = None
        self._paused_from = float("-inf")
        self._forget(at)

    def changed(self, throughput: int, at: float, *, slow: bool = False) -> None:
        """The account's links run at `throughput` since `at`; `slow` when a link was away for many seconds."""
        self._slow = slow
        if self._pending is not None and self._pending.kind == "raise" and self.throughput is not None:
            self._trial = _Step(self.throughput, at)
        self.throughput = throughput
        self._pending = None
        self._forget(at)

    def _forget(self, at: float) -> None:
        self._bursts.clear()
        self._refusals.clear()
        self._samples.clear()
        self._last_rise = at
        self._accepted_at_change = self._last.accepted if self._last else 0
        self._near_proof = float("-inf")
        self._saturated = 0.0

    def abandoned(self) -> None:
        """The last decision could not be brought into force; what is seen next may bring another."""
        self._pending = None
        self._saturated = 0.0

    def refused(self, at: float) -> None:
        """Take note of one throttling error, read at `at`."""
        self._saturated = 0.0
        self._refusals.append(at)
        if self._burst is not None and at - self._burst.last <= _ONE_BURST:
            self._burst.last = at
            self._burst.refused += 1
            return
        fits = self._rose is None or at - self._rose <= _WINDOW
        self._burst = _Burst(at, at, 1, self._reference if fits else None)
        self._bursts.append(at)

    def sampled(self, sample: Sample) -> Decision | None:
        """Take note of the counters, and return the change of rate that is due, if one is."""
        last, self._last = self._last, sample
        self._follow(sample, last)
        if self._pending is not None:
            return None
        burst = self._burst
        if burst is not None:
            quiet = sample.at - burst.last
            if sample.in_flight is None:
                over = sample.at - max(burst.last, self._last_rise) >= _SILENCE
            else:
                over = quiet >= (_SETTLED if sample.in_flight <= 0 else _LONG_SILENCE)
            if over:
                self._burst = None
                self._pending = self._told(burst, sample)
        elif last is not None:
            self._pending = self._upwards(sample, last)
        return self._pending

    # -- what the counters say -----------------------------------------------------------------------------------

    def _follow(self, sample: Sample, last: Sample | None) -> None:
        if last is None:
            self._last_rise = sample.at
        elif self._pending is not None and not sample.online:
            # links are being re-created: the window is empty until they are back, which is before `changed` is called
            self._reference, self._rose, self._paused_from = sample.accepted, None, float("-inf")
        elif sample.accepted > last.accepted:
            self._last_rise = sample.at
            if self._rose is None:
                self._rose = sample.at
                if sample.at - self._paused_from < _PAUSE:
                    self._reference = None  # no pause: another link sends on, or the log does not tell the truth
        elif sample.at - self._last_rise >= _REST and self._burst is None:
            self._reference, self._rose, self._paused_from = sample.accepted, None, float("-inf")
        self._samples.append((sample.at, sample.accepted))
        for times in (self._refusals, self._bursts):
            while times and times[0] < sample.at - _SUSTAINED_SPAN:
                times.popleft()
        while self._samples[0][0] < sample.at - _SUSTAINED_SPAN:
            self._samples.popleft()

    def _most_within_a_second(self) -> int:
        most, begin = 0, 0
        for at, accepted in self._samples:
            while self._samples[begin][0] < at - _NARROW_WINDOW:
                begin += 1
            most = max(most, accepted - self._samples[begin][1])
        return most

    # -- the limit is lower --------------------------------------------------------------------------------------

    def _told(self, burst: _Burst, sample: Sample) -> Decision | None:
        """Return what a burst with refusals, now answered whole, asks for."""
        # Kannel puts every refused message back into its queue and is silent for a second: where the queue is shorter
        # than what the log claims, the log does not tell the truth
        if self.settings.requeues and sample.waiting < burst.refused:
            self.doubted += burst.refused
            return None
        decision = self._proof(burst, sample) or self._sustained(sample)
        # Kannel is silent now for longer than the provider's window: what comes next meets an empty one
        self._reference, self._rose, self._paused_from = sample.accepted, None, burst.last
        return decision

    def _proof(self, burst: _Burst, sample: Sample) -> Decision | None:
        if burst.reference is None:
            return None
        accepted = self._submits(sample.accepted - burst.reference, burst.refused, sample)
        if accepted <= 0:
            if self._empty_at != sample.accepted:  # the first one, or something was accepted in between
                self._empty_bursts, self._empty_at, self._empty_since = 0, sample.accepted, burst.first
            self._empty_bursts += 1
            lasted = burst.last - self._empty_since >= (_EMPTY_BURSTS - 1) * _PAUSE
            if self._empty_bursts < _EMPTY_BURSTS or not lasted or self.throughput is None:
                return None
            return self._lower(self.throughput // 2, burst.refused, 0, _WINDOW)
        self._empty_bursts = 0
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

    def _sustained(self, sample: Sample) -> Decision | None:
        refused = len(self._refusals)
        accepted = sample.accepted - self._samples[0][1]
        if len(self._bursts) < _SUSTAINED_BURSTS or refused < _SUSTAINED_SHARE * (refused + accepted):
            return None
        seconds = sample.at - self._bursts[0]
        return self._lower(round(self._most_within_a_second() * sample.parts), refused, accepted, seconds)

    def _lower(self, limit: int, refused: int, accepted: int, seconds: float) -> Decision | None:
        after = self._bounded(limit)
        if self.throughput is not None and after >= self.throughput:
            return None
        self._refuted = max(_REFUTED_AT_FIRST, self._refuted + 1)
        self._step = 0
        self._trial = None
        self._empty_bursts = 0
        return Decision(
            self.account,
            "lower",
            self.throughput,
            after,
            refused,
            refused + accepted,
            accepted,
            max(1.0, seconds),
        )

    # -- the limit may be higher ---------------------------------------------------------------------------------

    def _upwards(self, sample: Sample, last: Sample) -> Decision | None:
        if self._trial is not None and sample.at - self._trial.since >= _TRIAL and self._saturated >= _TRIAL / 2:
            # the step was not refused: what was refused once is allowed now
            self._trial = None
            self._refuted = 0
            self._step += 1
        if not (sample.online and sample.waiting):
            return None
        self._saturated += sample.at - last.at
        throughput, ceiling = self.throughput, self.settings.ceiling
        if throughput is None or (ceiling is not None and throughput >= ceiling) or self._trial is not None:
            return None
        if self._saturated < self.wait:
            return None
        after = self._bounded(throughput + max(1, throughput // 10) * 2**self._step)
        return Decision(self.account, "raise", throughput, after, 0, 0, 0, self._saturated)

    def _bounded(self, throughput: int) -> int:
        ceiling = self.settings.ceiling
        return max(self.settings.floor, throughput if ceiling is None else min(throughput, ceiling))

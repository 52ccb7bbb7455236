"""When a link may be stopped so that no submit is left unanswered.

A submit whose answer has not come when its link is unbound is sent again: the subscriber gets it twice. A stopped
link may also send one more burst before its unbind, if its second's allowance is not used up. So the moment is one
at which nothing is in flight and nothing will be sent for a while: in Kannel's pause after a refusal, or right
after a burst's last answer, or when no message waits.
"""

from __future__ import annotations

from kannelkit.throttle.values import Sample

# a stop takes a few milliseconds to reach the link
_MARGIN = 0.05
# a burst that was answered this long ago is followed by the next one no sooner than 1 s less its answers' delay
_FRESH = 0.15
# answers farther apart than this belong to different bursts
_GAP = 0.3
# a paused link that has nothing in flight was silent for this long: a status' counters are not read in one moment
_QUIET = 0.2
# where nobody can say what is in flight it was silent for so long, or for the shorter time if only this much is left of
# the pause
_SILENCE, _SHORT_SILENCE = 0.95, 0.5
_LAST_CHANCE = 0.3


class Moment:
    """Follows one account's samples and tells whether one of its links may be stopped now."""

    def __init__(self, links: int) -> None:
        self._links = links
        self._pauses: dict[int, float] = {}  # a link's thread -> when its pause ends
        self._last: Sample | None = None
        self._rose_at = float("-inf")
        self._refused_at = float("-inf")
        self._burst_from = 0

    def refused(self, at: float, pause_until: float, thread: int = 0) -> None:
        """Take note of a refusal read at `at`: it keeps the link with this thread silent until `pause_until`.

        Both are times of the samples' clock; a thread is bearerbox's number for one life of a link.
        """
        self._refused_at = at
        self._pauses[thread] = max(pause_until, self._pauses.get(thread, pause_until))
        if len(self._pauses) > 2 * self._links:  # lives that are over, or somebody else's numbers
            del self._pauses[min(self._pauses, key=self._pauses.__getitem__)]

    def sampled(self, sample: Sample) -> None:
        """Take note of the counters."""
        last, self._last = self._last, sample
        if not sample.online:
            self._pauses.clear()  # a link that is made anew pauses no more
        if last is not None and sample.accepted > last.accepted:
            if sample.at - self._rose_at > _GAP:
                self._burst_from = last.accepted
            self._rose_at = sample.at

    def good(self, now: float, throughput: int | None) -> bool:
        """Return whether a stop at `now` leaves nothing unanswered; `throughput` is the account's, in force."""
        sample = self._last
        if sample is None or now - sample.at > _MARGIN:
            return False
        fresh = sample.at - self._rose_at <= _FRESH
        ends = sorted(self._pauses.values())[-self._links :]
        paused = len(ends) == self._links and now < ends[0] - _MARGIN  # all of them
        silence = now - max(self._rose_at, self._refused_at)
        if sample.in_flight is not None and sample.in_flight <= 0:
            # of several links one nearly always pauses while refusals go on: to wait for its end is to wait for ever
            in_pause = self._links == 1 and len(ends) == 1 and now < ends[0]
            # a link is of no use in its pause; stopped at once, it cannot send another burst at the rate it has
            return not sample.waiting or (paused and silence >= _QUIET) or (fresh and not in_pause)
        if paused and sample.in_flight is None:
            return silence >= (_SHORT_SILENCE if now >= ends[0] - _LAST_CHANCE else _SILENCE)
        # whatever else is in flight, nothing of this account is when its burst is answered whole, unless answers take
        # so long that the next burst is on its way already; a few may be messages that were just taken in
        whole = throughput is not None and sample.accepted - self._burst_from >= throughput
        next_burst = sample.in_flight is not None and throughput is not None and sample.in_flight * 2 >= throughput
        return self._links == 1 and fresh and whole and not next_burst and sample.parts <= 1.0

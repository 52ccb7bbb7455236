"""Whether the links of a side are of use: what bearerbox shows of them, in a time that stands still while it is silent.

A link is of no use when it has not been online for `after` seconds; when the SMSC has closed its binds, each soon
after it began, for so long; or when it was online for less than half of two such times. A side is of no use when all
its links are of none, or when no submit was answered for so long although one was on its way all the time: Kannel shows
the link to a silent SMSC as online until `connection-timeout` or `wait-ack` is over (gw/smsc/smsc_smpp.c, io_thread).
"""

from __future__ import annotations

from collections import deque

from kannelkit.failover.values import Seen

# what happened between two looks is not known: no more than this counts, seconds
_LONGEST_GAP = 5.0
# a bind that has lasted so long was not closed on sight, seconds
_SHORT_BIND = 10.0
# answers that take two seconds, and Kannel's pause of two after "too fast", are no silence
_LEAST_SILENCE = 4.0
# what bearerbox counts is read one number after the other: right after a sign of life it may be off by one, seconds
_SETTLES = 0.5


class Evidence:
    """What was seen of the side in force since it is in force, or since `begin` was called."""

    def __init__(self, after: float) -> None:
        self._after = after
        self.begin()

    def begin(self) -> None:
        """Forget everything: the links are other ones now."""
        self._links: dict[str, _Link] = {}
        self._clock = 0.0
        self._at: float | None = None
        self._signs: int | None = None
        self._sign_at = 0.0
        self._in_flight = 0  # at the last sign of life
        self._unanswered_since: float | None = None

    def blind(self) -> None:
        """Let no time pass until the next look: nobody can see the links now, or somebody makes them anew."""
        self._at = None

    def seen(self, seen: Seen) -> None:
        """Take note of a look."""
        if self._at is not None:
            self._clock += min(max(0.0, seen.at - self._at), _LONGEST_GAP)
        for name in self._links.keys() - seen.links.keys():
            del self._links[name]
        for name, online in seen.links.items():
            if name not in self._links:
                self._links[name] = _Link(self._after, self._clock, online)
            self._links[name].seen(self._clock, online)
        self._listen(seen)
        self._at, self._signs = seen.at, seen.signs

    def _listen(self, seen: Seen) -> None:
        """Take note of since when messages have been sent and nothing has come back."""
        now, in_flight = self._clock, max(0, seen.in_flight or 0)
        if seen.signs != self._signs or not any(seen.links.values()):
            self._sign_at, self._in_flight, self._unanswered_since = now, in_flight, None
        elif now - self._sign_at < _SETTLES:
            self._in_flight = max(self._in_flight, in_flight)
        else:
            self._in_flight = min(self._in_flight, in_flight)
        # a single answer that never comes is no silence: something must have been sent since
        if not seen.queued and not seen.unanswered and in_flight <= self._in_flight:
            self._unanswered_since = None
        elif self._unanswered_since is None:
            self._unanswered_since = now

    @property
    def online(self) -> bool:
        """Whether a link was online at the last look, and none of those that are has just been bound again."""
        return any(link.steady(self._clock) for link in self._links.values())

    def unusable(self, share: float = 1.0) -> str | None:
        """Return in words why the side is of no use, None where it is; with `share`, of so much of the time allowed."""
        if self._unanswered_since is not None:
            silent = self._clock - self._unanswered_since
            if silent >= max(self._after, _LEAST_SILENCE) * share:
                return f"no answer for {silent:.0f} s while messages are on their way"
        reasons = [link.unusable(self._clock, share) for link in self._links.values()]
        if not reasons or None in reasons:
            return None
        return min(reason for reason in reasons if reason)[1]


class _Link:
    def __init__(self, after: float, now: float, online: bool) -> None:
        self._after = after
        self._began = now
        self._online = online
        self._since = now
        # the first loss in a row of losses, and how many binds were short since
        self._lost: float | None = None
        self._short = 0
        self._lasted = 0.0
        self._spans: deque[tuple[float, float]] = deque()  # begin and end of earlier times online

    def seen(self, now: float, online: bool) -> None:
        if self._online and now - self._since >= _SHORT_BIND:
            self._lost, self._short = None, 0
        if online == self._online:
            return
        if self._online:
            self._spans.append((self._since, now))
            self._lasted = now - self._since
            if self._lost is None:
                self._lost = now
            else:
                self._short += 1
        self._online, self._since = online, now
        while self._spans and self._spans[0][1] < now - 2 * self._after:
            self._spans.popleft()

    def steady(self, now: float) -> bool:
        return self._online and (self._lost is None or now - self._since >= _SHORT_BIND)

    def unusable(self, now: float, share: float) -> tuple[float, str] | None:
        """Return for how long the link has been of no use, and why."""
        after, away = self._after * share, now - self._since
        if not self._online and away >= after:
            return away, f"no link online for {away:.0f} s"
        if self._lost is not None and self._short and now - self._lost >= after:
            return now - self._lost, f"each bind is closed again, the last after {self._lasted:.0f} s"
        begin = now - 2 * after
        if begin < self._began:
            return None
        spans = [*self._spans, (self._since, now)] if self._online else self._spans
        online = sum(end - max(start, begin) for start, end in spans if end > begin)
        if online < after:
            return 2 * after, f"online for {online:.0f} of the last {2 * after:.0f} s"
        return None

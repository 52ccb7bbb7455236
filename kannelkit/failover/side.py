"""Which host of its provider an account uses: observations in, moves out; no sockets, no clock."""

from __future__ import annotations

from dataclasses import dataclass

from kannelkit.failover.evidence import Evidence
from kannelkit.failover.values import LONGEST, Move, Probe, Seen, Settings, Side, other

# part of `after` that the side in force may be of no use before the other host is probed
_SUSPICION = 0.5
# seconds of no use that are enough for doubts
_DOUBT = 4.0
# seconds between probes: at least and at most; a tenth of the time that the primary has to answer otherwise
_PROBE_OFTEN, _PROBE_RARELY = 0.5, 30.0
# a probe that nobody answered for is asked for again, seconds
_PROBE_LOST = 20.0


@dataclass(slots=True)
class _Host:
    """What is known of one side; `failures` counts the stays that ended because it was of no use, in a row."""

    failures: int = 0
    left: float = float("-inf")
    asked: float = float("-inf")
    asking: bool = False
    probed: float = float("-inf")
    answering_since: float | None = None


class AccountSide:
    """The side of one account that has a second host.

    Feed `seen` and `blind`, ask `decide`, do what it says, and report `probed` and `moved`. A move that was not done is
    simply decided again.
    """

    def __init__(
        self,
        settings: Settings,
        now: float,
        side: Side = "primary",
        *,
        lasted: float = float("inf"),
        failed_returns: int = 0,
        by_hand: bool = False,
    ) -> None:
        """Go on with a side that has been in force for `lasted` seconds, without end where nobody ever moved it."""
        self.settings = settings
        self.side: Side = side
        self.by_hand = by_hand
        self._since = now - max(0.0, lasted)
        self._evidence = Evidence(settings.after)
        self._hosts: dict[Side, _Host] = {"primary": _Host(), "backup": _Host()}
        if side == "backup" or lasted < self._proven_after:
            self._hosts["primary"] = _Host(failed_returns + 1, left=self._since)

    @property
    def failed_returns(self) -> int:
        """How many times in a row the primary was of no use soon after the account had come back to it."""
        return max(0, self._hosts["primary"].failures - 1)

    def adapt(self, settings: Settings) -> None:
        """Go on with other settings; what was seen of the links so far was judged by the former ones."""
        if settings != self.settings:
            self.settings = settings
            self._evidence = Evidence(settings.after)

    def begin(self) -> None:
        """bearerbox is a new process: what was seen of the old one's links says nothing of the new one's."""
        self._evidence.begin()

    def blind(self) -> None:
        """Let the time of evidence stand still until the next look."""
        self._evidence.blind()

    def seen(self, seen: Seen) -> None:
        """Take note of what bearerbox showed of the side in force."""
        self._evidence.seen(seen)
        lasted = seen.at - self._since
        if lasted >= self._proven_after and self._evidence.online and not self._evidence.unusable(_SUSPICION):
            self._hosts[self.side].failures = 0

    def probed(self, side: Side, now: float, answers: bool) -> None:
        """Take note of whether the host of a side could be reached."""
        host = self._hosts[side]
        if not answers:
            host.answering_since = None
        elif host.answering_since is None or now - host.probed > 3 * self._every(side) + _PROBE_LOST:
            host.answering_since = now
        host.asking, host.probed = False, now

    def moved(self, to: Side, now: float, *, by_hand: bool = False) -> None:
        """Take note that the account is brought to a side, because that was decided or because somebody wished so."""
        left = self._hosts[self.side]
        if not by_hand and self._evidence.unusable():
            left.failures += 1
        left.left = now
        left.asked = left.probed = float("-inf")
        left.answering_since = None
        self.side, self.by_hand, self._since = to, by_hand, now
        self._evidence.begin()

    def decide(self, now: float) -> Move | Probe | None:
        """Return what to do now; a probe is asked for once, and again when it is due."""
        to = other(self.side)
        host = self._hosts[to]
        why = self._evidence.unusable()
        if why is not None:
            if self._answers(to, now) and now >= host.left + self._rest(to):
                return Move(to, why)
            return self._probe(to, now)
        if self._evidence.unusable(_SUSPICION):
            return self._probe(to, now)
        if self.side == "primary" or self.by_hand:
            return None
        wait = self.back_wait
        if host.answering_since is not None and self._answers(to, now) and now - host.answering_since >= wait:
            return Move(to, f"the primary has answered for {now - host.answering_since:.0f} s", home=True)
        return self._probe(to, now)

    @property
    def unusable(self) -> str | None:
        """Why the side in force is of no use, None where it is or where that is not sure yet."""
        return self._evidence.unusable()

    @property
    def doubtful(self) -> bool:
        """Whether the side in force has been of no use for a few seconds: no time for anything that can wait."""
        share = min(_SUSPICION, _DOUBT / self.settings.after)
        return self._evidence.unusable(share) is not None

    @property
    def back_wait(self) -> float:
        """For how many seconds the primary has to answer before it is used again."""
        longest = max(LONGEST, self.settings.back_after)
        return min(self.settings.back_after * 2.0 ** min(self.failed_returns, 32), longest)

    @property
    def _proven_after(self) -> float:
        return max(self.settings.back_after, 2 * self.settings.after)

    def _rest(self, side: Side) -> float:
        """Return how many seconds after it was left a side may be tried at the earliest."""
        failures = self._hosts[side].failures
        if not failures:
            return 0.0
        return min(self.settings.after * 2.0 ** min(failures - 1, 32), max(LONGEST, self.settings.after))

    def _every(self, side: Side) -> float:
        within = self.settings.after if self.side == "primary" else self.settings.back_after
        return min(max(within / 10, _PROBE_OFTEN), _PROBE_RARELY)

    def _answers(self, side: Side, now: float) -> bool:
        host = self._hosts[side]
        return host.answering_since is not None and now - host.probed <= 3 * self._every(side) + _PROBE_LOST

    def _probe(self, side: Side, now: float) -> Probe | None:
        host = self._hosts[side]
        since = now - host.asked
        if since < self._every(side) or (host.asking and since < _PROBE_LOST):
            return None
        host.asked, host.asking = now, True
        return Probe(side)

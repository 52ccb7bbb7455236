"""When an account's rate may rise, and by how much.

Only trying shows whether the provider takes more, and a try that is too high is refused: its excess for certain, and
often more, because bringing an account to another rate means new links (`Cost`). So a try is made when what it may
cost has become little beside what was sent since the last one, and ever more rarely where tries were refused. A rate
that ran well before it was refused is another matter: a limit that fell may be lifted again, so it is looked for soon.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from kannelkit.throttle.values import Settings

# the first try after a refusal waits 3 x raise_after, the next 12 x, ... at the most _LONGEST_WAIT seconds
_REFUTED_AT_FIRST = 2
_FIRST = 3
_RARER = 4.0
_LONGEST_WAIT = 3600.0
# the first try may cost this share of what is sent until it is made, the next half of it, ...
_BUDGET = 0.0033
# a step up that costs half a minute without the link has to be rare to pay
_SLOW_WAIT = 300.0
# a step up that is too high is refused within its first bursts; a bucket of a second hides a tenth for ten seconds
_TRIAL = 10.0
# a rate that the last step led to is believed so much later, if no further step followed
_SETTLES = 20.0
# a step that was not refused is followed by one so many times as large
_GROWING = 3
# a limit that fell is looked for after 3 x raise_after, then every 4 x raise_after, for so many seconds
_LIFTED_AFTER = (3, 4)
_LIFTED_WITHIN = 900.0
# a limit's fall is answered by one change or two, this fast
_AT_ONCE = 10.0
# refusals that proved nothing took a little off the rate, and soon after it fell to less than this of what it was
_DEEP = 0.5
_SOON = 120.0


class Cost(IntEnum):
    """What a refused step costs besides its own excess, in seconds' worth of messages."""

    NOTHING = 0
    # a new link's second burst comes less than a second after its first, and the provider's law is strict
    ANOTHER_BURST = 1
    # the provider has a burst of its own: a rate that is too high is found out late
    LATE = 2
    # it refuses everything for a while after an excess, or closes the bind
    PUNISHED = 4


@dataclass(slots=True)
class _Step:
    """A step up on trial: since when it runs."""

    since: float


@dataclass(slots=True)
class _Fall:
    """A rate that ran well until it was refused at `at`, and how often it was looked for since."""

    throughput: int
    at: float
    tries: int = 0


class Ascent:
    """Decides an account's steps up; times are seconds of the controller's clock."""

    def __init__(self, settings: Settings, refuted: int) -> None:
        self._settings = settings
        self.refuted = refuted
        # of several links, one nearly always sends when another one is new
        self.cost = Cost.NOTHING if settings.links == 1 else Cost.ANOTHER_BURST
        self.slow = False
        self._step = 0
        self._trial: _Step | None = None
        self.base: int | None = None  # the rate that the steps led from, while they are under way
        self._fall: _Fall | None = None
        self._tried_until = float("-inf")
        self._left = (0, float("-inf"))  # the rate that ran well and was left last, and when
        self._saturated = self._quiet = 0.0

    def wait(self, throughput: int, at: float) -> float:
        """Return for how many seconds messages must have waited at this rate before the next step up.

        In the last `raise_after` of them nothing may have been refused.
        """
        raise_after = self._settings.raise_after
        refuted_again = max(0, self.refuted - _REFUTED_AT_FIRST)
        waits = raise_after * (_FIRST if self.refuted else 1) * _RARER**refuted_again
        if self.slow:
            return min(_LONGEST_WAIT, max(_SLOW_WAIT, waits))
        if self._step:
            return _TRIAL
        if self._fallen(at) is not None and self._fall is not None and self.cost is not Cost.PUNISHED:
            return raise_after * _LIFTED_AFTER[min(self._fall.tries, len(_LIFTED_AFTER) - 1)]
        if self.refuted:
            excess = self._increment(throughput) / throughput + self.cost
            waits = max(waits, excess / _BUDGET * 2.0**refuted_again)
        return min(_LONGEST_WAIT, waits)

    def costs(self, cost: Cost) -> None:
        """Take note of what a refused step, or a change of rate, was seen to cost."""
        self.cost = max(self.cost, cost)

    def refused(self) -> None:
        """Take note that something was refused."""
        self._quiet = 0.0

    def changed(self, before: int | None, at: float, *, raised: bool) -> None:
        """The links are new since `at`; `raised` from `before` by a step up."""
        self._saturated = self._quiet = 0.0
        if raised:
            self._trial = _Step(at)
            self.base = self.base or before
        else:
            self.base = None

    def lowered(
        self, throughput: int, at: float, *, ran_well: bool, proved: bool = True, after: int | None = None
    ) -> None:
        """`throughput` was too high at `at` and becomes `after`; `ran_well` where it had been accepted for a while.

        Only what is `proved` is a limit that fell; one that ran well until a few seconds before then fell, too, and
        where the fall is deep, one that ran well until a minute or two before.
        """
        if self._trial is None and ran_well:
            self._left = (throughput, at)
        deep = after is not None and after < _DEEP * self._left[0]
        if self._trial is None and proved and at - self._left[1] < (_SOON if deep else _AT_ONCE):
            self._fall = _Fall(max(self._left[0], self._fall.throughput if self._fall else 0), at)
        elif self._trial is not None and self._fall is not None:
            self._fall.tries += 1
        self.refuted = max(_REFUTED_AT_FIRST, self.refuted + 1)
        self._step = 0
        self._trial = self.base = None

    def step(self, throughput: int | None, at: float, seconds: float, *, waiting: bool) -> int | None:
        """Return the rate of the step up that is due at `at`, None without one; `seconds` passed since the last call.

        `waiting` says that the links are online and messages waited meanwhile.
        """
        if self._trial is not None and at - self._trial.since >= _TRIAL and self._quiet >= _TRIAL / 2:
            # the step was not refused: what was refused once is allowed now
            self._trial = None
            self.refuted = 0
            self._step += 1
            self._tried_until = at
        if self._trial is None and at - self._tried_until >= _SETTLES:
            self.base = None
        if not waiting:
            return None
        self._saturated += seconds
        self._quiet += seconds
        ceiling = self._settings.ceiling
        if throughput is None or (ceiling is not None and throughput >= ceiling) or self._trial is not None:
            return None
        if self._saturated < self.wait(throughput, at):
            return None
        if not self._step and self._quiet < self._settings.raise_after:
            return None
        fallen = self._fallen(at)
        if self._step and fallen is not None and fallen > throughput:
            return fallen
        return throughput + self._increment(throughput) * int(_GROWING**self._step)

    @property
    def trying(self) -> bool:
        """Whether the last step is still on trial."""
        return self._trial is not None

    @property
    def quiet(self) -> float:
        """Seconds for which messages have waited and nothing was refused."""
        return self._quiet

    def abandoned(self) -> None:
        """A step could not be made: wait again."""
        self._saturated = self._quiet = 0.0

    def _increment(self, throughput: int) -> int:
        return max(1, throughput // 10)

    def _fallen(self, at: float) -> int | None:
        if self._fall is not None and at - self._fall.at > _LIFTED_WITHIN:
            self._fall = None
        return self._fall.throughput if self._fall else None

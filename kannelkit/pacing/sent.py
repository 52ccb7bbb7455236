"""What a limit hands out: a submit on its way, and what it learnt."""

from __future__ import annotations

from dataclasses import dataclass

from kannelkit.pacing.delay import Delay


@dataclass(slots=True, eq=False)
class Sent:
    """A submit on its way: when it left, which way, the how manieth of those after a rest, and of which trial."""

    at: float
    way: Delay
    together: int = 0
    trial: int = 0


@dataclass(frozen=True, slots=True)
class Learnt:
    """What outlives a restart: the limit in submits per second."""

    limit: float

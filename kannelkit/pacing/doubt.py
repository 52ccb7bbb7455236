"""Whether a limit that one refusal told is a window's: a bucket's lets something through again before a window does."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from kannelkit.pacing.history import History

_FROM: Final = 1.0  # limits from which on it is worth a refusal to know
_ONLY_BELOW: Final = 0.7  # of the limit that was believed before: else there is little in doubt
# a bucket of a third of a second or more lets one through after so many times the time that one submit has
_SOON, _LATE = 1.6, 3.0
_BURSTS: Final = 3.0  # of a third of a second, and more
_JITTER, _OVERTAKING = 0.05, 0.02  # seconds
_PROBED: Final = 0.03  # seconds
_ON_END: Final = 4  # so many refusals on end at twice a bucket's limit: it is none
_FEW: Final = 2.0  # submits per second: up to this, one refusal more counts
_MUCH_LESS: Final = 0.45  # than so much of the ceiling: told by few


@dataclass(slots=True)
class Doubt:
    """Something accepted that left between two moments shows a bucket; `before` was believed until the refusal."""

    begin: float
    end: float
    before: float
    probe_at: float  # when one submit leaves to find out, infinity for none
    seen: float
    _refused: int = 0

    def settled(self, at: float) -> bool:
        """Return whether there is no doubt any more, now that this one was refused, too."""
        if at > self.begin:
            self._refused += 1
        return self._refused >= _ON_END and at > self.seen


def doubt(at: float, now: float, limit: float, before: float, history: History) -> Doubt | None:
    """Return what would show that a bucket refused at a moment; None where that does not matter."""
    if limit < _FROM or limit > _ONLY_BELOW * before:
        return None
    opens = history.first_after(at - 1.0) + 1.0  # a window of one second
    likely = max(limit, before / _BURSTS)  # the least that it has
    probe_at = max(now, at + _SOON / likely)
    end = min(opens, max(at + _LATE / limit + _JITTER, probe_at + _PROBED))
    return Doubt(
        at + _OVERTAKING, end, before, probe_at if probe_at < opens - _PROBED else math.inf, at + _SOON / limit
    )


def doubtful(limit: float, before: float, first: bool) -> bool:
    """Return whether a limit that is less than what was believed, the ceiling at `first`, needs to be tried soon."""
    sure = first and _MUCH_LESS * before <= limit <= _FEW
    return limit < before and not sure

"""By how much a second of ours is longer than the provider's: more of it costs speed, less of it costs refusals."""

from __future__ import annotations

import math
from typing import Final

_LEAST, _MOST = 0.005, 0.05
_MORE: Final = 1.5  # times as much after each refusal that nothing else explains
_LASTS: Final = 120.0  # seconds without one after which such a step is taken back


class Slack:
    """A share of a second; times are seconds of one clock."""

    def __init__(self) -> None:
        self.now = _LEAST
        self._until = math.inf

    def more(self, now: float) -> None:
        """A refusal came that nothing else explains."""
        self.now = min(_MOST, self.now * _MORE)
        self._until = now + _LASTS

    def look(self, now: float, affordable: bool) -> None:
        """Take back a step when it lasted; `affordable` says whether a refusal may be had for that."""
        if now >= self._until and affordable:
            self.now = max(_LEAST, self.now / _MORE)
            self._until = now + _LASTS if self.now > _LEAST else math.inf

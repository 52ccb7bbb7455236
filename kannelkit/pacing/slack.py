"""By how much a second of ours is longer than the provider's: more of it costs speed, less of it costs refusals."""

from __future__ import annotations

import math
from typing import Final

_LEAST, _MOST = 0.005, 0.05
_MORE: Final = 1.5  # times as much after each refusal that nothing else explains
_MUCH_MORE: Final = 4.0  # where one submit less would be another limit
_MUCH: Final = 0.05  # with so much of it, refusals that come one soon after the other are no jitter
_SOON, _SOON_OF_MANY = 10.0, 30.0  # submits
_LASTS: Final = 120.0  # seconds without one after which such a step is taken back


class Slack:
    """A share of a second; times are seconds of one clock."""

    def __init__(self) -> None:
        self.now = _LEAST
        self._until = math.inf
        self._jitter_at = -math.inf

    def more(self, now: float) -> None:
        """A refusal came that nothing else explains."""
        self._more(_MORE, now)

    def explains(self, at: float, limit: float, now: float) -> bool:
        """Return whether jitter may be why one was refused that left just after a window; if so, be longer."""
        if self.not_enough(at, limit, _SOON):
            return False
        self._more(_MUCH_MORE, now)
        return True

    def not_enough(self, at: float, limit: float, submits: float = _SOON_OF_MANY) -> bool:
        """Return whether refusals go on, one within so many submits of the other, where there is much slack."""
        soon, self._jitter_at = at - self._jitter_at < submits / limit, at
        return soon and self.much

    @property
    def much(self) -> bool:
        """Whether there is so much that refusals which go on have another reason."""
        return self.now >= _MUCH

    def look(self, now: float, affordable: bool) -> None:
        """Take back a step when it lasted; `affordable` says whether a refusal may be had for that."""
        if now >= self._until and affordable:
            self.now = max(_LEAST, self.now / _MORE)
            self._until = now + _LASTS if self.now > _LEAST else math.inf

    def _more(self, times: float, now: float) -> None:
        self.now = min(_MOST, self.now * times)
        self._until = now + _LASTS

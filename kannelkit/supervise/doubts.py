"""When to tell that bearerbox's log claims refusals which its queue contradicts."""

from __future__ import annotations

from collections.abc import Mapping

from kannelkit.throttle.controller import AccountRate

# seconds between two notes on one account: whoever forges refusals may do so all day
_EVERY = 60.0


class Doubts:
    """Follows the refusals that the controllers did not believe."""

    def __init__(self) -> None:
        self._told: dict[str, tuple[int, float]] = {}

    def due(self, rates: Mapping[str, AccountRate], now: float) -> dict[str, int]:
        """Return how many refusals were not believed, by account, where that is to be told at `now` (seconds)."""
        due = {}
        for account, rate in rates.items():
            told, at = self._told.get(account, (0, float("-inf")))
            if rate.doubted > told and now - at >= _EVERY:
                self._told[account] = (rate.doubted, now)
                due[account] = rate.doubted - told
        return due

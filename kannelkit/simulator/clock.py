"""The simulator's time: seconds since its start, on the event loop's clock."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

MINUTES_KEPT = 100  # in text, for most receipts tell of the same few


class Clock:
    """Moments are seconds since this clock was made; it never goes back, whatever the wall clock does."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._start = loop.time()
        self._wall = wall = time.time()
        self._minutes: dict[int, str] = {}
        self._date = datetime.fromtimestamp(wall, UTC)
        self.edge = math.ceil(wall) - wall
        """A moment at which a second of the wall clock begins."""

    def now(self) -> float:
        """Return the seconds since the start."""
        return self._loop.time() - self._start

    def call_at(self, moment: float, callback: Callable[[], None]) -> asyncio.TimerHandle:
        """Have `callback` called at `moment`."""
        return self._loop.call_at(self._start + moment, callback)

    def minute(self, moment: float) -> str:
        """Return the date and time of a moment as a delivery receipt has them: YYMMDDhhmm, in UTC."""
        number = int(self._wall + moment) // 60
        if number not in self._minutes:
            if len(self._minutes) >= MINUTES_KEPT:
                self._minutes.clear()
            self._minutes[number] = f"{datetime.fromtimestamp(number * 60, UTC):%y%m%d%H%M}"
        return self._minutes[number]

    def date(self, moment: float) -> datetime:
        """Return the date and time of a moment, in UTC."""
        return self._date + timedelta(seconds=moment)

"""How far a long measurement is, told on stderr; and how many gateways run at once."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

_DRAWN_EVERY = 5.0  # seconds between two looks in a terminal
_TOLD_EVERY = 60.0  # and elsewhere


class Room:
    """Lets gateways run whose weights are no more than `size` together, first come first served."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._places = asyncio.Semaphore(size)
        self._coming_in = asyncio.Lock()

    @asynccontextmanager
    async def place(self, weight: int) -> AsyncIterator[None]:
        """Wait for room, and keep it meanwhile."""
        taken = 0
        try:
            async with self._coming_in:  # else two heavy ones could wait for each other with half of what they need
                for _ in range(weight):
                    await self._places.acquire()
                    taken += 1
            yield
        finally:
            for _ in range(taken):
                self._places.release()


class Progress:
    """Counts runs and what they cost (seconds times weight), and tells what remains of all."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._began = time.monotonic()
        self._left = 0.0
        self._waiting = 0
        self._running: dict[str, tuple[float, float, int]] = {}  # name -> begin, seconds, weight
        self._finished = 0
        self._terminal = sys.stderr.isatty()

    def expect(self, seconds: float, weight: int) -> None:
        """Expect a run."""
        self._left += seconds * weight
        self._waiting += 1

    @asynccontextmanager
    async def run(self, name: str, seconds: float, weight: int) -> AsyncIterator[None]:
        """Count an expected run as running meanwhile, and as done after."""
        self._waiting -= 1
        self._left -= seconds * weight
        self._running[name] = (time.monotonic(), seconds, weight)
        try:
            yield
        finally:
            del self._running[name]
            self._finished += 1

    def clear(self) -> None:
        """Make way for a line on stdout."""
        if self._terminal:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()

    @property
    def minutes(self) -> float:
        """About how long it still takes."""
        now = time.monotonic()
        rest = sum(max(0.0, begin + seconds - now) * weight for begin, seconds, weight in self._running.values())
        longest = max((begin + seconds - now for begin, seconds, _ in self._running.values()), default=0.0)
        return max((self._left + rest) / self._size, longest) / 60

    def text(self) -> str:
        """Return how it stands, in one line."""
        return (
            f"{self._finished} runs done in {(time.monotonic() - self._began) / 60:.0f} min, "
            f"{len(self._running)} running, {self._waiting} to come, about {self.minutes:.0f} min left"
        )

    @asynccontextmanager
    async def told(self) -> AsyncIterator[None]:
        """Tell how it stands at the begin, and now and then meanwhile."""
        task = asyncio.create_task(self._tell())
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
            self.clear()

    async def _tell(self) -> None:
        while True:
            sys.stderr.write(f"\r\x1b[K{self.text()}" if self._terminal else f"{self.text()}\n")
            sys.stderr.flush()
            await asyncio.sleep(_DRAWN_EVERY if self._terminal else _TOLD_EVERY)

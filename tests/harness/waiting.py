"""What tests wait for: a fact, however long a busy machine takes over it, or the turn of everything that is ready."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

PATIENCE = 60.0  # seconds for what must come
_LOOK_EVERY = 0.01


async def until(holds: Callable[[], object], seconds: float = PATIENCE) -> None:
    """Wait until something holds; raise TimeoutError where it does not come to within so many seconds."""
    async with asyncio.timeout(seconds):
        while not holds():
            await asyncio.sleep(_LOOK_EVERY)


async def turn() -> None:
    """Give everything else that is ready its turn."""
    await asyncio.sleep(0)

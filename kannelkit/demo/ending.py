"""Work that Ctrl-C must not break off: what stops programs and so leaves nothing running."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine


async def to_the_end(work: Coroutine[None, None, None]) -> None:
    """Do the work; a cancellation that comes meanwhile is held back until it is done. Raises what the work raises."""
    task = asyncio.ensure_future(work)
    cancelled = False
    while not task.done():
        try:
            await asyncio.wait({task})  # unlike `await task`, this does not pass a cancellation on to it
        except asyncio.CancelledError:
            cancelled = True
    task.result()
    if cancelled:
        raise asyncio.CancelledError

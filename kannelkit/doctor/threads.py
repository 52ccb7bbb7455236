"""What blocks, done where it cannot hold anybody up: a thread that nobody waits for in the end."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable
from functools import partial
from typing import TypeVar

T = TypeVar("T")


async def aside(function: Callable[[], T], seconds: float) -> T:
    """Return what the function returns, or raise what it raises; TimeoutError where it has not ended in time.

    Then it goes on, and ends with the process at the latest: unlike asyncio's own threads it is not waited for.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def put(what: Callable[[], None]) -> None:
        if not future.done():
            what()

    def work() -> None:
        ended: Callable[[], None]
        try:
            ended = partial(future.set_result, function())
        except BaseException as error:  # noqa: BLE001 - raised where it is waited for
            ended = partial(future.set_exception, error)
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(put, ended)

    threading.Thread(target=work, daemon=True).start()
    async with asyncio.timeout(seconds):
        return await future

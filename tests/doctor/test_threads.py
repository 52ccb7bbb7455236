"""What blocks holds nobody up."""

from __future__ import annotations

import asyncio
import threading

import pytest

from kannelkit.doctor.threads import aside


async def test_what_is_returned_and_raised_comes_back() -> None:
    def fails() -> int:
        raise KeyError("x")

    assert await aside(lambda: 7, 60) == 7
    with pytest.raises(KeyError):
        await aside(fails, 60)


def test_what_hangs_is_left_behind() -> None:
    released = threading.Event()

    async def waited() -> None:
        with pytest.raises(TimeoutError):
            await aside(released.wait, 0.01)

    asyncio.run(waited())  # its end waits for no thread
    assert not released.is_set()
    released.set()


async def test_what_ends_late_disturbs_nobody() -> None:
    released = threading.Event()
    ended = threading.Event()

    def late() -> int:
        released.wait()
        ended.set()
        return 1

    with pytest.raises(TimeoutError):
        await aside(late, 0.01)
    released.set()
    assert await aside(lambda: ended.wait(60), 60)
    assert await aside(lambda: 2, 60) == 2

"""What stops programs is not broken off."""

from __future__ import annotations

import asyncio

import pytest

from kannelkit.demo.ending import to_the_end
from kannelkit.errors import HostError
from tests.harness.waiting import turn


async def test_a_cancellation_waits_for_the_work() -> None:
    begun, go_on, done = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def work() -> None:
        begun.set()
        await go_on.wait()
        done.set()

    task = asyncio.create_task(to_the_end(work()))
    await begun.wait()
    for _ in range(3):
        task.cancel()
        await turn()
    assert not task.done()
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert done.is_set()


async def test_without_one_it_returns() -> None:
    done = asyncio.Event()

    async def work() -> None:
        await turn()
        done.set()

    await to_the_end(work())
    assert done.is_set()


async def test_what_the_work_raises_is_raised() -> None:
    async def work() -> None:
        raise HostError("refused")

    with pytest.raises(HostError, match="refused"):
        await to_the_end(work())

"""The provider of the demonstration: the simulator as a program, read and told through its control port."""

from __future__ import annotations

import asyncio
import stat
from pathlib import Path

import psutil
import pytest

from kannelkit.demo.provider import provider
from kannelkit.errors import GatewayError
from kannelkit.simulator.rules import AccountRules
from tests.simulator.esme import Esme

RULES = [AccountRules("first", "secret", 2), AccountRules("second", "secret", 2)]


def running_from(folder: Path) -> list[int]:
    """Return the programs that have the folder in their arguments."""
    found = psutil.process_iter(["cmdline"])
    return [each.pid for each in found if any(str(folder) in word for word in each.info["cmdline"] or ())]


async def test_it_is_read_and_told_while_it_runs(tmp_path: Path) -> None:
    async with provider(tmp_path, RULES, 0.0) as smsc:
        assert (await smsc.seen("first")).counters.first_submit is None
        async with Esme(smsc.port) as esme:
            await esme.bind(b"first", b"secret")
            answers = [await esme.submit_and_wait(b"message %d" % number) for number in range(3)]
            assert [answer.command_status for answer in answers] == [0, 0, 0x58]
            await smsc.lift("first")
            assert (await esme.submit_and_wait(b"message 2")).command_status == 0
            assert (await esme.submit_and_wait(b"message 2")).command_status == 0
        seen = await smsc.seen("first")
        assert (seen.counters.accepted, seen.counters.refused, seen.counters.doubled) == (4, 1, 1)
        assert (sum(seen.slots.accepted), sum(seen.slots.refused)) == (4, 1)
        assert seen.counters.first_submit is not None
        assert seen.counters.first_submit <= seen.now
        assert (await smsc.seen("second")).counters.submits == 0
        with pytest.raises(GatewayError, match="unknown"):
            await smsc.lift("third")
        assert running_from(tmp_path)
    assert running_from(tmp_path) == []


async def test_its_passwords_are_in_no_arguments_and_for_no_other_eyes(tmp_path: Path) -> None:
    async with provider(tmp_path, RULES, 0.0):
        words = [word for pid in running_from(tmp_path) for word in psutil.Process(pid).cmdline()]
        assert words
        assert not any("secret" in word for word in words)
        assert stat.S_IMODE((tmp_path / "accounts").stat().st_mode) == 0o600


async def test_it_ends_with_the_one_who_runs_it(tmp_path: Path) -> None:
    runs = asyncio.Event()

    async def run() -> None:
        async with provider(tmp_path, RULES, 0.0):
            runs.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(run())
    await runs.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert running_from(tmp_path) == []


async def test_a_simulator_that_does_not_start_says_why(tmp_path: Path) -> None:
    with pytest.raises(GatewayError, match=r"(?s)did not start.*accounts"):
        async with provider(tmp_path, [*RULES, RULES[0]], 0.0):
            pass
    assert running_from(tmp_path) == []

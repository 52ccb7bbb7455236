"""The commands for people and a real gateway: a rate by hand loses nothing, a pause lasts, and all of it is told."""

from __future__ import annotations

import asyncio
import json
import sys
from asyncio.subprocess import PIPE
from pathlib import Path
from typing import Any

import pytest

from tests.harness.load import load
from tests.integration.operated import PATIENCE, Up, arrived, drained, simulator

pytestmark = pytest.mark.kannel


async def kannelkit(gateway: Up, command: str, *arguments: str) -> tuple[int, str, str]:
    """Run a command on the gateway's spec as a program of its own; return its exit code and both outputs."""
    words = [sys.executable, "-m", "kannelkit", command, str(gateway.path), *arguments]
    process = await asyncio.create_subprocess_exec(*words, stdin=asyncio.subprocess.DEVNULL, stdout=PIPE, stderr=PIPE)
    out, err = await process.communicate()
    assert process.returncode is not None
    assert b"Traceback" not in err
    return process.returncode, out.decode(), err.decode()


async def answer(gateway: Up, command: str, *arguments: str) -> dict[str, Any]:
    code, out, err = await kannelkit(gateway, command, *arguments, "--json")
    assert code == 0, err
    found: dict[str, Any] = json.loads(out)
    return found


async def test_a_rate_is_set_paused_shown_and_remembered(tmp_path: Path) -> None:
    async with simulator() as smsc, Up(tmp_path, smsc, throughput=40) as gateway:
        await gateway.saying("ready")
        sent = await load(gateway.sendsms_port, 120, speed=400)
        done, whole = await asyncio.gather(
            answer(gateway, "rate", "bench", "20", "--pause"), kannelkit(gateway, "top", "--once")
        )
        assert (done["before"], done["after"], done["online"], done["paused"]) == (40, 20, True, True)
        assert whole[0] == 0
        assert "bench-1" in whole[1]
        await drained(gateway)
        assert sent.failed == {}
        assert arrived(smsc) == (120, 0)  # none lost, none doubled

        seen, state = await asyncio.gather(answer(gateway, "status"), answer(gateway, "top", "--once"))
        for account in (seen["accounts"][0], state["accounts"][0]):
            assert (account["throughput"], account["paused"], account["by_hand"]) == (20, True, True)
        assert (seen["ok"], state["ok"]) == (True, True)
        async with asyncio.timeout(PATIENCE):  # the last of it is noted when the counters are read next
            while sum(state["accounts"][0]["curve"]["accepted"]) != 120:
                state = await answer(gateway, "top", "--once")
        assert (await kannelkit(gateway, "rate", "bench", "41"))[0] == 1

        assert await gateway.end() == 0
        code, _, said = await kannelkit(gateway, "resume", "bench")
        assert (code, "the gateway does not run" in said) == (1, True)
        code, told, _ = await kannelkit(gateway, "history", "--kind", "rate", "--kind", "paused", "--json")
        assert code == 0
        assert [json.loads(line)["kind"] for line in told.splitlines()] == ["paused", "rate"]

        await gateway.start()
        after = await answer(gateway, "rate", "bench")
        assert (after["throughput"], after["ceiling"], after["paused"], after["by_hand"]) == (20, 40, True, True)
        resumed = await answer(gateway, "resume", "--all")
        assert [(unit["unit"], unit["changed"]) for unit in resumed["units"]] == [("bench", True)]
        assert (await answer(gateway, "status"))["accounts"][0]["paused"] is False

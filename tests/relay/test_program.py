"""The relay as the program that something else starts."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

from kannelkit.relay.settings import RelaySettings, write
from kannelkit.simulator import AccountRules, Simulator
from tests.relay.running import NAME, PASSWORD, account
from tests.simulator.esme import Esme


async def test_it_tells_where_it_listens_and_ends_in_order_when_it_is_asked_to(tmp_path: Path) -> None:
    async with Simulator([AccountRules("test", "test", limit=None)]) as smsc:
        path = tmp_path / "relay.json"
        write(path, RelaySettings(tmp_path / "state", (account(smsc.port),)))
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "kannelkit", "relay", "--settings", str(path), "--json"),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            assert process.stdout is not None
            told = json.loads(await process.stdout.readline())
            assert (told["account"], told["text"]) == (NAME, f"listens on 127.0.0.1:{told['port']}")
            async with Esme(told["port"]) as esme:
                assert (await esme.bind(NAME.encode(), PASSWORD)).command_status == 0
                assert (await esme.submit_and_wait()).command_status == 0
        finally:
            process.terminate()
            rest, errors = await process.communicate()
        assert process.returncode == 0
        assert errors == b""
        assert [json.loads(line)["account"] for line in rest.splitlines()] == [NAME]
        assert PASSWORD not in rest

"""`kannelkit apply` on a gateway under load: each change disturbs what the plan said, nothing is lost or doubled."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import pytest

from tests.integration.applied import Applied, Load, account, binds, judge, smscs

pytestmark = [
    pytest.mark.kannel,
    pytest.mark.skipif(not shutil.which("node"), reason="node is not installed"),
]


async def test_links_under_load(tmp_path: Path) -> None:
    async with smscs(3) as (first, second, other):
        one, two = account("one", first, "7900"), account("two", second, "7901")
        async with Applied(tmp_path, [one, two]) as gateway:
            await gateway.saying("ready")
            pids = gateway.pids()
            async with Load(gateway.sendsms_port, ["7900", "7901"]) as load:
                await asyncio.sleep(0.5)
                gateway.change(smsc=[{**one, "throughput": 40}, two])
                code, said = await gateway.apply()
                assert code == 0, said
                assert await binds(first, second, other) == [2, 1, 0]
                gateway.change(smsc=[{**one, "throughput": 40, "port": other.port}, two])
                code, said = await gateway.apply()
                assert code == 0, said
                assert await binds(first, second, other) == [2, 1, 1]
                gateway.change(smsc=[{**one, "throughput": 40, "port": other.port}, {**two, "system-type": "X"}])
                code, said = await gateway.apply()
                assert code == 0, said
                assert await binds(first, second, other) == [2, 2, 1]
                judged = await judge(gateway, load, first, second, other)
            assert (judged.lost, judged.doubled, load.refused, load.unknown) == ([], {}, {}, [])
            assert len(load.accepted) > 100
            assert gateway.pids() == pids

"""Changes of rate forced under load, judged by an SMSC that is not ours: nothing lost, nothing doubled."""

from __future__ import annotations

import asyncio
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.benchmarks.changes import forced_changes
from tests.benchmarks.run import drained
from tests.harness.embedded import Embedded
from tests.harness.gateway import SYSTEM_ID
from tests.harness.load import load
from tests.harness.node_smsc import NodeSmsc
from tests.harness.supervised import Supervised
from tests.harness.timeline import doubled, lost

pytestmark = [
    pytest.mark.kannel,
    pytest.mark.skipif(not shutil.which("node"), reason="node is not installed"),
]


@dataclass(frozen=True)
class Provider:
    """How the SMSC behaves, how many changes are forced, and how long one may take."""

    smsc: dict[str, Any] = field(default_factory=dict)
    changes: int = 5
    longest_gap: float = 20.0  # seconds; for an unbind without an answer Kannel waits 30


PROVIDERS = {
    "answers in order": Provider(),
    "answers together in one segment": Provider({"coalesce_ms": 200}),
    "answers late": Provider({"delay_ms": 300}, changes=3),
    "closes at the unbind": Provider({"at_unbind": "close"}, changes=1, longest_gap=90.0),
}


@pytest.mark.parametrize("name", PROVIDERS)
async def test_changes_under_load_lose_and_double_nothing(tmp_path: Path, name: str) -> None:
    provider = PROVIDERS[name]
    calm = {"supervisor": {"rate": {"raise-after": 3600}}}  # no step up of its own meanwhile
    async with NodeSmsc(**{"delay_ms": 50, **provider.smsc}) as smsc:
        supervised = Supervised(tmp_path, smsc.port, 30, spec=calm)
        async with Embedded(supervised) as gateway:
            outcome = await forced_changes(gateway, smsc, gateway.change, rates=[20, 30], count=provider.changes)
            await smsc.change(at_unbind="answer")  # its end is not what is tried
    assert (outcome.binds, outcome.missing) == (provider.changes, 0)
    assert outcome.complete
    assert (outcome.lost, outcome.doubled) == (0, 0)
    assert outcome.longest_gap < provider.longest_gap


async def test_an_account_is_changed_while_another_one_always_has_submits_in_flight(tmp_path: Path) -> None:
    async with NodeSmsc(limit=30, delay_ms=50) as fast, NodeSmsc(delay_ms=1500) as slow:
        accounts = [_account("bench", fast.port, "7900", 60), _account("slow", slow.port, "7901", 20)]
        supervised = Supervised(tmp_path, fast.port, 60, spec={"smsc": accounts})
        async with Embedded(supervised) as gateway:
            unhurried = await load(gateway.sendsms_port, 300, speed=500, series=1)
            await asyncio.sleep(2)
            hurried = await load(gateway.sendsms_port, 300, speed=500)
            assert await drained(gateway, fast, 60)
            changes = [event.data for event in gateway.events if event.kind == "rate"]
            # one step, but on a busy machine, where a burst may take longer than the provider's second
            assert changes[0]["before"] == 60
            assert changes[-1]["after"] in range(25, 32)
            for smsc, sent in ((fast, hurried), (slow, unhurried)):
                keys = await smsc.messages()
                assert (lost(sent.accepted, keys), doubled(keys)) == ([], {})
            assert (await slow.counters())["bound"] == 1  # a change disturbs its own account only


def _account(name: str, port: int, prefix: str, throughput: int) -> dict[str, Any]:
    return {
        "smsc-id": name,
        "host": "127.0.0.1",
        "port": port,
        "smsc-username": SYSTEM_ID,
        "smsc-password": "secret",
        "allowed-prefix": prefix,
        "throughput": throughput,
        "max-pending-submits": 100,
    }

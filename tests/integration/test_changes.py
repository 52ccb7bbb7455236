"""Changes of rate forced under load, judged by an SMSC that is not ours: nothing lost, nothing doubled."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.benchmarks.changes import forced_changes
from tests.harness.embedded import Embedded
from tests.harness.node_smsc import NodeSmsc
from tests.harness.supervised import Supervised

pytestmark = [
    pytest.mark.kannel,
    pytest.mark.skipif(not shutil.which("node"), reason="node is not installed"),
]


@dataclass(frozen=True)
class Provider:
    """How the SMSC behaves, how many changes are forced, and how long one may take."""

    smsc: dict[str, Any] = field(default_factory=dict)
    changes: int = 5
    longest_gap: float = 5.0


PROVIDERS = {
    "answers in order": Provider(),
    "answers together in one segment": Provider({"coalesce_ms": 200}),
    "answers late": Provider({"delay_ms": 300}, changes=3),
    "closes at the unbind": Provider({"at_unbind": "close"}, changes=1, longest_gap=35.0),
}


@pytest.mark.parametrize("name", PROVIDERS)
async def test_changes_under_load_lose_and_double_nothing(tmp_path: Path, name: str) -> None:
    provider = PROVIDERS[name]
    calm = {"supervisor": {"rate": {"raise-after": 3600}}}  # no step up of its own meanwhile
    async with NodeSmsc(**{"delay_ms": 50, **provider.smsc}) as smsc:
        supervised = Supervised(tmp_path, smsc.port, 30, spec=calm)
        async with Embedded(supervised) as gateway:
            outcome = await forced_changes(gateway, smsc, gateway.change, rates=[20, 30], count=provider.changes)
    assert (outcome.binds, outcome.missing) == (provider.changes, 0)
    assert outcome.complete
    assert (outcome.lost, outcome.doubled) == (0, 0)
    assert outcome.longest_gap < provider.longest_gap

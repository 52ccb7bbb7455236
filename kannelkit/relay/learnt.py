"""The limits that were learnt, kept in the state folder for the next start."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path

from kannelkit.host.files import write_whole
from kannelkit.pacing.limit import Learnt

FILE = "relay-limits.json"


def read(folder: Path) -> dict[str, Learnt]:
    """Return what was learnt of each unit; nothing where the file is missing or not what `write` wrote."""
    try:
        table = json.loads((folder / FILE).read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}  # it is learnt again
    if not isinstance(table, dict):
        return {}
    return {
        unit: Learnt(float(limit))
        for unit, limit in table.items()
        if isinstance(limit, int | float) and not isinstance(limit, bool) and 0 < limit < math.inf
    }


def write(folder: Path, learnt: Mapping[str, Learnt]) -> None:
    """Keep what was learnt; raises HostError."""
    table = {unit: each.limit for unit, each in learnt.items()}
    write_whole(folder / FILE, json.dumps(table, indent=1, sort_keys=True) + "\n", 0o640)

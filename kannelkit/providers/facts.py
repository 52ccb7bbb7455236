"""The tables of facts that are shipped beside this module, each row with its grade."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Literal

from kannelkit.providers.profile import Grade

Language = Literal["en", "ru"]
Row = Mapping[str, Any]


@cache
def facts(name: str) -> Mapping[str, Sequence[Row]]:
    """Return the rows of a shipped table of facts, by kind, in the order in which they are written."""
    # importlib.resources takes longer to load than everything here
    return tomllib.loads(Path(__file__).with_name(f"{name}.toml").read_text("utf-8"))


def grade(row: Row) -> Grade:
    """Return how well a row is known; raises KeyError or ValueError for one that does not say."""
    for known in ("A", "B", "C"):
        if row["grade"] == known:
            return known
    raise ValueError(f"no such grade: {row['grade']}")

"""The table of metrics: what /metrics gives, as rows of metrics.toml."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from types import MappingProxyType
from typing import Literal, get_args

# Whose names a metric has: kannelkit's own, or those of kannel_exporter, for dashboards that were made for it.
Names = Literal["kannelkit", "kannel_exporter"]
# What can be asked for.
Choice = Literal["kannelkit", "kannel_exporter", "both"]
CHOICES: tuple[Choice, ...] = get_args(Choice)


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric; the columns are explained in metrics.toml."""

    name: str
    type: Literal["counter", "gauge", "summary"]
    help: str
    source: str
    labels: tuple[str, ...] = ()
    unit: str = ""
    names: Names = "kannelkit"


def read(text: str) -> Mapping[str, Metric]:
    """Return the metrics of a table by their names. Raises TypeError where a column is missing or unknown."""
    rows = tomllib.loads(text)
    return MappingProxyType(
        {name: Metric(name, **{**row, "labels": tuple(row.get("labels", ()))}) for name, row in rows.items()}
    )


METRICS: Mapping[str, Metric] = read(resources.files(__package__).joinpath("metrics.toml").read_text("utf-8"))

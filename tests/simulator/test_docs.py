"""What can be read and changed is described."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest

from kannelkit.simulator import AtUnbind, Behaviour, Law, Order, SecondBind
from kannelkit.simulator.counters import Counters

TEXT = (Path(__file__).parents[2] / "docs" / "simulator.md").read_text()

COUNTERS = [field.name for field in fields(Counters) if not field.name.startswith(("first_", "last_"))]
BEHAVIOURS = [field.name for field in fields(Behaviour)]


@pytest.mark.parametrize("name", [*COUNTERS, *BEHAVIOURS, *Law, *SecondBind])
def test_name_is_described(name: str) -> None:
    assert f"`{name}`" in TEXT


@pytest.mark.parametrize(
    "option", [f"--order {Order.NONE}", f"--order {Order.OUT_OF_ORDER}", f"--unbind {AtUnbind.CLOSE}"]
)
def test_option_is_described(option: str) -> None:
    assert option in TEXT

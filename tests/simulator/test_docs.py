"""What can be read and changed is described."""

from __future__ import annotations

import inspect
import re
from dataclasses import fields
from pathlib import Path

import click
import pytest

from kannelkit.cli.simulate import command
from kannelkit.simulator import AccountRules, AtUnbind, Behaviour, Law, Order, SecondBind, control
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


@pytest.mark.parametrize("rule", [name for name in AccountRules("a", "a").as_dict() if name != "limit"])
def test_rule_is_described(rule: str) -> None:
    assert f"| `{rule}` |" in TEXT


@pytest.mark.parametrize("path", re.findall(r'web\.(?:get|post)\("(/[a-z]+)"', inspect.getsource(control)))
def test_request_is_described(path: str) -> None:
    assert f" {path}" in TEXT
    assert path in " ".join(str(each.help) for each in command.params if isinstance(each, click.Option))

"""The registry of every rule that a finding in a configuration can name: read from rules.toml when somebody asks."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib import resources
from typing import Any, Literal, get_args

Severity = Literal["error", "warning", "hint"]


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: what happens where it is broken, what to do, and the source that it rests on.

    `bad` and `good` are lines with the fault and without it; `shown` names the test that shows the effect on a real
    Kannel, or is empty.
    """

    id: str
    severity: Severity
    title: str
    about: str
    remedy: str
    source: str
    bad: str
    good: str
    shown: str = ""


class Registry(Mapping[str, Rule]):
    """The rules by id, in the order of a package's rules.toml, read at the first look."""

    def __init__(self, package: str) -> None:
        self._package = package

    @cached_property
    def _rules(self) -> dict[str, Rule]:
        text = resources.files(self._package).joinpath("rules.toml").read_text("utf-8")
        return {name: _rule(name, row) for name, row in tomllib.loads(text).items()}

    def __getitem__(self, name: str) -> Rule:
        return self._rules[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._rules)

    def __len__(self) -> int:
        return len(self._rules)


def _rule(name: str, row: Mapping[str, Any]) -> Rule:
    if row["severity"] not in get_args(Severity):
        raise ValueError(f"{name}: no such severity: {row['severity']}")
    return Rule(id=name, **row)


RULES: Mapping[str, Rule] = Registry(__package__)

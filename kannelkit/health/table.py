"""The registry of every check: what it looks at, what to do, what it rests on."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib import resources


@dataclass(frozen=True, slots=True)
class About:
    """One check: `of` what there is one for (the gateway, each box, each account), and its thresholds by name."""

    id: str
    title: str
    of: str
    about: str
    advice: str
    source: str
    thresholds: tuple[str, ...]


class _Registry(Mapping[str, About]):
    """The checks by id, in the order of the file, read at the first look."""

    @cached_property
    def _checks(self) -> dict[str, About]:
        text = resources.files(__package__).joinpath("checks.toml").read_text("utf-8")
        return {
            name: About(name, thresholds=tuple(row.pop("thresholds", ())), **row)
            for name, row in tomllib.loads(text).items()
        }

    def __getitem__(self, name: str) -> About:
        return self._checks[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._checks)

    def __len__(self) -> int:
        return len(self._checks)


CHECKS: Mapping[str, About] = _Registry()

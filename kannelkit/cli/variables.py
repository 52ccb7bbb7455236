"""The environment variables that a spec names, for commands that need no secret."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping


class AnyVariable(Mapping[str, str]):
    """An environment in which every variable is there, one that is not set with `TEXT` in it; `asked` holds the names
    that were asked for, in order.
    """

    TEXT = "x"

    def __init__(self) -> None:
        self._asked: dict[str, None] = {}

    @property
    def missing(self) -> tuple[str, ...]:
        """Return the names that were asked for and are not set, each once."""
        return tuple(name for name in self._asked if not os.environ.get(name))

    @property
    def asked(self) -> tuple[str, ...]:
        """Return the names that were asked for so far, each once."""
        return tuple(self._asked)

    def __getitem__(self, name: str) -> str:
        self._asked[name] = None
        return os.environ.get(name) or self.TEXT

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str)

    def __iter__(self) -> Iterator[str]:
        return iter(os.environ)

    def __len__(self) -> int:
        return len(os.environ)

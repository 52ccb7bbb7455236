"""How a rule is written: a function over a subject that yields places and messages, registered under its id."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple, TypeVar

from kannelkit.findings import Place
from kannelkit.lint.subject import Subject


class Found(NamedTuple):
    """One place where a rule is broken; without a hint of its own, the rule's remedy is the hint."""

    place: Place
    message: str
    hint: str = ""


Check = Callable[[Subject], Iterable[Found]]
_Check = TypeVar("_Check", bound=Check)

CHECKS: dict[str, Check] = {}


def rule(name: str) -> Callable[[_Check], _Check]:
    """Register the function as the rule `name`; raises ValueError where another one has that id."""

    def register(check: _Check) -> _Check:
        if name in CHECKS:
            raise ValueError(f"two functions are rule {name}")
        CHECKS[name] = check
        return check

    return register

"""Every group and directive Kannel 1.4.5 knows, as values read from directives.toml."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from types import MappingProxyType
from typing import Any, Literal, get_args

Kind = Literal["text", "integer", "number", "boolean", "seconds", "port", "host", "file", "folder", "url", "regex"]
# What makes a new value count: the start of a box; "link": the link's re-creation, which is a new bind; "routing": a
# reload that leaves every bind alone. Nothing at all: no box reads the directive.
Change = Literal["routing", "link", "bearerbox", "smsbox", "wapbox"]


@dataclass(frozen=True, slots=True)
class Directive:
    """One `name = value` that a group may hold; `least`, `most` bound a number, `octets` bounds a text on the wire,
    `filled` refuses an empty one.

    `kinds` are the values of group smsc's directive `smsc` whose links read it, none for every kind; `default` is what
    Kannel takes where the line is missing, or nothing; `change` says what has to happen before another value counts.
    """

    name: str
    kind: Kind
    section: str
    about: str
    secret: bool = False
    separator: str = ""
    octets: int | None = None
    least: int | None = None
    most: int | None = None
    one_of: tuple[str, ...] = ()
    filled: bool = False
    kinds: tuple[str, ...] = ()
    default: str | None = None
    change: tuple[Change, ...] = ()


@dataclass(frozen=True, slots=True)
class Group:
    """One kind of group: its directives by name, whether it may stand more than once, what it cannot do without.

    `required_for` says what more it cannot do without, by the value of its directive `smsc`.
    """

    name: str
    about: str
    repeatable: bool
    required: tuple[str, ...]
    required_for: Mapping[str, tuple[str, ...]]
    directives: Mapping[str, Directive]


# The bounds that a kind has when the table names none: a port is 16 bits wide, a time does not run backwards.
_BOUNDS: Mapping[str, tuple[int | None, int | None]] = {"port": (1, 65535), "seconds": (0, None)}


def _directive(name: str, row: Mapping[str, Any], changes: Sequence[Change]) -> Directive:
    kind: Kind = row["type"]
    if kind not in get_args(Kind):
        raise ValueError(f"{name}: no such type: {kind}")
    least, most = _BOUNDS.get(kind, (None, None))
    return Directive(
        name=name,
        kind=kind,
        section=row["section"],
        about=row["about"],
        secret=row.get("secret", False),
        separator=row.get("list", ""),
        octets=row.get("octets"),
        least=row.get("min", least),
        most=row.get("max", most),
        one_of=tuple(row.get("one-of", ())),
        filled=row.get("filled", False),
        kinds=tuple(row.get("kinds", ())),
        default=row.get("default"),
        change=tuple(row.get("change", changes)),
    )


def _groups(text: str) -> Mapping[str, Group]:
    return MappingProxyType(
        {
            name: Group(
                name=name,
                about=row["about"],
                repeatable=row["repeatable"],
                required=tuple(row.get("required", ())),
                required_for={kind: tuple(names) for kind, names in row.get("required-for", {}).items()},
                directives=MappingProxyType(
                    {
                        directive: _directive(directive, cells, row.get("change", ()))
                        for directive, cells in row["directives"].items()
                    }
                ),
            )
            for name, row in tomllib.loads(text).items()
        }
    )


GROUPS: Mapping[str, Group] = _groups(resources.files(__package__).joinpath("directives.toml").read_text("utf-8"))

"""Every group and directive Kannel 1.4.5 knows, as values read from directives.toml."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
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
    and `beyond` is what Kannel does with a longer one; `filled` refuses an empty one; `hexadecimal` allows a number
    such as 0x1403.

    `kinds` are the values of group smsc's directive `smsc` whose links read it, none for every kind, and `one_of_for`
    bounds a value for one of them, in any case of letters; `default` is what Kannel takes where the line is missing, or
    nothing; `change` says what has to happen before another value counts, `removal` before none does.
    """

    name: str
    kind: Kind
    section: str
    about: str
    secret: bool = False
    separator: str = ""
    octets: int | None = None
    beyond: str = "Kannel cuts the rest"
    least: int | None = None
    most: int | None = None
    hexadecimal: bool = False
    one_of: tuple[str, ...] = ()
    filled: bool = False
    kinds: tuple[str, ...] = ()
    default: str | None = None
    change: tuple[Change, ...] = ()
    removal: tuple[Change, ...] = ()
    one_of_for: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}), hash=False)


@dataclass(frozen=True, slots=True)
class Group:
    """One kind of group: its directives by name, whether it may stand more than once, what it cannot do without.

    `required_for` says what more it cannot do without, by the value of its directive `smsc`; `change` is what adding or
    removing such a group takes.
    """

    name: str
    about: str
    repeatable: bool
    required: tuple[str, ...]
    required_for: Mapping[str, tuple[str, ...]]
    directives: Mapping[str, Directive]
    change: tuple[Change, ...] = ()


# The bounds that a kind has when the table names none: a port is 16 bits wide, a time does not run backwards.
_BOUNDS: Mapping[str, tuple[int | None, int | None]] = {"port": (1, 65535), "seconds": (0, None)}


# A group's part of the table begins with its name alone between brackets.
_HEADING = re.compile(r"^\[([^].]+)\]$", re.MULTILINE)


class _Table(Mapping[str, Group]):
    """The groups by name, in the table's order, each read when it is first asked for: most runs need a few of them."""

    def __init__(self, text: str) -> None:
        starts = [(found[1], found.start()) for found in _HEADING.finditer(text)]
        ends = [start for _, start in starts[1:]] + [len(text)]
        self._texts = {name: text[start:end] for (name, start), end in zip(starts, ends, strict=True)}
        self._groups: dict[str, Group] = {}

    def __getitem__(self, name: str) -> Group:
        if name not in self._groups:
            self._groups[name] = _group(name, tomllib.loads(self._texts[name])[name])
        return self._groups[name]

    def __contains__(self, name: object) -> bool:
        return name in self._texts

    def __iter__(self) -> Iterator[str]:
        return iter(self._texts)

    def __len__(self) -> int:
        return len(self._texts)


def _group(name: str, row: Mapping[str, Any]) -> Group:
    changes = tuple(row["change"])
    return Group(
        name=name,
        about=row["about"],
        repeatable=row["repeatable"],
        required=tuple(row.get("required", ())),
        required_for=_tuples(row.get("required-for", {})),
        directives=MappingProxyType(
            {each: _directive(each, row["directives"][each], changes) for each in row["directives"]}
        ),
        change=changes,
    )


def _directive(name: str, row: Mapping[str, Any], changes: tuple[Change, ...]) -> Directive:
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
        beyond=row.get("beyond", "Kannel cuts the rest"),
        least=row.get("min", least),
        most=row.get("max", most),
        hexadecimal=row.get("hexadecimal", False),
        one_of=tuple(row.get("one-of", ())),
        filled=row.get("filled", False),
        kinds=tuple(row.get("kinds", ())),
        default=row.get("default"),
        change=(change := tuple(row["change"]) if "change" in row else changes),
        removal=tuple(row["removal"]) if "removal" in row else change,
        one_of_for=_tuples(row.get("one-of-for", {})),
    )


def _tuples(lists: Mapping[str, Sequence[str]]) -> Mapping[str, tuple[str, ...]]:
    return MappingProxyType({kind: tuple(values) for kind, values in lists.items()})


def read_table(text: str) -> Mapping[str, Group]:
    """Return the groups of a table in directives.toml's form, each read when it is first asked for.

    Asking raises tomllib.TOMLDecodeError, KeyError or ValueError where a group's part of the table is wrong.
    """
    return _Table(text)


GROUPS: Mapping[str, Group] = read_table(resources.files(__package__).joinpath("directives.toml").read_text("utf-8"))

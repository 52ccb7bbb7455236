"""What `kannelkit explain` can be asked for: groups, directives, kannelkit's own keys, rules, checks of health."""

from __future__ import annotations

import dataclasses
import difflib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kannelkit.conf import GROUPS, Directive, Group
from kannelkit.spec.own import OWN, PATHS

if TYPE_CHECKING:
    from kannelkit.health.table import About
    from kannelkit.lint.rules import Rule

RULE_ID = re.compile(r"[a-z][0-9]+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Row:
    """A directive of Kannel's, or a key of kannelkit's own; `path` is how a person names it, with its group.

    `filled` is False where kannelkit leaves it to Kannel what is not written.
    """

    path: str
    group: Group
    directive: Directive
    own: bool
    filled: bool = True


@dataclass(frozen=True, slots=True)
class Part:
    """A group of Kannel's, or a part of the spec that is kannelkit's own, with its rows in order."""

    path: str
    group: Group
    rows: tuple[Row, ...]
    own: bool


def parts() -> Mapping[str, Part]:
    """Return everything that holds rows, by its path: Kannel's groups, then what is kannelkit's own.

    The path of kannelkit's keys at the top of a spec is empty; those of an account stand in Kannel's group smsc.
    """
    own = {path: tuple(_rows(path, OWN[name], own=True)) for name, path in PATHS.items()}
    found = {
        name: Part(name, group, (*own.get(name, ()), *_rows(name, group, own=False)), own=False)
        for name, group in GROUPS.items()
    }
    for name, path in PATHS.items():
        found.setdefault(path, Part(path, OWN[name], own[path], own=True))
    return found


def _rows(path: str, group: Group, *, own: bool) -> Iterator[Row]:
    for name, directive in group.directives.items():
        yield Row(f"{path}.{name}" if path else name, group, directive, own)


def rules() -> Mapping[str, Rule]:
    """Return the rules by id, lint's and then those of `send`; they are read only here: most ask for a directive."""
    from kannelkit.gateway.rules import RULES as OF_MESSAGES
    from kannelkit.lint.rules import RULES

    return {**RULES, **OF_MESSAGES}


def checks() -> Mapping[str, About]:
    """Return the checks of health by how a person names them, health.<id>; they are read only here."""
    from kannelkit.health.table import CHECKS

    return {f"health.{name}": about for name, about in CHECKS.items()}


def find(name: str) -> tuple[Part | Row | Rule | About, ...]:
    """Return what the name stands for: a rule, a group, a kind of link, or every directive of that name; and a check.

    Nothing is returned where it is unknown. A group goes before a directive or a check of its name, which
    `group.directive` and `health.check` still reach.
    """
    found = _written(name)
    if any(isinstance(each, Part) for each in found):
        return found
    known = checks()
    about = known.get(name.lower()) or known.get(f"health.{name.lower()}")
    return found if about is None else (*found, about)


def _written(name: str) -> tuple[Part | Row | Rule, ...]:
    if RULE_ID.fullmatch(name) and name.upper() in rules():
        return (rules()[name.upper()],)
    name = name.lower()
    everything = parts()
    if name == "supervisor":
        return tuple(part for path, part in everything.items() if path.split(".")[0] == name)
    for path in (name, f"supervisor.{name}", f"health.{name}"):
        if name and path in everything:
            return (everything[path],)
    if name in _kinds():
        return (_kind(name),)
    rows = [row for part in everything.values() for row in part.rows]
    return tuple(row for row in rows if row.path == name) or tuple(row for row in rows if row.directive.name == name)


def _kinds() -> tuple[str, ...]:
    return GROUPS["smsc"].directives["smsc"].one_of


def _kind(kind: str) -> Part:
    """Return group smsc as a link of one kind knows it: what it requires, and the rows that it reads."""
    smsc = GROUPS["smsc"]
    required = (*smsc.required, *smsc.required_for.get(kind, ()))
    about = f"what a link of the kind {kind} reads"
    account = kind == "smpp"
    rows = [*_rows("smsc", OWN["smsc"], own=True)] if account else []
    rows += (
        dataclasses.replace(row, filled=account)
        for row in _rows("smsc", smsc, own=False)
        if row.directive.change and kind in (row.directive.kinds or (kind,))
    )
    return Part(
        "smsc", dataclasses.replace(smsc, about=about, required=required, required_for={}), tuple(rows), own=False
    )


def names() -> tuple[str, ...]:
    """Return every name but rules': groups, kinds of links, directives without and with group, checks."""
    everything = parts()
    rows = [row for part in everything.values() for row in part.rows]
    groups = (*(path for path in everything if path), *_kinds())
    own = (*(row.directive.name for row in rows), *(row.path for row in rows))
    return tuple(dict.fromkeys((*groups, *own, *checks())))


def near(name: str) -> tuple[str, ...]:
    """Return what a name was perhaps meant to be, the nearest first, at most three."""
    if RULE_ID.fullmatch(name):
        return tuple(difflib.get_close_matches(name.upper(), rules(), n=3, cutoff=0.6))
    known = [each for each in names() if ("." in each) == ("." in name)]
    return tuple(difflib.get_close_matches(name.lower(), known, n=3, cutoff=0.6))

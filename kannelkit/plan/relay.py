"""What changes of what the relay is told of its accounts, as a part of a plan."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping

from kannelkit.plan.values import Action, Change, DirectiveChange, Plan, Reload, Restart, Step

_MASK = "***"
_GROUP = "relay"
_LEAVES = "no link of bearerbox's leads to it any more"
_RESTART = Restart(("relay",))

Settings = Mapping[str, object]


def with_relay(
    plan: Plan, before: Mapping[str, Settings], after: Mapping[str, Settings], *, reloads: bool = False
) -> Plan:
    """Return the plan with what changes between two settings of the relay's accounts, by their names.

    What differs is done before any link is touched: by the relay that runs where it `reloads`, which takes them on one
    account at a time, or with a new start of it. An account that goes takes nothing.
    """
    found = tuple(_changes(before, after, running=plan.running, reloads=reloads))
    if not found:
        return plan
    touched = [change for change in found if change.steps]
    step = _reload(touched) if reloads else _RESTART
    steps: tuple[Step, ...] = (step,) if touched else ()
    whole = json.dumps([plan.digest, before, after], sort_keys=True)
    return dataclasses.replace(
        plan,
        changes=(*found, *plan.changes),
        steps=(*steps, *plan.steps),
        digest=hashlib.sha256(whole.encode()).hexdigest(),
    )


def _changes(
    before: Mapping[str, Settings], after: Mapping[str, Settings], *, running: bool, reloads: bool
) -> Iterator[Change]:
    for name in dict.fromkeys((*after, *before)):
        old, new = before.get(name), after.get(name)
        if old == new:
            continue
        action: Action = "create" if old is None else "delete" if new is None else "update"
        directives = tuple(_directives(_flat(old or {}), _flat(new or {})))
        if new is None:
            yield Change(action, _GROUP, name, directives, (), note=_LEAVES)
        else:
            change = Change(action, _GROUP, name, directives, ())
            step = _reload([change]) if reloads else _RESTART
            yield dataclasses.replace(change, steps=(step,)) if running else change


def _reload(changes: Iterable[Change]) -> Reload:
    names: dict[bool, list[str]] = {True: [], False: []}
    for change in changes:
        names[change.action == "create"].append(change.name)
    return Reload(tuple(names[False]), tuple(names[True]))


def _directives(old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[DirectiveChange]:
    for name in dict.fromkeys((*new, *old)):
        one, other = old.get(name), new.get(name)
        if one != other:
            secret = "password" in name
            shown = [None if text is None else _MASK if secret else text for text in (one, other)]
            yield DirectiveChange(name, shown[0], shown[1], secret)


def _flat(settings: Settings, path: str = "") -> dict[str, str]:
    """Return the settings as one table of texts, the names of inner ones behind those of outer ones."""
    flat: dict[str, str] = {}
    for name, value in settings.items():
        of = f"{path}{name.replace('_', '-')}"
        if isinstance(value, Mapping):
            flat |= _flat(value, f"{of}.")
        elif isinstance(value, list):
            for number, each in enumerate(value, start=1):
                flat |= _flat(each, f"{of}.{number}.") if isinstance(each, Mapping) else {f"{of}.{number}": str(each)}
        elif value not in (None, "", False):
            flat[of] = str(value)
    return flat

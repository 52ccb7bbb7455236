"""A plan as people read it: what changes, what each change disturbs, in which order, and what to be warned of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Literal

from kannelkit.plan.figures import figure, total
from kannelkit.plan.links import DOWN
from kannelkit.plan.values import (
    Action,
    Add,
    Change,
    DirectiveChange,
    Plan,
    Recreate,
    Reload,
    Remove,
    Reroute,
    Restart,
    Step,
)

Style = Literal["", "create", "update", "delete", "note", "danger", "heading", "aside"]

SIGNS: dict[Action, str] = {"create": "+", "update": "~", "delete": "-"}
_MOST_NAMES = 12  # told of one kind
_LONG = 0.5  # seconds that are worth telling
SHORT = 12  # digits of a digest that people compare


@dataclass(frozen=True, slots=True)
class Line:
    """One line, without a line feed, and what it is; a terminal may colour it by that."""

    text: str
    style: Style = ""


def lines(plan: Plan) -> Iterator[Line]:
    """Yield the whole plan but for the command that comes next; values in it may hold control characters."""
    if not plan.changes:
        yield Line("no changes: the gateway runs as the spec says" if plan.running else "no changes", "heading")
    else:
        everything = _restarts_bearerbox(plan.steps)
        for changes in _alike(plan.changes):
            yield from _changes(changes)
            if plan.running:
                yield Line(f"    {_disturbs(changes, everything=everything)}", "aside")
            yield Line("")
        yield from _order(plan)
        yield Line(_totals(plan), "heading")
        yield from (Line(f"danger: {danger}", "danger") for danger in plan.dangers)
    if not plan.running:
        yield Line("the gateway does not run: this takes effect when it is started", "note")
    for rate in plan.rates:
        ceiling = "no limit" if rate.ceiling is None else rate.ceiling
        yield Line(f"rate in force: {rate.account} {rate.throughput} of {ceiling} SMS per second, no change", "aside")
    yield Line(f"digest: {plan.digest[:SHORT]}", "aside")


def _alike(changes: Sequence[Change]) -> Iterator[list[Change]]:
    """Yield neighbours together that differ in their name alone: the links of one account."""

    def what(change: Change) -> object:
        steps = [(type(step), getattr(step, "account", getattr(step, "boxes", ()))) for step in change.steps]
        return change.action, change.group, change.directives, steps, change.danger, change.note

    return (list(group) for _, group in groupby(changes, what))


def _changes(changes: Sequence[Change]) -> Iterator[Line]:
    change = changes[0]
    names = _named([one.name for one in changes if one.name])
    yield Line(f"{SIGNS[change.action]} {change.group} {names}".rstrip(), change.action)
    if change.note:
        yield Line(f"    {change.note}", "note")
    width = max((len(directive.name) for directive in change.directives), default=0)
    if change.action != "delete":
        for directive in change.directives:
            yield Line(f"    {directive.name.ljust(width)}  {_values(directive, change.action)}", change.action)


def _values(directive: DirectiveChange, action: Action) -> str:
    if action == "create":
        return _value(directive.after)
    if directive.before == directive.after:
        return f"{_value(directive.before)} -> {_value(directive.after)} (another one)"
    return f"{_value(directive.before)} -> {_value(directive.after)}"


def _value(text: str | None) -> str:
    return "(nothing)" if text is None else text if text else '""'


def _disturbs(changes: Sequence[Change], *, everything: bool) -> str:
    steps = [step for change in changes for step in change.steps]
    if not steps:
        return "disturbs nothing"
    if everything and not _restarts_bearerbox(steps):
        return "takes effect with the restart of bearerbox"
    if all(change.note == DOWN for change in changes):
        return f"{_whom(steps)}: started; its account's messages go on meanwhile"
    kinds = groupby(sorted(steps, key=lambda step: _KINDS.index(type(step))), type)
    return "; ".join(_said(kind, tuple(dict.fromkeys(group))) for kind, group in kinds)


# in the order in which they are spoken of
_KINDS: tuple[type[Step], ...] = (Restart, Reload, Reroute, Recreate, Remove, Add)


def _said(kind: type[Step], steps: Sequence[Step]) -> str:
    if steps[0] == Restart(("relay",)):
        return f"the relay started anew: {figure(steps[0])} in which messages of its accounts wait"
    if isinstance(steps[0], Restart):
        meanwhile = "nothing is sent, received or accepted" if _restarts_bearerbox(steps) else "requests are refused"
        return f"{' and '.join(steps[0].boxes)} restarted: {figure(steps[0])} in which {meanwhile}"
    if isinstance(steps[0], Reload):
        return _reloaded([step for step in steps if isinstance(step, Reload)])
    whom, lasts, each = _whom(steps), figure(steps[0]), " each" if len(steps) > 1 else ""
    if kind is Reroute:
        wait = f"; messages of all accounts wait {lasts} for the reload" if lasts.most >= _LONG else ""
        return f"{whom}: other messages from one moment to the next, no bind is touched{wait}"
    if kind is Recreate:
        how = "re-created one after the other" if each else "re-created"
        return f"{whom}: {how}, away {lasts}{each}; the account's messages wait meanwhile"
    if kind is Remove:
        return f"{whom}: shut down, {lasts}{each}"
    return f"{whom}: added, {lasts}{each}; nothing waits"


def _reloaded(steps: Sequence[Reload]) -> str:
    again = tuple(dict.fromkeys(name for step in steps for name in step.accounts))
    added = tuple(dict.fromkeys(name for step in steps for name in step.added))
    said = []
    if again:
        ends = "drain and start again" if again[1:] else "drains and starts again"
        said.append(f"{_named(again)} {ends}, {figure(steps[0])} in which messages wait there")
    if added:
        said.append(f"{_named(added)} {'start' if added[1:] else 'starts'}")
    return f"in the relay {'; '.join(said)}; its other accounts go on"


def _restarts_bearerbox(steps: Sequence[Step]) -> bool:
    return any(isinstance(step, Restart) and "bearerbox" in step.boxes for step in steps)


def _whom(steps: Sequence[Step]) -> str:
    names = _links(steps)
    return f"{'links' if len(names) > 1 else 'link'} {_named(names)}"


def _named(names: Sequence[str]) -> str:
    if len(names) <= _MOST_NAMES:
        return ", ".join(names)
    return f"{', '.join(names[: _MOST_NAMES - 1])} and {len(names) - _MOST_NAMES + 1} more"


def _links(steps: Sequence[Step]) -> tuple[str, ...]:
    names: list[str] = []
    for step in steps:
        if isinstance(step, Reroute):
            names += step.links
        elif not isinstance(step, Restart | Reload):
            names.append(step.link)
    return tuple(dict.fromkeys(names))


_DONE: dict[type[Step], str] = {
    Add: "add",
    Remove: "remove",
    Recreate: "re-create",
    Reroute: "change the routing, in one reload, of",
}


def _order(plan: Plan) -> Iterator[Line]:
    named = {change.name for change in plan.changes}

    def kind(step: Step) -> tuple[type[Step], bool]:
        return type(step), isinstance(step, Add | Remove) and step.link not in named

    groups = [(of, list(group)) for of, group in groupby(plan.steps, kind)]
    if len(groups) < 2:
        return
    yield Line("in this order:", "heading")
    for number, ((of, meanwhile), steps) in enumerate(groups, start=1):
        first = steps[0]
        if isinstance(first, Restart):
            what = f"restart {' and '.join(first.boxes)}"
        elif isinstance(first, Reload):
            what = f"have the relay take on what is new for {_named((*first.accounts, *first.added))}"
        elif meanwhile:  # in no file before or after, so that no change speaks of it
            what = f"{_DONE[of]} parking {_whom(steps)}{', where messages wait meanwhile' if of is Add else ''}"
        else:
            what = f"{_DONE[of]} {_whom(steps)}"
        yield Line(f"  {number}. {what}")
    yield Line("")


def _totals(plan: Plan) -> str:
    counted = {action: sum(change.action == action for change in plan.changes) for action in SIGNS}
    said = ", ".join(f"{number} to {action}" for action, number in counted.items())
    return f"{said}; {_lasting(plan.steps)}" if plan.running else said


def _lasting(steps: Sequence[Step]) -> str:
    return f"takes {total(steps)}" if steps else "disturbs nothing"

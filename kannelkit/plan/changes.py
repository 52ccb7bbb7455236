"""Every difference between two configurations, each in one change, with what this change needs by itself."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import get_args

from kannelkit.conf import GROUPS
from kannelkit.conf.masking import is_secret
from kannelkit.plan.groups import ORDERED, Key, Values, kinds
from kannelkit.plan.links import Link, differences
from kannelkit.plan.values import (
    Action,
    Add,
    Box,
    Change,
    DirectiveChange,
    Recreate,
    Remove,
    Reroute,
    Restart,
    Step,
)

_NOTHING: Values = MappingProxyType({})
_UNREAD = "no box reads it"


def changes(before: Mapping[Key, Values], after: Mapping[Key, Values], links: Sequence[Link]) -> Iterator[Change]:
    """Yield each change, by group in the table's order, values unmasked; what has drifted of links is one as well."""
    by_name = {link.name: link for link in links}
    among = sum(len(link.after) for link in links)
    there = boxes_there(before, after)
    for kind in kinds((*after, *before, *([Key("smsc", "", 0)] if links else ()))):
        wanted = [key for key in after if key.group == kind]
        gone = [key for key in before if key.group == kind and key not in after]
        for key in (*wanted, *gone):
            if kind == "smsc":
                yield from _link(key, before.get(key), after.get(key), by_name[key.name], there, among)
            else:
                yield from _group(key, before.get(key), after.get(key), links, there)
        if kind in ORDERED:
            yield from _order([key for key in before if key in after and key.group == kind], wanted, links, there)
        if kind == "smsc":
            for link in links:
                if not link.before and not link.after:
                    yield Change("delete", kind, link.name, (), _steps(link, there, among), note=link.note)


def restart(boxes: Iterable[Box], there: frozenset[Box]) -> tuple[Restart, ...]:
    """Return the restart of these boxes, with bearerbox of smsbox as well; nothing where no such box is there."""
    wanted = set(boxes)
    if "bearerbox" in wanted:
        wanted |= {"smsbox"}  # it has to be started anew when it has lost its bearerbox
    found = tuple(box for box in get_args(Box) if box in wanted & there)
    return (Restart(found),) if found else ()


def boxes_there(*of: Mapping[Key, Values]) -> frozenset[Box]:
    """Return the boxes that one of the configurations is for."""
    return frozenset(box for box in get_args(Box) if box == "bearerbox" or any(Key(box, "", 0) in one for one in of))


def _action(before: Values | None, after: Values | None) -> Action:
    return "create" if before is None else "delete" if after is None else "update"


def _directives(kind: str, before: Values | None, after: Values | None) -> tuple[DirectiveChange, ...]:
    old, new = before or _NOTHING, after or _NOTHING
    return tuple(
        DirectiveChange(name, old.get(name), new.get(name), is_secret(kind, name)) for name in differences(old, new)
    )


def _link(
    key: Key, before: Values | None, after: Values | None, link: Link, there: frozenset[Box], among: int
) -> Iterator[Change]:
    directives = _directives("smsc", before, after)
    drifted = link.before == link.after
    if not directives and not (drifted and link.need != "nothing" and key.number == 0):
        return
    # one that is wanted and has vanished is created again, one that has stopped is brought up
    action: Action = "create" if drifted and link.state is None else _action(before, after)
    note = link.note or ("" if link.need != "nothing" else _UNREAD)
    yield Change(action, "smsc", str(key), directives, _steps(link, there, among), note=note)


def _steps(link: Link, there: frozenset[Box], among: int) -> tuple[Step, ...]:
    name, account = link.name, link.account
    steps: Mapping[str, tuple[Step, ...]] = {
        "nothing": (),
        "reroute": (Reroute((name,), among),),
        "recreate": (Recreate(name, account),),
        "replace": (Remove(name, account), Add(name, account)),
        "add": (Add(name, account),),
        "remove": (Remove(name, account),),
        "restart": restart(("bearerbox",), there),
    }
    return steps[link.need]


def _group(
    key: Key, before: Values | None, after: Values | None, links: Sequence[Link], there: frozenset[Box]
) -> Iterator[Change]:
    directives = _directives(key.group, before, after)
    action = _action(before, after)
    if action == "update" and not directives:
        return
    needs = {need for directive in directives for need in _needs(key.group, directive.name)}
    if action != "update":
        needs |= set(_needs(key.group, ""))
        if key.group == "wapbox":
            needs.add("bearerbox")  # which listens for a wapbox only where the file has one (gw/bearerbox.c)
    note = "" if needs else _UNREAD
    yield Change(action, key.group, str(key), directives, _beside_links(needs, links, there), note=note)


def _needs(group: str, directive: str) -> tuple[str, ...]:
    """Return what the table says that a change takes; of what it does not know, that every box reads it."""
    known = GROUPS.get(group)
    if known is None:
        return get_args(Box)
    return known.directives[directive].change if directive in known.directives else known.change


def _beside_links(needs: Collection[str], links: Sequence[Link], there: frozenset[Box]) -> tuple[Step, ...]:
    steps: tuple[Step, ...] = restart([box for box in get_args(Box) if box in needs], there)
    if "link" in needs:  # what a link reads besides its own group: modems
        steps += tuple(_recreated_modems(links))
    return steps


def _recreated_modems(links: Iterable[Link]) -> Iterator[Recreate]:
    for link in links:
        if link.alive and link.need in ("nothing", "reroute") and any(one.get("smsc") == "at" for one in link.after):
            yield Recreate(link.name, link.account)


def _order(
    before: Sequence[Key], after: Sequence[Key], links: Sequence[Link], there: frozenset[Box]
) -> Iterator[Change]:
    there_before = frozenset(before)
    kept = [key for key in after if key in there_before]
    if list(before) == kept:
        return
    kind = kept[0].group
    steps = _beside_links(_needs(kind, ""), links, there)
    old, new = (", ".join(str(key) or "(number 1)" for key in keys) for keys in (before, kept))
    note = "the first that fits is taken, in the order of the file"
    yield Change("update", kind, "", (DirectiveChange("order", old, new),), steps, note=note)

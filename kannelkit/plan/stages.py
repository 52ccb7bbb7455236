"""The order of a plan's steps, and the configuration that has to be in place at each of them.

No message may be without a route at any moment: bearerbox discards one whose every route is a stopped link, and keeps
it while one route is merely not connected (smsc2_rout in gw/bb_smscconn.c). So

1. what gives routes comes first: links of new accounts, their parking links before all;
2. then routes change, all at once: bearerbox holds its list of links for the whole reload, so that no message sees one
   half of it. The reload acts on every group that differs from what runs: a link is re-created that changed otherwise,
   one that is not in the file is shut down, one that does not run is started. So it works from a text of its own in
   which every running link stands as it runs, but for its routing;
3. then links are re-created, one at a time; where nothing else takes a link's messages, a parking link does meanwhile;
4. links that are added to accounts follow, so that an account is not above its limit for a moment;
5. then smsbox, which by now has every link that its users and services name;
6. last, links go away, parking links after all others.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from kannelkit.conf import directive_line
from kannelkit.plan.groups import Key, Values
from kannelkit.plan.links import PARKED_AT, ROUTING, Link, Route, route, sends
from kannelkit.plan.values import Add, Box, Recreate, Remove, Reroute, Restart, Stage, Step

_HEAD = "# In place for a few moments while kannelkit applies a change.\n"
# Refused at once, and then not tried again for a day.
_PARKED = {
    "smsc": "smpp",
    "host": PARKED_AT[0],
    "port": PARKED_AT[1],
    "smsc-username": "waiting",
    "smsc-password": "waiting",
    "system-type": "",
    "transceiver-mode": "true",
    "reconnect-delay": "86400",
}


def stages(
    links: Sequence[Link], extra: Iterable[str], boxes: tuple[Box, ...], after: Mapping[Key, Values], wanted: str
) -> tuple[Stage, ...]:
    """Return the steps that bring the links to what they need, `extra` ones re-created as well, then the boxes.

    `after` are the groups of the text `wanted`. With bearerbox every link starts anew, so that nothing else is done.
    """
    if "bearerbox" in boxes:
        return (Stage(wanted, (Restart(boxes),)),)
    extra = frozenset(extra)
    recreated = [link for link in links if link.need in ("recreate", "replace") or link.name in extra]
    reroute = any(link.rerouted for link in links)
    surviving = {link.account for link in links if link.before and link.after and link.alive}
    first = [link for link in links if link.need == "add" and (link.parking or link.account not in surviving)]
    first.sort(key=lambda link: not link.parking)  # stable: in the file's order otherwise
    later = [link for link in links if link.need == "add" and link not in first]
    removed = [link for link in links if link.need == "remove"]
    removed.sort(key=lambda link: link.parking)
    # of these nobody knows the text that they were made from, so that a reload would take them for changed
    unknown = [link for link in links if not link.before and link.state is not None] if reroute else []

    begin: list[Step] = [Add(link.name, link.account) for link in first]
    begin += [_again(link) for link in recreated if link in unknown]
    begin += [Remove(link.name, link.account) for link in removed if link in unknown]
    among = sum(len(link.after) for link in links)
    rerouted = tuple(link.name for link in links if link.rerouted)
    waiting = _waiting_places([link for link in recreated if link not in unknown], links, {link.name for link in first})
    middle: list[Step] = [Add(name, values["smsc-id"]) for name, values in waiting.items()]
    for link in recreated:
        if link.need == "replace":
            middle += [Remove(link.name, link.account), Add(link.name, link.account)]
        elif link not in unknown:
            middle.append(_again(link))
    middle += [Add(link.name, link.account) for link in later]
    end: list[Step] = [Restart(boxes)] if boxes else []
    end += [Remove(link.name, link.account) for link in removed if link not in unknown]
    end += [Remove(name, values["smsc-id"]) for name, values in waiting.items()]

    texts: list[tuple[str, list[Step]]] = []
    if reroute:
        texts.append(
            (_rerouting(links, {link.name for link in (*first, *unknown)}, after), [*begin, Reroute(rerouted, among)])
        )
    else:
        texts.append((wanted, begin))
    texts.append(("\n".join((wanted, *map(_smsc, waiting.values()))), middle))
    texts.append((wanted, end))
    return tuple(_joined(texts))


def _again(link: Link) -> Recreate:
    return Recreate(link.name, link.account)


def _joined(texts: Iterable[tuple[str, list[Step]]]) -> Iterable[Stage]:
    """Yield a stage for each text with steps, neighbours with the same text as one."""
    at: list[tuple[str, list[Step]]] = []
    for text, steps in texts:
        if not steps:
            continue
        if at and at[-1][0] == text:
            at[-1][1].extend(steps)
        else:
            at.append((text, list(steps)))
    for text, steps in at:
        yield Stage(text, tuple(steps))


def _waiting_places(recreated: Sequence[Link], links: Sequence[Link], added: set[str]) -> Mapping[str, Values]:
    """Return a parking link, by its name, for each link that is the only route of its messages while it is away."""
    taken = {link.name for link in links}
    open_for: dict[Route, set[str]] = {}
    for link in links:
        if link.alive or link.name in added:
            for group in link.after:
                if sends(group):
                    open_for.setdefault(route(group), set()).add(link.name)
    places: dict[str, Values] = {}
    for link in recreated:
        routes = [route(group) for group in link.after if sends(group)]
        if not link.alive or not routes or any(open_for[one] - {link.name} for one in routes):
            continue
        name = f"{link.name}-waiting"
        while name in taken:
            name += "-"
        taken.add(name)
        places[name] = {**_PARKED, **dict(routes[0]), "smsc-id": link.account, "smsc-admin-id": name}
    return places


def _rerouting(links: Sequence[Link], begun: set[str], after: Mapping[Key, Values]) -> str:
    """Return the text in which every running link stands as it runs, but for its routing."""
    parts = [_HEAD]
    parts += [_group(key.group, values) for key, values in after.items() if key.group != "smsc"]
    for link in links:
        if link.name in begun:
            parts += [_smsc(values) for values in link.after]
        elif link.state is not None or not link.name:
            parts += [
                _smsc(_with_routing(values, link.after[number] if number < len(link.after) else values))
                for number, values in enumerate(link.before)
            ]
    return "\n".join(parts)


def _with_routing(values: Values, other: Values) -> Values:
    return {**{name: value for name, value in values.items() if name not in ROUTING}, **dict(route(other))}


def _smsc(values: Values) -> str:
    return _group("smsc", values)


def _group(name: str, values: Values) -> str:
    lines = [f"group = {name}", *(directive_line(directive, value) for directive, value in values.items())]
    return "\n".join(lines) + "\n"

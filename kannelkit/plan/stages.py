"""The order of a plan's steps, and the configuration that has to be in place at each of them.

No message may be without a route at any moment: bearerbox discards one whose every route is a stopped link, and keeps
it while one route is merely not connected (smsc2_rout in gw/bb_smscconn.c). So

1. what gives routes comes first: links that are new or were down, parking links before all;
2. then routes change, all at once: bearerbox holds its list of links for the whole reload, so that no message sees one
   half of it. The reload acts on every group that differs from what runs: a link is re-created that changed otherwise,
   one that is not in the file is shut down, one that does not run is started. So it works from a text of its own in
   which every running link stands as it runs, but for its routing;
3. then links are re-created, one at a time; where nothing else takes a link's messages, a parking link does meanwhile;
4. links follow that an account gets besides others of the same route, so that it is never above its limit;
5. then smsbox, which by now has every link that its users and services name;
6. last, links go away or to their standby, parking links after all others.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from kannelkit.conf import UnwritableError, directive_line
from kannelkit.errors import GatewayError
from kannelkit.plan.groups import Key, Values
from kannelkit.plan.links import PARKED_AT, Link, Route, reloaded, route, sends, stands_by
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
    order = _Order(links, frozenset(extra))
    waiting = _waiting_places(links, order)
    begin = [_begun(link) for link in order.first]
    middle: list[Step] = [Add(name, values["smsc-id"]) for name, values in waiting.items()]
    middle += [Recreate(link.name, link.account) for link in order.recreated]
    middle += [Add(link.name, link.account) for link in order.later]
    end: list[Step] = [Restart(boxes)] if boxes else []
    for link in order.last:
        end.append(Remove(link.name, link.account))
        if link.after:
            end.append(Add(link.name, link.account))
    end += [Remove(name, values["smsc-id"]) for name, values in waiting.items()]

    texts = [("\n".join((wanted, *map(_smsc, waiting.values()))), middle), (wanted, end)]
    if order.rerouted:
        reload = Reroute(tuple(link.name for link in order.rerouted), sum(len(link.after) for link in links))
        texts.insert(0, (_rerouting(links, order, after), [*begin, reload]))
    else:
        texts.insert(0, (wanted, begin))
    return tuple(_joined(texts))


class _Order:
    """The links by when something is done with them.

    `first`: before the reload; `rerouted`: by it; `recreated`, then `later`: after it; `last`: after smsbox.
    """

    def __init__(self, links: Sequence[Link], extra: frozenset[str]) -> None:
        self.rerouted = [link for link in links if link.rerouted]
        # of these nobody knows the text that they were made from, so that a reload would take them for changed
        strangers = {link.name for link in links if not link.before and link.state is not None and self.rerouted}
        staying = {(link.account, route(group)) for link in links if _stays(link) for group in link.after}

        def opens(link: Link) -> bool:
            if link.need == "recreate":
                return link.state == "dead"
            # one more of an account whose other links take the same messages can come after these have changed
            known = all((link.account, route(group)) in staying for group in link.after)
            return link.need == "add" and (link.parking or not known)

        self.first = sorted((link for link in links if opens(link)), key=lambda link: not link.parking)
        self.first += [link for link in links if link.name in strangers and link.need in ("recreate", "remove")]
        done = {link.name for link in self.first}
        self.recreated = [
            link for link in links if (link.need == "recreate" or link.name in extra) and link.name not in done
        ]
        self.later = [link for link in links if link.need == "add" and link.name not in done]
        self.last = [link for link in links if link.need in ("remove", "replace") and link.name not in done]
        self.last.sort(key=lambda link: link.parking)


def _stays(link: Link) -> bool:
    """Return whether the link is a route all the time, but for its own re-creation."""
    return link.alive and bool(link.before and link.after) and link.need != "replace"


def _begun(link: Link) -> Step:
    if link.need == "add":
        return Add(link.name, link.account)
    return (Recreate if link.need == "recreate" else Remove)(link.name, link.account)


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


def _waiting_places(links: Sequence[Link], order: _Order) -> Mapping[str, Values]:
    """Return a parking link, by its name, for each route that only the link that is away for a moment is open for."""
    begun = {link.name for link in order.first if link.after and not (link.need == "add" and stands_by(link.after[0]))}
    open_for: dict[Route, set[str]] = {}
    for link in links:
        if _stays(link) or link.name in begun:
            for group in link.after:
                if sends(group):
                    open_for.setdefault(route(group), set()).add(link.name)
    taken = {link.name for link in links}
    places: dict[str, Values] = {}
    for link in order.recreated:
        for one in dict.fromkeys(route(group) for group in link.after if sends(group)):
            if open_for.get(one, set()) - {link.name}:
                continue
            name = f"{link.name}-waiting"
            while name in taken:
                name += "-"
            taken.add(name)
            places[name] = {**_PARKED, **dict(one), "smsc-id": link.account, "smsc-admin-id": name}
    return places


def _rerouting(links: Sequence[Link], order: _Order, after: Mapping[Key, Values]) -> str:
    """Return the text in which every running link stands as it runs, but for its routing."""
    begun = {link.name for link in order.first}
    rerouted = {link.name for link in order.rerouted}
    parts = [_HEAD]
    parts += [_group(key.group, values) for key, values in after.items() if key.group != "smsc"]
    for link in links:
        if link.name in begun:
            parts += [_smsc(values) for values in link.after]
        elif link.name in rerouted:
            parts += [_smsc(reloaded(*each)) for each in zip(link.before, link.after, strict=True)]
        elif link.state is not None or not link.name:
            parts += [_smsc(values) for values in link.before]
    return "\n".join(parts)


def _smsc(values: Values) -> str:
    return _group("smsc", values)


def _group(name: str, values: Values) -> str:
    try:
        lines = [f"group = {name}", *(directive_line(directive, value) for directive, value in values.items())]
    except UnwritableError as error:  # kannelkit writes no such file
        raise GatewayError(
            f"the file that the gateway runs from was changed by hand: a value in group {name} {error.reason}",
            "stop the gateway and start it: kannelkit then writes the file anew",
        ) from error
    return "\n".join(lines) + "\n"

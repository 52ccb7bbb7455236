"""What each link needs so that the running gateway has it as wanted.

A change of some directives reaches a running link by a reload (`routing` in the table of directives), of the others
only by stopping and starting it (`link`), which Kannel does by name: start-smsc looks for one group for each stopped
link of that name, and add-smsc makes one link of a group (gw/bb_smscconn.c). So links that one group makes several of,
or that have no name, come and go with bearerbox alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from kannelkit.conf import GROUPS
from kannelkit.plan.groups import Key, Values, links
from kannelkit.plan.values import LinkSeen

# replace: removed and added, for a link that is to stand by from now on; restart: with bearerbox only
Need = Literal["nothing", "reroute", "recreate", "replace", "add", "remove", "restart"]

_SMSC = GROUPS["smsc"].directives
# What decides which messages a link takes, and changes by a reload.
ROUTING = tuple(name for name, directive in _SMSC.items() if "routing" in directive.change)
# What a reload brings to a running link besides: read into it, and then never used (gw/smscconn.c).
_RELOADED = frozenset({*ROUTING, "preferred-smsc-id-regex"})
# What a reload cannot take away: bearerbox goes on to use what it has freed, and dies at the next message.
_STAYING = frozenset(name for name, directive in _SMSC.items() if "link" in directive.removal)
# Where nothing listens: what is sent to connect there waits for ever.
PARKED_AT = ("127.0.0.1", "1")
DOWN = "is down: it was stopped, or its bind was refused"
_TRUE = ("true", "yes", "on", "1")  # cfg_get_bool in gwlib/cfg.c


@dataclass(frozen=True, slots=True)
class Link:
    """The links of one name: their groups in the file that runs and in the wanted one, and whether they run.

    `state` is bearerbox's word for it, None where it has no such link; `note` says what has drifted.
    """

    name: str
    before: tuple[Values, ...]
    after: tuple[Values, ...]
    state: str | None
    need: Need
    note: str = ""

    def __repr__(self) -> str:
        return f"Link({self.name}: {self.need})"  # the groups hold passwords

    @property
    def account(self) -> str:
        """The name by which messages are routed to it; nothing where it is in no file."""
        groups = self.after or self.before
        return groups[0].get("smsc-id", self.name) if groups else ""

    @property
    def alive(self) -> bool:
        """Whether it runs and counts as a route, be it connected or not (smscconn_usable in gw/smscconn.c)."""
        return self.state not in (None, "dead")

    @property
    def parking(self) -> bool:
        """Whether it only keeps a route open for its account."""
        return any(is_parking(group) for group in self.after or self.before)

    @property
    def rerouted(self) -> bool:
        """Whether it runs and goes on, and is to take other messages than now."""
        if not self.alive or self.need not in ("reroute", "recreate") or not self.before:
            return False
        return any(
            route(one) != route(reloaded(one, other)) for one, other in zip(self.before, self.after, strict=True)
        )


Route = tuple[tuple[str, str], ...]


def route(of: Values) -> Route:
    """Return what decides which messages a link takes: links of one route take the same."""
    return tuple((name, of[name]) for name in ROUTING if name in of)


def reloaded(running: Values, wanted: Values) -> Values:
    """Return the running group with the wanted routing, as far as a reload can safely bring it."""
    kept = {
        name: value
        for name, value in running.items()
        if name not in ROUTING or (name in _STAYING and name not in wanted)
    }
    return {**kept, **dict(route(wanted))}


def sends(of: Values) -> bool:
    """Return whether a link of this group takes messages; an SMPP link may be bound to receive only."""
    if of.get("smsc") != "smpp" or _true(of.get("transceiver-mode")):
        return True
    return of.get("port", "0") != "0"


def is_parking(of: Values) -> bool:
    """Return whether a link of this group keeps a route open and never connects; its login is nobody's."""
    return (of.get("host"), of.get("port")) == PARKED_AT


def differences(before: Values, after: Values) -> tuple[str, ...]:
    """Return the directives whose values differ or that only one side has, in the order of the later side."""
    names = dict.fromkeys((*after, *before))
    return tuple(name for name in names if before.get(name) != after.get(name))


def judged(before: Mapping[Key, Values], after: Mapping[Key, Values], seen: Sequence[LinkSeen]) -> tuple[Link, ...]:
    """Return every link that is in one of the files or runs, in the wanted file's order, with what it needs."""
    old, new = links(before), links(after)
    states: dict[str, str] = {}
    for link in seen:
        if states.get(link.admin_id, "dead") == "dead":  # of several of one name, one that runs speaks for all
            states[link.admin_id] = link.state
    found = []
    for name in dict.fromkeys((*new, *old, *states)):
        groups = old.get(name, ()), new.get(name, ())
        state = states.get(name)
        need, note = _judged(name, *groups, state)
        if need == "add" and not old and not states:
            need = "restart"  # a bearerbox that was started without any link takes none (smsc2_add_smsc)
        found.append(Link(name, *groups, state, need, note))
    return tuple(found)


def _judged(name: str, before: tuple[Values, ...], after: tuple[Values, ...], state: str | None) -> tuple[Need, str]:
    alike = before == after
    if not addressable(name, before, after):
        missing = bool(name and after) and state is None
        return ("nothing" if alike and not missing else "restart"), ("does not run" if alike and missing else "")
    if not after:
        if state is None:
            return "nothing", "does not run any more"
        return "remove", "" if before else "runs although no file has it: somebody added it by hand"
    if state is None:
        return "add", "does not run: somebody removed it by hand" if before else ""
    if not before:
        return "recreate", "runs already: somebody added it by hand"
    if state == "dead":
        if all(stands_by(group) for group in after):
            if len(before) == len(after) and _loses(before, after):
                return "replace", "stands by: made anew, or the next reload would kill bearerbox"
            return "nothing", "" if alike else "stands by: it reads the file when it is started"
        return "recreate", DOWN
    if stands_by(after[0]) and not stands_by(before[0]):
        return "replace", ""
    return ("nothing" if alike else _changed(before, after)), ""


def addressable(name: str, *sides: tuple[Values, ...]) -> bool:
    """Return whether administration commands can stop, start, add and remove exactly these links."""
    several = {len(groups) for groups in sides if groups}
    alone = not several or several == {1} or (len(several) == 1 and all(sides))
    return bool(name) and alone and all(group.get("instances", "1") == "1" for groups in sides for group in groups)


def _changed(before: tuple[Values, ...], after: tuple[Values, ...]) -> Need:
    changed = {name for one, other in zip(before, after, strict=True) for name in differences(one, other)}
    # also for what no link of its kind reads: Kannel compares whole groups, so that the next reload of anything else
    # would re-create the link, and badly: the new bind before the old one has ended
    if changed - _RELOADED or _loses(before, after):
        return "recreate"
    return "reroute" if changed & frozenset(ROUTING) else "nothing"


def _loses(before: tuple[Values, ...], after: tuple[Values, ...]) -> bool:
    """Return whether a line goes that a reload must not take from a link."""
    return any(name in one and name not in other for one, other in zip(before, after, strict=True) for name in _STAYING)


def stands_by(group: Values) -> bool:
    """Return whether a link of this group is dead until it is started by its name."""
    return _true(group.get("dead-start"))


def _true(value: str | None) -> bool:
    return (value or "").lower() in _TRUE

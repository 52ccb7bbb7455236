"""What bearerbox makes of a plan's steps, as far as links go: which run, from which text, which messages have a route.

It models gw/bb_smscconn.c: stop-smsc, start-smsc, add-smsc, remove-smsc and graceful-restart, each reading the file
that is in place. A link is known by its name here, and has one group.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from kannelkit.plan.groups import Values, groups, links
from kannelkit.plan.links import ROUTING
from kannelkit.plan.values import Add, LinkSeen, Plan, Recreate, Remove, Reroute, Restart


@dataclass(frozen=True)
class Running:
    """A link and the group that it was made from."""

    made_from: Values
    dead: bool


class Bearerbox:
    """The links of a text, some of them in another state (`but`): "dead", "online", or None for removed.

    Carrying out a plan raises AssertionError where bearerbox would refuse, or disturb what it should not.
    """

    def __init__(self, text: str, but: Mapping[str, str | None], strangers: Mapping[str, Values]) -> None:
        self.links = {name: _made(group) for name, group in links_of(text).items()}
        for name, state in but.items():
            if name in self.links:
                made_from = self.links.pop(name).made_from
                if state is not None:
                    self.links[name] = Running(made_from, state == "dead")
        self.known = frozenset(self.links)
        self.links |= {name: _made(group) for name, group in strangers.items() if name not in self.links}
        self.binds: list[str] = []

    def seen(self) -> list[LinkSeen]:
        return [LinkSeen(name, "dead" if link.dead else "online") for name, link in self.links.items()]

    def open_for(self) -> frozenset[str]:
        """Return the receivers' prefixes that have a route now."""
        return prefixes(link.made_from for link in self.links.values() if not link.dead)

    def carry_out(self, plan: Plan) -> Iterator[frozenset[str]]:
        """Do what a plan says; yield the prefixes that have a route at each moment."""
        for stage in plan.stages:
            file = links_of(stage.text)
            for step in stage.steps:
                if isinstance(step, Reroute):
                    self._reload(file)
                elif isinstance(step, Add):
                    assert step.link not in self.links
                    self.links[step.link] = _made(file[step.link])
                    self.binds.append(step.link)
                elif isinstance(step, Recreate):
                    self.links[step.link] = Running(self.links[step.link].made_from, dead=True)
                    yield self.open_for()
                    self.links[step.link] = Running(file[step.link], dead=False)
                    self.binds.append(step.link)
                elif isinstance(step, Remove):
                    del self.links[step.link]
                elif isinstance(step, Restart) and "bearerbox" in step.boxes:
                    self.links = {name: _made(group) for name, group in file.items()}
                yield self.open_for()

    def _reload(self, file: Mapping[str, Values]) -> None:
        assert set(file) == set(self.links)  # or a link would be started, or shut down with its messages
        for name, group in file.items():
            link = self.links[name]
            assert link.dead or bound(group) == bound(link.made_from)  # or it would bind again
            if bound(group) == bound(link.made_from):  # it is told its new routing, dead or not
                assert "preferred-prefix-regex" not in link.made_from or "preferred-prefix-regex" in group  # or it dies
            self.links[name] = Running(group, link.dead)


def links_of(text: str) -> dict[str, Values]:
    return {name: group for name, (group,) in links(groups(text)).items()}


def prefixes(of: Iterator[Values]) -> frozenset[str]:
    return frozenset(prefix for group in of for prefix in group.get("allowed-prefix", "").split(";") if prefix)


def bound(group: Values) -> Values:
    """Return what a link is made from but for its routing: a reload that changes this binds anew."""
    return {name: value for name, value in group.items() if name not in ROUTING}


def _made(group: Values) -> Running:
    return Running(group, dead=group.get("dead-start") == "true")

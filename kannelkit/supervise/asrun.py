"""The configuration that the boxes run with at this moment, while it is changed link by link; pure.

Between two configurations each link runs with its group of the one or of the other. The file always says the same as
what runs, so that whatever reads it meanwhile (a start of a link, a reload by a log rotation, the next kannelkit)
changes nothing besides.
"""

from __future__ import annotations

from collections.abc import Collection
from types import MappingProxyType

from kannelkit.conf import directive_line
from kannelkit.plan.groups import Key, Values, groups, links

HEAD = "# What the boxes run with while kannelkit applies a change.\n"
# nobody sends to an smsc-id of this name, so that a link that takes nothing else takes nothing
_CLOSED = {"allowed-smsc-id": "kannelkit-closed"}


class AsRun:
    """The groups that the boxes were last given; links by the name that administration commands take."""

    def __init__(self, text: str) -> None:
        self._links: dict[str, tuple[Values, ...]] = {}
        self._others: dict[Key, Values] = {}
        self.take(text)

    @property
    def names(self) -> frozenset[str]:
        """The names of its links."""
        return frozenset(self._links)

    @property
    def text(self) -> str:
        """The whole file."""
        parts = [HEAD]
        parts += [_group(key.group, values) for key, values in self._others.items()]
        parts += [_group("smsc", values) for each in self._links.values() for values in each]
        return "\n".join(parts)

    def same(self, other: AsRun, changing: Collection[str]) -> bool:
        """Return whether the boxes run with the same; the rates of the accounts in `changing` do not count."""

        def of(one: AsRun) -> object:
            named = {name: tuple(_rateless(each, changing) for each in groups) for name, groups in one._links.items()}
            return named, one._others

        return of(self) == of(other)

    def link(self, name: str) -> tuple[Values, ...]:
        """Return the groups of a link, none where it does not run."""
        return self._links.get(name, ())

    @property
    def can_be_commanded(self) -> bool:
        """Whether it says at which port bearerbox is commanded, and with which password."""
        core = self._others.get(Key("core", "", 0), {})
        return core.get("admin-port", "").isdecimal() and "admin-password" in core

    @property
    def core(self) -> Values:
        """What bearerbox itself runs with."""
        return self._others[Key("core", "", 0)]

    def names_of(self, account: str) -> tuple[str, ...]:
        """Return the names of an account's links."""
        return tuple(
            name for name, each in self._links.items() if any(group.get("smsc-id", name) == account for group in each)
        )

    def account_of(self, name: str) -> str:
        """Return the smsc-id of a link, its own name where it runs with none."""
        return next((group.get("smsc-id", name) for group in self.link(name)), name)

    def accounts(self) -> frozenset[str]:
        """Return the smsc-ids that a link runs with."""
        return frozenset(group.get("smsc-id", name) for name, each in self._links.items() for group in each)

    def put(self, name: str, to: tuple[Values, ...]) -> None:
        """Take note that a link runs with these groups, or with none any more."""
        if to:
            self._links[name] = to
        else:
            self._links.pop(name, None)

    def take(self, text: str) -> None:
        """Take note that all boxes run with this text."""
        self._links = dict(links(groups(text)))
        self.take_boxes(text)

    def take_boxes(self, text: str) -> None:
        """Take note that the boxes run with this text's groups, its links apart."""
        self._others = {key: values for key, values in groups(text).items() if key.group != "smsc"}


def _rateless(values: Values, changing: Collection[str]) -> dict[str, str]:
    leave = {"throughput"} if values.get("smsc-id") in changing else set()
    return {name: value for name, value in values.items() if name not in leave}


def closed(of: tuple[Values, ...]) -> tuple[Values, ...]:
    """Return a link's groups so that it takes no message; a reload brings that about without a new bind."""
    return tuple(MappingProxyType({**values, **_CLOSED}) for values in of)


def _group(name: str, values: Values) -> str:
    lines = [f"group = {name}", *(directive_line(directive, value) for directive, value in values.items())]
    return "\n".join(lines) + "\n"

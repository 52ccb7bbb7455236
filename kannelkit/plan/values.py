"""A plan as a value: each change of one group, the steps that bring it about, and what they disturb."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Action = Literal["create", "update", "delete"]
Box = Literal["bearerbox", "smsbox", "wapbox"]


@dataclass(frozen=True, slots=True)
class DirectiveChange:
    """One directive before and after, nothing where it is not there. Both are masked where `secret` is set."""

    name: str
    before: str | None
    after: str | None
    secret: bool = False


@dataclass(frozen=True, slots=True)
class Recreate:
    """A link stopped and started: a new bind. Its account's messages wait meanwhile."""

    link: str
    account: str


@dataclass(frozen=True, slots=True)
class Add:
    """A link that is new (add-smsc)."""

    link: str
    account: str


@dataclass(frozen=True, slots=True)
class Remove:
    """A link that goes away for good (stop-smsc, remove-smsc)."""

    link: str
    account: str


@dataclass(frozen=True, slots=True)
class Reroute:
    """A reload that changes only which messages these links take; no bind is touched (graceful-restart)."""

    links: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Restart:
    """Boxes stopped and started again, in Kannel's order: with bearerbox, smsbox as well."""

    boxes: tuple[Box, ...]


Step = Recreate | Add | Remove | Reroute | Restart


@dataclass(frozen=True, slots=True)
class Change:
    """One group created, updated or deleted.

    `name` tells it from others of its kind (a link's admin id, a user's name), and is empty for a single group;
    `steps` are what this change needs, empty where nothing is disturbed; `danger` says why a person has to agree,
    and is empty where nobody has to.
    """

    action: Action
    group: str
    name: str
    directives: tuple[DirectiveChange, ...]
    steps: tuple[Step, ...]
    danger: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """Every change, in order, and the steps that carry all of them out, each once.

    `digest` is the same for the same running and wanted configuration, and for no other; `wanted` is the whole text
    that will run, secrets included, so it is never shown.
    """

    changes: tuple[Change, ...]
    steps: tuple[Step, ...]
    digest: str
    wanted: str

    def __repr__(self) -> str:
        return f"Plan({len(self.changes)} changes, {self.digest})"

    @property
    def dangers(self) -> tuple[str, ...]:
        """Return why a person has to agree, each reason once."""
        return tuple(dict.fromkeys(change.danger for change in self.changes if change.danger))

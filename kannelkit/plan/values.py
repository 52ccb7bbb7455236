"""A plan as a value: each change of one group, the steps that bring it about, and what they disturb."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Action = Literal["create", "update", "delete"]
Box = Literal["bearerbox", "smsbox", "wapbox", "relay"]


@dataclass(frozen=True, slots=True)
class LinkSeen:
    """A link that the running bearerbox has: its admin id and its state in status.xml (`online`, `dead`, ...)."""

    admin_id: str
    state: str


@dataclass(frozen=True, slots=True)
class Rate:
    """An account's throughput in force, in SMS per second over all its links, where it is not the spec's ceiling."""

    account: str
    throughput: int
    ceiling: int | None


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
    """A link that is new (add-smsc).

    One whose name ends in `-waiting` is a parking link for the time of a re-creation; it is in its stage's text only.
    """

    link: str
    account: str


@dataclass(frozen=True, slots=True)
class Remove:
    """A link that goes away for good (stop-smsc, remove-smsc)."""

    link: str
    account: str


@dataclass(frozen=True, slots=True)
class Reroute:
    """A reload that changes only which messages these links take; no bind is touched (graceful-restart).

    True only while nothing else differs between the file and the links that run, which its stage's text sees to.
    `among` is how many links the file has then: a reload compares every link with every group, and holds the list of
    links meanwhile, so that messages wait.
    """

    links: tuple[str, ...]
    among: int = field(default=0, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Restart:
    """Boxes stopped and started again, in Kannel's order: with bearerbox, smsbox as well; the relay always alone."""

    boxes: tuple[Box, ...]


@dataclass(frozen=True, slots=True)
class Reload:
    """The relay reads its settings anew: these accounts end in order and start again, `added` ones start."""

    accounts: tuple[str, ...]
    added: tuple[str, ...] = ()


Step = Recreate | Add | Remove | Reroute | Restart | Reload


@dataclass(frozen=True, slots=True)
class Change:
    """One group created, updated or deleted.

    `name` tells it from others of its kind (a link's admin id, a user's name), and is empty for a single group;
    `steps` are what this change needs by itself, empty where nothing is disturbed; `danger` says why a person has to
    agree, one sentence a line, and is empty where nobody has to. `note` says what is odd: that the running
    gateway has drifted from its file, or why nothing is disturbed.
    """

    action: Action
    group: str
    name: str
    directives: tuple[DirectiveChange, ...]
    steps: tuple[Step, ...]
    danger: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Stage:
    """A configuration to put in place, and the steps that are taken while it is; the text is never shown."""

    text: str
    steps: tuple[Step, ...]

    def __repr__(self) -> str:
        return f"Stage({self.steps!r})"


@dataclass(frozen=True, slots=True)
class Plan:
    """Every change, in order, and the steps that carry all of them out, each once.

    `steps` are taken in their order; `stages` are the same steps with the text that has to be the gateway's file
    meanwhile, and `wanted` is the file after the last of them. Texts hold secrets, so they are never shown. `digest`
    is the same for the same changes towards the same configuration, and for no others. `running` says whether a
    gateway runs: without one there are no steps, and the file counts at its start. `rates` are those in force.
    """

    changes: tuple[Change, ...]
    steps: tuple[Step, ...]
    digest: str
    wanted: str
    stages: tuple[Stage, ...] = ()
    running: bool = True
    rates: tuple[Rate, ...] = ()

    def __repr__(self) -> str:
        return f"Plan({len(self.changes)} changes, {self.digest})"

    @property
    def dangers(self) -> tuple[str, ...]:
        """Return why a person has to agree, each reason once."""
        return tuple(dict.fromkeys(line for change in self.changes for line in change.danger.splitlines()))

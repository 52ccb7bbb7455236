"""What was seen of a gateway at one moment, as values; what could not be seen is None, with the reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from kannelkit.gateway.status import GatewayStatus
from kannelkit.render import Side
from kannelkit.supervise.views import Overview

# refused: nothing listens on the administration port; silent: it took the request and did not answer; unreadable: what
# it answered is no status, which a wrong password is, too
Unanswered = Literal["refused", "silent", "unreadable"]


@dataclass(frozen=True, slots=True)
class Silence:
    """That bearerbox told no status for so many `seconds`: `why` and `hint` in words.

    `working` is what shows that it does something all the same, "" where nothing does.
    """

    kind: Unanswered
    seconds: float
    why: str
    hint: str = ""
    working: str = ""


@dataclass(frozen=True, slots=True)
class BoxSeen:
    """A box's process: memory in octets, open descriptors and how many it may open; None where that may not be seen.

    `state` is the kernel's letter: T stopped by a signal, D waiting for a disk (proc(5), /proc/PID/stat).
    """

    pid: int
    since: float
    state: str
    resident: int | None = None
    descriptors: int | None = None
    most_descriptors: int | None = None


@dataclass(frozen=True, slots=True)
class Troubles:
    """What bearerbox's logs told of an account's links in the last minutes: counts, by command_status where it has one.

    `throttled` submits were refused as too fast, `refused` for another reason, `binds` refused, `broken` connections
    lost, `unreachable` ones not made, `unanswered` submits without an answer.
    """

    throttled: int = 0
    refused: Mapping[int, int] = field(default_factory=dict)
    binds: Mapping[int, int] = field(default_factory=dict)
    broken: int = 0
    unreachable: int = 0
    unanswered: int = 0


@dataclass(frozen=True, slots=True)
class Traffic:
    """What the access log told of an account: how many lines with each verb in the last minutes.

    `rate` is in SMS per second, over the last minute or the last ten seconds, whichever is more. `without_receipt`
    messages that ask for a delivery receipt were sent since the last one came, the first of them `unheard` seconds ago.
    """

    verbs: Mapping[str, int] = field(default_factory=dict)
    rate: float = 0.0
    without_receipt: int = 0
    unheard: float = 0.0


@dataclass(frozen=True, slots=True)
class Certificate:
    """An account's certificate file: when it expires (seconds since the epoch), what keeps Kannel from using it."""

    account: str
    path: Path
    expires: float | None
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Place:
    """A folder in which something is written: free octets and their share, free inodes' share (0 to 1).

    `trouble` says why nothing can be written there, or, where this user may not look, that it is `hidden`.
    """

    path: Path
    what: str
    free: int | None = None
    share: float | None = None
    inodes: float | None = None
    trouble: str = ""
    hidden: bool = False


@dataclass(frozen=True, slots=True)
class LogFile:
    """A log: whether it is there, None where this user may not look; `followed` where refusals are learnt from it."""

    path: Path
    there: bool | None
    followed: bool = False
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class Store:
    """A spool store: its messages, for how many seconds the oldest has waited; `more` where not all were counted."""

    messages: int
    oldest: float | None
    more: bool = False
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class Host:
    """Whether an account's host takes a connection: after how many `seconds`, or in words why not."""

    account: str
    side: Side
    address: str
    seconds: float
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class Other:
    """The links of a smsc-id that do not speak SMPP but are of a `kind` of Kannel's (at, http): each with its state.

    States are in Kannel's words, "absent" where bearerbox does not have the link, "unknown" where it is silent.
    """

    smsc_id: str
    kind: str
    links: tuple[tuple[str, str], ...]
    queued: int = 0


@dataclass(frozen=True, slots=True)
class Observed:
    """All that was seen of a gateway. `at` is in seconds since the epoch, `window` how far back the logs were read.
    Either `status` or `silence` is there.

    `started` says that a supervisor started the boxes, so that one should be there. `clock_set` is by how many seconds
    the wall clock was set since the last look, None where this is the first. `unapplied` says that the spec has changes
    that do not run. By box: `boxes`; by account: `troubles` and `traffic`, None where the logs could not be read, and
    `certificates`, `hosts`; `others` speak no SMPP. `unseen` are reasons why something could not be looked at.
    """

    overview: Overview
    at: float
    window: float = 300.0
    silence: Silence | None = None
    status: GatewayStatus | None = None
    boxes: Mapping[str, BoxSeen] = field(default_factory=dict)
    started: bool = False
    troubles: Mapping[str, Troubles] | None = None
    traffic: Mapping[str, Traffic] | None = None
    certificates: tuple[Certificate, ...] = ()
    places: tuple[Place, ...] = ()
    logs: tuple[LogFile, ...] = ()
    store: Store | None = None
    hosts: tuple[Host, ...] = ()
    others: tuple[Other, ...] = ()
    clock_set: float | None = None
    unapplied: bool | None = None
    unseen: tuple[str, ...] = ()

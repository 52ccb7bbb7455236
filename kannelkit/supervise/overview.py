"""How a gateway stands, as values, and what of it is not as it should be; pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from kannelkit.gateway.status import GatewayStatus, LinkStatus
from kannelkit.render import Account, Link
from kannelkit.supervise.memory import Event

# stopped: its process is not there; silent: it is, and does not answer; unconnected: a smsbox without its bearerbox
BoxState = Literal["running", "stopped", "silent", "unconnected", "unknown"]
# partly: some of its links are online; backup: none is, but one at the second host
AccountState = Literal["online", "partly", "backup", "offline", "unknown"]

_VERSION = re.compile(r"version `([^'\n]{1,40})'")


@dataclass(frozen=True, slots=True)
class BoxProcess:
    """A box's process as the state database knows it: alive now, `since` in seconds since the epoch."""

    pid: int
    since: float


@dataclass(frozen=True, slots=True)
class Readings:
    """What was read of a gateway, and in `troubles` what could not be.

    `status` is None where bearerbox does not answer, `refused` where nothing listens on its admin port; `supervisor`
    is the pid of the kannelkit that holds the state-dir's lock, 0 where that cannot be told. `accepted` is what each
    account's provider took per second between two readings of the status.
    """

    at: float
    status: GatewayStatus | None = None
    refused: bool = False
    supervisor: int | None = None
    processes: Mapping[str, BoxProcess] | None = None
    throughputs: Mapping[str, int] | None = None
    unsettled: frozenset[str] = frozenset()
    accepted: Mapping[str, float] | None = None
    events: Sequence[Event] = ()
    troubles: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class BoxView:
    """One box; `pid` and `since` (seconds since the epoch) are None where they are not known."""

    name: str
    state: BoxState
    pid: int | None
    since: float | None


@dataclass(frozen=True, slots=True)
class LinkView:
    """One link; `state` in Kannel's words, "absent" where bearerbox does not have it, "unknown" where it is silent.

    `seconds` is the time online; `queued` the parts of messages that wait for this link.
    """

    admin_id: str
    role: str
    host: str
    port: int
    state: str
    seconds: int | None
    queued: int


@dataclass(frozen=True, slots=True)
class AccountView:
    """One account. Rates in SMS per second over all its links, None for "not known" or "no limit".

    `links_online` of `links_wanted` are bound; links that only stand by count in neither.
    """

    smsc_id: str
    state: AccountState
    links_online: int
    links_wanted: int
    throughput: int | None
    ceiling: int | None
    settled: bool
    accepted_per_second: float | None
    queued: int
    links: tuple[LinkView, ...]


@dataclass(frozen=True, slots=True)
class Overview:
    """The whole gateway at one moment (`at`, seconds since the epoch).

    `waiting` counts messages in the global queue and the links' queues, `in_flight` those sent without an answer yet
    (None: not known). `problems` says in words what is not as it should be; empty means that all is well.
    """

    at: float
    state: str
    version: str | None
    supervisor: int | None
    boxes: tuple[BoxView, ...]
    accounts: tuple[AccountView, ...]
    waiting: int | None
    in_flight: int | None
    events: tuple[Event, ...]
    problems: tuple[str, ...]


def overview(accounts: Sequence[Account], readings: Readings) -> Overview:
    """Return how the gateway with these accounts stands, from what was read of it."""
    status = readings.status
    boxes = (_bearerbox(readings), _smsbox(readings))
    views = tuple(_account(account, readings) for account in accounts)
    version = _VERSION.search(status.version) if status else None
    return Overview(
        at=readings.at,
        state=_state(readings, boxes[0]),
        version=version[1] if version else None,
        supervisor=readings.supervisor or None,
        boxes=boxes,
        accounts=views,
        waiting=None if status is None else status.sms_queued_out + sum(link.queued for link in status.links),
        in_flight=None if status is None or status.in_flight is None else max(0, status.in_flight),
        events=tuple(readings.events),
        problems=tuple(_problems(readings, boxes, views)),
    )


def _state(readings: Readings, bearerbox: BoxView) -> str:
    if readings.status is not None:
        return readings.status.state
    return {"stopped": "not running", "silent": "silent"}.get(bearerbox.state, "unknown")


def _bearerbox(readings: Readings) -> BoxView:
    process = (readings.processes or {}).get("bearerbox")
    status = readings.status
    if status is not None:
        since = process.since if process else readings.at - status.uptime_seconds
        return BoxView("bearerbox", "running", process.pid if process else None, since)
    if process is not None:
        return BoxView("bearerbox", "silent", process.pid, process.since)
    if readings.refused:
        return BoxView("bearerbox", "stopped", None, None)
    return BoxView("bearerbox", "unknown", None, None)


def _smsbox(readings: Readings) -> BoxView:
    process = (readings.processes or {}).get("smsbox")
    status = readings.status
    connected = [box for box in status.boxes if box.type == "smsbox"] if status else []
    if connected:
        since = process.since if process else readings.at - max(box.seconds or 0 for box in connected)
        return BoxView("smsbox", "running", process.pid if process else None, since)
    if process is not None:
        return BoxView("smsbox", "unconnected" if status or readings.refused else "unknown", process.pid, process.since)
    return BoxView("smsbox", "stopped" if status or readings.refused else "unknown", None, None)


def _account(account: Account, readings: Readings) -> AccountView:
    found: dict[str, list[LinkStatus]] = {}
    for link in readings.status.links if readings.status else ():
        found.setdefault(link.admin_id, []).append(link)
    views = [_link(link, found.get(link.admin_id, []), readings) for link in account.links if link.role != "park"]
    primaries = [view for view in views if view.role == "primary"]
    online = sum(view.state == "online" for view in primaries)
    state: AccountState = "offline"
    if readings.status is None and not readings.refused:
        state = "unknown"
    elif online == len(primaries):
        state = "online"
    elif online:
        state = "partly"
    elif any(view.state == "online" for view in views):
        state = "backup"
    throughput = (readings.throughputs or {}).get(account.smsc_id, account.ceiling)
    if throughput is not None:  # as the rate controller takes what it learnt, should the spec have changed since
        throughput = max(account.floor, throughput if account.ceiling is None else min(throughput, account.ceiling))
    return AccountView(
        smsc_id=account.smsc_id,
        state=state,
        links_online=online,
        links_wanted=len(primaries),
        throughput=throughput,
        ceiling=account.ceiling,
        settled=account.smsc_id not in readings.unsettled,
        accepted_per_second=(readings.accepted or {}).get(account.smsc_id),
        queued=sum(view.queued for view in views),
        links=tuple(views),
    )


def _link(link: Link, found: Sequence[LinkStatus], readings: Readings) -> LinkView:
    state, seconds = "unknown", None
    if found:
        # several of one name do not come from kannelkit; the worst of them speaks for all
        worst = min(found, key=lambda one: one.online)
        state, seconds = worst.state, worst.seconds
    elif readings.status is not None or readings.refused:
        state = "absent"
    if link.role == "backup" and state == "dead":
        state = "standby"
    return LinkView(link.admin_id, link.role, link.host, link.port, state, seconds, sum(one.queued for one in found))


def _problems(readings: Readings, boxes: Sequence[BoxView], accounts: Sequence[AccountView]) -> list[str]:
    bearerbox, smsbox = boxes
    problems = []
    if bearerbox.state == "stopped" and smsbox.state == "stopped" and readings.supervisor is None:
        return ["the gateway is not running", *readings.troubles]
    if bearerbox.state == "stopped":
        problems.append("bearerbox is not running")
    elif bearerbox.state == "silent":
        problems.append(f"bearerbox (pid {bearerbox.pid}) does not answer")
    if smsbox.state == "stopped":
        problems.append("smsbox is not running")
    elif smsbox.state == "unconnected":
        problems.append(f"smsbox (pid {smsbox.pid}) is not connected to bearerbox")
    if readings.supervisor is None:
        problems.append("no kannelkit supervises: rates are not held, and a box that ends stays away")
    if readings.status is not None:
        if readings.status.state != "running":
            problems.append(f"bearerbox is {readings.status.state}")
        for account in accounts:
            if account.links_online < account.links_wanted:
                away = [link for link in account.links if link.role == "primary" and link.state != "online"]
                said = ", ".join(f"{link.admin_id} {link.state}" for link in away)
                problems.append(f"{account.smsc_id}: {account.links_online} of {account.links_wanted} links: {said}")
    return [*problems, *readings.troubles]

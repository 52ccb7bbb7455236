"""What was read of a gateway -> how it stands; pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

from kannelkit.gateway.status import GatewayStatus, LinkStatus
from kannelkit.render import Account, Link, Side
from kannelkit.supervise.course import Curve, Flow, Minute
from kannelkit.supervise.memory import Event
from kannelkit.supervise.problems import problems
from kannelkit.supervise.views import (
    AccountState,
    AccountView,
    BoxView,
    LinkView,
    OtherRefusals,
    Overview,
    RelayView,
)

_VERSION = re.compile(r"version `([^'\n]{1,40})'")


@dataclass(frozen=True, slots=True)
class BoxProcess:
    """A box's process as the state database knows it: alive now, `since` in seconds since the epoch."""

    pid: int
    since: float


@dataclass(frozen=True, slots=True)
class Turn:
    """Since when an account is on the side it is on (seconds since the epoch), why, and whether somebody moved it."""

    since: float
    why: str = ""
    by_hand: bool = False


@dataclass(frozen=True, slots=True)
class Traffic:
    """What an account's provider answered of late; what only a supervisor sees is None or empty where none does."""

    accepted_per_second: float | None = None
    accepted: Flow | None = None
    refused: Flow | None = None
    other_refusals: tuple[OtherRefusals, ...] = ()
    curve: Curve = field(default_factory=Curve)
    minute: Minute | None = None


@dataclass(frozen=True, slots=True)
class Readings:
    """What was read of a gateway, and in `troubles` what could not be; `spec` is what a command names its spec by.

    `status` is None where bearerbox does not answer, `refused` where nothing listens on its admin port; `supervisor`
    is the pid of the kannelkit that holds the state-dir's lock, 0 where that cannot be told; `watched` is whether
    something else runs the boxes. By unit (see Account):
    `throughputs`, those `unsettled`, those `paused`, and the newest change of rate. By account: `turns`,
    `traffic`, and in `relays` how the relay says that it stands.
    """

    at: float
    spec: str = "SPEC"
    watched: bool = False
    status: GatewayStatus | None = None
    refused: bool = False
    supervisor: int | None = None
    processes: Mapping[str, BoxProcess] = field(default_factory=dict)
    throughputs: Mapping[str, int] = field(default_factory=dict)
    unsettled: frozenset[str] = frozenset()
    paused: frozenset[str] = frozenset()
    changes: Mapping[str, Event] = field(default_factory=dict)
    turns: Mapping[str, Turn] = field(default_factory=dict)
    traffic: Mapping[str, Traffic] = field(default_factory=dict)
    events: Sequence[Event] = ()
    relays: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    troubles: Sequence[str] = ()


def overview(accounts: Sequence[Account], readings: Readings) -> Overview:
    """Return how the gateway with these accounts stands, from what was read of it."""
    status = readings.status
    boxes: tuple[BoxView, ...] = (_bearerbox(readings), _smsbox(readings))
    if any(account.relayed for account in accounts):
        boxes = (*boxes, _relay(readings))
    found: dict[str, list[LinkStatus]] = {}
    for link in status.links if status else ():
        found.setdefault(link.admin_id, []).append(link)
    version = _VERSION.search(status.version) if status else None
    in_flight = None if status is None or status.in_flight is None else max(0, status.in_flight)
    alone = len(accounts) == 1  # otherwise nobody can say whose it is
    seen = Overview(
        at=readings.at,
        state=_state(readings, boxes[0]),
        version=version[1] if version else None,
        supervisor=readings.supervisor or None,
        boxes=boxes,
        accounts=tuple(_account(account, found, readings, in_flight if alone else None) for account in accounts),
        waiting=None if status is None else status.sms_queued_out + sum(link.queued for link in status.links),
        in_flight=in_flight,
        stored=None if status is None else status.store_size,
        events=tuple(readings.events),
        problems=(),
    )
    said = problems(seen, readings.spec, supervised=readings.supervisor is not None, watched=readings.watched)
    return replace(seen, problems=(*said, *readings.troubles))


def _state(readings: Readings, bearerbox: BoxView) -> str:
    if readings.status is not None:
        return readings.status.state
    return {"stopped": "not running", "silent": "silent"}.get(bearerbox.state, "unknown")


def _bearerbox(readings: Readings) -> BoxView:
    process = readings.processes.get("bearerbox")
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
    process = readings.processes.get("smsbox")
    status = readings.status
    connected = [box for box in status.boxes if box.type == "smsbox"] if status else []
    if connected:
        since = process.since if process else readings.at - max(box.seconds or 0 for box in connected)
        return BoxView("smsbox", "running", process.pid if process else None, since)
    if process is not None:
        return BoxView("smsbox", "unconnected" if status or readings.refused else "unknown", process.pid, process.since)
    return BoxView("smsbox", "stopped" if status or readings.refused else "unknown", None, None)


def _relay(readings: Readings) -> BoxView:
    process = readings.processes.get("relay")
    if process is None:
        return BoxView("relay", "stopped", None, None)
    return BoxView("relay", "running" if readings.relays else "silent", process.pid, process.since)


def _relayed(state: Mapping[str, Any] | None) -> RelayView | None:
    """Return what the relay says of an account, None where it is silent, or says something else than it should."""
    try:
        return None if state is None else RelayView(**{name: state[name] for name in _RELAYED if name in state})
    except TypeError:
        return None


_RELAYED = tuple(each.name for each in fields(RelayView))


def _account(
    account: Account, found: Mapping[str, Sequence[LinkStatus]], readings: Readings, in_flight: int | None
) -> AccountView:
    relay = _relayed(readings.relays.get(account.smsc_id)) if account.relayed else None
    side = account.side if relay is None else relay.side
    links = [_link(link, account, found.get(link.admin_id, ()), readings) for link in account.links]
    views = [view for view in links if view.role != "park"]
    if relay is not None:  # its one link leads to whichever host is in force
        views = [replace(view, role=side) for view in views]
    wanted = [view for view in views if view.role == side]
    online = sum(view.state == "online" for view in wanted)
    throughput = _relays(relay) if account.relayed else readings.throughputs.get(account.unit, account.ceiling)
    if throughput is not None and not account.relayed:
        # as the rate controller takes what it learnt, should the spec have changed since
        throughput = max(account.floor, throughput if account.ceiling is None else min(throughput, account.ceiling))
    change, paused = readings.changes.get(account.unit), account.unit in readings.paused
    turn = readings.turns.get(account.smsc_id) if relay is None else _turn(relay)
    traffic = readings.traffic.get(account.smsc_id, Traffic())
    queued = sum(view.queued for view in views)
    return AccountView(
        smsc_id=account.smsc_id,
        unit=account.unit,
        state=_account_state(readings, side, online, len(wanted)),
        side=side,
        host=f"{wanted[0].host}:{wanted[0].port}" if relay is None else relay.host,
        since=turn.since if turn else None,
        why=turn.why if turn else "",
        links_online=online,
        links_wanted=len(wanted),
        throughput=throughput,
        ceiling=account.ceiling,
        floor=account.floor,
        settled=account.unit not in readings.unsettled,
        paused=paused,
        by_hand=change is not None and change.data.get("direction") == "by-hand" and (paused or not account.relayed),
        rate_since=change.at if change else None,
        accepted_per_second=traffic.accepted_per_second,
        accepted=traffic.accepted,
        refused=traffic.refused,
        other_refusals=traffic.other_refusals,
        queued=queued,
        in_flight=in_flight,
        minutes_left=_minutes_left(queued, traffic),
        curve=traffic.curve,
        links=tuple(views),
        moved_by_hand=turn is not None and turn.by_hand,
        relayed=account.relayed,
        relay=relay,
        minute=traffic.minute,
    )


def _relays(relay: RelayView | None) -> float | None:
    """Return the rate at which the relay lets submits leave, as exactly as it matters."""
    if relay is None or relay.rate is None:
        return None
    rate = round(relay.rate, 3)
    return int(rate) if rate.is_integer() else rate


def _turn(relay: RelayView) -> Turn | None:
    return None if relay.side_since is None else Turn(relay.side_since, relay.side_why, relay.side_by_hand)


def _account_state(readings: Readings, side: Side, online: int, wanted: int) -> AccountState:
    if readings.status is None and not readings.refused:
        return "unknown"
    if online == wanted:
        return "online" if side == "primary" else "backup"
    return "partly" if online else "offline"


def _minutes_left(queued: int, traffic: Traffic) -> float | None:
    if not queued:
        return 0.0
    rate = traffic.accepted.minute if traffic.accepted else traffic.accepted_per_second
    return round(queued / rate / 60, 2) if rate else None


def _link(link: Link, account: Account, found: Sequence[LinkStatus], readings: Readings) -> LinkView:
    state, seconds = "unknown", None
    if found:
        # several of one name do not come from kannelkit; the worst of them speaks for all
        worst = min(found, key=lambda one: one.online)
        state, seconds = worst.state, worst.seconds
    elif readings.status is not None or readings.refused:
        state = "absent"
    if link.role != account.side and state == "dead":
        state = "standby"
    queued = sum(one.queued for one in found)
    return LinkView(link.admin_id, link.role, link.host, link.port, state, seconds, queued, link.throughput)

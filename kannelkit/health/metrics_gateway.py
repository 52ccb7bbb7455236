"""What was seen of a gateway -> /metrics under kannelkit's own names; pure. What is not known is left out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from kannelkit.gateway.status import BoxStatus, GatewayStatus
from kannelkit.health.exposition import Exposition, Sample, labels
from kannelkit.health.metrics import METRICS
from kannelkit.health.metrics_rows import LinkRow, Seen
from kannelkit.health.metrics_totals import Totals
from kannelkit.health.values import SENDING, sending_accounts
from kannelkit.supervise.views import AccountView, Overview, RelayView

_STATES = ("running", "suspended", "isolated", "full", "shutting down")
_SIDES = ("primary", "backup")
_ACCOUNT = ("account",)
# the exit codes of the Monitoring Plugins
_CODES: Mapping[str, int] = {"ok": 0, "warning": 1, "critical": 2, "unknown": 3}
# a box's id comes from the network: more boxes than this are names that somebody makes up
_MOST_BOXES = 200

_COUNTERS = tuple(row.name for row in METRICS.values() if row.type == "counter" and row.names == "kannelkit")
_OF_GATEWAY: Mapping[str, Callable[[GatewayStatus], int | None]] = {
    "kannel_uptime_seconds": lambda status: status.uptime_seconds,
    "kannel_sms_received_total": lambda status: status.sms_received_total,
    "kannel_sms_sent_total": lambda status: status.sms_sent_total,
    "kannel_dlr_received_total": lambda status: status.dlr_received_total,
    "kannel_dlr_sent_total": lambda status: status.dlr_sent_total,
    "kannel_sms_received_queued": lambda status: status.sms_queued_in,
    "kannel_sms_sent_queued": lambda status: status.sms_queued_out,
    "kannel_store_messages": lambda status: status.store_size,
    "kannel_in_flight_messages": lambda status: None if status.in_flight is None else max(0, status.in_flight),
    "kannel_dlr_waiting": lambda status: status.dlr_waiting,
}
_OF_ROW: Mapping[str, Callable[[LinkRow], float]] = {
    "kannel_link_online": lambda row: int(bool(row.links) and all(link.online for link in row.links)),
    "kannel_link_dead": lambda row: int(any(link.state == "dead" for link in row.links)),
    "kannel_link_online_seconds": lambda row: min((link.seconds or 0 for link in row.links), default=0),
    "kannel_link_queued_messages": lambda row: sum(link.queued for link in row.links),
}
_OF_ACCOUNT: Mapping[str, Callable[[AccountView], float | None]] = {
    "kannelkit_account_links_online": lambda account: account.links_online,
    "kannelkit_account_links_wanted": lambda account: account.links_wanted,
    "kannelkit_account_queued_messages": lambda account: account.queued,
    "kannelkit_account_drain_seconds": lambda account: _drain(account),
    "kannelkit_throughput": lambda account: _throughput(account),
    "kannelkit_throughput_ceiling": lambda account: account.ceiling,
    "kannelkit_throughput_floor": lambda account: None if account.relayed else account.floor,
    "kannelkit_throughput_paused": lambda account: int(account.paused),
    "kannelkit_throughput_changing": lambda account: int(not account.settled),
}
_OF_RELAY: Mapping[str, Callable[[RelayView], float | None]] = {
    "kannelkit_relay_rate": lambda relay: None if relay.rate is None else round(relay.rate, 3),
    "kannelkit_relay_held_messages": lambda relay: relay.held,
    "kannelkit_relay_held_seconds": lambda relay: relay.held_for,
    "kannelkit_relay_unanswered_messages": lambda relay: relay.unanswered,
    "kannelkit_relay_window": lambda relay: relay.window,
    "kannelkit_relay_connections": lambda relay: relay.connections,
    "kannelkit_relay_refused_total": lambda relay: relay.refused,
    "kannelkit_relay_put_off_total": lambda relay: relay.put_off,
    "kannelkit_relay_expired_total": lambda relay: relay.expired,
    "kannelkit_relay_maybe_doubled_total": lambda relay: relay.maybe_doubled,
}
_ADDED_UP = (
    "kannelkit_account_links_online",
    "kannelkit_account_links_wanted",
    "kannelkit_account_queued_messages",
    "kannelkit_throughput",
)


def add_gateway(text: Exposition, seen: Seen, totals: Totals, version: str) -> None:
    """Add every metric under kannelkit's own names; `version` is kannelkit's."""
    text.add(METRICS["kannel_up"], [("", int(seen.status is not None))])
    if seen.status is not None:
        _status(text, seen.status, seen.rows)
    if seen.state is not None:
        _state(text, seen.state)
    _report(text, seen)
    for metric in _COUNTERS:
        if metric not in _OF_GATEWAY and metric not in _OF_RELAY:
            text.add(METRICS[metric], totals.samples(metric))
    changes = "kannelkit_throughput_change_seconds"
    text.add_summary(METRICS[changes], totals.durations(changes))
    _each(
        text,
        "kannelkit_certificate_expiry_timestamp_seconds",
        (((name,), at) for name, at in seen.certificates.items()),
    )
    _each(text, "kannelkit_info", [((version,), 1)])
    _each(text, "kannelkit_observed_timestamp_seconds", [((), round(seen.at, 3))])
    _each(text, "kannelkit_observation_seconds", [((), round(seen.seconds, 4))])
    _each(text, "kannelkit_series_left_out", [((), totals.left_out)])


def _status(text: Exposition, status: GatewayStatus, rows: Iterable[LinkRow]) -> None:
    _each(text, "kannel_info", [((version_of(status),), 1)])
    _each(text, "kannel_state", (((state,), int(state == status.state)) for state in _STATES))
    for metric, figure in _OF_GATEWAY.items():
        value = figure(status)
        text.add(METRICS[metric], [] if value is None else [("", value)])
    _each(text, "kannel_dlr_storage_info", [((status.dlr_storage,), 1)])
    kinds: dict[str, int] = {"smsbox": 0}
    for box in status.boxes:
        kinds[box.type] = kinds.get(box.type, 0) + 1
    _each(text, "kannel_box_connections", (((kind,), count) for kind, count in kinds.items()))
    boxes = boxes_of(status)
    _each(text, "kannel_box_queued_messages", ((key, queue) for key, (queue, _) in boxes.items() if queue is not None))
    _each(text, "kannel_box_uptime_seconds", ((key, age) for key, (_, age) in boxes.items() if age is not None))
    counted = [(row, labels(METRICS["kannel_link_online"].labels, row.key)) for row in rows if row.counted]
    for metric, of_row in _OF_ROW.items():
        text.add(METRICS[metric], [(written, of_row(row)) for row, written in counted])


def _state(text: Exposition, state: Overview) -> None:
    accounts = state.accounts
    distinct = len({account.smsc_id for account in accounts}) == len(accounts)
    _each(text, "kannelkit_supervised", [((), int(state.supervisor is not None))])
    running = ("running", "silent", "unconnected")
    boxes = [box for box in state.boxes if box.state != "unknown"]
    _each(text, "kannel_box_running", (((box.name,), int(box.state in running)) for box in boxes))
    named = [(labels(_ACCOUNT, (account.smsc_id,)), account) for account in accounts]
    for metric, figure in _OF_ACCOUNT.items():
        values = [(name, value) for name, account in named if (value := figure(account)) is not None]
        text.add(METRICS[metric], values if distinct else _joined(values, add_up=metric in _ADDED_UP))
    relayed = [(name, account.relay) for name, account in named if account.relay is not None]
    for metric, of_relay in _OF_RELAY.items():
        text.add(METRICS[metric], [(name, value) for name, relay in relayed if (value := of_relay(relay)) is not None])
    _responses(text, accounts)
    sides = {(each.smsc_id, side): int(each.side == side) for each in accounts for side in _SIDES}
    _each(text, "kannelkit_account_side", sides.items())
    shares = [
        ((account.smsc_id, link.admin_id, link.host), link.share)
        for account in accounts
        for link in account.links
        if link.role == account.side and link.share is not None
    ]
    _each(text, "kannelkit_link_throughput", shares)


def _responses(text: Exposition, accounts: Iterable[AccountView]) -> None:
    """Add how soon providers answer the relay: quantiles of the last minute, and totals."""
    relayed = [(account.smsc_id, account.relay) for account in accounts if account.relay is not None]
    quantiles = [
        (labels((*_ACCOUNT, "quantile"), (name, quantile)), round(value, 4))
        for name, relay in relayed
        for quantile, value in (("0.5", relay.response_median), ("0.99", relay.response_99))
        if value is not None
    ]
    totals = [(labels(_ACCOUNT, (name,)), relay.answers, relay.response_seconds) for name, relay in relayed]
    text.add_summary(METRICS["kannelkit_relay_response_seconds"], totals, quantiles)


def _joined(samples: Iterable[Sample], *, add_up: bool) -> list[Sample]:
    """Return the samples of accounts with one smsc-id as one."""
    values: dict[str, float] = {}
    for name, value in samples:
        before = values.get(name, 0)
        values[name] = value + before if add_up else max(value, before)
    return list(values.items())


def _report(text: Exposition, seen: Seen) -> None:
    if seen.report is None:
        return
    sends = set(sending_accounts(seen.report))
    asked = [check.account for check in seen.report.of(SENDING) if check.account]
    _each(text, "kannelkit_account_sending", {(name,): int(name in sends) for name in asked}.items())
    codes: dict[tuple[str, ...], float] = {}
    for check in seen.report.checks:
        key = (check.id, check.account or "", check.link or "")
        codes[key] = max(codes.get(key, 0), _CODES[check.status])
    _each(text, "kannelkit_check_status", codes.items())


def boxes_of(status: GatewayStatus) -> Mapping[tuple[str, str, str], tuple[int | None, int | None]]:
    """Return what is queued for a box and how long it is connected, by kind, id and host; two of the same as one."""
    boxes: dict[tuple[str, str, str], tuple[int | None, int | None]] = {}
    for box in status.boxes:
        key = (box.type, box.id, box.address)
        if key not in boxes and len(boxes) >= _MOST_BOXES:
            continue
        boxes[key] = _one(boxes.get(key), box)
    return boxes


def _one(other: tuple[int | None, int | None] | None, box: BoxStatus) -> tuple[int | None, int | None]:
    if other is None:
        return box.queue, box.seconds
    queue = box.queue if other[0] is None else other[0] + (box.queue or 0)
    ages = [age for age in (other[1], box.seconds) if age is not None]
    return queue, min(ages, default=None)


def version_of(status: GatewayStatus) -> str:
    """Return what stands in quotation marks in bearerbox's version, at most 40 characters; "" where nothing does."""
    return status.version.partition("version `")[2].partition("'")[0][:40]


def _each(text: Exposition, metric: str, series: Iterable[tuple[tuple[str, ...], float]]) -> None:
    row = METRICS[metric]
    samples: list[Sample] = [(labels(row.labels, key), value) for key, value in series]
    text.add(row, samples)


def _drain(account: AccountView) -> float | None:
    minutes = account.minutes_left
    if minutes is not None:
        return round(float(minutes) * 60, 1)
    return None if account.accepted_per_second is None else float("inf")


def _throughput(account: AccountView) -> float | None:
    """Return an account's own throughput: of a rate that it shares, what its links have of it."""
    return account.throughput if account.unit == account.smsc_id else _shares(account)


def _shares(account: AccountView) -> int | None:
    shares = [link.share for link in account.links if link.role == account.side]
    known = [share for share in shares if share is not None]
    return sum(known) if len(known) == len(shares) else None

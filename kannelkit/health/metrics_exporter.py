"""What was seen of a gateway -> /metrics under the names of kannel_exporter, for dashboards made for it; pure.

Names, types and labels as in its version 0.8.0 (kannel_exporter.py at github.com/apostvav/kannel_exporter, with
--collect-box-uptime and --collect-smsc-uptime). Two things differ: counters of links begin at 0 with kannelkit and go
on when links are made anew, and parking and standby links are not counted as links that are offline.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial

from kannelkit.gateway.status import GatewayStatus, LinkStatus
from kannelkit.health.exposition import Exposition, labels
from kannelkit.health.metrics import METRICS
from kannelkit.health.metrics_gateway import boxes_of, version_of
from kannelkit.health.metrics_rows import LinkRow, Seen
from kannelkit.health.metrics_totals import Totals

_SMSC = ("smsc_id",)
_BOXES = ("wapbox", "smsbox")  # of which kannel_exporter says 0, too
_OF_GATEWAY: Mapping[str, Callable[[GatewayStatus], int]] = {
    "bearerbox_uptime_seconds": lambda status: status.uptime_seconds,
    "bearerbox_sms_received_total": lambda status: status.sms_received_total,
    "bearerbox_sms_received_queued": lambda status: status.sms_queued_in,
    "bearerbox_sms_sent_total": lambda status: status.sms_sent_total,
    "bearerbox_sms_sent_queued": lambda status: status.sms_queued_out,
    "bearerbox_sms_storesize": lambda status: -1 if status.store_size is None else status.store_size,
    "bearerbox_dlr_received_total": lambda status: status.dlr_received_total,
    "bearerbox_dlr_sent_total": lambda status: status.dlr_sent_total,
    "bearerbox_dlr_queued": lambda status: -1 if status.dlr_waiting is None else status.dlr_waiting,
}
_OF_SMSC = {
    "bearerbox_smsc_failed_messages_total": "kannel_link_failed_total",
    "bearerbox_smsc_received_sms_total": "kannel_link_sms_received_total",
    "bearerbox_smsc_sent_sms_total": "kannel_link_sms_sent_total",
    "bearerbox_smsc_received_dlr_total": "kannel_link_dlr_received_total",
    "bearerbox_smsc_sent_dlr_total": "kannel_link_dlr_sent_total",
}
_OF_LINKS: Mapping[str, Callable[[Iterable[LinkStatus]], int]] = {
    "bearerbox_smsc_queued_messages": lambda links: sum(link.queued for link in links),
    "bearerbox_smsc_online_connections": lambda links: sum(link.online for link in links),
    "bearerbox_smsc_offline_connections": lambda links: sum(not link.online for link in links),
    "bearerbox_smsc_uptime_seconds": lambda links: min((link.seconds or 0 for link in links), default=0),
}


def add_exporter(text: Exposition, seen: Seen, totals: Totals) -> None:
    """Add every metric under kannel_exporter's names; where bearerbox does not answer, that alone."""
    status = seen.status
    text.add(METRICS["bearerbox_up"], [("", int(status is not None))])
    if status is None:
        return
    _each(text, "bearerbox_build_info", {(version_of(status),): 1})
    for metric, figure in _OF_GATEWAY.items():
        text.add(METRICS[metric], [("", figure(status))])
    _each(text, "bearerbox_dlr_storage", {(status.dlr_storage,): 1})
    kinds = dict.fromkeys(_BOXES, 0)
    for box in status.boxes:
        kinds[box.type] = kinds.get(box.type, 0) + 1
    _each(text, "bearerbox_box_connections", {(kind,): count for kind, count in kinds.items()})
    boxes = boxes_of(status).items()
    _each(text, "bearerbox_box_queue", {key: queue for key, (queue, _) in boxes if queue is not None})
    _each(text, "bearerbox_box_uptime_seconds", {key: age for key, (_, age) in boxes if age is not None})
    _smscs(text, [row for row in seen.rows if row.counted], totals)
    text.add(METRICS["bearerbox_scrape_duration_seconds"], [("", round(seen.seconds, 4))])


def _smscs(text: Exposition, rows: Iterable[LinkRow], totals: Totals) -> None:
    smscs: dict[str, list[LinkRow]] = {}
    for row in rows:
        smscs.setdefault(row.account, []).append(row)
    named = {name: labels(_SMSC, (name,)) for name in smscs}
    keys = [(named[name], [row.key for row in of]) for name, of in smscs.items()]
    links = [(named[name], [link for row in of for link in row.links]) for name, of in smscs.items()]
    text.add(METRICS["bearerbox_smsc_connections"], [("", sum(len(of) for _, of in links))])
    for metric, ours in _OF_SMSC.items():
        total = partial(totals.total, ours)
        text.add(METRICS[metric], [(name, sum(map(total, of))) for name, of in keys])
    for metric, figure in _OF_LINKS.items():
        text.add(METRICS[metric], [(name, figure(of)) for name, of in links])


def _each(text: Exposition, metric: str, series: Mapping[tuple[str, ...], float]) -> None:
    row = METRICS[metric]
    text.add(row, [(labels(row.labels, key), value) for key, value in series.items()])

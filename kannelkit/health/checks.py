"""All checks over what was observed; pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from kannelkit.health import accounts, boxes, machine, messages, relay
from kannelkit.health.bounds import Bounds
from kannelkit.health.observed import Observed
from kannelkit.health.values import Check, Report
from kannelkit.spec.model import Threshold

# by id, in the order of the table
FUNCTIONS: Mapping[str, Callable[[Observed, Bounds], Iterator[Check]]] = {
    "bearerbox": boxes.bearerbox,
    "smsbox": boxes.smsbox,
    "relay": relay.relay,
    "sending": accounts.sending,
    "links": accounts.links,
    "backup": accounts.backup,
    "flapping": accounts.flapping,
    "binds": accounts.binds,
    "refusals": accounts.refusals,
    "pacing": relay.pacing,
    "other-refusals": accounts.other_refusals,
    "lost": messages.lost,
    "receipts": messages.receipts,
    "queue": messages.queue,
    "drain": messages.drain,
    "oldest": messages.oldest,
    "hosts": accounts.hosts,
    "certificates": machine.certificates,
    "rate-control": accounts.rate_control,
    "supervisor": boxes.supervisor,
    "spec": boxes.spec,
    "memory": boxes.memory,
    "descriptors": boxes.descriptors,
    "disk": machine.disk,
    "logs": machine.logs,
    "clock": machine.clock,
    "sources": machine.unseen,
}


def report(seen: Observed, thresholds: Mapping[str, Threshold]) -> Report:
    """Return what every check says; `thresholds` has every one of them by name (see Spec.health_thresholds)."""
    bounds = Bounds(thresholds)
    return Report(seen.at, tuple(check for function in FUNCTIONS.values() for check in function(seen, bounds)))

"""Checks of messages: those that wait, those that were given up, receipts that do not come; pure."""

from __future__ import annotations

import math
from collections.abc import Iterator

from kannelkit.health.bounds import Bounds, counted, lasting, said
from kannelkit.health.observed import Observed
from kannelkit.health.values import Check, Figure, Status
from kannelkit.supervise.views import AccountView

# the access log's verbs for a message that nobody will send any more (gw/bb_smscconn.c, bb_smscconn_send_failed)
GIVEN_UP = ("DISCARDED SMS", "REJECTED Send SMS", "FAILED Send SMS", "EXPIRED SMS")
# fewer messages without a receipt may be to phones that are switched off
_ENOUGH_UNHEARD = 20
# what came this minute is not yet late
_FRESH_SECONDS = 60.0


def lost(seen: Observed, bounds: Bounds) -> Iterator[Check]:
    """Messages that were given up."""
    if seen.traffic is None:
        advice = "turn access-log on, without an access-log-format of its own, where this user may read it"
        yield said("lost", "unknown", "messages given up are not known: no access log can be read", advice)
        return
    counts = {verb: sum(each.verbs.get(verb, 0) for each in seen.traffic.values()) for verb in GIVEN_UP}
    total = sum(counts.values())
    figures = (bounds.figure("lost", "lost", total),)
    minutes = f"in the last {seen.window / 60:.0f} minutes"
    if not total:
        yield said("lost", "ok", f"no message given up {minutes}", figures=figures)
        return
    named = ", ".join(f"{count} {verb}" for verb, count in counts.items() if count)
    whose = sorted(
        name or "no account" for name, each in seen.traffic.items() if any(each.verbs.get(verb) for verb in GIVEN_UP)
    )
    words = f"{counted(total, 'message')} given up {minutes}: {named} ({', '.join(whose[:3])})"
    yield said("lost", bounds.status("lost", total), words, figures=figures)


def receipts(seen: Observed, bounds: Bounds) -> Iterator[Check]:
    """Receipts that stopped coming."""
    for account in seen.overview.accounts:
        traffic = (seen.traffic or {}).get(account.smsc_id)
        if traffic is None:
            continue
        name, minutes = account.smsc_id, traffic.unheard / 60
        figures = (Figure(f"{name} without receipt", traffic.without_receipt, least=0),)
        if traffic.without_receipt < _ENOUGH_UNHEARD:
            yield said("receipts", "ok", f"{name}: delivery receipts come as asked for", account=name, figures=figures)
            continue
        words = (
            f"{name}: {traffic.without_receipt} messages sent without a delivery receipt of any, the first "
            f"{lasting(traffic.unheard)} ago"
        )
        yield said("receipts", bounds.status("receipts-minutes", minutes), words, account=name, figures=figures)


def queue(seen: Observed, bounds: Bounds) -> Iterator[Check]:
    """All messages that wait."""
    waiting = seen.overview.waiting
    if waiting is None:
        yield said("queue", "unknown", "what waits is not known while bearerbox does not tell its status")
        return
    figures = (bounds.figure("queue", "queue", waiting),)
    words = f"{counted(waiting, 'message')} waiting"
    yield said("queue", bounds.status("queue", waiting), words, figures=figures)


def drain(seen: Observed, bounds: Bounds) -> Iterator[Check]:
    """How long what waits for each account lasts."""
    # what no link could take yet waits for all of them; where there is one account, it is that one's
    alone = len(seen.overview.accounts) + len(seen.others) == 1
    for account in seen.overview.accounts:
        if account.state != "unknown":
            queued = max(account.queued, seen.overview.waiting or 0) if alone else account.queued
            yield _drain(seen, bounds, account.smsc_id, queued, _rate(seen, account))
    for other in seen.others:
        if any(state != "unknown" for _, state in other.links):
            yield _drain(seen, bounds, other.smsc_id, other.queued, _logged_rate(seen, other.smsc_id))


def _drain(seen: Observed, bounds: Bounds, name: str, queued: int, rate: float | None) -> Check:
    waiting = counted(queued, "message")
    figures: tuple[Figure, ...] = (Figure(f"{name} queue", queued, least=0),)
    if rate is not None:
        figures += (Figure(f"{name} sent", round(rate, 2), least=0),)
    if not queued:
        return said("drain", "ok", f"{name}: nothing waits", account=name, figures=figures)
    if rate is None:
        words = f"{name}: {waiting} waiting, and how fast they are sent is not known"
        return said("drain", "unknown", words, "turn access-log on, or run kannelkit up", account=name)
    if not rate:
        oldest = seen.store.oldest if seen.store is not None else None
        status: Status = "warning" if oldest is None else "ok" if oldest < _FRESH_SECONDS else "critical"
        words = f"{name}: {waiting} waiting, and none was sent in the last minute"
        return said("drain", status, words, account=name, figures=figures)
    minutes = queued / rate / 60
    figures += (bounds.figure(f"{name} drain", "queue-minutes", math.ceil(minutes * 60), "s", 60),)
    words = f"{name}: {waiting} waiting, for {lasting(minutes * 60)} at {rate:.1f} SMS per second"
    return said("drain", bounds.status("queue-minutes", minutes), words, account=name, figures=figures)


def _rate(seen: Observed, account: AccountView) -> float | None:
    """Return SMS per second as they are sent now: what the supervisor counts, or what the access log tells."""
    if account.accepted is not None:
        return max(account.accepted.minute, account.accepted.ten_seconds)
    return _logged_rate(seen, account.smsc_id)


def _logged_rate(seen: Observed, name: str) -> float | None:
    traffic = (seen.traffic or {}).get(name)
    return None if seen.traffic is None else 0.0 if traffic is None else traffic.rate


def oldest(seen: Observed, bounds: Bounds) -> Iterator[Check]:
    """The message that has waited longest."""
    store = seen.store
    if store is None:
        return
    if store.trouble:
        yield said("oldest", "unknown", f"the store cannot be looked at: {store.trouble}", "run as a user who may")
        return
    if store.oldest is None:
        yield said("oldest", "ok", "the store is empty", figures=(Figure("stored", 0, least=0),))
        return
    least = "at least " if store.more else ""
    figures = (
        Figure("stored", store.messages, least=0),
        bounds.figure("oldest", "oldest-minutes", round(store.oldest), "s", 60),
    )
    words = f"{least}{counted(store.messages, 'message')} in the store, the oldest for {least}{lasting(store.oldest)}"
    yield said("oldest", bounds.status("oldest-minutes", store.oldest / 60), words, figures=figures)

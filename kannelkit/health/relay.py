"""Checks of the relay and of the accounts that it paces; pure."""

from __future__ import annotations

from collections.abc import Iterator

from kannelkit.health.bounds import Bounds, lasting, said
from kannelkit.health.observed import Observed
from kannelkit.health.values import Check, Figure, Status
from kannelkit.supervise.views import AccountView, RelayView, rate_text

_STARTING_SECONDS = 15.0
_STOPPED = "T"  # by a signal, as SIGSTOP; proc(5)
# part of the time for which a submit may be held
_LATE = 0.75


def relay(seen: Observed, bounds: Bounds) -> Iterator[Check]:
    """The relay's process is there and answers, where accounts are paced by it."""
    view = next((box for box in seen.overview.boxes if box.name == "relay"), None)
    if view is None:
        return
    process = seen.boxes.get("relay")
    age = None if view.since is None else seen.at - view.since
    if view.state == "stopped":
        again = "it is started again; kannelkit history says why it ended"
        advice = again if seen.overview.supervisor else "kannelkit up starts it, or kannelkit watch where that runs"
        yield said("relay", "critical", "the relay is not running: its accounts send nothing", advice)
    elif process is not None and process.state == _STOPPED:
        words = f"the relay (pid {process.pid}) is stopped by a signal: its accounts send nothing"
        yield said("relay", "critical", words, f"kill -CONT {process.pid} lets it go on", since=view.since)
    elif view.state == "running":
        paced = sum(account.relayed for account in seen.overview.accounts)
        for_ = "" if age is None else f" for {lasting(age)}"
        accounts = "1 account" if paced == 1 else f"{paced} accounts"
        yield said("relay", "ok", f"the relay runs{for_} and paces {accounts}", since=view.since)
    elif age is not None and age < _STARTING_SECONDS:
        words = f"the relay (pid {view.pid}) was just started and does not answer yet"
        yield said("relay", "warning", words, "wait until it has started", since=view.since)
    else:
        advice = "where that lasts it is started again; relay/relay.log in the state-dir may say why"
        yield said("relay", "critical", f"the relay (pid {view.pid}) does not answer", advice, since=view.since)


def pacing(seen: Observed, bounds: Bounds) -> Iterator[Check]:
    """What the relay holds of an account gets to the provider in time."""
    for account in seen.overview.accounts:
        if account.relayed:
            status, words, advice = _paced(account)
            figures = _figures(account.smsc_id, account.relay)
            yield said(
                "pacing", status, f"{account.smsc_id}: {words}", advice, account=account.smsc_id, figures=figures
            )


def away(account: AccountView) -> str:
    """Return why nothing of an account gets from the relay to its provider, "" where something does or may."""
    if account.relay is None:
        return ""
    if account.relay.paused:
        return "somebody has the relay let nothing leave"
    if not account.relay.connections:
        return f"the relay is not bound at {account.relay.host}"
    return ""


def _paced(account: AccountView) -> tuple[Status, str, str]:
    of = account.relay
    if of is None:
        return "unknown", "how it is paced is not known while the relay does not answer", "see the check relay"
    held = f"{of.held} held" + (f" for up to {of.held_for:.1f} s" if of.held else "")
    if of.paused:
        return "warning", f"somebody has the relay let nothing leave, {held}", "its control socket takes resume"
    if not of.connections:
        if not of.bearerbox:
            return "warning", f"nobody is bound: bearerbox waits for {of.host}", "see the checks links and binds"
        why = f" ({of.trouble})" if of.trouble else ""
        words = f"bearerbox is bound to the relay, but the relay not at {of.host}{why}: {held}"
        return "critical", words, "kannelkit history says why; it is tried again and again"
    if of.bearerbox and of.connections < of.connections_wanted:
        words = f"{of.connections} of {of.connections_wanted} connections to {of.host}"
        return (
            "warning",
            words,
            "the provider may allow fewer binds: kannelkit history says why they are not there",
        )
    if of.held and of.held_at_most is not None and of.held_for >= _LATE * of.held_at_most:
        words = f"{held}, of the {of.held_at_most:g} s after which bearerbox gets them back"
        return (
            "warning",
            words,
            "write a smaller max-pending-submits at the account: more waits in bearerbox then",
        )
    rate = "no limit" if of.rate is None else f"{rate_text(of.rate, account.ceiling, of.by_hand)} SMS per second"
    by_hand = ", held there by hand" if of.by_hand is not None else ""
    return "ok", f"{rate}{by_hand}, {held}", ""


def _figures(name: str, of: RelayView | None) -> tuple[Figure, ...]:
    if of is None:
        return ()
    late = None if of.held_at_most is None else _LATE * of.held_at_most
    return (Figure(f"{name} held", of.held_for, "s", late, None, 0, of.held_at_most),)

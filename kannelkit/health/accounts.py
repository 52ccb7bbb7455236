"""Checks of each account: its links, its binds, what its provider answers; pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from kannelkit.failover.refusals import bind_refusal
from kannelkit.health import others, relay
from kannelkit.health.bounds import Bounds, counted, lasting, said
from kannelkit.health.observed import Observed, Traffic, Troubles
from kannelkit.health.values import SENDING, Check, Figure, Status
from kannelkit.smpp.constants import status_name
from kannelkit.supervise.course import Minute
from kannelkit.supervise.views import AccountView, LinkView, rate_text
from kannelkit.throttle.lines import CAUSES, TRIED_AGAIN, Cause

_SENT = "Sent SMS"
_MOST_NAMED = 3
# fewer refusals than this say nothing about a rate: bursts drift over the edge of a second
_ENOUGH_REFUSALS = 5
# seconds: refusals that began so lately are how a limit is found; one takes two to five as a rule
_LEARNING = 15
# after so many without another one they are over: Kannel's pause is two at most, the time without links less
_OVER = 8
_ONE_SECOND = 1.0
_UNKNOWN_LINKS = "not known while bearerbox does not tell its status"
_NOTHING: Mapping[str, Troubles] = {}


def sending(seen: Observed, bounds: Bounds) -> Iterator[Check]:
    """Whether messages of each account reach its provider: the answer that load balancers go by."""
    for account in seen.overview.accounts:
        status, summary, advice = _sends(seen, account)
        yield said(SENDING, status, f"{account.smsc_id}: {summary}", advice, account=account.smsc_id)
    yield from others.sending(seen, bounds, _nothing_told(seen))


def _nothing_told(seen: Observed) -> tuple[Status, str, str] | None:
    """Return what is to be said of every account while bearerbox tells nothing; None while it does."""
    process = seen.boxes.get("bearerbox")
    if process is not None and process.state == "T":
        return "critical", "not sending: bearerbox is stopped by a signal", f"kill -CONT {process.pid} lets it go on"
    silence = seen.silence
    if silence is not None:
        if silence.kind == "refused":
            return "critical", "not sending: bearerbox does not run", "see the check bearerbox"
        if silence.kind == "unreadable":
            return "unknown", f"whether it is sending is {_UNKNOWN_LINKS}", "see the check bearerbox"
        if silence.working:
            return "warning", "bearerbox works, and is too busy to tell of its links", "see the check bearerbox"
        return "critical", "not sending: bearerbox hangs", "see the check bearerbox"
    return None


def _sends(seen: Observed, account: AccountView) -> tuple[Status, str, str]:
    nothing_told = _nothing_told(seen)
    if nothing_told is not None:
        return nothing_told
    if account.state == "unknown":
        return "unknown", f"whether it is sending is {_UNKNOWN_LINKS}", ""
    if not account.links_online:
        return "critical", f"not sending: {_away(account)}", ""
    troubles = (seen.troubles or _NOTHING).get(account.smsc_id, Troubles())
    unbound = sum(count for status, count in troubles.refused.items() if CAUSES.get(status) is Cause.NOT_BOUND)
    sent = (seen.traffic or {}).get(account.smsc_id, Traffic()).verbs.get(_SENT, 0)
    if unbound and not sent:
        advice = (
            'the bind was answered with "already bound": end the other bind of this login, then stop and start the link'
        )
        return "critical", "not sending: online by Kannel's word, but the provider says that it is not bound", advice
    if held := relay.away(account):
        return "critical", f"not sending: {held}", "see the check pacing"
    where = " to its backup host" if account.side == "backup" else ""
    return "ok", f"sending{where} over {account.links_online} of {account.links_wanted} links", ""


def links(seen: Observed, bounds: Bounds) -> Iterator[Check]:
    """How many links of the side in force are online."""
    for account in seen.overview.accounts:
        name, online, wanted = account.smsc_id, account.links_online, account.links_wanted
        figure = Figure(f"{name} links", online, "", None, None, 0, wanted)
        if account.state == "unknown":
            yield said("links", "unknown", f"{name}: the state of its links is {_UNKNOWN_LINKS}", account=name)
        elif online == wanted:
            words = f"{name}: {online} of {wanted} links online"
            yield said("links", "ok", words, account=name, figures=(figure,))
        else:
            status: Status = "warning" if online else "critical"
            away = _offline(account)
            yield said(
                "links",
                status,
                f"{name}: {online} of {wanted} links online: {_away(account)}",
                _dead_advice(away) if any(link.state == "dead" for link in away) else "",
                account=name,
                link=away[0].admin_id if away else None,
                figures=(figure,),
            )
    yield from others.links(seen, bounds)


def _dead_advice(away: tuple[LinkView, ...]) -> str:
    dead = next(link for link in away if link.state == "dead")
    return f"{dead.admin_id} was stopped, or its bind refused for good: see the check binds"


def _offline(account: AccountView) -> tuple[LinkView, ...]:
    return tuple(link for link in account.links if link.role == account.side and link.state != "online")


def _away(account: AccountView) -> str:
    away = _offline(account)
    named = ", ".join(f"{link.admin_id} {link.state} ({link.host}:{link.port})" for link in away[:_MOST_NAMED])
    return named + (f" and {len(away) - _MOST_NAMED} more" if len(away) > _MOST_NAMED else "")


def backup(seen: Observed, bounds: Bounds) -> Iterator[Check]:
    """Which of its hosts an account with two of them uses."""
    for account in seen.overview.accounts:
        name = account.smsc_id
        if account.side == "backup":
            for_ = "" if account.since is None else f" for {lasting(seen.at - account.since)}"
            why = f" ({account.why})" if account.why else ""
            words = f"{name}: on its backup host {account.host}{for_}{why}"
            yield said("backup", "warning", words, account=name, since=account.since)
        elif any(link.role == "backup" for link in account.links):
            yield said("backup", "ok", f"{name}: on its first host {account.host}", account=name, since=account.since)


def flapping(seen: Observed, bounds: Bounds) -> Iterator[Check]:
    """How often links lost their connection of late."""
    for account, troubles in _troubles(seen):
        times = troubles.broken + troubles.unanswered
        lost = f"lost their connection {counted(times, 'time')}" if times else "lost no connection"
        unanswered = f", {troubles.unanswered} for want of an answer" if troubles.unanswered else ""
        yield said(
            "flapping",
            bounds.status("flaps", times),
            f"{account.smsc_id}: its links {lost} in the last {_minutes(seen)}{unanswered}",
            account=account.smsc_id,
            figures=(bounds.figure(f"{account.smsc_id} flaps", "flaps", times),),
        )


def binds(seen: Observed, bounds: Bounds) -> Iterator[Check]:
    """Whether binds were refused of late, and what that means."""
    for account, troubles in _troubles(seen):
        name = account.smsc_id
        if not troubles.binds:
            yield said("binds", "ok", f"{name}: no bind refused in the last {_minutes(seen)}", account=name)
            continue
        often = max(troubles.binds, key=lambda status: troubles.binds[status])
        means, times = bind_refusal(often), sum(troubles.binds.values())
        words = (
            f"{name}: {counted(times, 'bind')} refused in the last {_minutes(seen)}: {status_name(often)}, {means.why}"
        )
        status: Status = "warning" if account.links_online else "critical"
        yield said("binds", status, words, means.advice, account=name)


def refusals(seen: Observed, bounds: Bounds) -> Iterator[Check]:
    """The share of submits that was refused as too fast, and whether the rate was adapted to it."""
    for account in seen.overview.accounts:
        found = _shares(seen, account)
        if found is None:
            continue
        refused, accepted, period = found
        name, every = account.smsc_id, refused + accepted
        percent = 100 * refused / every if every else 0.0
        status = bounds.status("refused-percent", percent) if refused >= _ENOUGH_REFUSALS else "ok"
        words, advice = f"{name}: {refused} of {every} submits refused as too fast in the last {period}", ""
        if status != "ok" and account.minute is not None and not account.paused:
            status, since, advice = _adapted(account, account.minute, seen.at, status)
            words += since
        yield said(
            "refusals",
            status,
            words,
            advice,
            account=name,
            figures=(bounds.figure(f"{name} refused", "refused-percent", round(percent, 1), "%"),),
        )


def _adapted(account: AccountView, minute: Minute, at: float, status: Status) -> tuple[Status, str, str]:
    """Return what `status` comes to where the rate follows refusals, what is to be said of that, and what to do."""
    if minute.first is None or minute.last is None:
        return status, "", ""
    if minute.last <= _OVER:
        if minute.first <= _LEARNING:
            return "warning", ": its limit is being looked for", "wait: where this goes on, it is critical"
        return status, "", ""
    stopped = f", none for {lasting(minute.last)}"
    # the relay goes by every answer and tells no change; the second in which one was made has refusals, too
    changed = account.relayed or (
        account.rate_since is not None and at - account.rate_since <= minute.first + _ONE_SECOND
    )
    if changed and account.throughput is not None:
        return (
            "ok",
            f"{stopped}: its limit was found, {rate_text(account.throughput, account.ceiling)} SMS per second",
            "",
        )
    return "warning", stopped, ""


def _shares(seen: Observed, account: AccountView) -> tuple[int, int, str] | None:
    """Return refused and accepted submits and in which time: by the supervisor, who counts them, or by the logs."""
    if account.minute is not None:
        return account.minute.refused, account.minute.accepted, "minute"
    if seen.troubles is None or seen.traffic is None:
        return None
    troubles = seen.troubles.get(account.smsc_id, Troubles())
    return troubles.throttled, seen.traffic.get(account.smsc_id, Traffic()).verbs.get(_SENT, 0), _minutes(seen)


def other_refusals(seen: Observed, bounds: Bounds) -> Iterator[Check]:
    """Submits refused for another reason than speed."""
    for account, troubles in _troubles(seen):
        name, count = account.smsc_id, sum(troubles.refused.values())
        figures = (bounds.figure(f"{name} other refusals", "other-refusals", count),)
        if not count:
            words = f"{name}: nothing refused for another reason in the last {_minutes(seen)}"
            yield said("other-refusals", "ok", words, account=name, figures=figures)
            continue
        often = max(troubles.refused, key=lambda status: troubles.refused[status])
        again = CAUSES.get(often) in TRIED_AGAIN
        words = f"{name}: {counted(count, 'submit')} refused in the last {_minutes(seen)}, mostly {status_name(often)}"
        told = "; they are tried again" if again else "; such messages are given up"
        status = bounds.status("other-refusals", count)
        yield said("other-refusals", status, words + told, account=name, figures=figures)


def hosts(seen: Observed, bounds: Bounds) -> Iterator[Check]:
    """Whether hosts without a link of ours take connections."""
    sides = {account.smsc_id: account.side for account in seen.overview.accounts}
    for host in seen.hosts:
        name, words = host.account, f"{host.account}: {host.address}"
        standing_by = " (standing by)" if host.side != sides.get(name) else ""
        figures = (bounds.figure(f"{name} {host.side} host", "host-seconds", round(host.seconds, 3), "s"),)
        if host.trouble:
            status: Status = "warning" if standing_by else "critical"
            yield said("hosts", status, f"{words}{standing_by}: {host.trouble}", account=name, link=host.address)
        else:
            took = f"{words}{standing_by} takes connections, after {host.seconds * 1000:.0f} ms"
            slow = bounds.status("host-seconds", host.seconds)
            yield said("hosts", slow, took, account=name, link=host.address, figures=figures)


def rate_control(seen: Observed, bounds: Bounds) -> Iterator[Check]:
    """Whether the rate is adapted, where there is one who could."""
    if not (seen.overview.supervisor or seen.started):
        return
    for account in seen.overview.accounts:
        name = account.smsc_id
        rate = "not known while the relay does not answer" if account.relayed and account.relay is None else "no limit"
        figures: tuple[Figure, ...] = ()
        if account.throughput is not None:
            rate = f"{rate_text(account.throughput, account.ceiling)} SMS per second"
            figures = (Figure(f"{name} throughput", account.throughput, "", None, None, 0, account.ceiling),)
        status: Status = "warning" if account.paused else "ok"
        paused = "goes no higher: paused by hand" if account.relayed else "not adapted: paused by hand"
        words = f"{name}: {rate}, {paused if account.paused else 'adapted'}"
        yield said("rate-control", status, words, account=name, since=account.rate_since, figures=figures)


def _troubles(seen: Observed) -> Iterator[tuple[AccountView, Troubles]]:
    """Yield the accounts with what the logs told of them; none where the logs could not be read."""
    if seen.troubles is not None:
        for account in seen.overview.accounts:
            yield account, seen.troubles.get(account.smsc_id, Troubles())


def _minutes(seen: Observed) -> str:
    return f"{seen.window / 60:.0f} minutes"

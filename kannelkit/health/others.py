"""Checks of links that do not speak SMPP, as a modem: of them there is only bearerbox's word; pure."""

from __future__ import annotations

from collections.abc import Iterator

from kannelkit.conf.values import TRUE
from kannelkit.gateway.status import GatewayStatus, LinkStatus
from kannelkit.health.bounds import Bounds, counted, said
from kannelkit.health.observed import Observed, Other
from kannelkit.health.values import SENDING, Check, Figure, Status
from kannelkit.spec import Spec

_DEAD_ADVICE = "it was stopped, or its set-up is wrong: see bearerbox's log, then stop and start the link"


def found(spec: Spec, status: GatewayStatus | None) -> tuple[Other, ...]:
    """Return the links of each smsc-id that the spec has beside its SMPP accounts, as bearerbox tells of them.

    A link that is dead because the spec has it begin so (dead-start) is not waited for, and left out.
    """
    there: dict[str, list[LinkStatus]] = {}
    for link in status.links if status else ():
        there.setdefault(link.admin_id, []).append(link)
    kinds: dict[str, str] = {}
    links: dict[str, list[tuple[str, str]]] = {}
    queued: dict[str, int] = {}
    for group in spec.other_smscs:
        name = group.values["smsc-id"].text
        kinds.setdefault(name, group.get("smsc") or "")
        admin_id = group.get("smsc-admin-id") or name
        seen = there.pop(admin_id, [])
        held = (group.get("dead-start") or "").lower() in TRUE
        states = [link.state for link in seen if not (held and link.state == "dead")]
        if not seen and not held:
            states = ["unknown" if status is None else "absent"]
        links.setdefault(name, []).extend((admin_id, state) for state in states)
        queued[name] = queued.get(name, 0) + sum(link.queued for link in seen)
    return tuple(Other(name, kind, tuple(links[name]), queued[name]) for name, kind in kinds.items())


def sending(seen: Observed, bounds: Bounds, silence: tuple[Status, str, str] | None) -> Iterator[Check]:
    """Whether messages can leave over them; `silence` is what is said of everything while bearerbox is silent."""
    for other in seen.others:
        name = other.smsc_id
        if not other.links:
            continue
        if silence is not None:
            status, summary, advice = silence
        elif _online(other):
            status, summary, advice = "ok", f"sending over {_online(other)} of {counted(len(other.links), 'link')}", ""
        else:
            status, summary, advice = "critical", f"not sending: {_away(other)}", ""
        yield said(SENDING, status, f"{name}: {summary} ({other.kind})", advice, account=name)


def links(seen: Observed, bounds: Bounds) -> Iterator[Check]:
    """How many of them are online."""
    for other in seen.others:
        name, online, wanted = other.smsc_id, _online(other), len(other.links)
        figures = (Figure(f"{name} links", online, "", None, None, 0, wanted),)
        if not wanted or all(state == "unknown" for _, state in other.links):
            continue  # what is to be said of that the check "sending" says
        words = f"{name}: {online} of {wanted} links online ({other.kind})"
        if online == wanted:
            yield said("links", "ok", words, account=name, figures=figures)
            continue
        status: Status = "warning" if online else "critical"
        first, state = next((link, state) for link, state in other.links if state != "online")
        advice = _DEAD_ADVICE if state == "dead" else ""
        words = f"{words}: {_away(other)}"
        yield said("links", status, words, advice, account=name, link=first, figures=figures)


def _online(other: Other) -> int:
    return sum(state == "online" for _, state in other.links)


def _away(other: Other) -> str:
    return ", ".join(f"{link} {state}" for link, state in other.links if state != "online")

"""Gateways as the page for people meets them, by name; their reports are what the checks say of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC
from pathlib import Path

from kannelkit.health.checks import report
from kannelkit.health.observed import BoxSeen, Certificate, Host, Observed, Place, Silence, Store, Traffic
from kannelkit.health.page import Look, Page, Shown
from kannelkit.health.values import Report
from kannelkit.render import Side
from kannelkit.spec.thresholds import usual
from kannelkit.supervise.course import Flow
from kannelkit.supervise.memory import Event
from kannelkit.supervise.views import AccountView, BoxView, LinkView, OtherRefusals, Overview
from tests.harness.views import account_view

AT = 1_795_390_867.0
BEARERBOX, SMSBOX = (
    BoxView("bearerbox", "running", 4711, AT - 90_000),
    BoxView("smsbox", "running", 4712, AT - 89_998),
)
HOSTILE = (
    "<script>alert(1)</script>",
    "</title><img src=x onerror=alert(1)>",
    '" onmouseover="alert(1)',
    "'; DROP TABLE accounts; --",
    "\u202emoc.live",
    "\ud800lone",
    "{{ 7 * 7 }}",
    "]]><!--",
    "a" * 300,
)


def link(name: str, number: int, state: str = "online", role: Side = "primary") -> LinkView:
    host = "smpp.example.net" if role == "primary" else "smpp2.example.net"
    online = 4000 * number if state == "online" else None
    part = "" if role == "primary" else "backup-"
    return LinkView(f"{name}-{part}{number}", role, host, 3700, state, online, 12 if state == "online" else 0, 15)


def account(name: str = "smscru", rate: float = 28.4, refused: float = 0.0) -> AccountView:
    """Return an account with two links online, on its first host."""
    standby: tuple[LinkView, ...] = (link(name, 1, "standby", "backup"), link(name, 2, "standby", "backup"))
    return account_view(
        name,
        host="smpp.example.net:3700",
        floor=1,
        rate_since=AT - 1300,
        accepted_per_second=rate,
        accepted=Flow(round(rate), rate, rate),
        refused=Flow(0, refused, refused),
        queued=24,
        in_flight=3,
        minutes_left=0.5,
        links=(link(name, 1), link(name, 2), *standby),
    )


def away(name: str = "smscru") -> AccountView:
    """Return the account with its host gone."""
    links = (link(name, 1, "re-connecting"), link(name, 2, "re-connecting"))
    view = account(name, rate=0.0)
    return replace(
        view, state="offline", links_online=0, links=(*links, *view.links[2:]), queued=1840, minutes_left=None
    )


def on_backup(name: str = "smscru") -> AccountView:
    """Return the account moved to its second host."""
    links = (
        link(name, 1, "standby"),
        link(name, 2, "standby"),
        link(name, 1, "online", "backup"),
        link(name, 2, "online", "backup"),
    )
    why = "no link was online for 30 s"
    host = "smpp2.example.net:3700"
    return replace(account(name), state="backup", side="backup", host=host, since=AT - 720, why=why, links=links)


def unknown(name: str = "smscru") -> AccountView:
    """Return the account as it is seen while bearerbox hangs."""
    links = tuple(replace(each, state="unknown", seconds=None) for each in account(name).links)
    nothing = replace(account(name), accepted_per_second=None, accepted=None, refused=None, in_flight=None)
    return replace(nothing, state="unknown", links_online=0, links=links, queued=0, minutes_left=0.0)


def overview(*accounts: AccountView) -> Overview:
    return Overview(
        at=AT,
        state="running",
        version="1.4.5",
        supervisor=4700,
        boxes=(BEARERBOX, SMSBOX),
        accounts=accounts,
        waiting=sum(each.queued for each in accounts),
        in_flight=3,
        stored=40,
        events=(
            Event(AT - 86_000, "ready", None, "ready: 4 links online", {}),
            Event(AT - 1300, "rate", "smscru", "smscru: throughput 60 -> 30: 31 of 60 refused", {}),
            Event(AT - 720, "failover", "smscru", "smscru: to its backup host: no link was online for 30 s", {}),
        ),
        problems=(),
    )


def observed(*accounts: AccountView) -> Observed:
    """Return a gateway with nothing wrong but what its accounts bring."""
    names = [each.smsc_id for each in accounts]
    return Observed(
        overview(*accounts),
        AT,
        boxes={
            "bearerbox": BoxSeen(4711, AT - 90_000, "S", 41_000_000, 40, 1024),
            "smsbox": BoxSeen(4712, AT - 89_998, "S", 12_000_000, 20, 1024),
        },
        started=True,
        troubles={},
        traffic={name: Traffic({"Sent SMS": 8000}, 28.4) for name in names},
        certificates=tuple(Certificate(name, Path("certs/one.pem"), AT + 86_400 * 200) for name in names[:3]),
        places=(Place(Path("/var/lib/gateway"), "state", 20_000_000_000, 0.6, 0.9),),
        store=Store(40, 2.0),
        clock_set=0.0,
        unapplied=False,
    )


def well() -> Observed:
    return observed(account(), account("reserve", 3.1))


def one_away() -> Observed:
    seen = observed(away(), account("reserve", 3.1, 0.4))
    host = Host("smscru", "primary", "smpp.example.net:3700", 3.0, "no answer within 3 s")
    return replace(
        seen,
        hosts=(host,),
        traffic={"smscru": Traffic(), "reserve": Traffic({"Sent SMS": 900}, 3.1)},
        certificates=(Certificate("smscru", Path("certs/one.pem"), AT + 86_400 * 9),),
    )


def silent() -> Observed:
    seen = observed(unknown(), unknown("reserve"))
    blind = replace(seen.overview, state="silent", waiting=None, in_flight=None, stored=None)
    hangs = Silence("silent", 65.0, "it did not answer within 3 s")
    boxes = (replace(BEARERBOX, state="silent"), replace(SMSBOX, state="unknown"))
    return replace(seen, overview=replace(blind, boxes=boxes), silence=hangs)


def nobody() -> Observed:
    """Return a gateway without any link, whose boxes are stopped and which nobody supervises."""
    seen = observed()
    boxes = (BoxView("bearerbox", "stopped", None, None), BoxView("smsbox", "stopped", None, None))
    return replace(
        seen,
        overview=replace(seen.overview, boxes=boxes, state="not running", supervisor=None, events=(), waiting=None),
        silence=Silence("refused", 0.0, "nothing listens there"),
        boxes={},
        started=False,
    )


def many() -> Observed:
    """Return 200 accounts, of which 30 are away for one reason."""
    return observed(*(away(f"account-{each}") if each % 7 == 3 else account(f"account-{each}") for each in range(200)))


def hostile() -> Observed:
    names = [replace(away(name), why=name, host=name) for name in HOSTILE]
    others = (OtherRefusals(0x400, HOSTILE[0], 3),)
    strange = replace(account(HOSTILE[1]), by_hand=True, paused=True, settled=False, other_refusals=others)
    seen = observed(*names, strange)
    events = tuple(Event(1e300, "note", None, text, {}) for text in HOSTILE)
    boxes = (replace(BEARERBOX, since=-1e300), SMSBOX)
    return replace(seen, overview=replace(seen.overview, events=events, boxes=boxes, state=HOSTILE[0]))


GATEWAYS: Mapping[str, Callable[[], Observed]] = {
    "well": well,
    "one-away": one_away,
    "on-backup": lambda: observed(on_backup(), account("reserve", 3.1)),
    "all-away": lambda: observed(away(), away("reserve")),
    "silent": silent,
    "nobody": nobody,
    "many": many,
    "hostile": hostile,
}


def told(seen: Observed) -> Report:
    """Return what the checks say, as if each had come to that 17 minutes ago."""
    of = report(seen, usual())
    return replace(of, checks=tuple(replace(check, since=AT - 1020) for check in of.checks))


def with_an_hour(page: Page, seen: Observed) -> None:
    """Let the page see an hour: a start at twice the limit, refusals, a change of rate, and then what is now."""
    for second in range(-3000, 1, 10):
        rate = 28.0 + 1.7 * math.sin(second / 200)
        early = second < -1300
        refused = 14.0 if -1400 < second < -1300 else 0.3 if second % 500 == 0 else 0.0
        accounts = tuple(
            replace(
                each,
                throughput=60 if early else 30,
                side="primary" if second < -720 else each.side,
                accepted=Flow(0, 0.0 if each.state == "offline" and second > -1020 else rate, rate),
                refused=Flow(0, refused, refused),
            )
            for each in seen.overview.accounts
        )
        page.noted(replace(seen.overview, accounts=accounts, at=AT + second))
    page.noted(seen.overview)


def look(seen: Observed) -> Look:
    return Look(AT + 1, UTC, "gateway.yaml on gw1", told(seen), 1.0, seen.overview)


def whole(name: str) -> Shown:
    """Return the page of a gateway by name, with an hour behind it."""
    page, seen = Page(), GATEWAYS[name]()
    with_an_hour(page, seen)
    return page.shown(look(seen), whole=True)

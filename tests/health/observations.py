"""What may be observed of a gateway: one that is well, and others that differ from it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from kannelkit.health.observed import BoxSeen, Certificate, Host, LogFile, Observed, Place, Silence, Store
from kannelkit.supervise.course import Minute
from kannelkit.supervise.views import BoxView, LinkView, Overview, RelayView
from tests.harness.views import account_view

AT = 1_800_000_000.0
DAY = 86_400.0

ONE = LinkView("main-1", "primary", "smsc.example", 2775, "online", 60, 0, 15)
TWO = LinkView("main-2", "primary", "smsc.example", 2775, "online", 60, 0, 15)
STANDBY = LinkView("main-backup-1", "backup", "smsc2.example", 2775, "standby", None, 0, 15)
MAIN = account_view("main", ceiling=30, links=(ONE, TWO, STANDBY))
WELL = Observed(
    Overview(
        at=AT,
        state="running",
        version="1.4.5",
        supervisor=7,
        boxes=(BoxView("bearerbox", "running", 10, AT - 60), BoxView("smsbox", "running", 11, AT - 60)),
        accounts=(MAIN,),
        waiting=0,
        in_flight=0,
        stored=0,
        events=(),
        problems=(),
    ),
    AT,
    boxes={"bearerbox": BoxSeen(10, AT - 60, "S", 50_000_000, 40, 1024), "smsbox": BoxSeen(11, AT - 60, "S")},
    started=True,
    troubles={},
    traffic={},
    certificates=(Certificate("main", Path("/pem"), AT + 90 * DAY),),
    places=(Place(Path("/log"), "logs", 5_000_000_000, 0.5, 0.5),),
    logs=(LogFile(Path("/log/bearerbox.log"), there=True, followed=True),),
    store=Store(0, None),
    hosts=(Host("main", "backup", "smsc2.example:2775", 0.02),),
    clock_set=0.0,
    unapplied=False,
)


def account(**changes: Any) -> Observed:
    """Return what is seen where the account stands otherwise."""
    return replace(WELL, overview=replace(WELL.overview, accounts=(replace(MAIN, **changes),)))


def refusing(accepted: int, refused: int, first: int, last: int, **changes: Any) -> Observed:
    """Return what is seen where so many submits were refused in the last minute, between so many seconds ago."""
    return account(minute=Minute(accepted, refused, first, last), **changes)


def paced(**changes: Any) -> Observed:
    """Return what is seen where a relay paces the account, and stands otherwise."""
    return relay("running", RelayView(**{**PACED, **changes}))


def relay(state: Any, of: RelayView | None = None, since: float = AT - 60) -> Observed:
    """Return what is seen where the relay is in a state, and says this of the account."""
    box = BoxView("relay", state, None if state == "stopped" else 14, None if state == "stopped" else since)
    seen = account(relayed=True, relay=of, links=(ONE,), links_online=1, links_wanted=1)
    return replace(seen, overview=replace(seen.overview, boxes=(*WELL.overview.boxes, box)))


PACED: dict[str, Any] = {
    "rate": 29.75,
    "held": 12,
    "held_for": 0.4,
    "unanswered": 8,
    "window": 600,
    "host": "smpp.example.net:3700",
    "connections": 2,
    "accepted": 1000,
    "refused": 3,
    "put_off": 2,
    "expired": 1,
    "maybe_doubled": 4,
    "held_at_most": 36.0,
    "bearerbox": 1,
    "connections_wanted": 2,
}


def overview(**changes: Any) -> Observed:
    return replace(WELL, overview=replace(WELL.overview, **changes))


def boxes(bearerbox: str, smsbox: str, **changes: Any) -> Observed:
    views = (BoxView("bearerbox", bearerbox, None, None), BoxView("smsbox", smsbox, None, None))  # type: ignore[arg-type] # words of the cases
    accounts = (replace(MAIN, state="unknown" if bearerbox == "silent" else "offline", links_online=0),)
    return replace(overview(boxes=views, accounts=accounts, state="unknown", waiting=None), **changes)


def silent(seconds: float, working: str = "", kind: Any = "silent", **changes: Any) -> Observed:
    return boxes("silent", "unknown", silence=Silence(kind, seconds, "no answer", "", working), **changes)

"""How an account stands that is well, for tests to say in what theirs differs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from kannelkit.supervise.course import Curve
from kannelkit.supervise.views import AccountView

_WELL = AccountView(
    smsc_id="",
    unit="",
    state="online",
    side="primary",
    host="smsc.example:2775",
    since=None,
    why="",
    links_online=2,
    links_wanted=2,
    throughput=30,
    ceiling=60,
    floor=2,
    settled=True,
    paused=False,
    by_hand=False,
    rate_since=None,
    accepted_per_second=None,
    accepted=None,
    refused=None,
    other_refusals=(),
    queued=0,
    in_flight=None,
    minutes_left=0.0,
    curve=Curve(),
    links=(),
)


def account_view(name: str, **differs: Any) -> AccountView:
    """Return the view of an account, and of a unit, of this name: online and adapted, with nothing queued."""
    return replace(_WELL, smsc_id=name, **{"unit": name, **differs})

"""What is told of a gateway to whoever asks, people and programs alike, as values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from kannelkit.render.links import Role, Side
from kannelkit.supervise.course import Curve, Flow, Minute
from kannelkit.supervise.memory import Event

# stopped: its process is not there; silent: it is, and does not answer; unconnected: a smsbox without its bearerbox
BoxState = Literal["running", "stopped", "silent", "unconnected", "unknown"]
# of the links of the side in force: online and backup: all are online, at the first host or the second; partly: some
AccountState = Literal["online", "partly", "backup", "offline", "unknown"]

_DAY = 86_400
# of a learnt rate: from where on how many decimals do
_DECIMALS = ((10.0, 1), (1.0, 2), (0.0, 3))


@dataclass(frozen=True, slots=True)
class OtherRefusals:
    """How many submits were refused with one command_status that is not about speed, since kannelkit's start."""

    command_status: int
    name: str
    count: int


@dataclass(frozen=True, slots=True)
class BoxView:
    """One box; `pid` and `since` (seconds since the epoch) are None where they are not known."""

    name: str
    state: BoxState
    pid: int | None
    since: float | None


@dataclass(frozen=True, slots=True)
class LinkView:
    """One link; `state` in Kannel's words, "absent" where bearerbox does not have it, "unknown" where it is silent,
    "standby" where it is down because the other side carries the messages.

    `seconds` is the time online; `queued` the parts of messages that wait for this link; `share` its part of the
    throughput, in SMS per second, None for "no limit".
    """

    admin_id: str
    role: Role
    host: str
    port: int
    state: str
    seconds: int | None
    queued: int
    share: int | None


@dataclass(frozen=True, slots=True)
class RelayView:
    """What the relay does for one account, which it paces; totals are since its start.

    `rate` is in submits per second, None for "no limit". `held` submits wait in it, the oldest for `held_for` seconds;
    `unanswered` of the `window` are on their way at the provider's `host`, over `connections`. `refused` were refused
    as too fast, `put_off` for a full queue and its like, and all of these went again; `expired` were handed back to
    bearerbox unsent. `maybe_doubled` may have arrived twice.

    `trouble` says in words why a connection of the provider's is not there.

    None is held for longer than `held_at_most` seconds; `bearerbox` is bound so many times, of the provider's
    connections `connections_wanted` are to be there. Nothing leaves while it is `paused`; `by_hand` is what somebody
    has the rate held to. Of `answers`, which took `response_seconds` together, those of the last minute came within
    `response_median` and `response_99` seconds, half of them and 99 of 100. `side` is in force since `side_since`
    (seconds since the epoch), because of `side_why`, and by hand where `side_by_hand`.
    """

    rate: float | None
    held: int
    held_for: float
    unanswered: int
    window: int
    host: str
    connections: int
    accepted: int
    refused: int
    put_off: int
    expired: int
    maybe_doubled: int
    held_at_most: float | None = None
    bearerbox: int = 0
    connections_wanted: int = 1
    trouble: str = ""
    paused: bool = False
    by_hand: float | None = None
    answers: int = 0
    response_seconds: float = 0.0
    response_median: float | None = None
    response_99: float | None = None
    side: Side = "primary"
    side_since: float | None = None
    side_why: str = ""
    side_by_hand: bool = False


@dataclass(frozen=True, slots=True)
class AccountView:
    """One account. Rates in SMS per second, None for "not known" or "no limit"; times in seconds since the epoch.

    `unit` names the rate that it lives by, which other accounts may share: `throughput`, `ceiling` and `floor` are the
    unit's, `settled` when the links run at that, `paused` when kannelkit does not adapt it, `by_hand` when somebody set
    it, at `rate_since`. `side` is in force since `since`, because of `why`, at `host`; `moved_by_hand` when somebody
    moved it there. `links_online` of `links_wanted` of that side are bound. `in_flight` are messages sent without an
    answer yet, `minutes_left` how long what is queued lasts at the rate of the last minute. Of one that the relay
    paces, `relayed`, `throughput` is the rate in `relay` to three decimals, and `relay` None where that is silent; all
    others run at whole numbers.
    `minute` counts what `accepted` and `refused` are the rates of, None where nobody does.
    """

    smsc_id: str
    unit: str
    state: AccountState
    side: Side
    host: str
    since: float | None
    why: str
    links_online: int
    links_wanted: int
    throughput: float | None
    ceiling: float | None
    floor: int
    settled: bool
    paused: bool
    by_hand: bool
    rate_since: float | None
    accepted_per_second: float | None
    accepted: Flow | None
    refused: Flow | None
    other_refusals: tuple[OtherRefusals, ...]
    queued: int
    in_flight: int | None
    minutes_left: float | None
    curve: Curve
    links: tuple[LinkView, ...]
    moved_by_hand: bool = False
    relayed: bool = False
    relay: RelayView | None = None
    minute: Minute | None = None


@dataclass(frozen=True, slots=True)
class Overview:
    """The whole gateway at one moment (`at`, seconds since the epoch).

    `supervisor` is the pid of the kannelkit that supervises, None where none does or it cannot be told. `waiting`
    counts messages in the global queue and the links' queues, `in_flight` those sent without an answer yet, `stored`
    those in bearerbox's store (None: not known). `problems` says in words what is not as it should be; empty means that
    all is well.
    """

    at: float
    state: str
    version: str | None
    supervisor: int | None
    boxes: tuple[BoxView, ...]
    accounts: tuple[AccountView, ...]
    waiting: int | None
    in_flight: int | None
    stored: int | None
    events: tuple[Event, ...]
    problems: tuple[str, ...]


def rate_text(rate: float, *written: float | None) -> str:
    """Return SMS per second as people read them: learnt ones as exactly as it matters, those `written` as they are."""
    if rate in written or rate == int(rate):
        return f"{int(rate) if rate == int(rate) else rate:,}"
    decimals = next(decimals for least, decimals in _DECIMALS if rate >= least)
    return f"{rate:,.{decimals}f}".rstrip("0").rstrip(".")


def leads_to(link: LinkView, account: AccountView) -> str:
    """Return where a link connects to, as people read it."""
    to_relay = account.relayed and link.role != "park"
    return f"{link.host}:{link.port}" + (" (relay)" if to_relay else "")


def duration(seconds: float) -> str:
    """Return a time in its two largest units: 3d 4h, 4h 5m, 5m 6s, 6s."""
    whole = max(0, int(seconds))
    days, hours, minutes = whole // _DAY, whole // 3600 % 24, whole // 60 % 60
    units = [(days, "d"), (hours, "h"), (minutes, "m"), (whole % 60, "s")]
    while len(units) > 1 and not units[0][0]:
        units.pop(0)
    return " ".join(f"{number}{unit}" for number, unit in units[:2])

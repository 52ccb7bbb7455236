"""A gateway to make metrics and answers of: an account with two hosts, one with a shared rate, links nobody knows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from kannelkit.gateway.status import BoxStatus, GatewayStatus, LinkStatus
from kannelkit.health.metrics_rows import Seen, link_rows
from kannelkit.health.values import SENDING, Check, Report
from kannelkit.render.links import Account, Link
from kannelkit.supervise.overview import BoxProcess, Readings, Traffic, overview
from kannelkit.supervise.views import Overview, RelayView

AT = 1_800_000_000.0

ONE = Account(
    "one",
    "one",
    30,
    1,
    2,
    "primary",
    (
        Link("one-1", "one", "primary", 1, "smpp.example.net", 3700, 15, None),
        Link("one-2", "one", "primary", 2, "smpp.example.net", 3700, 15, None),
        Link("one-backup-1", "one", "backup", 1, "smpp2.example.net", 3700, 15, None),
        Link("one-backup-2", "one", "backup", 2, "smpp2.example.net", 3700, 15, None),
        Link("one-park", "one", "park", 1, "127.0.0.1", 1, None, None),
    ),
)
TWO = Account(
    "two",
    "shared",
    None,
    1,
    1,
    "primary",
    (
        Link("two-1", "two", "primary", 1, "smpp.example.org", 2775, None, None),
        Link("two-park", "two", "park", 1, "127.0.0.1", 1, None, None),
    ),
)
ACCOUNTS = (ONE, TWO)


def link(admin_id: str, smsc_id: str = "one", sent: int = 0, state: str = "online", queued: int = 0) -> LinkStatus:
    seconds = 60 if state == "online" else None
    return LinkStatus("SMPP:host", admin_id, smsc_id, state, seconds, 1, queued, sent, 2, 3, 4)


LINKS = (
    link("one-1", sent=100, queued=5),
    link("one-2", sent=50, state="re-connecting"),
    link("one-backup-1", sent=7, state="dead"),
    link("one-backup-2", state="dead"),
    link("one-park", state="re-connecting"),
    link("two-1", "two", sent=20),
    link("two-park", "two", state="re-connecting"),
    link("modem", "gsm", sent=9),
    link("modem", "gsm", sent=1, state="dead"),
)


def status(links: Sequence[LinkStatus] = LINKS, uptime: int = 100, sent: int = 1000) -> GatewayStatus:
    return GatewayStatus(
        version="Kannel bearerbox version `1.4.5'.\nCompiler `12.2.0'.",
        state="running",
        uptime_seconds=uptime,
        links=tuple(links),
        boxes=(BoxStatus("smsbox", 'a "box"\\', "127.0.0.1", 3, "online", 40, tls=False),) * 2
        + (BoxStatus("wapbox", "", "127.0.0.1", None, "online", 9, tls=False),),
        sms_queued_in=1,
        sms_queued_out=2,
        store_size=20,
        sms_sent_total=sent,
        sms_received_total=10,
        dlr_received_total=900,
        dlr_sent_total=0,
        dlr_waiting=12,
        dlr_storage="spool",
    )


def seen(of: GatewayStatus | None, accounts: Sequence[Account] = ACCOUNTS) -> Seen:
    """Return a look at the gateway, with one account that sends and one that does not."""
    state = stands(of, accounts)
    return Seen(AT, 0.0123, of, state, REPORT, link_rows(accounts, state, of), {"one.pem": AT + 86_400.0})


RELAYED = RelayView(
    29.75,
    12,
    0.4,
    8,
    600,
    "smpp.example.net:3700",
    2,
    1000,
    3,
    2,
    1,
    4,
    held_at_most=36.0,
    bearerbox=1,
    connections_wanted=2,
    answers=1005,
    response_seconds=60.5,
    response_median=0.055,
    response_99=0.31,
)


def paced(of: Seen) -> Seen:
    """Return the same look, where a relay paces the first account."""
    assert of.state is not None
    first, *others = of.state.accounts
    return replace(of, state=replace(of.state, accounts=(replace(first, relayed=True, relay=RELAYED), *others)))


def stands(of: GatewayStatus | None, accounts: Sequence[Account] = ACCOUNTS) -> Overview:
    readings = Readings(
        AT,
        status=of,
        supervisor=1234,
        processes={"bearerbox": BoxProcess(5, AT - 100)},
        throughputs={"one": 30},
        unsettled=frozenset({"one"}),
        paused=frozenset({"shared"}),
        traffic={"one": Traffic(accepted_per_second=2.5), "two": Traffic(accepted_per_second=0.0)},
    )
    return overview(accounts, readings)


REPORT = Report(
    AT,
    (
        Check(SENDING, "ok", "one sends", account="one"),
        Check(SENDING, "critical", "two does not send", "look at its link", account="two"),
        Check("queue", "warning", "5 messages wait"),
    ),
)


def with_sent(sent: int, admin_id: str = "one-1") -> tuple[LinkStatus, ...]:
    """Return the links, of which one has another count."""
    return tuple(replace(each, sms_sent=sent) if each.admin_id == admin_id else each for each in LINKS)

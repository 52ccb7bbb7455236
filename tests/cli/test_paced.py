"""What the relay does for an account, as people read it."""

from __future__ import annotations

import dataclasses

import pytest

from kannelkit.cli.frame import Looking, frame
from kannelkit.cli.paced import relay_line, relay_rate, relay_rows
from kannelkit.cli.rate import as_object, lines
from kannelkit.cli.status import link_rows, plain
from kannelkit.supervise.views import RelayView
from tests.health.gateway import RELAYED, paced, seen, status

STATE = paced(seen(status())).state
assert STATE is not None
ACCOUNT, OTHER = STATE.accounts


@pytest.mark.parametrize(
    ("relay", "text"),
    [
        (RELAYED, "29.8"),
        (dataclasses.replace(RELAYED, rate=30.0), "30"),
        (dataclasses.replace(RELAYED, rate=0.5), "0.5"),
        (dataclasses.replace(RELAYED, rate=None), "no limit"),
        (None, "-"),
    ],
)
def test_a_rate_keeps_its_fraction(relay: RelayView | None, text: str) -> None:
    assert relay_rate(dataclasses.replace(ACCOUNT, relay=relay)) == text


def test_status_has_a_table_of_it_only_where_there_is_a_relay() -> None:
    assert STATE is not None
    assert [row[0] for row in relay_rows(STATE)] == ["RELAY", "one"]
    table = "\n".join(plain(STATE))
    assert "RELAY  RATE  HELD  OLDEST  UNANSWERED  RESPONSE  REFUSED  PUT OFF  HANDED BACK  HOST" in table
    assert "one    29.8  12    0.4 s   8/600       55 ms     3        2        1            smpp.example.net" in table
    assert relay_rows(dataclasses.replace(STATE, accounts=(OTHER,))) == []
    assert "RELAY" not in "\n".join(plain(dataclasses.replace(STATE, accounts=(OTHER,))))


def test_a_link_that_leads_to_the_relay_says_so() -> None:
    assert STATE is not None
    hosts = {row[0]: row[2] for row in link_rows(STATE)}
    assert {name.endswith(" (relay)") for name in (hosts[link.admin_id] for link in ACCOUNT.links)} == {True}
    assert not any(hosts[link.admin_id].endswith(" (relay)") for link in OTHER.links)
    assert sum(" (relay)" in line.plain for line in frame(STATE, "gateway.yaml", Looking(), 140)) == len(ACCOUNT.links)


def test_what_never_happened_is_not_told() -> None:
    assert relay_line(RELAYED) == (
        "relay: held 12 for up to 0.4 s, unanswered 8 of 600, refused and sent again 3, answers within 55 ms, "
        "99 of 100 within 310 ms, put off and sent again 2, handed back 1, possible doubles 4"
    )
    quiet = RelayView(30.0, 0, 0.0, 0, 600, "a:1", 1, 9, 0, 0, 0, 0)
    assert relay_line(quiet) == "relay: held 0, unanswered 0 of 600, refused and sent again 0"


def test_rate_tells_of_it() -> None:
    text = "\n".join(lines(ACCOUNT, "gateway.yaml"))
    assert text.startswith("one: 29.8 SMS per second")
    assert "ceiling 30, paced by the relay" in text
    assert "floor" not in text
    assert as_object(ACCOUNT)["rate"] == 29.75
    assert (as_object(ACCOUNT)["floor"], as_object(OTHER)["floor"]) == (None, OTHER.floor)
    assert "rate" not in as_object(OTHER)
    assert text.endswith("adapted all the time")
    assert "adapted" not in "\n".join(lines(dataclasses.replace(ACCOUNT, relay=None), "gateway.yaml"))
    held = "\n".join(lines(dataclasses.replace(ACCOUNT, paused=True), "gateway.yaml"))
    assert "goes no higher: kannelkit resume gateway.yaml one" in held

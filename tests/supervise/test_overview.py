"""overview: what is not as it should be is a problem in words; parking and standby links count nowhere."""

from __future__ import annotations

import dataclasses
import json

import pytest

from kannelkit.gateway.status import LinkStatus
from kannelkit.supervise.asking import overview_of, plain_overview
from kannelkit.supervise.course import Curve, Flow
from kannelkit.supervise.memory import Event
from kannelkit.supervise.overview import BoxProcess, Readings, Traffic, Turn, overview
from kannelkit.supervise.views import OtherRefusals, Overview, duration, rate_text
from tests.supervise.played import account, link, status

ACCOUNT = account(connections=2, backup=1)
PARK = link("acc-park", "re-connecting")
STANDBY = link("acc-backup-1", "dead")
BOTH = (link("acc-1", queued=3), link("acc-2", queued=4), STANDBY, PARK)
RUNNING = {"bearerbox": BoxProcess(12, 900.0), "smsbox": BoxProcess(13, 901.0)}
WELL = Readings(at=1000.0, status=status(*BOTH, out=5, store=14), supervisor=11, processes=RUNNING)


def seen(readings: Readings) -> Overview:
    return overview([ACCOUNT], readings)


def with_links(*links: LinkStatus) -> Readings:
    return dataclasses.replace(WELL, status=status(*links))


def test_a_gateway_that_is_well_has_no_problem() -> None:
    well = seen(WELL)
    assert (well.state, well.version, well.supervisor, well.problems) == ("running", "1.4.5", 11, ())
    assert [(box.name, box.state, box.pid, box.since) for box in well.boxes] == [
        ("bearerbox", "running", 12, 900.0),
        ("smsbox", "running", 13, 901.0),
    ]
    assert (well.waiting, well.in_flight) == (12, 2)
    one = well.accounts[0]
    assert (one.state, one.links_online, one.links_wanted, one.queued) == ("online", 2, 2, 7)
    assert [(view.admin_id, view.state) for view in one.links] == [
        ("acc-1", "online"),
        ("acc-2", "online"),
        ("acc-backup-1", "standby"),
    ]


AWAY = [
    # links, state of the account, its problems
    ((link("acc-1"), link("acc-2", "dead"), STANDBY, PARK), "partly", "acc: 1 of 2 links online: acc-2 dead: it was"),
    ((link("acc-1"), STANDBY, PARK), "partly", "acc: 1 of 2 links online: acc-2 absent: bearerbox does not have it"),
    (
        (link("acc-1", "connecting"), link("acc-2", "re-connecting"), link("acc-backup-1"), PARK),
        "offline",
        "acc: 0 of 2 links online: acc-1 connecting, acc-2 re-connecting",
    ),
    ((STANDBY, link("acc-park")), "offline", "acc: 0 of 2 links online: acc-1 absent, acc-2 absent: "),
]


@pytest.mark.parametrize(("links", "state", "problem"), AWAY)
def test_links_that_are_away_are_a_problem(links: tuple[LinkStatus, ...], state: str, problem: str) -> None:
    one = seen(with_links(*links))
    assert (one.accounts[0].state, len(one.problems)) == (state, 1)
    assert one.problems[0].startswith(problem)


def test_who_moved_an_account_by_hand_has_to_move_it_back() -> None:
    links = (link("acc-1", "dead"), link("acc-2", "dead"), link("acc-backup-1"), PARK)
    readings = dataclasses.replace(with_links(*links), turns={"acc": Turn(700.0, "by hand", by_hand=True)})
    assert overview([ACCOUNT.on("backup")], readings).problems == (
        "acc: on its backup host other:2775 for 5m 0s (by hand): it stays there until kannelkit failover SPEC acc --to "
        "primary",
    )


def test_an_account_on_its_backup_is_a_problem_and_its_primary_links_are_none() -> None:
    links = (link("acc-1", "dead"), link("acc-2", "dead"), link("acc-backup-1", queued=3), PARK)
    turned = Turn(700.0, "no answer for 30 s")
    readings = dataclasses.replace(with_links(*links), turns={"acc": turned})
    (one,) = (found := overview([ACCOUNT.on("backup")], readings)).accounts
    assert (one.state, one.side, one.host, one.since, one.why) == (
        "backup",
        "backup",
        "other:2775",
        700.0,
        "no answer for 30 s",
    )
    assert (one.links_online, one.links_wanted, one.queued) == (1, 1, 3)
    assert [view.state for view in one.links] == ["standby", "standby", "online"]
    assert found.problems == (
        "acc: on its backup host other:2775 for 5m 0s (no answer for 30 s): it goes back when the first answers, "
        "or now with kannelkit failover SPEC acc --to primary",
    )


NOT_SUPERVISED = "no kannelkit supervises: rates are not held, and a box that ends stays away; kannelkit up SPEC takes"
STANDING = {
    "nothing runs": (Readings(at=1.0, refused=True), ["the gateway is not running: kannelkit up SPEC"]),
    "nothing of somebody else's runs": (
        Readings(at=1.0, refused=True, watched=True),
        ["the gateway is not running: start Kannel as ever, and kannelkit watch SPEC"],
    ),
    "not supervised": (dataclasses.replace(WELL, supervisor=None), [NOT_SUPERVISED]),
    "not watched": (
        dataclasses.replace(WELL, supervisor=None, watched=True),
        ["no kannelkit supervises: rates are not held, and no account goes to its other host; kannelkit watch SPEC"],
    ),
    "somebody else's bearerbox ended": (
        dataclasses.replace(WELL, status=None, refused=True, watched=True, processes={"smsbox": BoxProcess(13, 1.0)}),
        ["bearerbox is not running: it is waited for until something starts it", "smsbox (pid 13) is not connected"],
    ),
    "smsbox ended": (
        dataclasses.replace(WELL, status=status(*BOTH, smsbox=False), processes={"bearerbox": BoxProcess(12, 1.0)}),
        ["smsbox is not running: it is started again"],
    ),
    "smsbox is not connected": (
        dataclasses.replace(WELL, status=status(*BOTH, smsbox=False)),
        ["smsbox (pid 13) is not connected to bearerbox"],
    ),
    "bearerbox ended": (
        dataclasses.replace(WELL, status=None, refused=True, processes={"smsbox": BoxProcess(13, 1.0)}),
        ["bearerbox is not running: it is started again", "smsbox (pid 13) is not connected to bearerbox"],
    ),
    "bearerbox hangs": (dataclasses.replace(WELL, status=None), ["bearerbox (pid 12) does not answer"]),
    "suspended": (
        dataclasses.replace(WELL, status=dataclasses.replace(status(*BOTH), state="suspended")),
        ["bearerbox is suspended: nothing is sent"],
    ),
    "something could not be read": (dataclasses.replace(WELL, troubles=["state.db: no"]), ["state.db: no"]),
    "the lock could not be read": (dataclasses.replace(WELL, supervisor=0, troubles=["lock: no"]), ["lock: no"]),
}


@pytest.mark.parametrize("case", STANDING)
def test_what_does_not_run_is_a_problem(case: str) -> None:
    readings, problems = STANDING[case]
    said = seen(readings).problems
    assert len(said) == len(problems)
    assert [one[: len(problem)] for one, problem in zip(said, problems, strict=True)] == problems


def test_a_kannel_that_kannelkit_did_not_start_has_no_pid_but_an_age() -> None:
    boxes = seen(dataclasses.replace(WELL, processes={})).boxes
    assert [(box.state, box.pid, box.since) for box in boxes] == [("running", None, 991.0), ("running", None, 991.0)]


def test_a_silent_bearerbox_leaves_its_links_unknown() -> None:
    silent = seen(dataclasses.replace(WELL, status=None))
    assert (silent.state, silent.waiting, silent.in_flight) == ("silent", None, None)
    assert silent.accounts[0].state == "unknown"
    assert {view.state for view in silent.accounts[0].links} == {"unknown"}


@pytest.mark.parametrize(
    ("learnt", "in_force"), [({}, 60), ({"acc": 30}, 30), ({"acc": 90}, 60), ({"acc": 1}, 2), ({"other": 5}, 60)]
)
def test_the_rate_in_force_is_the_learnt_one_within_the_specs_bounds(learnt: dict[str, int], in_force: int) -> None:
    one = seen(dataclasses.replace(WELL, throughputs=learnt, unsettled=frozenset({"acc"}))).accounts[0]
    assert (one.throughput, one.ceiling, one.settled) == (in_force, 60, False)


FLOW = Flow(29, 29.5, 30.0)


def test_traffic_and_events_go_through() -> None:
    event = Event(1.0, "rate", "acc", "text", {})
    refusals = (OtherRefusals(0x14, "ESME_RMSGQFUL", 3),)
    traffic = Traffic(29.5, FLOW, Flow(0, 0.0, 0.5), refusals, Curve((30, 29), (0, 1)))
    one = seen(dataclasses.replace(WELL, traffic={"acc": traffic}, events=[event]))
    view = one.accounts[0]
    assert (view.accepted_per_second, view.accepted, view.other_refusals, view.curve) == (
        29.5,
        FLOW,
        refusals,
        Curve((30, 29), (0, 1)),
    )
    assert one.events == (event,)


@pytest.mark.parametrize(
    ("queued", "traffic", "minutes"),
    [
        (0, Traffic(), 0.0),
        (900, Traffic(), None),
        (900, Traffic(15.0), 1.0),
        (900, Traffic(15.0, Flow(0, 15.0, 30.0)), 0.5),  # the last minute's rate is steadier
        (900, Traffic(0.0, Flow(0, 0.0, 0.0)), None),
    ],
)
def test_how_long_the_queue_lasts(queued: int, traffic: Traffic, minutes: float | None) -> None:
    readings = with_links(link("acc-1", queued=queued), link("acc-2"), STANDBY, PARK)
    assert seen(dataclasses.replace(readings, traffic={"acc": traffic})).accounts[0].minutes_left == minutes


def test_accounts_of_a_group_are_paused_and_changed_together() -> None:
    group = [dataclasses.replace(account(name), unit="main") for name in ("a", "b")]
    change = Event(5.0, "rate", "main", "text", {"direction": "by-hand"})
    found = overview(group, dataclasses.replace(WELL, paused=frozenset({"main"}), changes={"main": change}))
    assert [(one.unit, one.paused, one.by_hand, one.rate_since) for one in found.accounts] == [
        ("main", True, True, 5.0)
    ] * 2
    alone = seen(dataclasses.replace(WELL, paused=frozenset({"main"}), changes={"main": change})).accounts[0]
    assert (alone.paused, alone.by_hand, alone.rate_since) == (False, False, None)


@pytest.mark.parametrize("turned", [None, Turn(700.0, "why")])
def test_what_goes_over_the_socket_comes_back_whole(turned: Turn | None) -> None:
    event = Event(1.0, "rate", "acc", "текст", {"before": 60, "after": 30, "shares": [15, 15]})
    traffic = Traffic(29.5, FLOW, None, (OtherRefusals(0x14, "ESME_RMSGQFUL", 3),), Curve((30, 29), (0, 1)))
    turns = {} if turned is None else {"acc": turned}
    whole = seen(dataclasses.replace(WELL, traffic={"acc": traffic}, events=[event], turns=turns))
    assert overview_of(json.loads(json.dumps(plain_overview(whole)))) == whole


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(-1, "0s"), (0, "0s"), (59.9, "59s"), (61, "1m 1s"), (3600, "1h 0m"), (90_061, "1d 1h"), (8_640_000, "100d 0h")],
)
def test_a_duration_has_its_two_largest_units(seconds: float, text: str) -> None:
    assert duration(seconds) == text


STATE = {
    "rate": 29.75,
    "held": 3,
    "held_for": 0.2,
    "unanswered": 2,
    "window": 600,
    "host": "second.example:2775",
    "connections": 2,
    "accepted": 100,
    "refused": 1,
    "put_off": 0,
    "expired": 0,
    "maybe_doubled": 0,
    "of another version": True,
}
PACED = dataclasses.replace(account(connections=1), relayed=True)
WITH_RELAY = dataclasses.replace(
    WELL,
    status=status(link("acc-1"), PARK),
    processes=RUNNING | {"relay": BoxProcess(14, 899.0)},
    relays={"acc": STATE},
)


def test_an_account_that_the_relay_paces_stands_as_the_relay_says() -> None:
    well = overview([PACED], WITH_RELAY)
    assert well.problems == ()
    assert [(box.name, box.state, box.pid) for box in well.boxes][2:] == [("relay", "running", 14)]
    one = well.accounts[0]
    assert one.relay is not None
    assert (one.relay.rate, one.throughput, one.host) == (29.75, 29.75, "second.example:2775")
    assert overview_of(json.loads(json.dumps(plain_overview(well)))) == well


@pytest.mark.parametrize(("rate", "throughput"), [(7.5, "7.5"), (30.0, "30"), (29.98765, "29.988"), (None, "null")])
def test_a_rate_is_told_with_its_fraction(rate: float | None, throughput: str) -> None:
    (one,) = overview([PACED], dataclasses.replace(WITH_RELAY, relays={"acc": STATE | {"rate": rate}})).accounts
    assert json.dumps(one.throughput) == throughput


RATES = [
    (30, (), "30"),
    (4920.0, (), "4,920"),
    (29.8765, (), "29.9"),
    (7.4876, (), "7.49"),
    (7.5, (), "7.5"),
    (0.1249, (), "0.125"),
    (12.125, (12.125,), "12.125"),
    (12.125, (30, None), "12.1"),
]


@pytest.mark.parametrize(("rate", "written", "text"), RATES)
def test_a_rate_as_people_read_it(rate: float, written: tuple[float | None, ...], text: str) -> None:
    assert rate_text(rate, *written) == text


def test_its_side_is_the_relays() -> None:
    moved = {"side": "backup", "side_since": 900.0, "side_why": "by hand", "side_by_hand": True}
    found = overview([PACED], dataclasses.replace(WITH_RELAY, relays={"acc": STATE | moved}))
    (one,) = found.accounts
    assert (one.side, one.state, one.since, one.why, one.moved_by_hand) == ("backup", "backup", 900.0, "by hand", True)
    assert (one.links_online, one.links_wanted) == (1, 1)
    assert any("on its backup host second.example:2775" in problem for problem in found.problems)


def test_why_the_relay_has_no_connection_is_told_with_the_problem() -> None:
    trouble = "second.example:2775: the certificate is not for the name second.example"
    away = status(link("acc-1", "re-connecting"), PARK)
    found = overview(
        [PACED], dataclasses.replace(WITH_RELAY, status=away, relays={"acc": STATE | {"trouble": trouble}})
    )
    assert [each for each in found.problems if f"acc-1 re-connecting: {trouble}; kannelkit history" in each]


WITHOUT_RELAY = [
    (dataclasses.replace(WITH_RELAY, processes=RUNNING, relays={}), "stopped", "the relay is not running, and its"),
    (dataclasses.replace(WITH_RELAY, relays={}), "silent", "the relay (pid 14) does not answer"),
]


@pytest.mark.parametrize(("readings", "state", "problem"), WITHOUT_RELAY)
def test_a_relay_that_does_not_run_or_answer_is_a_problem(readings: Readings, state: str, problem: str) -> None:
    found = overview([PACED], readings)
    assert found.boxes[2].state == state
    assert [each for each in found.problems if each.startswith(problem)]
    assert (found.accounts[0].relay, found.accounts[0].throughput) == (None, None)


def test_a_state_of_a_relay_of_another_version_is_none() -> None:
    readings = dataclasses.replace(WITH_RELAY, relays={"acc": {"rate": 1.0}})
    assert overview([PACED], readings).accounts[0].relay is None


def test_a_link_to_the_relay_is_down_for_the_providers_host() -> None:
    readings = dataclasses.replace(WITH_RELAY, status=status(link("acc-1", "re-connecting"), PARK))
    (problem,) = overview([PACED], readings).problems
    assert "acc-1 re-connecting: second.example:2775 does not take" in problem

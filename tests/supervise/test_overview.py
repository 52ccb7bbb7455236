"""overview: what is not as it should be is a problem in words; parking and standby links count nowhere."""

from __future__ import annotations

import dataclasses

import pytest

from kannelkit.gateway.status import LinkStatus
from kannelkit.supervise.memory import Event
from kannelkit.supervise.overview import BoxProcess, Overview, Readings, overview
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


@pytest.mark.parametrize(
    ("links", "state", "problem"),
    [
        ((link("acc-1"), link("acc-2", "dead"), STANDBY, PARK), "partly", "acc: 1 of 2 links: acc-2 dead"),
        ((link("acc-1"), STANDBY, PARK), "partly", "acc: 1 of 2 links: acc-2 absent"),
        (
            (link("acc-1", "connecting"), link("acc-2", "dead"), link("acc-backup-1"), PARK),
            "backup",
            "acc: 0 of 2 links: acc-1 connecting, acc-2 dead",
        ),
        ((STANDBY, link("acc-park")), "offline", "acc: 0 of 2 links: acc-1 absent, acc-2 absent"),
    ],
)
def test_links_that_are_away_are_a_problem(links: tuple[LinkStatus, ...], state: str, problem: str) -> None:
    one = seen(with_links(*links))
    assert (one.accounts[0].state, one.problems) == (state, (problem,))


STANDING = {
    "nothing runs": (Readings(at=1.0, refused=True), ["the gateway is not running"]),
    "not supervised": (
        dataclasses.replace(WELL, supervisor=None),
        ["no kannelkit supervises: rates are not held, and a box that ends stays away"],
    ),
    "smsbox ended": (
        dataclasses.replace(WELL, status=status(*BOTH, smsbox=False), processes={"bearerbox": BoxProcess(12, 1.0)}),
        ["smsbox is not running"],
    ),
    "smsbox is not connected": (
        dataclasses.replace(WELL, status=status(*BOTH, smsbox=False)),
        ["smsbox (pid 13) is not connected to bearerbox"],
    ),
    "bearerbox ended": (
        dataclasses.replace(WELL, status=None, refused=True, processes={"smsbox": BoxProcess(13, 1.0)}),
        ["bearerbox is not running", "smsbox (pid 13) is not connected to bearerbox"],
    ),
    "bearerbox hangs": (dataclasses.replace(WELL, status=None), ["bearerbox (pid 12) does not answer"]),
    "suspended": (
        dataclasses.replace(WELL, status=dataclasses.replace(status(*BOTH), state="suspended")),
        ["bearerbox is suspended"],
    ),
    "something could not be read": (dataclasses.replace(WELL, troubles=["state.db: no"]), ["state.db: no"]),
    "the lock could not be read": (dataclasses.replace(WELL, supervisor=0, troubles=["lock: no"]), ["lock: no"]),
}


@pytest.mark.parametrize("case", STANDING)
def test_what_does_not_run_is_a_problem(case: str) -> None:
    readings, problems = STANDING[case]
    assert list(seen(readings).problems) == problems


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


def test_rates_and_events_go_through() -> None:
    event = Event(1.0, "rate", "acc", "text", {})
    one = seen(dataclasses.replace(WELL, accepted={"acc": 29.5}, events=[event]))
    assert (one.accounts[0].accepted_per_second, one.events) == (29.5, (event,))

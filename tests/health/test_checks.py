"""Every check over cases of what can be observed: which answer, about whom, and that something can be done about it."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kannelkit.health.bounds import Bounds
from kannelkit.health.checks import FUNCTIONS, report
from kannelkit.health.observed import (
    BoxSeen,
    Certificate,
    Host,
    LogFile,
    Observed,
    Place,
    Silence,
    Store,
    Traffic,
    Troubles,
)
from kannelkit.health.table import CHECKS
from kannelkit.health.values import Check, Status, sending
from kannelkit.spec.model import Threshold
from kannelkit.spec.thresholds import usual
from kannelkit.supervise.course import Course, Flow
from tests.health.observations import (
    AT,
    DAY,
    MAIN,
    ONE,
    STANDBY,
    TWO,
    WELL,
    account,
    boxes,
    overview,
    paced,
    refusing,
    relay,
    silent,
)

STOPPED = {"bearerbox": BoxSeen(10, AT - 60, "T"), "smsbox": BoxSeen(11, AT - 60, "S")}
DOWN = (replace(ONE, state="re-connecting"), replace(TWO, state="dead"), STANDBY)
HALF = (ONE, replace(TWO, state="dead"), STANDBY)
QUEUED = account(queued=600)

# what is seen, the check, its status, what its sentence and its advice hold
CASES: list[tuple[Observed, str, Status, str]] = [
    (WELL, "bearerbox", "ok", "runs for 1 min and answers"),
    (overview(state="full"), "bearerbox", "critical", "full"),
    (overview(state="suspended"), "bearerbox", "warning", "resume"),
    (replace(WELL, boxes=STOPPED), "bearerbox", "critical", "kill -CONT 10"),
    (silent(4), "bearerbox", "critical", "hangs"),
    (silent(4, boxes={"bearerbox": BoxSeen(10, AT, "D")}), "bearerbox", "critical", "waiting for a disk"),
    (silent(1, "its log grows"), "bearerbox", "warning", "busy: it has not answered for 1 s, and its log grows"),
    (silent(44, "its log grows"), "bearerbox", "warning", "busy"),
    (silent(46, "its log grows"), "bearerbox", "critical", "busy"),
    (silent(0, kind="unreadable"), "bearerbox", "unknown", "does not tell its status: no answer"),
    (silent(0, kind="refused", boxes={}), "bearerbox", "critical", "not running"),
    (silent(0, kind="refused"), "bearerbox", "critical", "does not listen"),
    (
        silent(0, kind="refused", boxes={"bearerbox": BoxSeen(10, AT - 3, "S")}),
        "bearerbox",
        "warning",
        "does not listen on its administration port yet",
    ),
    (overview(boxes=()), "bearerbox", "unknown", "not known"),
    (WELL, "smsbox", "ok", "connected"),
    (boxes("running", "stopped"), "smsbox", "critical", "not running"),
    (boxes("running", "unconnected"), "smsbox", "critical", "no connection"),
    (boxes("silent", "unknown"), "smsbox", "unknown", "not known"),
    (replace(WELL, boxes={"smsbox": BoxSeen(11, AT, "T")}), "smsbox", "critical", "kill -CONT 11"),
    (WELL, "sending", "ok", "main: sending over 2 of 2 links"),
    (account(links=HALF, links_online=1, state="partly"), "sending", "ok", "1 of 2"),
    (account(side="backup", state="backup"), "sending", "ok", "to its backup host"),
    (account(links=DOWN, links_online=0, state="offline"), "sending", "critical", "main-1 re-connecting"),
    (replace(WELL, boxes=STOPPED), "sending", "critical", "stopped by a signal"),
    (silent(4), "sending", "critical", "hangs"),
    (silent(4, "its log grows"), "sending", "warning", "too busy"),
    (silent(0, kind="refused"), "sending", "critical", "does not run"),
    (silent(0, kind="unreadable"), "sending", "unknown", "not known"),
    (account(state="unknown"), "sending", "unknown", "not known"),
    (replace(WELL, troubles={"main": Troubles(refused={4: 9})}), "sending", "critical", "not bound"),
    (
        replace(WELL, troubles={"main": Troubles(refused={4: 9})}, traffic={"main": Traffic({"Sent SMS": 1})}),
        "sending",
        "ok",
        "sending",
    ),
    (paced(), "sending", "ok", "sending over 1 of 1 links"),
    (paced(connections=0), "sending", "critical", "the relay is not bound at smpp.example.net:3700"),
    (paced(paused=True), "sending", "critical", "let nothing leave"),
    (paced(), "relay", "ok", "the relay runs for 1 min and paces 1 account"),
    (relay("stopped"), "relay", "critical", "the relay is not running: its accounts send nothing; it is started"),
    (relay("silent"), "relay", "critical", "the relay (pid 14) does not answer; where that lasts it is started again"),
    (relay("silent", since=AT - 2), "relay", "warning", "was just started and does not answer yet"),
    (replace(relay("silent"), boxes={"relay": BoxSeen(14, AT, "T")}), "relay", "critical", "kill -CONT 14"),
    (paced(), "pacing", "ok", "main: 29.8 SMS per second, 12 held for up to 0.4 s"),
    (paced(rate=None, held=0), "pacing", "ok", "no limit, 0 held"),
    (paced(rate=7.5, by_hand=7.5), "pacing", "ok", "7.5 SMS per second, held there by hand"),
    (relay("silent"), "pacing", "unknown", "not known while the relay does not answer"),
    (paced(paused=True), "pacing", "warning", "nothing leave, 12 held for up to 0.4 s"),
    (paced(connections=0), "pacing", "critical", "bearerbox is bound to the relay, but the relay not at smpp.example"),
    (paced(connections=0, trouble="wrong name"), "pacing", "critical", "smpp.example.net:3700 (wrong name): 12 held"),
    (paced(connections=0, bearerbox=0), "pacing", "warning", "nobody is bound"),
    (paced(connections=1), "pacing", "warning", "1 of 2 connections"),
    (paced(held_for=26.9), "pacing", "ok", "12 held for up to 26.9 s"),
    (paced(held_for=27.0), "pacing", "warning", "of the 36 s after which bearerbox gets them back"),
    (WELL, "links", "ok", "2 of 2"),
    (account(links=HALF, links_online=1, state="partly"), "links", "warning", "main-2 was stopped"),
    (account(links=DOWN, links_online=0, state="offline"), "links", "critical", "0 of 2"),
    (account(state="unknown"), "links", "unknown", "not known"),
    (WELL, "backup", "ok", "first host smsc.example:2775"),
    (account(side="backup", since=AT - 90, why="no answers"), "backup", "warning", "for 1 min (no answers)"),
    (WELL, "flapping", "ok", "lost no connection in the last 5 minutes"),
    (replace(WELL, troubles={"main": Troubles(broken=2, unanswered=1)}), "flapping", "warning", "3 times"),
    (replace(WELL, troubles={"main": Troubles(broken=12)}), "flapping", "critical", "12 times"),
    (WELL, "binds", "ok", "no bind refused"),
    (replace(WELL, troubles={"main": Troubles(binds={14: 2})}), "binds", "warning", "wrong password"),
    (
        replace(account(links=DOWN, links_online=0), troubles={"main": Troubles(binds={14: 2})}),
        "binds",
        "critical",
        "ESME_RINVPASWD",
    ),
    (WELL, "refusals", "ok", "0 of 0"),
    (refusing(540, 60, 59, 1), "refusals", "warning", "60 of 600 submits refused as too fast in the last minute"),
    (refusing(300, 300, 59, 1), "refusals", "critical", "300 of 600"),
    (refusing(6, 3, 59, 1), "refusals", "ok", "3 of 9"),
    (refusing(42, 20, 3, 1), "refusals", "warning", "20 of 62 submits refused as too fast in the last minute: its"),
    (refusing(42, 20, 15, 8), "refusals", "warning", "is being looked for"),
    (refusing(42, 20, 16, 8), "refusals", "critical", "let kannelkit adapt"),
    (refusing(42, 20, 3, 1, paused=True), "refusals", "critical", "let kannelkit adapt"),
    (refusing(600, 20, 59, 1, relayed=True), "refusals", "ok", "20 of 620"),
    (refusing(600, 300, 59, 1, relayed=True), "refusals", "critical", "300 of 900"),
    (refusing(42, 20, 22, 20), "refusals", "warning", "in the last minute, none for 20 s"),
    (refusing(42, 20, 22, 20, rate_since=AT - 24), "refusals", "warning", "none for 20 s"),
    (
        refusing(42, 20, 22, 20, rate_since=AT - 21),
        "refusals",
        "ok",
        "main: 20 of 62 submits refused as too fast in the last minute, none for 20 s: its limit was found, 30 SMS",
    ),
    (refusing(42, 20, 22, 20, rate_since=AT - 21, paused=True), "refusals", "critical", "20 of 62"),
    (refusing(42, 20, 22, 20, relayed=True), "refusals", "ok", "its limit was found, 30 SMS per second"),
    (refusing(42, 20, 22, 20, relayed=True, throughput=None), "refusals", "warning", "none for 20 s"),
    (
        replace(WELL, troubles={"main": Troubles(throttled=50)}, traffic={"main": Traffic({"Sent SMS": 50})}),
        "refusals",
        "critical",
        "50 of 100 submits refused as too fast in the last 5 minutes",
    ),
    (WELL, "other-refusals", "ok", "nothing refused"),
    (replace(WELL, troubles={"main": Troubles(refused={0x14: 2})}), "other-refusals", "warning", "tried again"),
    (replace(WELL, troubles={"main": Troubles(refused={0x0B: 50})}), "other-refusals", "critical", "given up"),
    (WELL, "lost", "ok", "no message given up"),
    (replace(WELL, traffic=None), "lost", "unknown", "no access log can be read"),
    (replace(WELL, traffic={"": Traffic({"DISCARDED SMS": 2})}), "lost", "warning", "2 DISCARDED SMS (no account)"),
    (replace(WELL, traffic={"main": Traffic({"REJECTED Send SMS": 100})}), "lost", "critical", "(main)"),
    (replace(WELL, traffic={"main": Traffic()}), "receipts", "ok", "come as asked for"),
    (
        replace(WELL, traffic={"main": Traffic(without_receipt=20, unheard=1800)}),
        "receipts",
        "warning",
        "the first 30 min ago",
    ),
    (
        replace(WELL, traffic={"main": Traffic(without_receipt=20, unheard=DAY)}),
        "receipts",
        "critical",
        "20 messages sent",
    ),
    (replace(WELL, traffic={"main": Traffic(without_receipt=19, unheard=DAY)}), "receipts", "ok", "receipts come"),
    (WELL, "queue", "ok", "0 messages waiting"),
    (overview(waiting=1), "queue", "ok", "1 message waiting"),
    (overview(waiting=10_000), "queue", "warning", "10000"),
    (overview(waiting=None), "queue", "unknown", "not known"),
    (WELL, "drain", "ok", "nothing waits"),
    (replace(QUEUED, traffic={"main": Traffic(rate=10)}), "drain", "ok", "for 1 min at 10.0 SMS per second"),
    (replace(QUEUED, traffic={"main": Traffic(rate=1)}), "drain", "warning", "for 10 min"),
    (account(queued=600, accepted=Flow(0, 10, 0.1)), "drain", "ok", "10.0 SMS"),
    (account(queued=3600, accepted=Flow(0, 1, 1)), "drain", "critical", "for 1 h 0 min"),
    (overview(waiting=600), "drain", "warning", "main: 600 messages waiting, and none was sent"),
    (replace(QUEUED, traffic=None), "drain", "unknown", "not known"),
    (replace(QUEUED, store=Store(600, 59)), "drain", "ok", "none was sent"),
    (replace(QUEUED, store=Store(600, 61)), "drain", "critical", "none was sent"),
    (replace(QUEUED, store=None), "drain", "warning", "none was sent"),
    (WELL, "oldest", "ok", "empty"),
    (replace(WELL, store=Store(5, 100.0)), "oldest", "ok", "5 messages in the store, the oldest for 1 min"),
    (replace(WELL, store=Store(5, 1800.0, more=True)), "oldest", "warning", "at least 5 messages"),
    (replace(WELL, store=Store(5, 7200.0)), "oldest", "critical", "2 h 0 min"),
    (replace(WELL, store=Store(0, None, trouble="Permission denied")), "oldest", "unknown", "Permission denied"),
    (WELL, "hosts", "ok", "(standing by) takes connections, after 20 ms"),
    (replace(WELL, hosts=(Host("main", "backup", "b:1", 0, "closed"),)), "hosts", "warning", "b:1 (standing by)"),
    (replace(WELL, hosts=(Host("main", "primary", "a:1", 0, "closed"),)), "hosts", "critical", "main: a:1: closed"),
    (replace(WELL, hosts=(Host("main", "primary", "a:1", 1.5),)), "hosts", "warning", "1500 ms"),
    (WELL, "certificates", "ok", "expires in 90 days"),
    (replace(WELL, certificates=(Certificate("main", Path("/p"), AT + 29 * DAY),)), "certificates", "warning", "29"),
    (replace(WELL, certificates=(Certificate("main", Path("/p"), AT + 6 * DAY),)), "certificates", "critical", "6"),
    (
        replace(WELL, certificates=(Certificate("main", Path("/p"), AT - 2 * DAY),)),
        "certificates",
        "critical",
        "expired 2 days ago",
    ),
    (
        replace(WELL, certificates=(Certificate("main", Path("/p"), None, ("no key",)),)),
        "certificates",
        "critical",
        "/p cannot be used: no key",
    ),
    (
        replace(WELL, certificates=(Certificate("main", Path("/p"), AT + 90 * DAY, ("no key",)),)),
        "certificates",
        "critical",
        "and cannot be used: no key",
    ),
    (WELL, "rate-control", "ok", "30 SMS per second, adapted"),
    (account(throughput=7.5, ceiling=7.5), "rate-control", "ok", "main: 7.5 SMS per second, adapted"),
    (account(throughput=29.874), "rate-control", "ok", "main: 29.9 SMS per second, adapted"),
    (account(relayed=True, throughput=None), "rate-control", "ok", "main: not known while the relay does not answer"),
    (account(paused=True), "rate-control", "warning", "not adapted: paused by hand"),
    (account(paused=True, relayed=True), "rate-control", "warning", "goes no higher: paused by hand"),
    (WELL, "supervisor", "ok", "supervised by pid 7"),
    (overview(supervisor=None), "supervisor", "warning", "no kannelkit"),
    (WELL, "spec", "ok", "is what runs"),
    (replace(WELL, unapplied=True), "spec", "warning", "do not run yet"),
    (WELL, "memory", "ok", "50 MB"),
    (replace(WELL, boxes={"smsbox": BoxSeen(1, AT, "S", 4_000_000_000)}), "memory", "critical", "smsbox has 4000 MB"),
    (WELL, "descriptors", "ok", "40 of 1024"),
    (replace(WELL, boxes={"smsbox": BoxSeen(1, AT, "S", 1, 80, 100)}), "descriptors", "warning", "80 of 100"),
    (WELL, "disk", "ok", "50 % of its space free, 5000 MB"),
    (replace(WELL, places=(Place(Path("/q"), "store", 1, 0.03, 0.9),)), "disk", "critical", "3 % of its space"),
    (replace(WELL, places=(Place(Path("/q"), "store", 1, 0.9, 0.1),)), "disk", "warning", "10 % of its inodes"),
    (replace(WELL, places=(Place(Path("/q"), "store", trouble="is gone"),)), "disk", "critical", "/q (store): is gone"),
    (WELL, "logs", "ok", "(1)"),
    (
        replace(WELL, logs=(LogFile(Path("/l"), there=False, followed=True),)),
        "logs",
        "critical",
        "/l is gone: refusals cannot be learnt",
    ),
    (replace(WELL, logs=(LogFile(Path("/l"), there=False),)), "logs", "warning", "/l is gone"),
    (WELL, "sources", "ok", "everything"),
    (replace(WELL, unseen=("store: no answer in time", "x")), "sources", "unknown", "store: no answer in time; x"),
    (replace(WELL, places=(Place(Path("/q"), "store", trouble="no", hidden=True),)), "disk", "unknown", "or as root"),
    (replace(WELL, logs=(LogFile(Path("/l"), there=None, trouble="no"),)), "logs", "unknown", "/l: no"),
    (WELL, "clock", "ok", "evenly"),
    (replace(WELL, clock_set=-3.0), "clock", "warning", "back by 3 s"),
    (replace(WELL, clock_set=3600.0), "clock", "critical", "forward by 3600 s"),
]


def test_a_gateway_without_a_relay_is_told_nothing_of_one() -> None:
    assert not report(WELL, usual()).of("relay")
    assert not report(WELL, usual()).of("pacing")


def checked(seen: Observed, id: str) -> Check:
    (check,) = report(seen, usual()).of(id)
    return check


@pytest.mark.parametrize(("seen", "id", "status", "words"), CASES)
def test_what_is_seen_has_its_answer(seen: Observed, id: str, status: Status, words: str) -> None:
    check = checked(seen, id)
    assert check.status == status
    assert words in f"{check.summary}; {check.advice}"
    assert bool(check.advice) == (status != "ok")
    assert "\n" not in check.summary + check.advice


def minutes(refused: dict[int, int], **changes: Any) -> list[Status]:
    """Return what `refusals` says in each of 100 seconds of 30 accepted submits, with some refused in these seconds."""
    course, told = Course(), list[Status]()
    course.sampled(0.0, {"main": (0, 0)})
    for second in range(1, 101):
        course.sampled(second, {"main": (30 * second, sum(refused.get(at, 0) for at in range(second + 1)))})
        seen = account(minute=course.minute("main", second), **changes)
        told.append(checked(replace(seen, at=AT + second), "refusals").status)
    return told


def test_a_limit_that_is_found_is_no_alarm() -> None:
    told = minutes({5: 30, 7: 30}, rate_since=AT + 8)
    assert set(told) == {"ok", "warning"}
    assert [second for second, status in enumerate(told) if status == "warning"] == list(range(5, 15))


def test_a_limit_that_is_not_held_is_one() -> None:
    told = minutes(dict.fromkeys(range(5, 95, 2), 30), rate_since=AT + 8)
    assert told[19] == "warning"
    assert set(told[21:]) == {"critical"}


def test_all_is_well_where_all_is_well() -> None:
    seen = report(WELL, usual())
    assert {check.id for check in seen.checks if check.status != "ok"} == set()
    assert {check.id for check in seen.checks} | {"receipts", "relay", "pacing"} == set(FUNCTIONS)
    assert {check.status for check in report(paced(), usual()).checks} == {"ok"}


def test_every_check_can_be_better_and_worse() -> None:
    for id in FUNCTIONS:
        assert {status == "ok" for _, name, status, _ in CASES if name == id} == {True, False}, id


def test_the_table_has_every_check_and_every_threshold() -> None:
    assert list(CHECKS) == list(FUNCTIONS)
    assert {name for about in CHECKS.values() for name in about.thresholds} == set(usual())
    for about in CHECKS.values():
        assert about.title
        assert about.about.endswith(".")
        assert about.advice[0].islower()
        assert not about.advice.endswith(".")
        assert about.source
        assert about.of in ("gateway", "box", "account", "folder")


@pytest.mark.parametrize(
    "seen", [overview(supervisor=None), replace(overview(supervisor=None), started=False), replace(WELL, store=None)]
)
def test_what_does_not_apply_is_not_told(seen: Observed) -> None:
    ids = {check.id for check in report(replace(seen, clock_set=None, unapplied=None), usual()).checks}
    assert not ids & {"clock", "spec"}
    assert ("supervisor" in ids) == seen.started
    assert ("oldest" in ids) == (seen.store is not None)


def test_a_sentence_is_not_another_one_every_second() -> None:
    seen = account(side="backup", since=AT, queued=5, accepted=Flow(1, 1, 1))
    hour = [
        replace(
            seen,
            at=AT + second,
            store=Store(5, float(second)),
            traffic={"main": Traffic(without_receipt=20, unheard=second)},
        )
        for second in range(60, 3600)
    ]
    for id in ("bearerbox", "backup", "oldest", "receipts", "drain"):
        told = [check.summary for each in hour for check in FUNCTIONS[id](each, Bounds(usual()))]
        assert sum(before != after for before, after in itertools.pairwise(told)) <= 60, id


def test_thresholds_of_the_spec_hold() -> None:
    bounds = {**usual(), "queue": Threshold(5.0, None)}
    (check,) = report(overview(waiting=1_000_000), bounds).of("queue")
    assert check.status == "warning"
    assert (check.figures[0].warning, check.figures[0].critical) == (5.0, None)


@given(st.integers(0, 10**6), st.integers(0, 10**6))
def test_more_that_waits_is_never_better(one: int, other: int) -> None:
    order = ("ok", "warning", "critical")
    less, more = (checked(overview(waiting=count), "queue").status for count in sorted((one, other)))
    assert order.index(less) <= order.index(more)


STATES = st.sampled_from(["online", "connecting", "re-connecting", "dead", "absent", "standby"])


@given(st.lists(STATES, min_size=1, max_size=4), st.sampled_from(["running", "silent", "stopped"]))
def test_an_account_sends_only_with_a_link_online(states: list[str], bearerbox: str) -> None:
    links = tuple(replace(ONE, admin_id=f"l{number}", state=state) for number, state in enumerate(states))
    online = states.count("online")
    views = (replace(MAIN, links=links, links_online=online, links_wanted=len(links), state="partly"),)
    silence = {"running": None, "silent": Silence("silent", 4, ""), "stopped": Silence("refused", 0, "")}[bearerbox]
    seen = replace(overview(accounts=views), silence=silence)
    assert sending(report(seen, usual()), "main") == (bearerbox == "running" and online > 0)

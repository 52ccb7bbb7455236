"""Pairs of configurations: which changes there are, what each needs, in which order it is done."""

from __future__ import annotations

import pytest

from kannelkit.conf import check
from kannelkit.plan import dangers
from kannelkit.plan.compare import plan
from kannelkit.plan.groups import groups
from kannelkit.plan.values import LinkSeen, Plan, Recreate, Remove
from tests.plan.cases import BOTH, CASES, SMSBOX_ALONE, STOPPED, USERS, A, Case
from tests.plan.confs import CORE, conf, group, link, parking, up


def found(case: Case) -> Plan:
    return plan(case.before, case.after, up(case.before, case.but))


def signs(of: Plan) -> tuple[str, ...]:
    sign = {"create": "+", "update": "~", "delete": "-"}
    return tuple(f"{sign[change.action]}{change.group} {change.name}".rstrip() for change in of.changes)


@pytest.mark.parametrize("name", CASES)
def test_changes_and_steps(name: str) -> None:
    case = CASES[name]
    of = found(case)
    assert signs(of) == case.changes
    assert of.steps == case.steps
    assert of.dangers == case.dangers


@pytest.mark.parametrize("name", CASES)
def test_every_text_that_is_put_in_place_is_sound(name: str) -> None:
    case = CASES[name]
    allowed = {finding.rule for text in (case.before, case.after) for finding in check(text)}
    for stage in found(case).stages:
        assert {finding.rule for finding in check(stage.text)} <= allowed


@pytest.mark.parametrize("name", CASES)
def test_without_a_gateway_the_same_files_differ_alike_and_nothing_is_done(name: str) -> None:
    case = CASES[name]
    of = plan(case.before, case.after, None)
    assert (of.running, of.steps, of.stages) == (False, (), ())
    assert all(change.steps == () for change in of.changes)
    if not case.but:
        assert signs(of) == case.changes
    assert STOPPED not in of.dangers


def test_before_the_first_start_everything_is_created_and_nothing_is_dangerous() -> None:
    of = plan(None, conf(A, USERS), None)
    assert signs(of) == ("+core", "+smsbox", "+smsc a-1", "+smsc a-2", "+smsc a-park", "+sendsms-user app")
    assert (of.steps, of.dangers) == ((), ())


def test_a_gateway_that_runs_from_a_file_nobody_has_is_restarted() -> None:
    of = plan(None, conf(A), up(conf(A)))
    assert of.steps == (BOTH,)
    assert of.dangers == (dangers.ALL_LINKS,)


def test_during_the_reload_every_link_stands_as_it_runs_but_for_its_routing() -> None:
    case = CASES["everything about links at once"]
    stage = found(case).stages[0]
    before, meanwhile, after = groups(case.before), groups(stage.text), groups(case.after)
    links = {key.name: values for key, values in meanwhile.items() if key.group == "smsc"}
    assert list(links) == ["a-1", "a-park", "c-1", "c-park", "b-1", "b-park"]  # a-2 is not there yet
    by_name = {key.name: values for key, values in before.items() if key.group == "smsc"}
    assert links["a-1"] == {**by_name["a-1"], "allowed-prefix": "1;2"}
    assert links["b-1"] == by_name["b-1"]
    others = {key: values for key, values in meanwhile.items() if key.group != "smsc"}
    assert others == {key: values for key, values in after.items() if key.group != "smsc"}


def test_the_parking_link_for_the_time_takes_what_the_link_takes_and_is_in_no_file_after() -> None:
    case = CASES["a link that nothing stands in for: a parking link does for the time"]
    before = case.before.replace("smsc-id = web\n", "smsc-id = web\nallowed-prefix = 8\n")
    after = case.after.replace("smsc-id = web\n", "smsc-id = web\nallowed-prefix = 8\n")
    of = plan(before, after, up(before))
    first, last = of.stages
    assert first.text.startswith(of.wanted)
    (waiting,) = [values for key, values in groups(first.text).items() if key.name == "web-waiting"]
    assert (waiting["allowed-prefix"], waiting["smsc-id"], waiting["host"]) == ("8", "web", "127.0.0.1")
    assert last.text == of.wanted == after
    assert last.steps == (Remove("web-waiting", "web"),)


def test_each_change_says_what_it_needs_by_itself() -> None:
    case = CASES["bearerbox's own: everything else comes with its restart"]
    needs = {change.group: change.steps for change in found(case).changes if change.name in ("", "a-1", "app")}
    assert needs == {"core": (BOTH,), "smsc": (Recreate("a-1", "a"),), "sendsms-user": (SMSBOX_ALONE,)}


def test_what_has_drifted_is_said() -> None:
    of = plan(conf(A), conf(A), up(conf(A), {"a-1": "dead", "a-2": None, "x": "online"}))
    assert [change.note for change in of.changes] == [
        "is down: it was stopped, or its bind was refused",
        "does not run: somebody removed it by hand",
        "runs although no file has it: somebody added it by hand",
    ]


def test_of_several_links_of_one_name_one_that_runs_is_enough() -> None:
    text = conf(A, link("x", "x", host="h1"), link("x", "x", host="h2"))
    for states in (("online", "dead"), ("dead", "online")):
        seen = [*up(conf(A)), *(LinkSeen("x", state) for state in states)]
        assert plan(text, text, seen).changes == ()


def test_the_name_of_a_service_is_masked_like_its_values() -> None:
    keyword = group("sms-service", {"keyword": "app-secret", "text": "x"})
    (change,) = plan(conf(A, USERS), conf(A, USERS, keyword), up(conf(A))).changes
    assert (change.name, change.directives[0].after) == ("***", "***")


def test_core_as_written_in_these_cases_is_core() -> None:
    assert groups(conf())[next(iter(groups(conf())))] == CORE
    assert parking("a").startswith("group = smsc")

"""A plan as people read it, line by line."""

from __future__ import annotations

from kannelkit.plan.compare import plan
from kannelkit.plan.values import Rate
from kannelkit.plan.words import Line, lines
from tests.plan.cases import CASES
from tests.plan.confs import account, conf, link, up


def said(name: str) -> list[str]:
    case = CASES[name]
    return [line.text.strip() for line in lines(plan(case.before, case.after, up(case.before, case.but)))]


def test_links_of_one_account_that_change_alike_are_told_once() -> None:
    found = said("throughput: a new bind for each link")
    assert found[:3] == [
        "~ smsc a-1, a-2",
        "throughput  15 -> 10",
        "links a-1, a-2: re-created one after the other, away 60 ms to 1.4 s each; the account's messages wait "
        "meanwhile",
    ]


def test_the_order_is_told_where_there_is_one() -> None:
    found = said("everything about links at once")
    at = found.index("in this order:")
    assert found[at + 1 : at + 7] == [
        "1. add links c-park, c-1",
        "2. change the routing, in one reload, of links a-1, a-park",
        "3. re-create link a-1",
        "4. add link a-2",
        "5. restart smsbox",
        "6. remove links b-1, b-park",
    ]
    assert "in this order:" not in said("routing: a reload, nothing else")


def test_what_a_parking_link_that_no_change_names_is_for() -> None:
    found = said("a link that nothing stands in for: a parking link does for the time")
    at = found.index("in this order:")
    assert found[at + 1 : at + 4] == [
        "1. add parking link web-waiting, where messages wait meanwhile",
        "2. re-create link web",
        "3. remove parking link web-waiting",
    ]


def test_what_comes_with_bearerbox_is_not_told_as_if_it_came_alone() -> None:
    found = said("bearerbox's own: everything else comes with its restart")
    assert found.count("takes effect with the restart of bearerbox") == 2
    assert not [line for line in found if "re-created" in line]
    assert "0 to create, 4 to update, 0 to delete; takes 700 ms to 6 s" in found


def test_what_disturbs_nothing_says_so() -> None:
    found = said("a directive that smsbox does not read")
    assert found[:4] == ["~ smsbox", "no box reads it", "allowed-prefix  (nothing) -> 7", "disturbs nothing"]
    assert "0 to create, 1 to update, 0 to delete; disturbs nothing" in found


def test_what_is_down_is_started() -> None:
    assert "link a-2: started; its account's messages go on meanwhile" in said("a link is down")


def test_a_large_gateway_waits_for_a_reload() -> None:
    before = conf(*(link(f"l{number}", "a", allowed_prefix="1") for number in range(300)))
    (line,) = [line.text for line in lines(plan(before, before.replace("prefix = 1", "prefix = 2"), up(before)))
               if "no bind" in line.text]  # fmt: skip
    assert line.strip().startswith("links l0, l1, l2, l3, l4, l5, l6, l7, l8, l9, l10 and 289 more: other messages")
    assert line.endswith("; messages of all accounts wait 1.4 to 4.4 s for the reload")


def test_rates_and_styles() -> None:
    text = conf(account("a"))
    of = plan(text, text, up(text), rates=[Rate("a", 27, 30), Rate("b", 5, None)])
    assert list(lines(of)) == [
        Line("no changes: the gateway runs as the spec says", "heading"),
        Line("rate in force: a 27 of 30 SMS per second, no change", "aside"),
        Line("rate in force: b 5 of no limit SMS per second, no change", "aside"),
        Line(f"digest: {of.digest[:12]}", "aside"),
    ]
    styles = {line.style for line in lines(plan(text, conf(account("b")), up(text)))}
    assert styles >= {"create", "delete", "danger", "heading", "aside"}

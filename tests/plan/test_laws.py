"""What holds for any two configurations: each difference once, nothing for nothing, no secret, no message astray."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from hypothesis import given, settings
from hypothesis import strategies as st

from kannelkit.cli.plan import as_object
from kannelkit.conf import directive_line
from kannelkit.plan.compare import plan
from kannelkit.plan.groups import Values, groups
from kannelkit.plan.values import Plan
from kannelkit.plan.words import lines
from tests.plan.bearerbox_model import Bearerbox, bound, links_of, prefixes
from tests.plan.confs import conf, group, up

# each with a few values, so that pairs of configurations agree in much
VALUES: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "core": {"admin-port": ("1", "2"), "log-file": ("a", "b"), "store-location": ("a", "b")},
    "smsbox": {"sendsms-port": ("1", "2"), "allowed-prefix": ("1", "2")},
    "smsc": {
        "smsc-id": ("a", "b"), "smsc-admin-id": ("a", "b", "c"), "smsc": ("fake", "http"), "port": ("1", "2"),
        "allowed-prefix": ("1", "2"), "instances": ("1", "2"), "dead-start": ("true",), "session-length": ("1",),
    },
    "sms-service": {"keyword": ("a", "b", "c"), "text": ("x", "y")},
    "sendsms-user": {"username": ("a", "b", "c"), "default-smsc": ("a", "b")},
    "modems": {"id": ("a", "b"), "init-string": ("x", "y")},
    "mysql-connection": {"id": ("a", "b"), "host": ("x", "y")},
    "wapbox": {"bearerbox-host": ("x", "y")},
}  # fmt: skip


def some(name: str) -> st.SearchStrategy[str]:
    """Return groups of this kind with some of their directives, at least one."""
    choices = {directive: st.sampled_from(values) for directive, values in VALUES[name].items()}
    found: st.SearchStrategy[dict[str, str]] = st.fixed_dictionaries({}, optional=choices)
    return found.filter(bool).map(lambda values: group(name, values))


texts = st.tuples(some("core"), st.lists(st.sampled_from(list(VALUES)).flatmap(some), max_size=6)).map(
    lambda parts: "\n".join((parts[0], *parts[1]))
)


def by_name(text: str) -> dict[tuple[str, str], dict[str, str]]:
    return {(key.group, str(key)): dict(values) for key, values in groups(text).items()}


def details(of: Plan) -> list[tuple[str, str, str, str | None, str | None]]:
    """Return each directive that changes with its group, but for the order of groups."""
    return [
        (change.group, change.name, one.name, one.before, one.after)
        for change in of.changes
        for one in change.directives
        if one.name != "order"
    ]


@given(texts)
def test_nothing_for_nothing(text: str) -> None:
    for links in (up(text), None):
        of = plan(text, text, links)
        assert (of.changes, of.steps, of.stages) == ((), (), ())


@given(texts, texts)
def test_the_changes_lead_from_one_to_the_other(running: str, wanted: str) -> None:
    of = plan(running, wanted, up(running))
    at = by_name(running)
    for kind, name, directive, before, after in details(of):
        values = at.setdefault((kind, name), {})
        assert values.pop(directive, None) == before
        if after is not None:
            values[directive] = after
    for change in of.changes:
        if change.action == "delete":
            assert at.pop((change.group, change.name)) == {}
    assert at == by_name(wanted)


@given(texts, texts)
def test_every_difference_stands_in_one_change(running: str, wanted: str) -> None:
    before, after = by_name(running), by_name(wanted)
    nothing: dict[str, str] = {}
    differences = {
        (*key, name, before.get(key, nothing).get(name), after.get(key, nothing).get(name))
        for key in before | after
        for name in before.get(key, nothing) | after.get(key, nothing)
        if before.get(key, nothing).get(name) != after.get(key, nothing).get(name)
    }
    of = plan(running, wanted, up(running))
    found = details(of)
    assert len(found) == len(set(found))
    assert set(found) == differences
    # a group is created, changed or deleted once; order is a change of its own
    named = [(change.group, change.name, [one.name for one in change.directives] == ["order"]) for change in of.changes]
    assert len(named) == len(set(named))


@given(texts, texts, texts)
def test_digests_tell_plans_apart(first: str, second: str, wanted: str) -> None:
    one = plan(first, wanted, up(first))
    assert plan(first, wanted, up(first)).digest == one.digest
    assert plan(f"# a comment\n\n{first}", wanted, up(first)).digest == one.digest
    assert (plan(second, wanted, up(second)).digest == one.digest) == same(first, second)
    assert (plan(wanted, second, up(wanted)).digest == plan(wanted, first, up(wanted)).digest) == same(first, second)
    assert plan(first, wanted, None).digest != one.digest


def same(first: str, second: str) -> bool:
    """Return whether Kannel makes the same of both: links, users and databases are looked up by name."""
    if by_name(first) != by_name(second):
        return False
    return all(
        [key for key in groups(first) if key.group == kind] == [key for key in groups(second) if key.group == kind]
        for kind in ("sms-service", "modems")
    )


# what a reload must not take from a link
LOST = "preferred-prefix-regex"
NAMES = ("a-1", "a-2", "b-1", "b-2", "c")
states = st.dictionaries(st.sampled_from(NAMES), st.sampled_from(["dead", "online", None]), max_size=3)


@st.composite
def gateways(draw: st.DrawFn) -> str:
    """Return links of a few accounts that take some prefixes each; alike ones stand in for each other."""
    found = []
    for name in draw(st.lists(st.sampled_from(NAMES), unique=True)):
        taken = draw(st.lists(st.sampled_from(["1", "2", "3"]), unique=True, min_size=1))
        values = {"smsc": "fake", "smsc-id": name[0], "smsc-admin-id": name, "allowed-prefix": ";".join(sorted(taken))}
        values["port"] = draw(st.sampled_from(["1", "2"]))
        if draw(st.integers(0, 5)) == 0:
            values["dead-start"] = "true"
        if draw(st.integers(0, 5)) == 0:
            values[LOST] = draw(st.sampled_from(["x", "y"]))
        found.append(group("smsc", values))
    return conf(*found)


STRANGER: Values = {"smsc": "fake", "smsc-admin-id": "x", "allowed-prefix": "1", "port": "9"}


@settings(max_examples=300)
@given(gateways(), gateways(), states, st.sampled_from([(), ("x",), ("c",)]))
def test_no_message_is_without_a_route_and_no_link_binds_for_nothing(
    running: str, wanted: str, but: dict[str, str | None], strange: tuple[str, ...]
) -> None:
    strangers = {} if set(strange) & set(links_of(running)) else dict.fromkeys(strange, STRANGER)
    bearerbox = Bearerbox(running, but, strangers)
    before = dict(bearerbox.links)
    of = plan(running, wanted, bearerbox.seen())
    kept = prefixes(before[name].made_from for name in bearerbox.known if not before[name].dead)
    moments = list(bearerbox.carry_out(of))
    kept &= bearerbox.open_for()
    if any("bearerbox" in getattr(step, "boxes", ()) for step in of.steps):
        return  # all links at once, which the plan says
    after = links_of(wanted)
    assert all(kept <= moment for moment in moments)
    assert set(bearerbox.links) == set(after)
    for name, group_ in after.items():
        link = bearerbox.links[name]
        assert link.dead or link.made_from == group_
        if name in bearerbox.known and not before[name].dead:
            former = before[name].made_from
            if bound(former) == bound(group_) and not (LOST in former and LOST not in group_):
                assert name not in bearerbox.binds
    assert plan(wanted, wanted, bearerbox.seen()).changes == ()


secrets = st.text(st.characters(min_codepoint=33, max_codepoint=0x2FF), min_size=4, max_size=8).filter(
    lambda text: "include" not in text and not text.isalnum()
)


@given(secrets, secrets, secrets)
def test_no_secret_is_shown(old: str, new: str, environment: str) -> None:
    def text(password: str) -> str:
        url = f"http://h/?p={quote(password, safe='')}&q={password}&e={environment}"
        values: dict[str, Any] = {"username": "app", "password": password, "dlr-url": url}
        return conf("group = sendsms-user\n" + "\n".join(directive_line(*pair) for pair in values.items()) + "\n")

    of = plan(text(old), text(new), (), secrets=[environment])
    shown = "\n".join((repr(of), repr(of.stages), str(of.changes), *(line.text for line in lines(of))))
    for secret in (old, new, environment):
        for form in {secret, quote(secret, safe="")} - {"http", "***"}:
            assert form not in shown
            assert json.dumps(form, ensure_ascii=False)[1:-1] not in json.dumps(as_object(of), ensure_ascii=False)

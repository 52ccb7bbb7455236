"""What changes of the relay's accounts in a plan: said without passwords, and done before anything else."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from kannelkit.plan.compare import plan
from kannelkit.plan.relay import with_relay
from kannelkit.plan.values import LinkSeen, Plan, Reload, Restart
from kannelkit.plan.words import lines
from kannelkit.supervise.asking import plain, shown

CONF = """
group = core
admin-port = 13000

group = smsc
smsc = smpp
smsc-id = a
smsc-admin-id = a-1
host = 127.0.0.1
port = 21000
"""
ACCOUNT: Mapping[str, object] = {
    "name": "a",
    "login": {"system_id": "login", "password": "secret12"},
    "hosts": [{"host": "primary.example", "port": 2775}],
    "ceiling": 30.0,
}


def found(
    before: Mapping[str, Mapping[str, object]], after: Mapping[str, Mapping[str, object]], *, reloads: bool = False
) -> Plan:
    return with_relay(plan(CONF, CONF, [LinkSeen("a-1", "online")]), before, after, reloads=reloads)


CHANGES = [
    ({"ceiling": 20.0}, "ceiling", "30.0", "20.0"),
    ({"hosts": [{"host": "other.example", "port": 2775}]}, "hosts.1.host", "primary.example", "other.example"),
    ({"login": {"system_id": "login", "password": "another1"}}, "login.password", "***", "***"),
]


@pytest.mark.parametrize(("to", "name", "before", "after"), CHANGES)
def test_a_change_is_said_and_takes_a_new_relay(to: dict[str, object], name: str, before: str, after: str) -> None:
    of = found({"a": ACCOUNT}, {"a": {**ACCOUNT, **to}})
    (change,) = of.changes
    assert (change.action, change.group, change.name) == ("update", "relay", "a")
    assert [(one.name, one.before, one.after) for one in change.directives] == [(name, before, after)]
    assert of.steps == (Restart(("relay",)),)
    assert of.stages == ()  # bearerbox's file stays
    text = "\n".join(line.text for line in lines(of))
    assert "the relay started anew" in text
    assert "secret12" not in text + repr(of.changes)
    assert "another1" not in text + repr(of.changes)


RELOADS = [
    ({"a": ACCOUNT}, {"a": {**ACCOUNT, "ceiling": 20.0}}, Reload(("a",)), "in the relay a drains and starts again, "),
    ({}, {"a": ACCOUNT}, Reload((), ("a",)), "in the relay a starts; its other accounts go on"),
    (
        {name: {**ACCOUNT, "name": name} for name in "ab"},
        {name: {**ACCOUNT, "name": name, "ceiling": 20.0} for name in "abc"},
        Reload(("a", "b"), ("c",)),
        "in the relay a, b drain and start again, ",
    ),
]


@pytest.mark.parametrize(("before", "after", "step", "text"), RELOADS)
def test_a_relay_that_can_takes_what_is_new_while_it_runs(
    before: Mapping[str, Mapping[str, object]], after: Mapping[str, Mapping[str, object]], step: Reload, text: str
) -> None:
    of = found(before, after, reloads=True)
    assert of.steps == (step,)
    said = "\n".join(line.text for line in lines(of))
    assert text in said
    assert "others go on" in said or "other accounts go on" in said
    assert "anew" not in said
    assert shown(plain(of)).steps == of.steps


def test_nothing_changes_where_nothing_does() -> None:
    before = plan(CONF, CONF, [LinkSeen("a-1", "online")])
    assert found({"a": ACCOUNT}, {"a": dict(ACCOUNT)}) == before


def test_an_account_that_goes_disturbs_nobody() -> None:
    of = found({"a": ACCOUNT}, {})
    assert [change.action for change in of.changes] == ["delete"]
    assert of.steps == ()


def test_two_passwords_are_two_plans() -> None:
    login = {"system_id": "login", "password": "another1"}
    one, other = ({"a": {**ACCOUNT, "login": {**login, "password": text}}} for text in ("another1", "another2"))
    assert found({"a": ACCOUNT}, one).digest != found({"a": ACCOUNT}, other).digest
    assert found({"a": ACCOUNT}, one).digest == found({"a": ACCOUNT}, one).digest

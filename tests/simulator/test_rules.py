"""How accounts are written."""

from __future__ import annotations

import pytest

from kannelkit.simulator import AccountRules, Behaviour, Law, LimitPer, SecondBind
from kannelkit.simulator.answers import due
from kannelkit.simulator.rules import Order

WRITTEN = [
    ("test:test", AccountRules("test", "test")),
    ("test:test@100", AccountRules("test", "test", limit=100)),
    ("test:test@none", AccountRules("test", "test", limit=None)),
    ("test:", AccountRules("test", "")),
    ("a:p:q@0", AccountRules("a", "p:q", limit=0)),
    ("a:p@q@7", AccountRules("a", "p@q", limit=7)),
    ("a:p@7.5,law=fixed-window", AccountRules("a", "p", 7.5, Law.FIXED_WINDOW)),
    ("a:p,q@7,binds=2", AccountRules("a", "p,q", limit=7, binds=2)),
    ("a:p@7,limit-per=connection", AccountRules("a", "p", 7, limit_per=LimitPer.CONNECTION)),
    (
        "a:p@7,law=token-bucket,burst=9,second-bind=already-bound,bind-status=0x0d",
        AccountRules("a", "p", 7, Law.TOKEN_BUCKET, 9, 1, SecondBind.ALREADY_BOUND, 0x0D),
    ),
]


@pytest.mark.parametrize(("text", "rules"), WRITTEN)
def test_account_as_it_is_written(text: str, rules: AccountRules) -> None:
    assert AccountRules.parse(text) == rules


UNREADABLE = [
    "test",
    ":hunter2",
    "test:hunter2long",
    "a-login-of-16-ch:hunter2",
    "test:hunter2@30,speed=3",
    "test:hunter2@7.25",
    "test:hunter2@30,law=fast",
    "test:hunter2@30,burst=0",
    "test:hunter2@30,burst=x",
    "test:hunter2@30,binds=10",
    "test:hunter2@30,bind-status=0x100000000",
    "test:hünter2",
    "test\0:hunter2",
]


@pytest.mark.parametrize("text", UNREADABLE)
def test_unreadable_account_is_refused_without_telling_the_password(text: str) -> None:
    with pytest.raises(ValueError) as refused:  # noqa: PT011 - each text has a message of its own
        AccountRules.parse(text)
    assert "nter2" not in str(refused.value)


@pytest.mark.parametrize(
    ("rule", "allowed"),
    [
        ("law=fast", "law is one of sliding-window, fixed-window, token-bucket, punishing, closing"),
        ("limit-per=login", "limit-per is one of account, connection"),
        ("burst=x", "burst is a whole number of SMS"),
        ("binds=", "binds is a number from 1 to 9"),
        ("second-bind=no", "second-bind is one of close-older, bind-failed, already-bound"),
        ("bind-status=bad", "bind-status is a command_status, such as 0x0d"),
        (
            "speed=3",
            "no such rule: speed (law, burst, limit-per, binds, second-bind, bind-status, addresses, same-within, "
            "single, delivery-rate, cost, incoming, handler)",
        ),
    ],
)
def test_what_a_rule_may_be_is_told(rule: str, allowed: str) -> None:
    with pytest.raises(ValueError) as refused:  # noqa: PT011 - the whole text is compared
        AccountRules.parse(f"test:test,{rule}")
    assert str(refused.value) == allowed


def test_rules_are_changed_as_they_are_written() -> None:
    rules = AccountRules("a", "p")
    changed = rules.changed({"limit": None, "law": "closing", "bind-status": 13, "limit-per": "connection"})
    assert changed == AccountRules("a", "p", None, Law.CLOSING, bind_status=13, limit_per=LimitPer.CONNECTION)
    assert rules.changed(rules.changed({"limit": "7"}).as_dict() | {"burst": 3}) == AccountRules("a", "p", 7, burst=3)
    assert "p" not in rules.as_dict().values()
    assert rules.changed({"limit": "7.5"}).limit == 7.5
    assert repr(rules.changed({"limit": 30.0}).limit) == "30"


def test_password_is_not_shown() -> None:
    assert "hunter2" not in repr(AccountRules("test", "hunter2"))


DUE = [
    (Behaviour(), 3.0, 3.0),
    (Behaviour(delay=0.25), 3.0, 3.25),
    (Behaviour(coalesce=0.5), 3.0, 3.0),
    (Behaviour(coalesce=0.5), 3.125, 3.5),
    (Behaviour(delay=0.25, coalesce=0.5), 3.375, 4.0),
    (Behaviour(coalesce=0.5, order=Order.OUT_OF_ORDER), 3.125, 3.5),
]


@pytest.mark.parametrize(("behaviour", "arrived", "moment"), DUE)
def test_answer_is_due(behaviour: Behaviour, arrived: float, moment: float) -> None:
    assert due(arrived, behaviour) == moment

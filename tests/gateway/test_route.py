"""Which accounts may take a message, and what follows from that."""

from __future__ import annotations

from typing import Any

import pytest

from kannelkit.errors import GatewayError
from kannelkit.gateway.route import Route, Routes
from tests.gateway.specs import BY_HOST, OTHER, SMSC_RU, spec

ONLY_RU = {"allowed-smsc-id": "smscru"}
ONLY_OTHER = {"allowed-smsc-id": "other"}


def accounts(route: Route) -> list[str]:
    return [account.smsc_id for account in route.accounts]


@pytest.mark.parametrize(
    ("ru", "other", "user", "asked", "taking", "others"),
    [
        ({}, {}, {}, "", ["smscru", "other"], []),
        ({}, {}, {}, "smscru", ["smscru", "other"], ["other"]),
        (ONLY_RU, ONLY_OTHER, {}, "smscru", ["smscru"], []),
        (ONLY_RU, ONLY_OTHER, {}, "", [], []),
        (ONLY_RU, {}, {}, "smscru", ["smscru", "other"], ["other"]),
        (ONLY_RU, {"denied-smsc-id": "smscru"}, {}, "smscru", ["smscru"], []),
        ({"preferred-smsc-id": "smscru"}, {}, {}, "smscru", ["smscru", "other"], []),
        (ONLY_RU, ONLY_OTHER, {"default-smsc": "other"}, "", ["other"], []),
        (ONLY_RU, ONLY_OTHER, {"default-smsc": "other"}, "smscru", ["smscru"], []),
        (ONLY_RU, ONLY_OTHER, {"forced-smsc": "other"}, "smscru", ["other"], []),
        ({"allowed-smsc-id": "urgent;bulk"}, ONLY_OTHER, {}, "bulk", ["smscru"], []),
    ],
)
def test_who_may_take_a_message(
    ru: dict[str, Any], other: dict[str, Any], user: dict[str, Any], asked: str, taking: list[str], others: list[str]
) -> None:
    route = Routes(spec(SMSC_RU | ru, OTHER | other, user=user)).route(asked)
    assert accounts(route) == taking
    assert list(route.others) == others


@pytest.mark.parametrize(
    ("account", "arrives", "lost"),
    [
        ({}, "a@_~ä€Δ", "я`"),
        ({"system-type": "ISO"}, "a@_~ä", "€Δ`"),  # the provider's table brings alt-charset
        ({"system-type": "ISO", "alt-charset": "ISO-8859-1"}, "a@_~ä", "€Δ`"),
        ({"system-type": ["SINGLE", "ISO"], "alt-charset": "latin1"}, "a@_~ä", "€"),
        ({"alt-charset": "ISO-8859-1"}, "a", "@_ä"),  # written as ISO and read as GSM
        ({"alt-charset": "nothing"}, "", "a"),
        ({"provider": "generic", "host": "smsc.test", "system-type": "ISO"}, "@_~ä€Δ", "я"),  # to it ISO says nothing
    ],
)
def test_what_arrives_at_data_coding_0(account: dict[str, Any], arrives: str, lost: str) -> None:
    default = Routes(spec(SMSC_RU | account)).route().default
    assert default.issuperset(arrives)
    assert default.isdisjoint(lost)


def test_without_alt_charset_iso_leaves_what_both_alphabets_share() -> None:
    default = Routes(spec(BY_HOST | {"system-type": "ISO"})).route().default
    assert default.issuperset("a1")
    assert default.isdisjoint("@_~ä€")


def test_a_text_has_to_arrive_by_whichever_account_takes_it() -> None:
    default = Routes(spec(SMSC_RU, OTHER | {"system-type": "ISO"})).route().default
    assert "@" not in default
    assert "a" in default


@pytest.mark.parametrize(
    ("account", "knows"),
    [
        (SMSC_RU, True),
        (SMSC_RU | {"provider": "smscentre.com"}, True),
        (OTHER | {"host": "smpp.m.smsc.ru"}, True),  # without a provider, known by its host
        (OTHER | {"host": "smpp2.smsc.ua"}, True),
        (OTHER, False),
        (OTHER | {"provider": "generic"}, False),
    ],
)
def test_whose_provider_knows_channels(account: dict[str, Any], knows: bool) -> None:
    route = Routes(spec(account)).route()
    assert route.knows_channels is knows
    assert route.refuses_repeats is knows


def test_what_one_of_two_accounts_refuses_is_refused() -> None:
    route = Routes(spec(SMSC_RU, OTHER)).route()
    assert (route.knows_channels, route.refuses_repeats) == (False, True)


def test_what_a_user_is_allowed() -> None:
    route = Routes(spec(user={"max-messages": "3", "header": "Cafe: ", "default-sender": "Cafe"})).route()
    assert (route.most_parts, route.joins, route.changed_by, route.sender) == (3, True, ("header",), "Cafe")
    kannels = Routes(spec(defaults="kannel", core={"admin-port": 1, "admin-password": "x", "smsbox-port": 2})).route()
    assert (kannels.most_parts, kannels.joins, kannels.sender) == (1, False, None)


@pytest.mark.parametrize(
    ("account", "told"),
    [
        (SMSC_RU, ()),
        (SMSC_RU | {"system-type": ["ISO", "SINGLE"]}, ("smscru",)),
        (OTHER | {"system-type": "SINGLE"}, ()),  # to another provider it means nothing
    ],
)
def test_whose_receipt_tells_of_one_part(account: dict[str, Any], told: tuple[str, ...]) -> None:
    assert Routes(spec(account)).route().told_of_one_part == told


def test_another_user_is_known_by_name_or_refused_with_the_nearest() -> None:
    two = spec(users=[{"username": "app", "password": "a"}, {"username": "bulk", "password": "b"}])
    assert Routes(two).user.get("username") == "app"
    assert Routes(two, "bulk").user.get("username") == "bulk"
    with pytest.raises(GatewayError, match="no sendsms-user 'bluk'") as caught:
        Routes(two, "bluk")
    assert caught.value.hint == "did you mean bulk?"
    with pytest.raises(GatewayError, match="no sendsms-user"):
        Routes(spec(users=[]))

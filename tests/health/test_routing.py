"""Which account takes a message to a number, held against cases read in Kannel's source."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kannelkit.health.routing import allowed, can_send, preferred, takers, unified
from kannelkit.health.values import SENDING, Check, Report
from kannelkit.spec.load import parse

NUMBER = "+79161234567"

# directives, the smsc of the request, whether a message to NUMBER is taken
ALLOWED = [
    ({}, None, True),
    ({"allowed-prefix": "+7"}, None, True),
    ({"allowed-prefix": "+3;+7916"}, None, True),
    ({"allowed-prefix": "+3; +7"}, None, False),
    ({"allowed-prefix": "8;7"}, None, False),
    ({"allowed-prefix": ""}, None, False),
    ({"allowed-prefix": ";+3"}, None, True),
    ({"allowed-prefix": "+3;;+4"}, None, False),
    ({"denied-prefix": "+7916"}, None, False),
    ({"denied-prefix": "+3"}, None, True),
    ({"denied-prefix": "+79161234567890"}, None, True),
    ({"allowed-prefix": "+7", "denied-prefix": "+7916"}, None, True),
    ({"allowed-prefix": "+3", "denied-prefix": "+7916"}, None, False),
    ({"allowed-prefix": "+3", "denied-prefix": "+4"}, None, True),
    ({"allowed-smsc-id": "a;b"}, "b", True),
    ({"allowed-smsc-id": "a;b"}, "c", False),
    ({"allowed-smsc-id": "a;b"}, None, False),
    ({"denied-smsc-id": "a"}, "a", False),
    ({"denied-smsc-id": "a"}, None, True),
    ({"allowed-smsc-id": "a", "denied-smsc-id": "a"}, "a", True),
    ({"allowed-smsc-id-regex": "^a"}, "ab", True),
    ({"allowed-smsc-id-regex": "^a"}, None, False),
    ({"denied-smsc-id-regex": "b"}, "ab", False),
    ({"allowed-prefix-regex": "^[+]7"}, None, True),
    ({"allowed-prefix-regex": "^[+]3"}, None, False),
    ({"denied-prefix-regex": "916"}, None, False),
    ({"allowed-prefix-regex": "(", "allowed-prefix": "+7"}, None, False),
]


@pytest.mark.parametrize(("directives", "smsc", "taken"), ALLOWED)
def test_what_a_link_takes(directives: dict[str, str], smsc: str | None, taken: bool) -> None:
    assert allowed(directives, NUMBER, smsc) is taken


@pytest.mark.parametrize(
    ("prefixes", "number", "becomes"),
    [
        (None, "8916", "8916"),
        ("", "8916", "8916"),
        ("+7,8,7", "8916", "+7916"),
        ("+7,8,7", "7916", "+7916"),
        ("+7,8,7", "+7916", "+7916"),
        ("+7,8;+358,00358,0", "040", "+35840"),
        ("+7,8", "9", "9"),
        ("-,00", "0049", "49"),
    ],
)
def test_prefixes_are_made_one(prefixes: str | None, number: str, becomes: str) -> None:
    assert unified(prefixes, number) == becomes


@given(st.text("+0123456789", max_size=8), st.text("+0123456789", min_size=1, max_size=4))
def test_what_is_unified_stays(number: str, prefix: str) -> None:
    once = unified(f"{prefix},8,00", number)
    assert unified(f"{prefix},8,00", once) == once


def test_preferred_ones_come_first_and_one_that_sends_is_named() -> None:
    spec = parse(
        """
core: {unified-prefix: "+7,8"}
smsc:
  - {smsc-id: any, host: a, smsc-username: u, smsc-password: p}
  - {smsc-id: russia, host: a, smsc-username: u2, smsc-password: p, preferred-prefix: "+7"}
  - {smsc-id: finland, host: a, smsc-username: u3, smsc-password: p, allowed-prefix: "+358"}
""",
        Path("/nowhere/spec.yaml"),
        {},
        "spec.yaml",
    )
    assert preferred({"preferred-prefix": "+7"}, NUMBER, None)
    assert takers(spec, "89161234567") == ("russia", "any")
    assert takers(spec, "+35840") == ("any", "russia", "finland")
    down = Check(SENDING, "critical", "", account="russia")
    up = Check(SENDING, "ok", "", account="any")
    assert can_send(Report(0.0, (down, up)), spec, NUMBER) == "any"
    assert can_send(Report(0.0, (down,)), spec, NUMBER) is None


def test_a_modem_takes_messages_too() -> None:
    text = (
        "smsc:\n- {smsc-id: smpp, host: h, smsc-username: u, smsc-password: p, denied-prefix: +7999}\n"
        "- {smsc-id: phone, smsc: fake, host: 127.0.0.1, port: 1, allowed-prefix: +7999}\n"
    )
    spec = parse(text, Path("/spec.yaml"), {}, "spec.yaml")
    assert takers(spec, "+79991234567") == ("phone",)
    report = Report(0.0, (Check(SENDING, "ok", "sends", account="phone"),))
    assert can_send(report, spec, "+79991234567") == "phone"

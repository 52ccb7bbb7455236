"""What is refused before it is sent, and what is sent instead of it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kannelkit.findings import Finding, Place
from kannelkit.gateway.lists import COLUMNS, Cell, Row
from kannelkit.gateway.outgoing import Checking, Outgoing
from kannelkit.gateway.route import Routes
from kannelkit.providers import channels
from kannelkit.smpp.parts import Alphabet
from kannelkit.spec import Spec
from tests.gateway.specs import BY_HOST, OTHER, SMSC_RU, spec

THROUGH = spec()
GOOD = {"to": "79991234567", "from": "Cafe", "text": "hello"}


def row(line: int = 1, **values: str) -> Row:
    cells = {name.replace("_", "-"): value for name, value in values.items()}
    return {name: Cell(value, Place("f", line, at)) for at, (name, value) in enumerate(cells.items(), 1)}


def checked(*rows: dict[str, str], through: Spec | None = None) -> tuple[list[Outgoing], list[Finding], list[Finding]]:
    checking = Checking(Routes(through or spec()))
    messages = checking.messages([row(line, **each) for line, each in enumerate(rows, 1)], {})
    return messages, checking.findings, checking.notes


def one(through: Spec | None = None, /, **values: str) -> Outgoing:
    messages, findings, _ = checked(GOOD | values, through=through)
    assert findings == []
    return messages[0]


@pytest.mark.parametrize(
    ("values", "rule", "column"),
    [
        ({"to": "Anna"}, "M201", 1),
        ({"to": "7999#1"}, "M201", 1),
        ({"to": "+"}, "M201", 1),
        ({"to": "1" * 21}, "M201", 1),
        ({"text": " \n "}, "M202", 3),
        ({"text": "caf\udce9"}, "M202", 3),
        ({"comment": "caf\udce9"}, "M202", 4),
        ({"channel": "fax"}, "M203", 4),
        ({"channel": "tgm", "text": "12a4"}, "M204", 3),
        ({"channel": "tgm", "text": "123"}, "M204", 3),
        ({"channel": "mail"}, "M204", 1),
        ({"channel": "hlr"}, "M204", 3),
        ({"subject": "s"}, "M204", 4),
        ({"channel": "call", "voice": "w 2"}, "M204", 5),
        ({"comment": "a\n~~~\nb"}, "M204", 4),
        ({"text": "__MAIL__: x"}, "M204", 3),
        ({"text": "a" * 1531}, "M205", 3),
        ({"text": "я" * 671}, "M205", 3),
        ({"from": "a" * 21}, "M207", 2),
        ({"from": "a\tb"}, "M207", 2),
        ({"from": "caf\udce9"}, "M207", 2),
        ({"priority": "4"}, "M208", 4),
        ({"priority": "-1"}, "M208", 4),
        ({"validity": "0"}, "M208", 4),
        ({"validity": "1h"}, "M208", 4),
        ({"account": "smscur"}, "M209", 4),
    ],
)
def test_what_the_provider_would_refuse_is_refused_here(values: dict[str, str], rule: str, column: int) -> None:
    messages, findings, _ = checked(GOOD | values)
    assert messages == []
    assert [(finding.rule, finding.place) for finding in findings] == [(rule, Place("f", 1, column))]
    assert findings[0].hint


@pytest.mark.parametrize(
    ("through", "values", "words"),
    [
        (spec(OTHER), {"channel": "viber"}, "would be a part of the text"),
        (spec(OTHER), {"comment": "mine"}, "would be a part of the text"),
        (spec(user={"header": "x"}), {"channel": "viber"}, "header of the sendsms-user"),
        (spec(user={"forced-smsc": "smscru"}), {"account": "other"}, "forced-smsc"),
        (spec(SMSC_RU, OTHER), {"account": "other"}, "through smscru as well"),
        (spec(user={"max-messages": "1"}), {"text": "a" * 161}, "beyond 1"),
        (spec(user={"concatenation": "false"}), {"text": "a" * 161}, "messages of their own"),
        (spec(SMSC_RU | {"allowed-smsc-id": "bulk"}), {}, "no link takes"),
    ],
)
def test_what_the_spec_does_not_carry_is_refused(through: Spec, values: dict[str, str], words: str) -> None:
    messages, findings, _ = checked(GOOD | values, through=through)
    assert messages == []
    assert len(findings) == 1
    assert words in findings[0].message


def test_a_message_without_a_sender_needs_one_of_the_users() -> None:
    nameless = {"to": "7999", "text": "a"}
    assert [finding.rule for finding in checked(nameless)[1]] == ["M207"]
    for user in ({"default-sender": "Cafe"}, {"faked-sender": "Cafe"}):
        messages, findings, _ = checked(nameless, through=spec(user=user))
        assert (findings, messages[0].message.sender) == ([], None)


@pytest.mark.parametrize(
    ("values", "unseen"), [({"text": "a"}, False), ({"channel": "hlr"}, True), ({"channel": "PING"}, True)]
)
def test_it_is_said_how_to_name_a_sender_and_where_nobody_sees_it(values: dict[str, str], unseen: bool) -> None:
    (finding,) = checked({"to": "7999"} | values)[1]
    assert finding.rule == "M207"
    assert "--from NAME" in finding.hint
    assert ("does not see it" in finding.hint) is unseen


@pytest.mark.parametrize(
    ("values", "text", "alphabet"),
    [
        ({}, "hello", Alphabet.DEFAULT),
        ({"text": "Grüße [€]"}, "Grüße [€]", Alphabet.DEFAULT),
        ({"text": "привет"}, "привет", Alphabet.UCS2),
        ({"comment": "заказ 7"}, "hello\n~~~\nзаказ 7", Alphabet.UCS2),
        ({"channel": "mail", "subject": "Hi"}, "__MAIL__: hello\nsubj:Hi", Alphabet.DEFAULT),
        (
            {"channel": "call", "voice": "w2", "call_parameters": "p"},
            "__CALL__: hello\nvoice:w2\n~~~\np",
            Alphabet.DEFAULT,
        ),
        ({"channel": "BOT", "bot": "@cafe"}, "__BOT__: hello\nbot:@cafe", Alphabet.DEFAULT),
        ({"channel": "tgm", "text": "4711"}, "__TGM__: 4711", Alphabet.DEFAULT),
    ],
)
def test_the_text_as_it_leaves(values: dict[str, str], text: str, alphabet: Alphabet) -> None:
    found = one(**values)
    assert found.message.text == text
    assert found.count.alphabet is alphabet
    assert found.message.coding == (2 if alphabet is Alphabet.UCS2 else 0)


def test_an_hlr_request_has_no_text() -> None:
    messages, findings, _ = checked({"to": "7999", "from": "Cafe", "channel": "hlr"})
    assert (findings, messages[0].message.text, messages[0].charged) == ([], "__HLR__", None)


def test_a_comment_is_not_charged() -> None:
    found = one(text="a" * 160, comment="a note of mine")
    assert found.charged is not None
    assert (found.count.parts, found.charged.parts) == (2, 1)
    assert found.charged.alphabet is Alphabet.DEFAULT


def test_under_iso_a_text_takes_ucs2_unless_kannel_writes_iso() -> None:
    assert one(spec(SMSC_RU | {"system-type": "ISO"}), text="a_b").charset == "iso-8859-1"
    iso = BY_HOST | {"system-type": "ISO"}
    assert one(spec(iso), text="a_b").charset == "ucs-2"
    assert one(spec(iso | {"alt-charset": "ISO-8859-1"}), text="a_b").charset == "iso-8859-1"
    assert one(spec(iso), text="a b").charset == "gsm"  # the same octets in both


@pytest.mark.parametrize("text", ["plain", "€", "привет"])
def test_ucs2_that_no_charset_would_spare_is_not_worth_a_note(text: str) -> None:
    messages, _, notes = checked(GOOD | {"text": text}, through=spec(SMSC_RU | {"system-type": "ISO"}))
    assert (len(messages), notes) == (1, [])


@pytest.mark.parametrize(
    ("written", "to"), [("+7 (999) 123-45.67", "+79991234567"), ("8 999 1", "89991"), (" 7999 ", "7999")]
)
def test_what_stands_between_digits_is_left_out(written: str, to: str) -> None:
    assert one(to=written).message.to == to


def test_other_receivers_where_smsbox_takes_them() -> None:
    chars = {"sendsms-chars": "0123456789 +-abcdefghijklmnopqrstuvwxyz@."}
    assert one(spec(smsbox=chars), to="a.b@c.de").message.to == "a.b@c.de"
    assert [finding.rule for finding in checked(GOOD | {"to": "a b"}, through=spec(smsbox=chars))[1]] == ["M201"]


def test_the_same_text_to_the_same_number_twice() -> None:
    twice = (GOOD, GOOD | {"to": "+79991234567"}, GOOD | {"text": "other"}, GOOD | {"to": "7"})
    messages, findings, _ = checked(*twice)
    assert [(finding.rule, finding.place.line) for finding in findings] == [("M206", 2)]
    assert "line 1" in findings[0].message
    assert [outgoing.number for outgoing in messages] == [1, 3, 4]
    assert checked(*twice, through=spec(OTHER))[1] == []


@pytest.mark.parametrize(
    ("values", "through", "words"),
    [
        ({"channel": "call", "voice": "zz"}, spec(), "voice 'zz'"),
        ({"from": "a very long one"}, spec(), "at most 11 characters"),
        ({"from": "Кафе"}, spec(), "beyond ASCII"),
        ({"text": "a_b"}, spec(BY_HOST | {"system-type": "ISO"}), "reads data_coding 0 as ISO-8859-1"),
        ({"text": "a_b"}, spec(SMSC_RU | {"alt-charset": "latin1"}), "reads data_coding 0 as GSM"),
        ({"text": "a" * 200}, spec(user={"split-chars": ". "}), "may make more parts"),
    ],
)
def test_what_may_be_wrong_is_a_note(values: dict[str, str], through: Spec, words: str) -> None:
    messages, findings, notes = checked(GOOD | values, (GOOD | values) | {"to": "7998"}, through=through)
    assert (findings, len(messages)) == ([], 2)
    assert len(notes) == 1  # the same of many lines is told once
    assert words in notes[0].message


def test_options_fill_the_gaps_of_a_row() -> None:
    usual: dict[str, Any] = {
        name: Cell(text, Place(f"--{name}")) for name, text in {"text": "usual", "from": "Cafe"}.items()
    }
    checking = Checking(Routes(spec()))
    messages = checking.messages([row(to="1"), row(2, to="2", text="own"), row(3, text="x")], usual)
    assert [(each.message.to, each.message.text) for each in messages] == [("1", "usual"), ("2", "own")]
    assert [(finding.rule, finding.place) for finding in checking.findings] == [("M201", Place("f", 3, 1))]


@given(st.dictionaries(st.sampled_from(COLUMNS), st.text(min_size=1, max_size=30), min_size=1))
def test_any_row_is_a_message_or_has_a_finding(values: dict[str, str]) -> None:
    messages, findings, _ = checked(values, through=THROUGH)
    assert bool(messages) is not bool(findings)


@given(st.text(min_size=1, max_size=200), st.sampled_from(["sms", "viber", "soc"]))
def test_a_message_that_is_let_through_can_be_asked_for(text: str, channel: str) -> None:
    messages, _, _ = checked(GOOD | {"text": text, "channel": channel}, through=THROUGH)
    for outgoing in messages:
        assert channels.parse(outgoing.message.text).text == text
        assert 1 <= outgoing.count.parts <= 10
        outgoing.message.text.encode()

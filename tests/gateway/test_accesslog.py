"""Lines of the access log, as bearerbox 1.4.5 wrote them, and what they tell together."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kannelkit.gateway.accesslog import Entry, Refusals, Twin, read_line

RECEIPT = (
    b"2026-11-23 02:31:35 Receive DLR [SMSC:acc] [SVC:app] [ACT:login] [BINF:] [FID:1] "
    b"[META:?orig_msg?dlr_mask=31&?smpp?dlr_err=%03%00%DC&cost=1.2000&] [from:shop] [to:79991234567] "
    b"[flags:-1:-1:-1:-1:2] [msg:87:id:1 sub:001 dlvrd:000 submit date:2611230231 done date:2611230231 "
    b"stat:UNDELIV err:220] [udh:0:]"
)


def test_a_receipt_is_read_whole() -> None:
    assert read_line(RECEIPT) == Entry(
        stamp="2026-11-23 02:31:35",
        verb="Receive DLR",
        smsc_id="acc",
        service="app",
        account="login",
        foreign_id="1",
        sender="shop",
        receiver="79991234567",
        dlr_mask=2,
        text="id:1 sub:001 dlvrd:000 submit date:2611230231 done date:2611230231 stat:UNDELIV err:220",
        meta={"orig_msg": {"dlr_mask": b"31"}, "smpp": {"dlr_err": b"\x03\x00\xdc", "cost": b"1.2000"}},
    )


def line(
    verb: str = "Sent SMS",
    *,
    at: str = "2026-11-23 02:31:35 ",
    to: str = "79991234567",
    coming_from: str = "shop",
    message_id: str = "",
    mask: int = 31,
    coding: int = 0,
    text: str = "hello",
) -> bytes:
    return (
        f"{at}{verb} [SMSC:acc] [SVC:app] [ACT:] [BINF:] [FID:{message_id}] [META:?smpp_resp?] [from:{coming_from}] "
        f"[to:{to}] [flags:-1:{coding}:-1:-1:{mask}] [msg:{len(text)}:{text}] [udh:0:]"
    ).encode()


def entry(octets: bytes) -> Entry:
    found = read_line(octets)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("octets", "text"),
    [
        (line(text="[udh:0:] ] [msg:3:"), "[udh:0:] ] [msg:3:"),
        (line(text="041F04400438", coding=2), "При"),
        (line(text="41FF", coding=1), "A\xff"),
        (line(text="no digits", coding=2), "no digits"),
        (line(text=""), ""),
        (line(at=""), "hello"),  # access-log-clean
        (line() + b"\r\n", "hello"),
    ],
)
def test_the_text_of_a_message(octets: bytes, text: str) -> None:
    assert entry(octets).text == text


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"2026-11-23 02:31:34 Log begins",
        b"2026-11-23 02:31:39 2026-11-23 02:31:39 Receive DLR acc 7c8b [2] shop 79991234567 1 |id:2|",
        RECEIPT[:-9],
        RECEIPT[:60],
        RECEIPT.replace(b"[flags:-1", b"[flags:x"),
        line(text="").replace(b"[msg:0:]", b"[msg:0]"),
        RECEIPT.replace(b" [to:", b" [too:"),
    ],
)
def test_another_line_is_none(octets: bytes) -> None:
    assert read_line(octets) is None


@given(st.binary(max_size=200), st.integers(0, len(RECEIPT)), st.integers(0, 30))
def test_any_octets_are_taken(octets: bytes, at: int, cut: int) -> None:
    read_line(octets)
    found = read_line(RECEIPT[:at] + octets + RECEIPT[at + cut :])
    if found is not None:
        Refusals().take(found, 0.0)


REPEAT = Twin("sent", "2026-11-23 02:31:35", "7")
# lines in their order -> the twin of each
STORIES: dict[str, list[tuple[bytes, Twin | None]]] = {
    "a repeat within the minute, and the receipt that tells of it": [
        (line(message_id="7"), None),
        (line("REJECTED Send SMS", at="2026-11-23 02:32:35 "), REPEAT),
        (line("Receive DLR", mask=16, text="NACK/0x00000045/Submit failed"), REPEAT),
        (line("Receive DLR", mask=16, text="NACK/0x00000045/Submit failed"), None),
    ],
    "a repeat for which no receipt was asked": [
        (line(message_id="7", mask=1), None),
        (line("REJECTED Send SMS", mask=1), REPEAT),
    ],
    "later it is no repeat": [
        (line(message_id="7"), None),
        (line("REJECTED Send SMS", at="2026-11-23 02:33:35 "), None),
    ],
    "another text": [
        (line(message_id="7"), None),
        (line("REJECTED Send SMS", text="other"), None),
    ],
    "another number, and one that is the same": [
        (line(message_id="7", to="+79991234567"), None),
        (line("REJECTED Send SMS", to="79990000000"), None),
        (line("REJECTED Send SMS"), REPEAT),
    ],
    "the answer was lost: a receipt comes for a message that Kannel does not know": [
        (line("REJECTED Send SMS"), None),
        (line("Receive DLR", mask=16, text="NACK/0x00000045/Submit failed"), None),
        (
            line("FAILED Receive DLR", coming_from="+79991234567", to="shop", message_id="9"),
            Twin("refused", "2026-11-23 02:31:35", ""),
        ),
        (line("FAILED Receive DLR", coming_from="+79991234567", to="shop", message_id="9"), None),
    ],
    "the answer was lost, and the receipt comes first": [
        (line("FAILED Receive DLR", coming_from="79991234567", to="shop", message_id="9"), None),
        (line("REJECTED Send SMS"), Twin("unknown receipt", "2026-11-23 02:31:35", "9")),
        (line("Receive DLR", mask=16, text="NACK/"), Twin("unknown receipt", "2026-11-23 02:31:35", "9")),
    ],
    "a day later it belongs to something else": [
        (line("REJECTED Send SMS"), None),
        (line("FAILED Receive DLR", at="2026-11-24 02:31:36 ", coming_from="79991234567", to="shop"), None),
    ],
}


@pytest.mark.parametrize("story", STORIES)
def test_a_message_that_was_submitted_twice(story: str) -> None:
    refusals = Refusals()
    assert [refusals.take(entry(octets), 0.0) for octets, _ in STORIES[story]] == [twin for _, twin in STORIES[story]]


def test_without_stamps_the_moment_of_reading_counts() -> None:
    refusals = Refusals()
    assert refusals.take(entry(line(at="", message_id="7")), 100.0) is None
    assert refusals.take(entry(line("REJECTED Send SMS", at="")), 160.0) == Twin("sent", "", "7")
    assert refusals.take(entry(line("REJECTED Send SMS", at="")), 400.0) is None


@pytest.mark.parametrize(("mask", "without"), [(0, True), (1, True), (2, False), (16, False), (31, False), (-1, True)])
def test_a_refusal_has_a_receipt_where_one_was_asked_for(mask: int, without: bool) -> None:
    assert entry(line("REJECTED Send SMS", mask=mask)).without_receipt is without

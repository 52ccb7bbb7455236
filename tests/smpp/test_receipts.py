"""Delivery receipts: the usual form both ways, and everything else that SMSCs write."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kannelkit.smpp.constants import MessageState
from kannelkit.smpp.pdu import PduError
from kannelkit.smpp.receipts import Receipt, build_receipt, read_receipt

USUAL = Receipt("854019", "001", "001", "1108202241", "1108202241", "DELIVRD", "000")


@pytest.mark.parametrize(
    ("text", "receipt"),
    [
        (
            "id:854019 sub:001 dlvrd:001 submit date:1108202241 done date:1108202241 stat:DELIVRD err:000",
            USUAL,
        ),
        (
            "id:1 sub:001 dlvrd:000 submit date:2611221730 done date:2611221731 stat:UNDELIV err:251 text:Your code is",
            Receipt("1", "001", "000", "2611221730", "2611221731", "UNDELIV", "251", "Your code is"),
        ),
        (
            "id:855469 stat:DELIVRD err:000 imsi:250023012345678 cn:Russian+Federation rcn: rnet:",
            Receipt(
                "855469",
                stat="DELIVRD",
                err="000",
                other=(("imsi", "250023012345678"), ("cn", "Russian+Federation"), ("rcn", ""), ("rnet", "")),
            ),
        ),
        ("id:1 stat:EXPIRED text:stat:DELIVRD id:2", Receipt("1", stat="EXPIRED", text="stat:DELIVRD id:2")),
        ("id:1 stat:EXPIRED text: as it is ", Receipt("1", stat="EXPIRED", text=" as it is ")),
        ("stat:REJECTD", Receipt(stat="REJECTD")),
        ("id: stat:", Receipt("", stat="")),
        ("note id:1 stat:X", Receipt("1", stat="X", other=(("", "note"),))),
        ("id:1 stat:X id:2", Receipt("1", stat="X", other=(("id", "2"),))),
    ],
)
def test_both_ways(text: str, receipt: Receipt) -> None:
    assert read_receipt(text.encode()) == receipt
    assert build_receipt(receipt) == text.encode()


@pytest.mark.parametrize(
    ("text", "receipt"),
    [
        ("stat:DELIVRD id:1", Receipt("1", stat="DELIVRD")),
        (
            "ID:1 Stat:DELIVRD Submit Date:2611221730 Text:hi",
            Receipt("1", None, None, "2611221730", None, "DELIVRD", text="hi"),
        ),
        ("  id:1\tstat:DELIVRD\r\nerr:000\n", Receipt("1", stat="DELIVRD", err="000")),
        ("id:1 2 stat:DELIVRD", Receipt("1 2", stat="DELIVRD")),
        ("id:http://x stat:DELIVRD", Receipt("http://x", stat="DELIVRD")),
    ],
)
def test_other_forms_are_read(text: str, receipt: Receipt) -> None:
    assert read_receipt(text.encode()) == receipt


@pytest.mark.parametrize("text", ["", "hello", "text:id:1 stat:DELIVRD", "sub:001", "void:1 substat:2"])
def test_what_is_no_receipt(text: str) -> None:
    assert read_receipt(text.encode()) is None


@pytest.mark.parametrize(
    "receipt",
    [
        Receipt(),
        Receipt("1 stat:DELIVRD"),
        Receipt("1", stat=" DELIVRD"),
        Receipt("1", other=(("stat", "X"),)),
        Receipt("1", other=(("text", "X"),)),
        Receipt("1", other=(("two words", "X"),)),
        Receipt("1", text="я"),
    ],
)
def test_what_would_be_read_as_something_else_is_not_written(receipt: Receipt) -> None:
    with pytest.raises(PduError) as caught:
        build_receipt(receipt)
    assert caught.value.fault == "own"


@pytest.mark.parametrize(
    ("stat", "state"),
    [
        ("DELIVRD", MessageState.DELIVERED),
        ("undeliv", MessageState.UNDELIVERABLE),
        ("FAILED", None),
        (None, None),
    ],
)
def test_message_state(stat: str | None, state: MessageState | None) -> None:
    assert Receipt(stat=stat).message_state is state


WORD = st.from_regex(r"[A-Za-z0-9/.+-]*", fullmatch=True)


@settings(deadline=None)
@given(st.builds(Receipt, WORD, *[st.none() | WORD] * 4, WORD, st.none() | WORD, st.none() | st.text("a :\né")))
def test_a_receipt_comes_back(receipt: Receipt) -> None:
    assert read_receipt(build_receipt(receipt)) == receipt


@settings(deadline=None)
@given(st.lists(st.sampled_from(["id:", "stat:", "text:", "done date:", " ", "x", ":", "err:", "é", "\n"])))
def test_whatever_was_read_is_written_so_that_it_reads_the_same(pieces: list[str]) -> None:
    receipt = read_receipt("".join(pieces).encode("latin-1"))
    if receipt is not None:
        assert read_receipt(build_receipt(receipt)) == receipt

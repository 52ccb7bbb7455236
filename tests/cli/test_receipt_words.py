"""A receipt as a person and a program get it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kannelkit.cli.receipt_words import told
from kannelkit.gateway.receipts_in import Receipt

DELIVERED = "id:12 sub:001 dlvrd:001 submit date:1108202241 done date:1108202241 stat:DELIVRD err:000"
HLR = "id:12 stat:DELIVRD err:000 imsi:25001 msc:7923 mcc:250 mnc:02 cn:Russian+Federation net:MegaFON rcn: rnet:"


@pytest.mark.parametrize(
    ("kind", "text", "name", "words"),
    [
        (8, "ACK/", "accepted", "accepted by the SMSC"),
        (
            16,
            "NACK/0x0000000b/Invalid Destination Address",
            "refused",
            "refused by the SMSC: invalid destination address",
        ),
        (1, DELIVERED, "delivered", "delivered (id 12)"),
        (2, "id:12 stat:UNDELIV err:006", "undeliverable", "undeliverable: the handset is off"),
        (34, "id:12 stat:EXPIRED err:000", "expired", "expired before"),
        (1, HLR, "delivered", "delivered; IMSI of the SIM card 25001; service centre 7923; "),
        (2, "", "undeliverable", "undeliverable (id 12)"),
        (4, "who knows", "queued", "queued (id 12)"),
    ],
)
def test_a_receipt_in_words(kind: int, text: str, name: str, words: str) -> None:
    found = told(Receipt(1, kind, text, "12", "acc"))
    assert found.words.startswith(words)
    assert found.words.endswith("(id 12)")
    assert found.as_dict()["kind"] == name


def test_what_a_program_gets() -> None:
    plain = told(Receipt(7, 2, "id:12 stat:UNDELIV err:006", "12", "acc")).as_dict()
    assert (plain["state"], plain["err"], plain["final"], plain["id"], plain["hlr"]) == ("UNDELIV", 6, True, "12", None)
    assert told(Receipt(7, 1, HLR, "12", "acc")).as_dict()["hlr"]["country"] == "Russian Federation"


@given(st.integers(0, 255), st.text(max_size=200))
def test_any_receipt_has_words(kind: int, text: str) -> None:
    assert told(Receipt(1, kind, text, "", "")).as_dict()["words"]

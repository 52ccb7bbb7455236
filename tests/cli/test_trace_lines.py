"""A PDU of the relay's as a person reads it and as a program does; texts and passwords only where they may be seen."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from click import unstyle
from hypothesis import given
from hypothesis import strategies as st

from kannelkit.cli.trace_lines import Reading, line
from kannelkit.smpp.constants import CommandId, CommandStatus, Tag
from kannelkit.smpp.pdu import Pdu, Tlv, encode
from tests.simulator.esme import message

AT = 1_795_345_445.25
CONCATENATED = b"\x05\x00\x03\x2a\x03\x02"
RECEIPT = b"id:854019 sub:001 dlvrd:001 submit date:1108202241 done date:1108202241 stat:DELIVRD err:000 text:se cret"


def told(pdu: Pdu | bytes, side: str = "provider", *, came: bool = True, other: int | None = None) -> dict[str, Any]:
    octets = pdu if isinstance(pdu, bytes) else encode(pdu)
    return {"at": AT, "side": side, "connection": 1, "came": came, "other": other, "pdu": octets.hex()}


def read(*lines: dict[str, Any], texts: bool = False) -> list[str]:
    """Return what is behind the time of each line."""
    reading = Reading(texts=texts)
    return [unstyle(line(reading.read(each))).partition("  ")[2] for each in lines]


SUBMIT = Pdu(CommandId.SUBMIT_SM, 0, 17, {**message(b"se cret"), "priority_flag": 1})
LONG = Pdu(CommandId.SUBMIT_SM, 0, 17, {**message(CONCATENATED + "тайна".encode("utf-16-be")), "esm_class": 0x40})
LONG.fields["data_coding"] = 8
PAYLOAD = Pdu(CommandId.DATA_SM, 0, 17, {"destination_addr": b"7999"}, [Tlv(Tag.MESSAGE_PAYLOAD, b"se cret")])
DELIVER = Pdu(
    CommandId.DELIVER_SM,
    0,
    5,
    {"source_addr": b"79991234567", "destination_addr": b"shop", "esm_class": 4, "short_message": RECEIPT},
    [Tlv(Tag.RECEIPTED_MESSAGE_ID, b"854019\0"), Tlv(0x2000, b"1.2500\0"), Tlv(0x2001, b"\x00\x20")],
)

LINES = {
    "a submit": (
        told(SUBMIT, "bearerbox"),
        "bearerbox 1 -> relay     submit_sm             17                  shop -> 79991234567  source_addr_ton=5"
        "  dest_addr_ton=1  dest_addr_npi=1  priority_flag=1  text of 7 octets",
        "text: se cret",
    ),
    "part of a long one": (
        told(LONG, came=False, other=3),
        "relay -> provider 1      submit_sm             17 (3)              shop -> 79991234567  source_addr_ton=5"
        "  dest_addr_ton=1  dest_addr_npi=1  esm_class=64  data_coding=8  part 2 of 3 (42), text of 16 octets",
        "part 2 of 3 (42), text: тайна",
    ),
    "a message_payload": (
        told(PAYLOAD),
        "provider 1 -> relay      data_sm               17                  (none) -> 7999  text of 7 octets",
        "text: se cret",
    ),
    "a receipt": (
        told(DELIVER),
        "provider 1 -> relay      deliver_sm            5                   79991234567 -> shop  esm_class=4"
        "  receipted_message_id=854019  0x2000=1.2500  0x2001=0020  receipt: message_id=854019 sub=001 dlvrd=001"
        " submit_date=1108202241 done_date=1108202241 stat=DELIVRD err=000 text=***",
        "text=se cret",
    ),
    "a refusal": (
        told(Pdu(CommandId.SUBMIT_SM_RESP, CommandStatus.ESME_RTHROTTLED, 17)),
        "provider 1 -> relay      submit_sm_resp        17                  ESME_RTHROTTLED "
        f"({CommandStatus.ESME_RTHROTTLED.description})",
        "",
    ),
    "a status without a name": (
        told(Pdu(CommandId.SUBMIT_SM_RESP, 0x0451, 17)),
        "provider 1 -> relay      submit_sm_resp        17                  vendor status 0x00000451",
        "",
    ),
    "a sign of life": (told(Pdu(CommandId.ENQUIRE_LINK, 0, 1)), "provider 1 -> relay      enquire_link          1", ""),
    "an event": (
        {"at": AT, "side": "provider", "connection": 2, "event": "connection ended: unbound\x1b[2J"},
        "provider 2: connection ended: unbound\\x1b[2J",
        "",
    ),
}


@pytest.mark.parametrize("what", LINES)
def test_a_line_says_what_passed_and_leaves_the_text_out(what: str) -> None:
    given_line, masked, with_texts = LINES[what]
    assert read(given_line) == [masked]
    assert "cret" not in json.dumps(Reading(texts=False).read(given_line))
    (whole,) = read(given_line, texts=True)
    assert whole.endswith(with_texts)


def test_a_response_has_the_number_of_its_other_side() -> None:
    answer = Pdu(CommandId.SUBMIT_SM_RESP, 0, 1043, {"message_id": b"8f3"})
    handed_on = Pdu(CommandId.SUBMIT_SM_RESP, 0, 17, {"message_id": b"8f3"})
    came = told(answer, other=17)
    went = told(handed_on, "bearerbox", came=False)
    ends = [re.sub(r" +", " ", each).partition("submit_sm_resp ")[2] for each in read(came, went, went)]
    assert ends == ["1043 (17) ok message_id=8f3", "17 (1043) ok message_id=8f3", "17 ok message_id=8f3"]


def test_what_cannot_be_decoded_is_shown_in_hex_as_far_as_no_text_is_in_it() -> None:
    cut = b"\0\0\0\x14\0\0\0\x04\0\0\0\0\0\0\0\x09se c"
    (masked,) = read(told(cut))
    assert masked.splitlines()[1:] == [
        "      0000  00 00 00 14 00 00 00 04 00 00 00 00 00 00 00 09  ................",
        "      and 4 octets more, which --texts shows",
    ]
    (whole,) = read(told(cut), texts=True)
    assert whole.splitlines()[2] == "      0010  73 65 20 63                                      se c"


def test_lines_that_are_missing_are_counted() -> None:
    assert unstyle(line(Reading(texts=False).read({"lost": 1234}))) == (
        "1,234 lines are missing: they were not read in time"
    )


@given(st.sampled_from(list(CommandId)), st.binary(max_size=120), st.booleans(), st.booleans())
def test_any_octets_become_lines_that_a_terminal_can_be_given(
    command: CommandId, body: bytes, came: bool, texts: bool
) -> None:
    octets = (16 + len(body)).to_bytes(4, "big") + int(command).to_bytes(4, "big") + b"\0\0\0\0\0\0\0\x07" + body
    found = Reading(texts=texts).read(told(octets, came=came))
    assert json.loads(json.dumps(found)) == found
    assert all(each.isprintable() for each in unstyle(line(found)).splitlines())

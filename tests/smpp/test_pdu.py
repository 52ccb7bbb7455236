"""The codec against written cases: octets and values, both ways, and what is refused with which status."""

from __future__ import annotations

import struct
from typing import Any, cast

import pytest

from kannelkit.smpp.commands import COMMANDS
from kannelkit.smpp.constants import CommandId, CommandStatus, Tag
from kannelkit.smpp.pdu import (
    DistributionList,
    Pdu,
    PduError,
    SmeAddress,
    Tlv,
    UnsuccessSme,
    answer,
    decode,
    encode,
)


def test_octets_become_the_values(octets: bytes, pdu: Pdu) -> None:
    assert decode(octets) == pdu


def test_values_become_the_octets(octets: bytes, pdu: Pdu) -> None:
    assert encode(pdu) == octets


def test_every_prefix_is_refused_or_means_itself(octets: bytes, pdu: Pdu) -> None:
    told = set()
    for length in range(16, len(octets)):
        cut = struct.pack(">I", length) + octets[4:length]
        try:
            assert encode(decode(cut)) == cut
        except PduError as error:
            told.add((error.command_id, error.sequence_number, error.fault))
    assert told <= {(pdu.command_id, pdu.sequence_number, "peer")}
    for length in range(16):
        with pytest.raises(PduError):
            decode(octets[:length])


def test_refused_with_the_status_that_says_why(malformed: bytes, status: str, answered_with: int | None) -> None:
    with pytest.raises(PduError) as caught:
        decode(malformed)
    error = caught.value
    assert error.command_status == CommandStatus[status]
    assert error.fault == "peer"
    _, command_id, _, sequence_number = struct.unpack(">IIII", malformed[:16])
    assert (error.command_id, error.sequence_number) == (command_id, sequence_number)
    reply = answer(error)
    assert (reply.command_id if reply else None) == answered_with
    if reply:
        assert encode(reply) == struct.pack(">IIII", 16, reply.command_id, CommandStatus[status], sequence_number), (
            "a refusal is a header alone"
        )


def test_every_command_has_a_case(cases_of_pdus: list[Pdu]) -> None:
    assert {pdu.command_id for pdu in cases_of_pdus} >= set(COMMANDS) == {int(command) for command in CommandId}


@pytest.mark.parametrize(
    ("command_id", "fields", "status"),
    [
        (CommandId.BIND_TRANSMITTER, {"system_id": b"1234567890123456"}, CommandStatus.ESME_RINVSYSID),
        (CommandId.BIND_TRANSMITTER, {"password": b"123456789"}, CommandStatus.ESME_RINVPASWD),
        (CommandId.BIND_TRANSMITTER, {"system_type": b"ISO\0"}, CommandStatus.ESME_RINVSYSTYP),
        (CommandId.BIND_TRANSMITTER, {"address_range": b"1" * 41}, CommandStatus.ESME_RINVCMDLEN),
        (CommandId.BIND_TRANSMITTER, {"interface_version": 256}, CommandStatus.ESME_RINVCMDLEN),
        (CommandId.BIND_TRANSMITTER, {"interface_version": -1}, CommandStatus.ESME_RINVCMDLEN),
        (CommandId.BIND_TRANSMITTER, {"interface_version": b"4"}, CommandStatus.ESME_RINVCMDLEN),
        (CommandId.BIND_TRANSMITTER, {"system_id": 5}, CommandStatus.ESME_RINVSYSID),
        (CommandId.BIND_TRANSMITTER, {"system_id": "text"}, CommandStatus.ESME_RINVSYSID),
        (CommandId.BIND_TRANSMITTER, {"sytem_id": b""}, CommandStatus.ESME_RINVCMDLEN),
        (CommandId.SUBMIT_SM, {"short_message": b"1" * 256}, CommandStatus.ESME_RINVMSGLEN),
        (CommandId.SUBMIT_SM, {"short_message": 1}, CommandStatus.ESME_RINVMSGLEN),
        (CommandId.SUBMIT_SM, {"sm_length": 1}, CommandStatus.ESME_RINVCMDLEN),
        (CommandId.SUBMIT_SM, {"validity_period": b"1"}, CommandStatus.ESME_RINVEXPIRY),
        (CommandId.SUBMIT_SM, {"schedule_delivery_time": b"1" * 17}, CommandStatus.ESME_RINVSCHED),
        (CommandId.SUBMIT_MULTI, {}, CommandStatus.ESME_RINVNUMDESTS),
        (CommandId.SUBMIT_MULTI, {"dest_address": b"7"}, CommandStatus.ESME_RINVNUMDESTS),
        (CommandId.SUBMIT_MULTI, {"dest_address": [SmeAddress(1, 1, b"7")] * 256}, CommandStatus.ESME_RINVNUMDESTS),
        (CommandId.SUBMIT_MULTI, {"dest_address": [UnsuccessSme(1, 1, b"7", 0)]}, CommandStatus.ESME_RINVNUMDESTS),
        (CommandId.SUBMIT_MULTI, {"dest_address": [SmeAddress(256, 1, b"7")]}, CommandStatus.ESME_RINVDSTADR),
        (CommandId.SUBMIT_MULTI, {"dest_address": [SmeAddress(1, 1, b"7" * 21)]}, CommandStatus.ESME_RINVDSTADR),
        (CommandId.SUBMIT_MULTI, {"dest_address": [DistributionList(b"\0")]}, CommandStatus.ESME_RINVDLNAME),
        (
            CommandId.SUBMIT_MULTI_RESP,
            {"unsuccess_sme": [UnsuccessSme(1, 1, b"7", 1 << 32)]},
            CommandStatus.ESME_RINVNUMDESTS,
        ),
        (CommandId.SUBMIT_MULTI_RESP, {"unsuccess_sme": [SmeAddress(1, 1, b"7")]}, CommandStatus.ESME_RINVNUMDESTS),
        (CommandId.SUBMIT_MULTI_RESP, {"unsuccess_sme": [DistributionList(b"7")]}, CommandStatus.ESME_RINVNUMDESTS),
    ],
)
def test_what_the_wire_cannot_hold_is_not_written(command_id: int, fields: dict[str, Any], status: int) -> None:
    with pytest.raises(PduError) as caught:
        encode(Pdu(command_id, 0, 7, fields))
    assert (caught.value.command_status, caught.value.fault) == (status, "own")
    assert answer(caught.value) is None


@pytest.mark.parametrize(
    "pdu",
    [
        Pdu(CommandId.ENQUIRE_LINK, 0, 1 << 32),
        Pdu(CommandId.ENQUIRE_LINK, -1, 1),
        Pdu(CommandId.ENQUIRE_LINK, 0, 1, body=b""),
        Pdu(0x0000FFFF, 0, 1),
        Pdu(0x0000FFFF, 0, 1, {"system_id": b""}, body=b""),
        Pdu(0x0000FFFF, 0, 1, tlvs=[Tlv(1, b"")], body=b""),
        Pdu(1 << 32, 0, 1, body=b""),
    ],
    ids=str,
)
def test_a_pdu_that_contradicts_itself_is_not_written(pdu: Pdu) -> None:
    with pytest.raises(PduError) as caught:
        encode(pdu)
    assert caught.value.fault == "own"


@pytest.mark.parametrize(
    "tlv",
    [Tlv(0x10000, b""), Tlv(-1, b""), Tlv(1, bytes(65536)), Tlv(1, cast("bytes", "text"))],
    ids=lambda tlv: tlv.tag,
)
def test_a_tlv_that_does_not_fit_is_not_written(tlv: Tlv) -> None:
    with pytest.raises(PduError) as caught:
        encode(Pdu(CommandId.ENQUIRE_LINK, 0, 1, tlvs=[tlv]))
    assert (caught.value.command_status, caught.value.fault) == (CommandStatus.ESME_RINVTLVLEN, "own")


def test_fields_that_are_not_given_are_zero_or_empty() -> None:
    found = decode(encode(Pdu(CommandId.SUBMIT_SM, 0, 1, {"destination_addr": b"7999"})))
    assert found.octets("destination_addr") == b"7999"
    assert found.octets("short_message") == b""
    assert found.number("data_coding") == 0


def test_a_refused_response_may_still_carry_tlvs() -> None:
    pdu = Pdu(CommandId.SUBMIT_SM_RESP, 0x58, 1, {"message_id": b""}, [Tlv(Tag.CONGESTION_STATE, b"\x5a")])
    assert decode(encode(pdu)) == pdu


def test_the_message_is_in_the_payload_where_short_message_is_empty() -> None:
    payload = Tlv(Tag.MESSAGE_PAYLOAD, b"long")
    assert Pdu(CommandId.SUBMIT_SM, fields={"short_message": b"short"}, tlvs=[payload]).message() == b"short"
    assert Pdu(CommandId.SUBMIT_SM, fields={"short_message": b""}, tlvs=[payload]).message() == b"long"
    assert Pdu(CommandId.DATA_SM, tlvs=[payload]).message() == b"long"
    assert Pdu(CommandId.DATA_SM).message() == b""


def test_a_password_is_not_shown() -> None:
    pdu = Pdu(CommandId.BIND_TRANSCEIVER, 0, 1, {"system_id": b"login", "password": b"secret1"})
    assert "secret1" not in repr(pdu)
    assert repr(pdu) == (
        "Pdu(bind_transceiver, ESME_ROK, 1, {'system_id': b'login', 'password': '***'}, [], body=None)"
    )


def test_no_error_shows_a_value() -> None:
    with pytest.raises(PduError) as caught:
        encode(Pdu(CommandId.OUTBIND, fields={"password": b"much too long"}))
    assert "much" not in str(caught.value)


def test_a_field_of_another_type_is_not_given_out() -> None:
    pdu = Pdu(CommandId.SUBMIT_SM, fields={"data_coding": 8, "source_addr": b"test"})
    with pytest.raises(TypeError):
        pdu.number("source_addr")
    with pytest.raises(TypeError):
        pdu.octets("data_coding")
    with pytest.raises(KeyError):
        pdu.octets("destination_addr")
    assert pdu.name == "submit_sm"

"""Every PDU is the same on both sides of the relay, octet for octet, but for its sequence number."""

from __future__ import annotations

from pathlib import Path

import pytest

from kannelkit.relay.octets import HEADER, numbered
from kannelkit.smpp.constants import RESPONSE, CommandId, CommandStatus, Tag
from kannelkit.smpp.pdu import FieldValue, Pdu, Tlv, decode, encode
from tests.relay.running import NAME, PASSWORD, account, bound, running
from tests.relay.scripted import Scripted
from tests.simulator.esme import Esme, message

ODD = [
    Tlv(0x1401, b"own"),
    Tlv(Tag.MESSAGE_PAYLOAD, b"a long one"),
    Tlv(0x1401, b""),
    Tlv(Tag.ITS_SESSION_INFO, b"\1\2"),
]


def unknown(command_id: int, body: bytes = b"whatever") -> bytes:
    return HEADER.pack(16 + len(body), command_id, 0, 0) + body


REQUESTS = {
    "submit_sm": encode(Pdu(CommandId.SUBMIT_SM, 0, 0, message(b""), ODD)),
    "an urgent submit_sm": encode(Pdu(CommandId.SUBMIT_SM, 0, 0, {**message(b"code"), "priority_flag": 3})),
    "data_sm": encode(Pdu(CommandId.DATA_SM, 0, 0, {"destination_addr": b"7999"}, ODD)),
    "query_sm": encode(Pdu(CommandId.QUERY_SM, 0, 0, {"message_id": b"17", "source_addr": b"shop"})),
    "cancel_sm": encode(Pdu(CommandId.CANCEL_SM, 0, 0, {"message_id": b"17"})),
    "replace_sm": encode(Pdu(CommandId.REPLACE_SM, 0, 0, {"message_id": b"17", "short_message": b"new"})),
    "a command of its own": unknown(0x00010201),
    "an unknown one without a body": unknown(0x00000199, b""),
    "a status in a request": HEADER.pack(16, CommandId.QUERY_SM, 0x58, 0),
}


@pytest.mark.parametrize("what", REQUESTS)
async def test_a_request_of_bearerbox_s_and_its_answer(what: str, tmp_path: Path) -> None:
    frame = REQUESTS[what]
    command_id = HEADER.unpack_from(frame)[1]

    def answer(_: int, number: int) -> bytes:
        body = b"17\0\x14\x01\0\4more"
        return HEADER.pack(16 + len(body), command_id | RESPONSE, 0x0451, number) + body

    async with Scripted(answer) as provider, running(tmp_path, account(provider.port)) as relay, bound(relay) as esme:
        esme.writer.write(numbered(frame, 0x01020304))
        (came,) = await provider.come(1)
        assert numbered(came, 0) == frame
        octets = await esme.reader.readexactly(16 + 11)
        assert octets == answer(0, 0x01020304)


DELIVERED = {
    "deliver_sm": encode(Pdu(CommandId.DELIVER_SM, 0, 0, {**message(b"STOP"), "esm_class": 4}, ODD)),
    "data_sm": encode(Pdu(CommandId.DATA_SM, 0, 0, {"destination_addr": b"shop"}, ODD)),
    "a command of its own": unknown(0x00010202),
}


@pytest.mark.parametrize("what", DELIVERED)
async def test_a_request_of_the_provider_s_and_its_answer(what: str, tmp_path: Path) -> None:
    frame = DELIVERED[what]
    async with Scripted() as provider, running(tmp_path, account(provider.port)) as relay, bound(relay) as esme:
        provider.send(numbered(frame, 0x7FFFFFFF))
        octets = await esme.reader.readexactly(len(frame))
        assert numbered(octets, 0) == frame
        number = HEADER.unpack_from(octets)[3]
        answer = (
            HEADER.pack(16 + 4, HEADER.unpack_from(frame)[1] | RESPONSE, CommandStatus.ESME_RX_R_APPN, number)
            + b"abc\0"
        )
        esme.writer.write(answer)
        (came,) = await provider.come(1)
        assert came == numbered(answer, 0x7FFFFFFF)


async def test_what_has_no_answer_passes_and_is_not_waited_for(tmp_path: Path) -> None:
    alert = encode(Pdu(CommandId.ALERT_NOTIFICATION, 0, 0, {"source_addr": b"79991234567", "esme_addr": b"shop"}))
    async with Scripted() as provider, running(tmp_path, account(provider.port)) as relay, bound(relay) as esme:
        for number in (7, 8):
            provider.send(numbered(alert, number))
            assert numbered(await esme.reader.readexactly(len(alert)), 0) == alert
        assert relay.accounts[NAME].counts.delivered == 2
        provider.send(numbered(DELIVERED["deliver_sm"], 9))
        assert (await esme.receive()).command_id == CommandId.DELIVER_SM


@pytest.mark.parametrize(
    "command_id", [CommandId.BIND_TRANSCEIVER, CommandId.BIND_RECEIVER, CommandId.BIND_TRANSMITTER]
)
@pytest.mark.parametrize("version", [0x33, 0x34, 0x50])
async def test_a_bind_has_bearerbox_s_kind_version_and_range_and_the_provider_s_answer(
    command_id: CommandId, version: int, tmp_path: Path
) -> None:
    tlvs = [Tlv(Tag.SC_INTERFACE_VERSION, b"\x50"), Tlv(0x1400, b"own")]
    asked: dict[str, FieldValue] = {
        "system_type": b"ISO",
        "interface_version": version,
        "addr_ton": 1,
        "addr_npi": 1,
        "address_range": b"7999",
    }
    async with (
        Scripted(fields={"system_id": b"SMSC of theirs"}, tlvs=tlvs) as provider,
        running(tmp_path, account(provider.port)) as relay,
        Esme(relay.ports[NAME]) as esme,
    ):
        esme.send(command_id, {"system_id": NAME.encode(), "password": PASSWORD, **asked}, sequence_number=99)
        answer = await esme.receive()
        assert (answer.command_id, answer.command_status) == (command_id | RESPONSE, 0)
        assert (answer.sequence_number, answer.octets("system_id"), answer.tlvs) == (99, b"SMSC of theirs", tlvs)
        bind = decode(provider.binds[0])
        assert {name: bind.fields[name] for name in asked} == asked
        assert (bind.command_id, bind.octets("system_id"), bind.octets("password")) == (command_id, b"test", b"test")


async def test_what_is_no_submit_waits_for_no_turn(tmp_path: Path) -> None:
    async with Scripted() as provider, running(tmp_path, account(provider.port)) as relay, bound(relay) as esme:
        relay.accounts[NAME].pacer.pause(True)
        submits = {esme.submit(b"m%d" % each) for each in range(20)}
        asked = esme.send(CommandId.CANCEL_SM, {"message_id": b"17"})
        assert (await esme.receive()).sequence_number == asked
        relay.accounts[NAME].pacer.pause(False)
        assert {(await esme.receive()).sequence_number for _ in submits} == submits
        assert relay.accounts[NAME].counts.arrived == len(submits)

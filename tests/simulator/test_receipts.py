"""Delivery receipts: who gets one, what is in it, how many at a time, and that none is lost."""

from __future__ import annotations

import re

import pytest

from kannelkit.simulator import AccountRules, Behaviour, Bounds, Simulator
from kannelkit.smpp.constants import CommandId, CommandStatus, EsmClass, Tag
from kannelkit.smpp.pdu import Pdu
from tests.simulator.esme import Esme, message

AT_ONCE = Behaviour(receipt_delay=0)
ACCOUNT = AccountRules("test", "test", limit=None)

TEXT = re.compile(rb"id:(?P<id>\d+) sub:001 dlvrd:001 submit date:\d{10} done date:\d{10} stat:DELIVRD err:000")


async def test_receipt_says_which_message_was_delivered() -> None:
    async with Simulator([ACCOUNT], AT_ONCE) as smsc, Esme(smsc.port) as esme:
        await esme.bind()
        message_id = (await esme.submit_and_wait(receipt=True)).octets("message_id")
        receipt = await esme.receive()
        assert receipt.command_id == CommandId.DELIVER_SM
        assert receipt.number("esm_class") == EsmClass.DELIVERY_RECEIPT
        assert (receipt.octets("source_addr"), receipt.octets("destination_addr")) == (b"79991234567", b"shop")
        assert (receipt.number("source_addr_ton"), receipt.number("dest_addr_ton")) == (1, 5)
        found = TEXT.fullmatch(receipt.octets("short_message"))
        assert found is not None
        assert found["id"] == message_id
        assert receipt.tlv(Tag.RECEIPTED_MESSAGE_ID) == message_id + b"\0"
        assert receipt.tlv(Tag.MESSAGE_STATE) == b"\2"
        assert receipt.tlv(Tag.NETWORK_ERROR_CODE) == b"\3\0\0"


@pytest.mark.parametrize(
    ("registered_delivery", "wanted"), [(0, False), (1, True), (2, False), (3, True), (0x10, False), (0x11, True)]
)
async def test_only_who_asks_gets_one(registered_delivery: int, wanted: bool) -> None:
    async with Simulator([ACCOUNT], AT_ONCE) as smsc, Esme(smsc.port) as esme:
        await esme.bind()
        await esme.ask(CommandId.SUBMIT_SM, {**message(b"a"), "registered_delivery": registered_delivery})
        await esme.submit_and_wait(b"b", receipt=True)  # whose receipt comes last
        receipts = [await esme.receive() for _ in range(1 + wanted)]
        assert [b"id:%d " % number in each.message() for number, each in zip((2, 1), reversed(receipts), strict=False)]
        assert len(smsc.account("test").receipts) == 1 + wanted


async def test_at_most_five_wait_for_their_acknowledgement() -> None:
    async with Simulator([ACCOUNT], AT_ONCE) as smsc, Esme(smsc.port) as esme:
        await esme.bind()
        for number in range(12):
            esme.submit(b"%d" % number, receipt=True)
        got: list[Pdu] = []
        while len(got) < 12:
            received = await esme.receive()
            if received.command_id != CommandId.DELIVER_SM:
                continue
            got.append(received)
            if len(got) < 5:
                continue
            # five wait now: a sixth would come before the answer to this
            enquiry = esme.send(CommandId.ENQUIRE_LINK)
            assert (await esme.receive()).sequence_number == enquiry
            esme.send(CommandId.DELIVER_SM_RESP, sequence_number=got[len(got) - 5].sequence_number)
        assert [each.message().split()[0] for each in got] == [b"id:%d" % number for number in range(1, 13)]


async def test_receipts_wait_for_a_client_that_can_receive() -> None:
    async with Simulator([ACCOUNT], AT_ONCE) as smsc:
        async with Esme(smsc.port) as esme:
            await esme.bind(command_id=CommandId.BIND_TRANSMITTER)
            for number in range(3):
                assert (await esme.submit_and_wait(b"%d" % number, receipt=True)).command_status == 0
            assert (await esme.ask(CommandId.UNBIND)).command_id == CommandId.UNBIND_RESP
        async with Esme(smsc.port) as esme:
            await esme.bind(command_id=CommandId.BIND_RECEIVER)
            assert [(await esme.receive()).message()[:5] for _ in range(3)] == [b"id:1 ", b"id:2 ", b"id:3 "]


async def test_unacknowledged_receipts_come_again_on_the_next_connection() -> None:
    async with Simulator([ACCOUNT], AT_ONCE) as smsc:
        async with Esme(smsc.port) as esme:
            await esme.bind()
            for number in range(7):
                esme.submit(b"%d" % number, receipt=True)
            seen = [await esme.receive() for _ in range(12)]
            receipts = [each for each in seen if each.command_id == CommandId.DELIVER_SM]
            assert len(receipts) == 5
            esme.send(CommandId.DELIVER_SM_RESP, sequence_number=receipts[0].sequence_number)
            await esme.receive()
        async with Esme(smsc.port) as esme:
            await esme.bind()
            got = [(await esme.receive()).message().split()[0] for _ in range(5)]
            assert got == [b"id:%d" % number for number in range(2, 7)]


@pytest.mark.parametrize(
    ("status", "acknowledged", "dropped", "waiting"),
    [
        (0, 1, 0, 0),
        (CommandStatus.ESME_RINVDSTADR, 0, 1, 0),
        (CommandStatus.ESME_RX_T_APPN, 0, 0, 1),  # a temporary fault of the client: it is sent again
    ],
)
async def test_acknowledgement_decides(status: int, acknowledged: int, dropped: int, waiting: int) -> None:
    async with Simulator([ACCOUNT], AT_ONCE) as smsc, Esme(smsc.port) as esme:
        await esme.bind()
        await esme.submit_and_wait(receipt=True)
        receipt = await esme.receive()
        esme.send(CommandId.DELIVER_SM_RESP, sequence_number=receipt.sequence_number, status=status)
        await esme.ask(CommandId.ENQUIRE_LINK)
        account = smsc.account("test")
        assert (account.counters.receipts_acknowledged, account.counters.receipts_dropped) == (acknowledged, dropped)
        assert len(account.receipts) == waiting


async def test_acknowledgement_of_nothing_is_nothing() -> None:
    async with Simulator([ACCOUNT], AT_ONCE) as smsc, Esme(smsc.port) as esme:
        await esme.bind()
        esme.send(CommandId.DELIVER_SM_RESP, sequence_number=99)
        assert (await esme.submit_and_wait()).command_status == 0
        assert smsc.account("test").counters.receipts_acknowledged == 0


async def test_receipts_go_round_the_connections() -> None:
    async with Simulator([ACCOUNT], AT_ONCE) as smsc, Esme(smsc.port) as one, Esme(smsc.port) as two:
        await one.bind(system_type=b"MCON2", command_id=CommandId.BIND_RECEIVER)
        await two.bind(system_type=b"MCON2")
        for number in range(4):
            two.submit(b"%d" % number, receipt=True)
        assert [(await one.receive()).command_id for _ in range(2)] == [CommandId.DELIVER_SM] * 2


async def test_beyond_what_is_kept_the_oldest_is_dropped() -> None:
    async with Simulator([ACCOUNT], AT_ONCE, bounds=Bounds(receipts=3)) as smsc:
        async with Esme(smsc.port) as esme:
            await esme.bind(command_id=CommandId.BIND_TRANSMITTER)
            for number in range(5):
                await esme.submit_and_wait(b"%d" % number, receipt=True)
        assert smsc.account("test").counters.receipts_dropped == 2
        async with Esme(smsc.port) as esme:
            await esme.bind()
            assert [(await esme.receive()).message()[:5] for _ in range(3)] == [b"id:3 ", b"id:4 ", b"id:5 "]

"""Whatever comes in, the simulator goes on and holds no more than it must."""

from __future__ import annotations

import asyncio
import json
import socket
import struct

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kannelkit.simulator import AccountRules, Behaviour, Bounds, Simulator
from kannelkit.smpp.constants import CommandId, CommandStatus, Tag
from kannelkit.smpp.pdu import Pdu, Tlv, encode
from tests.harness.waiting import turn
from tests.simulator.esme import Esme, Fields, message
from tests.simulator.test_time import settle

SUBMIT = encode(Pdu(CommandId.SUBMIT_SM, sequence_number=9, fields=message(b"hello")))
BIND = encode(Pdu(CommandId.BIND_TRANSCEIVER, sequence_number=1, fields={"system_id": b"test", "password": b"test"}))
STUCK = 0.5  # seconds without an octet taken


async def still_good(smsc: Simulator) -> None:
    """Assert that a well-behaved client is served."""
    async with Esme(smsc.port) as esme:
        assert (await esme.bind()).command_status == 0
        assert (await esme.ask(CommandId.ENQUIRE_LINK)).command_status == 0


def pdus(octets: bytes) -> bytes:
    return struct.pack(">I", len(octets) + 4) + octets


GARBAGE = st.lists(
    st.one_of(
        st.binary(max_size=100),
        st.binary(min_size=12, max_size=100).map(pdus),
        st.tuples(
            st.sampled_from([int(command_id) for command_id in CommandId]), st.integers(0, 9), st.binary(max_size=60)
        ).map(lambda parts: pdus(struct.pack(">III", parts[0], parts[1], 7) + parts[2])),
        st.just(BIND),
        st.tuples(st.integers(0, len(SUBMIT) - 1), st.integers(0, 255)).map(
            lambda change: SUBMIT[: change[0]] + bytes((change[1],)) + SUBMIT[change[0] + 1 :]
        ),
    ),
    max_size=30,
).map(b"".join)


@given(GARBAGE, st.booleans())
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_garbage_harms_nobody_else(garbage: bytes, bound: bool) -> None:
    async def meet() -> None:
        faults: list[object] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: faults.append(context))
        async with Simulator([AccountRules("test", "test", limit=None, binds=9)]) as smsc:
            async with Esme(smsc.port) as esme:
                if bound:
                    await esme.bind()
                esme.writer.write(garbage)
                esme.writer.write_eof()
                await esme.ended()
            await still_good(smsc)
        assert faults == []

    asyncio.run(meet())


BEGINNINGS = [
    b"",
    b"__",
    b"\x11\x11HLR\x11\x11",
    b"__HLR__",
    b"__TGM__: ",
    b"__CALL__: a\nvoice:",
    b"\0_\0_",
    b"\5\0\3\1\2\1",
]
TAGS = [Tag.SAR_MSG_REF_NUM, Tag.SAR_TOTAL_SEGMENTS, Tag.SAR_SEGMENT_SEQNUM, Tag.MESSAGE_PAYLOAD, 0x2001]
SUBMITS = st.lists(
    st.builds(
        lambda fields, beginning, rest, tlvs: (
            {**fields, "destination_addr": fields["destination_addr"] or b"7", "short_message": beginning + rest},
            tlvs,
        ),
        st.fixed_dictionaries(
            {
                "source_addr": st.binary(max_size=20).map(lambda address: address.replace(b"\0", b"_")),
                "destination_addr": st.binary(max_size=20).map(lambda address: address.replace(b"\0", b"%")),
                "esm_class": st.sampled_from([0, 3, 0x40, 0x43, 0xFF]),
                "data_coding": st.sampled_from([0, 3, 4, 8, 0x10, 0xF5]),
                "registered_delivery": st.integers(0, 31),
                "priority_flag": st.integers(0, 255),
            }
        ),
        st.sampled_from(BEGINNINGS),
        st.just(b"") | st.binary(max_size=200),
        st.lists(st.builds(Tlv, st.sampled_from(TAGS), st.binary(max_size=4)), max_size=4),
    ),
    min_size=1,
    max_size=15,
)


@given(SUBMITS, st.sampled_from([b"", b"ISO", b"SINGLE", b"ISO,SINGLE"]), st.sampled_from([None, 1000]))
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_whatever_is_submitted_is_kept_and_told(
    submits: list[tuple[Fields, list[Tlv]]], flags: bytes, delivery_rate: int | None
) -> None:
    async def meet() -> None:
        faults: list[object] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: faults.append(context))
        rules = AccountRules("test", "test", limit=None, delivery_rate=delivery_rate)
        outcomes = ["share=0.3,err=1"]
        behaviour = Behaviour(receipt_delay=0, receipt_window=1000)
        async with Simulator([rules], behaviour, outcomes=outcomes, seed=1) as smsc, Esme(smsc.port) as esme:
            told: list[int] = []
            smsc.statuses = lambda account, message: told.append(message.id)
            await esme.bind(system_type=flags)
            for number, (fields, tlvs) in enumerate(submits, 100):
                esme.writer.write(encode(Pdu(CommandId.SUBMIT_SM, 0, number, fields, tlvs)))
            statuses: dict[int, int] = {}
            while len(statuses) < len(submits):
                received = await esme.receive()
                if received.command_id == CommandId.SUBMIT_SM_RESP:
                    statuses[received.sequence_number] = received.command_status
            assert set(statuses.values()) <= {0, CommandStatus.ESME_RSUBMITFAIL}
            smsc.change_account("test", {"delivery-rate": "none"})
            smsc.change_behaviour({"parts_within": 1e-9})
            await settle()
            account = smsc.account("test")
            messages = account.recent(100)
            json.dumps([each.as_dict(smsc.clock) for each in messages])
            assert all(each.state(smsc.clock.now()) != "ENROUTE" for each in messages)
            asked = [each for each in messages if each.registered & 3]
            assert sorted(told) == sorted(each.id for each in messages if each not in asked)
        assert faults == []

    asyncio.run(meet())


@pytest.mark.parametrize("length", [0, 1, 15, 100_000, 0x80000000, 0xFFFFFFFF])
async def test_impossible_length_is_said_and_the_connection_closed(length: int) -> None:
    async with Simulator() as smsc, Esme(smsc.port) as esme:
        esme.writer.write(struct.pack(">IIII", length, CommandId.SUBMIT_SM, 0, 5))
        answer = await esme.receive()
        assert (answer.command_id, answer.command_status) == (CommandId.GENERIC_NACK, CommandStatus.ESME_RINVCMDLEN)
        assert await esme.ended() == b""
        await still_good(smsc)


async def test_good_pdus_before_a_bad_length_are_answered() -> None:
    async with Simulator() as smsc, Esme(smsc.port) as esme:
        await esme.bind()
        esme.writer.write(SUBMIT + b"\0\0\0\1garbage garbage")
        assert (await esme.receive()).command_id == CommandId.SUBMIT_SM_RESP
        assert (await esme.receive()).command_id == CommandId.GENERIC_NACK
        assert await esme.ended() == b""


async def test_malformed_submit_is_rejected_and_the_connection_goes_on() -> None:
    async with Simulator() as smsc, Esme(smsc.port) as esme:
        await esme.bind()
        for cut in range(16, len(SUBMIT)):
            esme.writer.write(struct.pack(">I", cut) + SUBMIT[4:cut])
            answer = await esme.receive()
            assert answer.command_id in (CommandId.SUBMIT_SM_RESP, CommandId.GENERIC_NACK)
            assert answer.command_status not in (0, CommandStatus.ESME_RTHROTTLED)
        counters = smsc.account("test").counters
        assert counters.submits == counters.rejected == len(SUBMIT) - 16
        assert (counters.accepted, counters.refused, counters.unanswered) == (0, 0, 0)
        assert (await esme.submit_and_wait()).command_status == 0


async def test_octet_by_octet_is_as_good_as_at_once() -> None:
    async with Simulator() as smsc, Esme(smsc.port) as esme:
        await esme.bind()
        esme.writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for octet in SUBMIT:
            esme.writer.write(bytes((octet,)))
            await turn()  # gives the simulator its turn
        assert (await esme.receive()).sequence_number == 9


async def flooded(esme: Esme, block: bytes) -> bool:
    """Write the block again and again; return whether the SMSC stopped reading before 128 MB were through."""
    esme.writer.transport.set_write_buffer_limits(high=0)
    for _ in range(128 * 1024 * 1024 // len(block)):
        esme.writer.write(block)
        try:
            async with asyncio.timeout(STUCK):
                await esme.writer.drain()
        except TimeoutError:
            return True
    return False


async def test_client_that_reads_nothing_is_read_no_further() -> None:
    async with Simulator([AccountRules("test", "test", limit=None, binds=2)]) as smsc, Esme(smsc.port) as esme:
        await esme.bind()
        esme.writer.transport.pause_reading()  # type: ignore[attr-defined]  # a socket's transport has it
        assert await flooded(esme, encode(Pdu(CommandId.ENQUIRE_LINK, sequence_number=1)) * 4096)
        await still_good(smsc)


async def test_answers_that_wait_stop_the_reading() -> None:
    most = 200
    behaviour = Behaviour(delay=3600)
    account = AccountRules("test", "test", limit=None, binds=2)
    async with Simulator([account], behaviour, bounds=Bounds(waiting=most)) as smsc, Esme(smsc.port) as esme:
        await esme.bind()
        assert await flooded(esme, SUBMIT * 1024)
        # what one read brings may come on top
        assert most < smsc.account("test").counters.submits < most + 300_000 // len(SUBMIT)
        await still_good(smsc)


async def test_half_open_connections_give_way() -> None:
    async with (
        Simulator([AccountRules("test", "test", binds=2)], bounds=Bounds(connections=20)) as smsc,
        Esme(smsc.port) as bound,
    ):
        await bound.bind()
        idlers = [await asyncio.open_connection("127.0.0.1", smsc.port) for _ in range(60)]
        await still_good(smsc)
        assert (await bound.submit_and_wait()).command_status == 0
        connections = smsc.counters()["connections"]
        assert isinstance(connections, int)
        assert connections <= 20
        for _, writer in idlers:
            writer.transport.abort()


async def test_no_room_beside_bound_connections() -> None:
    account = AccountRules("test", "test", binds=9)
    async with Simulator([account], bounds=Bounds(connections=1)) as smsc, Esme(smsc.port) as bound:
        await bound.bind()
        async with Esme(smsc.port) as late:
            assert await late.ended() == b""
        assert (await bound.submit_and_wait()).command_status == 0

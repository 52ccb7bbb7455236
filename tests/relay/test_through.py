"""What a client sees through the relay, with the simulator as the provider."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from kannelkit.relay.process import Relay
from kannelkit.simulator import AccountRules, Behaviour, Simulator
from kannelkit.smpp.constants import CommandId, CommandStatus, Tag
from kannelkit.smpp.pdu import Pdu, Tlv, decode, encode
from tests.harness.waiting import until
from tests.relay.running import NAME, PASSWORD, account, bound, running
from tests.simulator.esme import Esme, message

UNLIMITED = AccountRules("test", "test", limit=None, binds=4)


async def test_a_bind_is_the_provider_s(tmp_path: Path) -> None:
    async with (
        Simulator([UNLIMITED]) as smsc,
        running(tmp_path, account(smsc.port)) as relay,
        Esme(smsc.port) as direct,
        Esme(relay.ports[NAME]) as through,
    ):
        one = await direct.bind()
        other = await through.bind(NAME.encode(), PASSWORD)
        assert (other.command_status, other.fields, other.tlvs) == (one.command_status, one.fields, one.tlvs)


@pytest.mark.parametrize("status", [0x0D, 0x0E, 0x0F, 0x53])
async def test_a_refused_bind_has_the_provider_s_status(status: int, tmp_path: Path) -> None:
    rules = AccountRules("test", "test", bind_status=status)
    async with (
        Simulator([rules]) as smsc,
        running(tmp_path, account(smsc.port)) as relay,
        Esme(relay.ports[NAME]) as esme,
    ):
        assert (await esme.bind(NAME.encode(), PASSWORD)).command_status == status
        assert await esme.ended() == b""


@pytest.mark.parametrize(("name", "password"), [(b"acc", b"wrong"), (b"wrong", PASSWORD), (b"test", b"test")])
async def test_only_the_link_s_own_password_binds(name: bytes, password: bytes, tmp_path: Path) -> None:
    async with Simulator([UNLIMITED]) as smsc, running(tmp_path, account(smsc.port)) as relay:
        async with Esme(relay.ports[NAME]) as esme:
            assert (await esme.bind(name, password)).command_status == CommandStatus.ESME_RBINDFAIL
            await esme.ended()
        assert smsc.account("test").counters.binds == 0


async def test_a_provider_that_is_away_is_no_answer_to_a_bind(tmp_path: Path) -> None:
    async with Simulator([UNLIMITED]) as smsc:
        port = smsc.port
    said: list[str] = []
    async with running(tmp_path, account(port), said=said) as relay, Esme(relay.ports[NAME]) as esme:
        esme.send(
            CommandId.BIND_TRANSCEIVER, {"system_id": NAME.encode(), "password": PASSWORD, "interface_version": 0x34}
        )
        assert await esme.ended() == b""
    assert said == [f"127.0.0.1:{port}: Connection refused"]


async def test_every_message_arrives_once_and_unchanged(tmp_path: Path) -> None:
    async with Simulator([UNLIMITED]) as smsc, running(tmp_path, account(smsc.port, connections=3)) as relay:
        async with bound(relay) as esme:
            numbers = {esme.submit(b"m%d" % each) for each in range(500)}
            answers = [await esme.receive() for _ in range(500)]
        assert {answer.sequence_number for answer in answers} == numbers
        assert {answer.command_status for answer in answers} == {0}
        assert len({answer.octets("message_id") for answer in answers}) == 500
        counters = smsc.account("test").counters
        assert (counters.accepted, counters.doubled) == (500, 0)
        assert {each.text for each in smsc.account("test").recent(1000)} == {f"m{each}" for each in range(500)}


async def test_tlvs_and_unknown_commands_pass_both_ways(tmp_path: Path) -> None:
    async with Simulator([UNLIMITED]) as smsc, running(tmp_path, account(smsc.port)) as relay, bound(relay) as esme:
        tlvs = [Tlv(Tag.MESSAGE_PAYLOAD, b"a long one"), Tlv(0x1401, b"own")]
        esme.writer.write(encode(Pdu(CommandId.SUBMIT_SM, 0, 77, message(b""), tlvs)))
        answer = await esme.receive()
        assert (answer.sequence_number, answer.command_status) == (77, 0)
        answer = await esme.ask(CommandId.QUERY_SM, {"message_id": answer.octets("message_id")})
        assert (answer.command_id, answer.command_status) == (CommandId.QUERY_SM_RESP, 0)
        esme.writer.write(encode(Pdu(0x00010000, 0, 78, body=b"whatever")))
        answer = await esme.receive()
        assert (answer.command_id, answer.sequence_number) == (CommandId.GENERIC_NACK, 78)
        assert answer.command_status == CommandStatus.ESME_RINVCMDID


async def test_receipts_and_incoming_messages_come_back(tmp_path: Path) -> None:
    rules = AccountRules("test", "test", limit=None, incoming=True)
    async with Simulator([rules]) as smsc, running(tmp_path, account(smsc.port)) as relay, bound(relay) as esme:
        answer = await esme.submit_and_wait(receipt=True)
        receipt = await esme.receive()
        assert receipt.command_id == CommandId.DELIVER_SM
        assert receipt.tlv(Tag.RECEIPTED_MESSAGE_ID) == answer.octets("message_id") + b"\0"
        smsc.account("test").incoming("79991234567", "shop", "STOP")
        incoming = await esme.receive()
        assert incoming.message() == b"STOP"
        for each in (receipt, incoming):
            esme.send(CommandId.DELIVER_SM_RESP, {"message_id": b""}, sequence_number=each.sequence_number)
        counters = smsc.account("test").counters
        await until(lambda: (counters.receipts_acknowledged, counters.incoming_acknowledged) == (1, 1))


async def test_a_refusal_for_speed_is_not_seen(tmp_path: Path) -> None:
    rules = AccountRules("test", "test", limit=20)
    async with Simulator([rules]) as smsc, running(tmp_path, account(smsc.port, ceiling=60.0)) as relay:
        async with bound(relay) as esme:
            numbers = [esme.submit(b"m%d" % each) for each in range(50)]
            answers = [await esme.receive() for _ in numbers]
        assert {answer.command_status for answer in answers} == {0}
        counters = smsc.account("test").counters
        assert counters.refused > 0
        assert (counters.accepted, counters.doubled, counters.rejected) == (50, 0, 0)
        assert relay.accounts[NAME].counts.refused == counters.refused


async def test_urgent_ones_pass_the_others(tmp_path: Path) -> None:
    async with (
        Simulator([UNLIMITED]) as smsc,
        running(tmp_path, account(smsc.port, ceiling=20.0)) as relay,
        bound(relay) as esme,
    ):
        bulk = [esme.submit(b"m%d" % each) for each in range(6)]
        urgent = esme.send(CommandId.SUBMIT_SM, {**message(b"code"), "priority_flag": 1})
        order = [(await esme.receive()).sequence_number for _ in range(7)]
    assert order.index(urgent) < 3
    assert [each for each in order if each != urgent] == bulk


async def test_a_full_queue_is_tried_again_until_it_is_not(tmp_path: Path) -> None:
    behaviour = Behaviour(reject_share=0.5, reject_status=CommandStatus.ESME_RMSGQFUL)
    async with (
        Simulator([UNLIMITED], behaviour, seed=1) as smsc,
        running(tmp_path, account(smsc.port)) as relay,
        bound(relay) as esme,
    ):
        numbers = [esme.submit(b"m%d" % each) for each in range(6)]
        answers = [await esme.receive() for _ in numbers]
        assert {answer.command_status for answer in answers} == {0}
        assert relay.accounts[NAME].counts.put_off == smsc.account("test").counters.rejected > 0


async def test_any_other_status_is_the_client_s(tmp_path: Path) -> None:
    behaviour = Behaviour(reject_share=1.0, reject_status=CommandStatus.ESME_RINVDSTADR)
    async with (
        Simulator([UNLIMITED], behaviour) as smsc,
        running(tmp_path, account(smsc.port)) as relay,
        bound(relay) as esme,
    ):
        assert (await esme.submit_and_wait()).command_status == CommandStatus.ESME_RINVDSTADR
        assert relay.accounts[NAME].counts.rejected == 1


async def test_what_cannot_leave_in_time_is_handed_back(tmp_path: Path) -> None:
    # 0.6 of wait_ack: what is not away after 1.2 s goes back
    slow = {"ceiling": 2.0, "wait_ack": 2.0}
    async with Simulator([UNLIMITED]) as smsc, running(tmp_path, account(smsc.port, **slow)) as relay:
        async with bound(relay) as esme:
            numbers = [esme.submit(b"m%d" % each) for each in range(20)]
            statuses = [(await esme.receive()).command_status for _ in numbers]
        accepted = smsc.account("test").counters.accepted
        assert statuses.count(0) == accepted < 10
        assert statuses.count(CommandStatus.ESME_RTHROTTLED) == 20 - accepted


async def test_a_lost_connection_sends_again_what_has_no_answer_and_counts_it(tmp_path: Path) -> None:
    async with Simulator([UNLIMITED], Behaviour(delay=60)) as smsc, running(tmp_path, account(smsc.port)) as relay:
        async with bound(relay) as esme:
            numbers = {esme.submit(b"m%d" % each) for each in range(10)}
            counters = smsc.account("test").counters
            await until(lambda: counters.accepted == 10)
            smsc.change_behaviour({"delay": 0})
            smsc.drop_connections()
            answers = [await esme.receive() for _ in numbers]
        assert {answer.sequence_number for answer in answers if answer.command_status == 0} == numbers
        assert counters.doubled == 10 == relay.accounts[NAME].counts.maybe_doubled


async def test_a_client_that_leaves_has_its_answers_first(tmp_path: Path) -> None:
    async with Simulator([UNLIMITED], Behaviour(delay=0.1)) as smsc, running(tmp_path, account(smsc.port)) as relay:
        async with bound(relay) as esme:
            numbers = {esme.submit(b"m%d" % each) for each in range(10)}
            await until(lambda: smsc.account("test").counters.submits == 10)
            esme.send(CommandId.UNBIND)
            answers = [await esme.receive() for _ in range(11)]
            assert {answer.sequence_number for answer in answers[:10]} == numbers
            assert answers[10].command_id == CommandId.UNBIND_RESP
        await until(lambda: not smsc.account("test").links)
        assert relay.accounts[NAME].counts.maybe_doubled == 0


async def test_a_stop_waits_for_the_answers(tmp_path: Path) -> None:
    async with Simulator([UNLIMITED], Behaviour(delay=0.2)) as smsc:
        async with running(tmp_path, account(smsc.port)) as relay:
            async with bound(relay) as esme:
                numbers = {esme.submit(b"m%d" % each) for each in range(10)}
                await until(lambda: smsc.account("test").counters.submits == 10)
                stopping = asyncio.create_task(relay.stop())
                answers = [await esme.receive() for _ in range(11)]
                assert {answer.sequence_number for answer in answers[:10]} == numbers
                assert answers[10].command_id == CommandId.UNBIND
            await stopping
            await until(lambda: not smsc.account("test").links)
        assert relay.accounts[NAME].counts.maybe_doubled == 0


HOSTILE = {
    "a length of nothing": b"\0\0\0\0" + b"\0" * 12,
    "a length beyond all": b"\xff\xff\xff\xff" + b"\0" * 12,
    "HTTP": b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
}


@pytest.mark.parametrize("what", HOSTILE)
async def test_what_is_no_smpp_ends_its_own_connection_alone(what: str, tmp_path: Path) -> None:
    async with Simulator([UNLIMITED]) as smsc, running(tmp_path, account(smsc.port)) as relay, bound(relay) as other:
        async with Esme(relay.ports[NAME]) as esme:
            esme.writer.write(HOSTILE[what])
            rest = await esme.ended()
            assert decode(rest).command_id == CommandId.GENERIC_NACK
            assert decode(rest).command_status == CommandStatus.ESME_RINVCMDLEN
        assert (await other.submit_and_wait()).command_status == 0


async def test_a_submit_that_ends_too_early_is_refused_and_the_next_one_taken(tmp_path: Path) -> None:
    async with Simulator([UNLIMITED]) as smsc, running(tmp_path, account(smsc.port)) as relay, bound(relay) as esme:
        esme.writer.write(b"\0\0\0\x14\0\0\0\x04\0\0\0\0\0\0\0\x09abcd")
        answer = await esme.receive()
        assert answer.sequence_number == 9
        assert answer.command_status != 0
        assert (await esme.submit_and_wait()).command_status == 0
        assert smsc.account("test").counters.submits == 1


async def test_many_clients_that_never_bind_are_in_nobody_s_way(tmp_path: Path) -> None:
    async with Simulator([UNLIMITED]) as smsc, running(tmp_path, account(smsc.port)) as relay:
        idle = [await asyncio.open_connection("127.0.0.1", relay.ports[NAME]) for _ in range(40)]
        async with bound(relay) as esme:
            idle += [await asyncio.open_connection("127.0.0.1", relay.ports[NAME]) for _ in range(40)]
            assert (await esme.submit_and_wait()).command_status == 0
        for _, writer in idle:
            writer.transport.abort()


async def test_two_relays_have_not_one_folder(tmp_path: Path) -> None:
    from kannelkit.errors import HostError

    async with Simulator([UNLIMITED]) as smsc, running(tmp_path, account(smsc.port)) as relay:
        assert isinstance(relay, Relay)
        with pytest.raises(HostError, match="another relay"):
            async with running(tmp_path, account(smsc.port)):
                pass

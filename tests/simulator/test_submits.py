"""What becomes of a submit: the answer, the limit, the totals, and when and how the answer leaves."""

from __future__ import annotations

import pytest

from kannelkit.simulator import AccountRules, AtUnbind, Behaviour, Law, Order, Simulator
from kannelkit.smpp.constants import CommandId, CommandStatus, MessageState, Tag
from kannelkit.smpp.framing import Frames
from kannelkit.smpp.pdu import DistributionList, SmeAddress, Tlv, decode
from tests.simulator.esme import Esme, Fields, message, with_tlvs
from tests.simulator.test_time import jump, play, settle


async def test_submits_are_accepted_with_ids_of_their_own() -> None:
    async with Simulator() as smsc, Esme(smsc.port) as esme:
        await esme.bind()
        answers = [await esme.submit_and_wait(b"%d" % number) for number in range(5)]
        assert [answer.command_status for answer in answers] == [0] * 5
        ids = [answer.octets("message_id") for answer in answers]
        assert len(set(ids)) == 5
        assert all(each.isdigit() for each in ids)


@pytest.mark.parametrize("law", [law for law in Law if law is not Law.CLOSING])
async def test_what_is_beyond_the_limit_is_throttled(law: Law) -> None:
    rules = AccountRules("test", "test", limit=3, law=law)
    async with Simulator([rules]) as smsc, Esme(smsc.port) as esme:
        await esme.bind()
        for number in range(50):
            esme.submit(b"%d" % number)
        statuses = [(await esme.receive()).command_status for _ in range(50)]
        # a burst may lie across two seconds of the clock, and of a slow machine
        assert statuses[:3] == [0] * 3
        assert set(statuses) == {0, CommandStatus.ESME_RTHROTTLED}
        counters = smsc.account("test").counters
        assert (counters.submits, counters.rejected, counters.unanswered) == (50, 0, 0)
        assert counters.refused == statuses.count(CommandStatus.ESME_RTHROTTLED) == 50 - counters.accepted
        slots = smsc.account("test").timeline.slots()
        assert (sum(slots.accepted), sum(slots.refused)) == (counters.accepted, counters.refused)


def test_limit_is_the_accounts_over_all_connections() -> None:
    async def scene() -> None:
        rules = AccountRules("test", "test", limit=1, law=Law.TOKEN_BUCKET, burst=2)
        async with Simulator([rules]) as smsc, Esme(smsc.port) as one, Esme(smsc.port) as two:
            statuses = []
            for esme in (one, two):
                await esme.bind(system_type=b"MCON2")
            for esme in (one, two, one):
                statuses.append((await esme.submit_and_wait()).command_status)
            assert statuses[:2] == [0, 0]
            assert smsc.account("test").counters.submits == 3

    play(scene)


async def test_accounts_do_not_share_a_limit() -> None:
    rules = [AccountRules(login, "test", limit=0 if login == "a" else None) for login in ("a", "b")]
    async with Simulator(rules) as smsc, Esme(smsc.port) as one, Esme(smsc.port) as two:
        await one.bind(b"a")
        await two.bind(b"b")
        assert (await one.submit_and_wait()).command_status == CommandStatus.ESME_RTHROTTLED
        assert (await two.submit_and_wait()).command_status == 0


async def test_changed_limit_holds_from_the_next_submit_on() -> None:
    async with Simulator([AccountRules("test", "test", limit=0)]) as smsc, Esme(smsc.port) as esme:
        await esme.bind()
        assert (await esme.submit_and_wait()).command_status == CommandStatus.ESME_RTHROTTLED
        smsc.change_limit("test", None)
        assert (await esme.submit_and_wait()).command_status == 0
        smsc.change_limit("test", 0, Law.FIXED_WINDOW)
        assert (await esme.submit_and_wait()).command_status == CommandStatus.ESME_RTHROTTLED


SAME: list[tuple[str, Fields, Fields, bool]] = [
    ("the same again", message(b"a"), message(b"a"), True),
    ("another text", message(b"a"), message(b"b"), False),
    ("another subscriber", message(b"a"), message(b"a", to=b"79990000000"), False),
    ("another sender", message(b"a"), {**message(b"a"), "source_addr": b"other"}, False),
    ("a digit moved from one address to the other", message(b"a"), {**message(b"a"), "source_addr": b"shop7"}, False),
    ("another part", message(b"\5\0\3\1\2\1a"), message(b"\5\0\3\1\2\2a"), False),
    ("a receipt asked for now", message(b"a"), message(b"a", receipt=True), True),
]


@pytest.mark.parametrize(("first", "second", "doubled"), [each[1:] for each in SAME], ids=[each[0] for each in SAME])
async def test_doubled_counts_what_was_accepted_before(first: Fields, second: Fields, doubled: bool) -> None:
    async with Simulator() as smsc, Esme(smsc.port) as esme:
        await esme.bind()
        for fields in (first, second):
            assert (await esme.ask(CommandId.SUBMIT_SM, fields)).command_status == 0
        assert smsc.account("test").counters.doubled == int(doubled)


async def test_text_in_message_payload_is_the_same_text_and_parts_by_tlv_are_not() -> None:
    async with Simulator() as smsc, Esme(smsc.port) as esme:
        await esme.bind()
        await esme.submit_and_wait(b"a")
        esme.writer.write(with_tlvs(7, [Tlv(Tag.MESSAGE_PAYLOAD, b"a")]))
        assert (await esme.receive()).command_status == 0
        assert smsc.account("test").counters.doubled == 1
        for part in (b"\1", b"\2"):
            esme.writer.write(with_tlvs(8, [Tlv(Tag.SAR_SEGMENT_SEQNUM, part)], b"a"))
            await esme.receive()
        assert smsc.account("test").counters.doubled == 1


async def test_refused_message_that_comes_again_is_not_doubled() -> None:
    async with Simulator([AccountRules("test", "test", limit=0)]) as smsc, Esme(smsc.port) as esme:
        await esme.bind()
        await esme.submit_and_wait()
        smsc.change_limit("test", 30)
        await esme.submit_and_wait()
        counters = smsc.account("test").counters
        assert (counters.refused, counters.accepted, counters.doubled) == (1, 1, 0)


async def test_identical_message_is_rejected_within_the_span_where_asked() -> None:
    async with Simulator(behaviour=Behaviour(same_within=3600)) as smsc, Esme(smsc.port) as esme:
        await esme.bind()
        statuses = [(await esme.submit_and_wait(text)).command_status for text in (b"a", b"a", b"b")]
        assert statuses == [0, CommandStatus.ESME_RSUBMITFAIL, 0]
        counters = smsc.account("test").counters
        assert (counters.accepted, counters.rejected, counters.doubled) == (2, 1, 0)


async def test_data_sm_is_accepted_like_submit_sm() -> None:
    async with Simulator() as smsc, Esme(smsc.port) as esme:
        await esme.bind()
        answer = await esme.ask(CommandId.DATA_SM, {"source_addr": b"shop", "destination_addr": b"79991234567"})
        assert (answer.command_id, answer.command_status) == (CommandId.DATA_SM_RESP, 0)
        assert smsc.account("test").counters.accepted == 1


BAD: list[tuple[int, Fields, int]] = [
    (CommandId.SUBMIT_SM, message(b"a", to=b""), CommandStatus.ESME_RINVDSTADR),
    (CommandId.DATA_SM, {"destination_addr": b"7" * 40}, CommandStatus.ESME_RINVDSTADR),
    (CommandId.DATA_SM, {"source_addr": b"7" * 40, "destination_addr": b"7"}, CommandStatus.ESME_RINVSRCADR),
]


@pytest.mark.parametrize(("command_id", "fields", "status"), BAD)
async def test_bad_address_is_rejected(command_id: int, fields: Fields, status: int) -> None:
    async with Simulator() as smsc, Esme(smsc.port) as esme:
        await esme.bind()
        assert (await esme.ask(command_id, fields)).command_status == status
        counters = smsc.account("test").counters
        assert (counters.submits, counters.rejected, counters.accepted, counters.unanswered) == (1, 1, 0, 0)


TWO: list[SmeAddress | DistributionList] = [SmeAddress(1, 1, b"79991234567"), DistributionList(b"all")]
OTHERS: list[tuple[int, Fields, int, int]] = [
    (CommandId.ENQUIRE_LINK, {}, CommandId.ENQUIRE_LINK_RESP, 0),
    (
        CommandId.SUBMIT_MULTI,
        {"dest_address": TWO},
        CommandId.GENERIC_NACK,
        CommandStatus.ESME_RINVCMDID,
    ),
    (CommandId.BROADCAST_SM, {}, CommandId.GENERIC_NACK, CommandStatus.ESME_RINVCMDID),
    (CommandId.CANCEL_SM, {}, CommandId.CANCEL_SM_RESP, CommandStatus.ESME_RCANCELFAIL),
    (CommandId.REPLACE_SM, {}, CommandId.REPLACE_SM_RESP, CommandStatus.ESME_RREPLACEFAIL),
    (CommandId.QUERY_SM, {"message_id": b"1"}, CommandId.QUERY_SM_RESP, CommandStatus.ESME_RINVMSGID),
    (CommandId.QUERY_SM, {"message_id": b"-1"}, CommandId.QUERY_SM_RESP, CommandStatus.ESME_RINVMSGID),
]


@pytest.mark.parametrize(("command_id", "fields", "response", "status"), OTHERS)
async def test_other_commands(command_id: int, fields: Fields, response: int, status: int) -> None:
    async with Simulator() as smsc, Esme(smsc.port) as esme:
        await esme.bind()
        answer = await esme.ask(command_id, fields)
        assert (answer.command_id, answer.command_status, answer.sequence_number) == (response, status, 2)


@pytest.mark.parametrize(("delay", "state"), [(0, MessageState.DELIVERED), (3600, MessageState.ENROUTE)])
async def test_query_tells_the_state(delay: float, state: MessageState) -> None:
    async with Simulator(behaviour=Behaviour(receipt_delay=delay)) as smsc, Esme(smsc.port) as esme:
        await esme.bind()
        message_id = (await esme.submit_and_wait()).octets("message_id")
        answer = await esme.ask(CommandId.QUERY_SM, {"message_id": message_id})
        assert (answer.octets("message_id"), answer.number("message_state")) == (message_id, state)
        assert len(answer.octets("final_date")) == (16 if state is MessageState.DELIVERED else 0)


async def test_late_answers_come_in_order_and_before_the_unbind_resp() -> None:
    async with (
        Simulator([AccountRules("test", "test", limit=40)], Behaviour(delay=0.05)) as smsc,
        Esme(smsc.port) as esme,
    ):
        await esme.bind()
        sent = [esme.submit(b"%d" % number) for number in range(60)]
        unbind = esme.send(CommandId.UNBIND)
        answers = [await esme.receive() for _ in range(61)]
        assert [answer.sequence_number for answer in answers] == [*sent, unbind]
        assert answers[-1].command_id == CommandId.UNBIND_RESP
        assert smsc.account("test").counters.unanswered == 0
        assert await esme.ended() == b""


def test_shortened_delay_lets_no_answer_overtake() -> None:
    async def scene() -> None:
        async with Simulator(behaviour=Behaviour(delay=0.5)) as smsc, Esme(smsc.port) as esme:
            await esme.bind()
            sent = [esme.submit(b"a")]
            await esme.ask(CommandId.ENQUIRE_LINK)  # so that the first submit has arrived
            smsc.change_behaviour({"delay": 0})
            sent.append(esme.submit(b"b"))
            await settle()
            jump(0.5)
            assert [(await esme.receive()).sequence_number for _ in sent] == sent

    play(scene)


async def test_submit_after_unbind_is_rejected() -> None:
    async with Simulator(behaviour=Behaviour(delay=0.05)) as smsc, Esme(smsc.port) as esme:
        await esme.bind()
        esme.submit(b"a")
        esme.send(CommandId.UNBIND)
        esme.submit(b"b")
        answers = [await esme.receive() for _ in range(3)]
        assert [answer.command_status for answer in answers] == [0, CommandStatus.ESME_RINVBNDSTS, 0]
        assert answers[-1].command_id == CommandId.UNBIND_RESP


async def test_answers_out_of_order_are_all_there() -> None:
    behaviour = Behaviour(order=Order.OUT_OF_ORDER, delay=0.01)
    rules = AccountRules("test", "test", limit=None)
    async with Simulator([rules], behaviour, seed=1) as smsc, Esme(smsc.port) as esme:
        await esme.bind()
        sent = [esme.submit(b"%d" % number) for number in range(50)]
        got = [(await esme.receive()).sequence_number for _ in sent]
        assert got != sent
        assert sorted(got) == sent


def test_coalesced_answers_leave_in_one_write() -> None:
    async def scene() -> None:
        behaviour = Behaviour(coalesce=0.2)
        rules = AccountRules("test", "test", limit=None)
        async with Simulator([rules], behaviour) as smsc, Esme(smsc.port) as esme:
            await esme.bind()
            sent = []
            for number in range(50):
                sent.append(esme.submit(b"%d" % number))
                await esme.writer.drain()
            while smsc.account("test").counters.accepted < len(sent):
                await settle()
            jump(0.2)
            data = await esme.reader.read(65536)
            assert [decode(frame).sequence_number for frame in Frames().feed(data)] == sent

    play(scene)


async def test_no_answers_where_asked() -> None:
    async with Simulator(behaviour=Behaviour(order=Order.NONE)) as smsc, Esme(smsc.port) as esme:
        await esme.bind()
        esme.submit(b"a")
        assert (await esme.ask(CommandId.ENQUIRE_LINK)).command_id == CommandId.ENQUIRE_LINK_RESP
        counters = smsc.account("test").counters
        assert (counters.accepted, counters.unanswered) == (1, 1)


async def test_connection_is_closed_at_the_unbind_where_asked() -> None:
    behaviour = Behaviour(delay=0.2, unbind=AtUnbind.CLOSE)
    async with Simulator(behaviour=behaviour) as smsc, Esme(smsc.port) as esme:
        await esme.bind()
        esme.submit(b"a")
        esme.send(CommandId.UNBIND)
        assert await esme.ended() == b""
        counters = smsc.account("test").counters
        assert (counters.accepted, counters.unanswered) == (1, 1)


def test_reset_sets_all_to_nothing_but_what_waits() -> None:
    async def scene() -> None:
        async with Simulator(behaviour=Behaviour(delay=0.5)) as smsc, Esme(smsc.port) as esme:
            await esme.bind()
            esme.submit(b"a")
            await esme.ask(CommandId.ENQUIRE_LINK)
            smsc.reset()
            counters = smsc.account("test").counters
            assert (counters.submits, counters.accepted, counters.unanswered) == (0, 0, 1)
            jump(0.5)
            assert (await esme.receive()).command_status == 0
            assert counters.unanswered == 0
            smsc.change_behaviour({"delay": 0})
            await esme.submit_and_wait(b"a")
            assert (counters.accepted, counters.doubled) == (1, 0)

    play(scene)

"""Whatever clients do and however the behaviour changes meanwhile, the books balance."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kannelkit.simulator import AccountRules, AtUnbind, Behaviour, Law, LimitPer, Order, Simulator
from kannelkit.smpp.constants import CommandId
from tests.simulator.esme import Esme, message

BEHAVIOURS = st.fixed_dictionaries(
    {},
    optional={
        "delay": st.sampled_from([0, 0.001, 0.02]),
        "order": st.sampled_from(list(Order)),
        "coalesce": st.sampled_from([0, 0.01]),
        "unbind": st.sampled_from(list(AtUnbind)),
        "same_within": st.sampled_from([0, 60]),
        "receipt_delay": st.sampled_from([0, 0.005]),
        "reject_share": st.sampled_from([0, 0.5]),
        "parts_within": st.sampled_from([0.001, 300]),
    },
)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("submit"), st.integers(1, 30)),
        st.tuples(st.just("submit with receipt"), st.integers(1, 5)),
        st.tuples(st.just("part"), st.tuples(st.integers(0, 1), st.integers(1, 3))),
        st.tuples(st.just("incoming"), st.sampled_from(["short", "long, " * 50])),
        st.tuples(st.just("change"), BEHAVIOURS),
        st.tuples(st.just("limit"), st.one_of(st.none(), st.integers(0, 20))),
        st.tuples(st.sampled_from(["unbind", "cut", "newer bind", "exchange"]), st.none()),
    ),
    max_size=12,
)


@given(STEPS, st.sampled_from(list(Law)), st.sampled_from(list(LimitPer)))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_books_balance(steps: list[tuple[str, object]], law: Law, limit_per: LimitPer) -> None:
    asyncio.run(play(steps, AccountRules("test", "test", limit=10, law=law, limit_per=limit_per)))


async def play(steps: list[tuple[str, object]], rules: AccountRules) -> None:
    faults: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: faults.append(context))
    async with Simulator([rules], Behaviour(receipt_delay=0), seed=1) as smsc, AsyncExitStack() as clients:
        account = smsc.account("test")
        esme = await bound(smsc, clients)
        for step, value in steps:
            match step, value:
                case "submit" | "submit with receipt", int(count):
                    for number in range(count):
                        esme.submit(b"%d" % (number % 7), receipt=step != "submit")
                case "part", (int(reference), int(number)):
                    header = bytes((5, 0, 3, reference, 3, number))
                    esme.send(CommandId.SUBMIT_SM, {**message(header, receipt=True), "esm_class": 0x40})
                case "incoming", str(text):
                    account.incoming("79161234567", "7777", text)
                case "change", dict(changes):
                    smsc.change_behaviour(changes)
                case "limit", None | int():
                    smsc.change_limit("test", value if isinstance(value, int) else None)
                case "unbind", _:
                    esme.send(CommandId.UNBIND)
                    esme = await bound(smsc, clients)
                case "cut", _:
                    esme.writer.transport.abort()
                    esme = await bound(smsc, clients)
                case "newer bind", _:
                    esme = await bound(smsc, clients)
                case "exchange", _:
                    esme.send(CommandId.ENQUIRE_LINK)
                    if not await until(esme, CommandId.ENQUIRE_LINK_RESP):
                        assert rules.law is Law.CLOSING
                        esme = await bound(smsc, clients)
            balanced(smsc)
        smsc.change_behaviour({"order": "in-order", "coalesce": 0, "unbind": "answer"})
        esme.send(CommandId.UNBIND)
        assert await until(esme, CommandId.UNBIND_RESP) or rules.law is Law.CLOSING
        balanced(smsc)
        assert account.links == []
        assert faults == []


async def bound(smsc: Simulator, clients: AsyncExitStack) -> Esme:
    esme = await clients.enter_async_context(Esme(smsc.port))
    assert (await esme.bind()).command_status == 0
    return esme


async def until(esme: Esme, wanted: CommandId) -> bool:
    """Read, and acknowledge receipts, until a wanted PDU comes; return whether it came before the connection ended."""
    while True:
        try:
            received = await esme.receive()
        except (asyncio.IncompleteReadError, ConnectionResetError):
            return False
        if received.command_id == CommandId.DELIVER_SM:
            esme.send(CommandId.DELIVER_SM_RESP, sequence_number=received.sequence_number)
        if received.command_id == wanted:
            return True


def balanced(smsc: Simulator) -> None:
    account = smsc.account("test")
    counters = account.counters
    assert counters.submits == counters.accepted + counters.refused + counters.rejected
    assert sum(link.waiting for link in account.links) <= counters.unanswered <= counters.submits
    assert counters.doubled <= counters.accepted
    assert counters.receipts_acknowledged + counters.receipts_dropped <= counters.receipts_sent
    assert counters.incoming_acknowledged <= counters.incoming_sent
    assert counters.incoming_dropped == 0
    assert len(account.links) <= 1
    slots = account.timeline.slots()
    assert (sum(slots.accepted), sum(slots.refused)) == (counters.accepted, counters.refused)

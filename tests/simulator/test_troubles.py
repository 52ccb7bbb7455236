"""An SMSC in trouble: what it does to clients, and that it is as before when the trouble is over."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import aiohttp
import pytest

from kannelkit.simulator import AccountRules, Behaviour, Law, LimitPer, Order, Simulator
from kannelkit.smpp.constants import CommandId, CommandStatus
from tests.simulator.esme import Esme, message
from tests.simulator.test_time import jump, play, settle

FULL = CommandStatus.ESME_RMSGQFUL
THROTTLED = CommandStatus.ESME_RTHROTTLED


async def statuses(esme: Esme, count: int) -> list[int]:
    """Submit so many different messages at once and return the answers' statuses."""
    for number in range(count):
        esme.submit(b"%d" % number)
    return [(await esme.receive()).command_status for _ in range(count)]


# an excess that closes the bind


@pytest.mark.parametrize("behaviour", [Behaviour(), Behaviour(delay=0.02), Behaviour(delay=0.02, coalesce=0.05)])
async def test_an_excess_is_the_last_answer_before_the_close(behaviour: Behaviour) -> None:
    rules = AccountRules("test", "test", limit=3, law=Law.CLOSING)
    async with Simulator([rules], behaviour) as smsc, Esme(smsc.port) as esme:
        await esme.bind()
        for number in range(10):
            esme.submit(b"%d" % number)
        assert [(await esme.receive()).command_status for _ in range(4)] == [0, 0, 0, THROTTLED]
        assert await esme.ended() == b""
        counters = smsc.account("test").counters
        assert (counters.accepted, counters.refused, counters.submits, counters.unanswered) == (3, 1, 4, 0)
        assert smsc.account("test").links == []


def test_an_excess_closes_no_other_connection_and_counts_after_it() -> None:
    async def scene() -> None:
        rules = AccountRules("test", "test", limit=3, law=Law.CLOSING, binds=2)
        async with Simulator([rules]) as smsc, Esme(smsc.port) as first, Esme(smsc.port) as second:
            await first.bind()
            await second.bind()
            assert await statuses(first, 3) == [0] * 3
            assert await statuses(second, 1) == [THROTTLED]
            assert await second.ended() == b""
            assert (await first.ask(CommandId.ENQUIRE_LINK)).command_status == 0
            async with Esme(smsc.port) as again:
                assert (await again.bind()).command_status == 0
                assert await statuses(again, 1) == [THROTTLED]  # the second that is full is the account's

    play(scene)


async def test_an_excess_without_answers_closes_the_bind_all_the_same() -> None:
    rules = AccountRules("test", "test", limit=0, law=Law.CLOSING)
    async with Simulator([rules], Behaviour(order=Order.NONE)) as smsc, Esme(smsc.port) as esme:
        await esme.bind()
        esme.submit()
        assert await esme.ended() == b""


# a limit for each connection


def test_a_limit_for_each_connection() -> None:
    async def scene() -> None:
        rules = AccountRules("test", "test", limit=3, binds=2, limit_per=LimitPer.CONNECTION)
        async with Simulator([rules]) as smsc, Esme(smsc.port) as first, Esme(smsc.port) as second:
            await first.bind()
            await second.bind()
            assert await statuses(first, 4) == [0, 0, 0, THROTTLED]
            assert await statuses(second, 4) == [0, 0, 0, THROTTLED]
            smsc.change_limit("test", 5)
            assert await statuses(first, 3) == [0, 0, THROTTLED]
            smsc.change_account("test", {"limit-per": "account"})
            assert await statuses(first, 5) == [0] * 5  # over all connections none was counted yet

    play(scene)


# a status for a share


@pytest.mark.parametrize(("share", "expected"), [(0.0, {0}), (1.0, {FULL}), (0.5, {0, FULL})])
async def test_a_share_is_rejected(share: float, expected: set[int]) -> None:
    rules = AccountRules("test", "test", limit=None)
    async with Simulator([rules], Behaviour(reject_share=share), seed=1) as smsc, Esme(smsc.port) as esme:
        await esme.bind()
        told = await statuses(esme, 50)
        assert set(told) == expected
        counters = smsc.account("test").counters
        assert (counters.accepted, counters.rejected, counters.refused) == (told.count(0), told.count(FULL), 0)


async def test_the_same_seed_rejects_the_same() -> None:
    async def told(seed: int) -> list[int]:
        rules = AccountRules("test", "test", limit=None)
        async with Simulator([rules], Behaviour(reject_share=0.3), seed=seed) as smsc, Esme(smsc.port) as esme:
            await esme.bind()
            return await statuses(esme, 50)

    assert await told(7) == await told(7) != await told(8)


def test_what_is_rejected_takes_nothing_from_the_limit() -> None:
    async def scene() -> None:
        behaviour = Behaviour(reject_share=1, reject_status=CommandStatus.ESME_RSYSERR)
        async with Simulator([AccountRules("test", "test", limit=2)], behaviour) as smsc, Esme(smsc.port) as esme:
            await esme.bind()
            assert await statuses(esme, 5) == [CommandStatus.ESME_RSYSERR] * 5
            smsc.change_behaviour({"reject_share": 0})
            assert await statuses(esme, 3) == [0, 0, THROTTLED]

    play(scene)


# binds that are refused


async def test_binds_are_refused_while_it_lasts_and_who_is_bound_stays() -> None:
    async with Simulator([AccountRules("test", "test", binds=2)]) as smsc, Esme(smsc.port) as bound:
        await bound.bind()
        smsc.change_account("test", {"bind-status": 0x0D})
        async with Esme(smsc.port) as esme:
            assert (await esme.bind()).command_status == 0x0D
            assert await statuses(bound, 1) == [0]
            smsc.change_account("test", {"bind-status": 0})
            assert (await esme.bind()).command_status == 0


# silence


def test_silence_answers_nothing_closes_nothing_and_takes_nothing() -> None:
    async def scene() -> None:
        async with (
            Simulator(behaviour=Behaviour(close_after=100)) as smsc,
            Esme(smsc.port) as esme,
            Esme(smsc.port) as other,
        ):
            await esme.bind()
            await other.ask(CommandId.ENQUIRE_LINK)
            smsc.change_behaviour({"silent": True, "close_after": 0})
            esme.submit(b"lost")
            esme.send(CommandId.ENQUIRE_LINK)
            esme.send(CommandId.UNBIND)
            other.send(CommandId.BIND_TRANSCEIVER, {"system_id": b"test", "password": b"test"})
            await settle()
            jump(150)  # longer than a connection may be idle, or unbound
            await settle()
            counters = smsc.account("test").counters
            assert (counters.submits, counters.binds, counters.closed_idle) == (0, 1, 0)
            assert smsc.counters()["connections"] == 2
            smsc.change_behaviour({"silent": False})
            number = esme.submit(b"a")
            assert (await esme.receive()).sequence_number == number
            assert (await other.bind()).sequence_number == 3

    play(scene)


def test_what_was_owed_leaves_when_the_silence_ends() -> None:
    async def scene() -> None:
        async with Simulator(behaviour=Behaviour(delay=1, receipt_delay=2)) as smsc, Esme(smsc.port) as esme:
            await esme.bind()
            esme.submit(b"a", receipt=True)
            await esme.ask(CommandId.ENQUIRE_LINK)
            smsc.change_behaviour({"silent": True})
            jump(50)
            await settle()
            account = smsc.account("test")
            assert (account.counters.unanswered, account.counters.receipts_sent) == (1, 0)
            smsc.change_behaviour({"silent": False})
            assert {(await esme.receive()).command_id for _ in range(2)} == {
                CommandId.SUBMIT_SM_RESP,
                CommandId.DELIVER_SM,
            }

    play(scene)


# binds that do not last


def test_a_bind_is_closed_after_a_while() -> None:
    async def scene() -> None:
        async with Simulator(behaviour=Behaviour(close_after=5)) as smsc, Esme(smsc.port) as esme:
            await esme.bind()
            jump(4.9)
            assert await statuses(esme, 1) == [0]  # life does not put it off
            jump(0.1)
            assert await esme.ended() == b""
            assert smsc.account("test").links == []

    play(scene)


def test_how_long_a_bind_lasts_is_changed_for_those_that_are_there() -> None:
    async def scene() -> None:
        async with Simulator(behaviour=Behaviour(close_after=5)) as smsc, Esme(smsc.port) as esme:
            await esme.bind()
            smsc.change_behaviour({"close_after": 0})
            jump(50)
            await settle()
            assert await statuses(esme, 1) == [0]
            smsc.change_behaviour({"close_after": 50})
            assert await esme.ended() == b""

    play(scene)


# connections that are refused


async def test_connections_are_refused_and_taken_again_on_the_same_port() -> None:
    async with Simulator() as smsc:
        port = smsc.port
        for _ in range(3):
            async with Esme(port) as esme:
                await esme.bind()
                smsc.refuse_connections()
                assert await esme.ended() == b""
            for _ in range(2):
                with pytest.raises(ConnectionRefusedError):
                    await asyncio.open_connection("127.0.0.1", port)
            await smsc.listen()
            await smsc.listen()  # twice is once
            assert smsc.port == port
        async with Esme(port) as esme:
            assert (await esme.bind()).command_status == 0
        smsc.refuse_connections()
        smsc.refuse_connections()
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", port)


async def test_connections_are_dropped_and_may_come_again() -> None:
    async with Simulator() as smsc, Esme(smsc.port) as esme:
        await esme.bind()
        smsc.drop_connections()
        assert await esme.ended() == b""
        async with Esme(smsc.port) as again:
            assert (await again.bind()).command_status == 0


# the control port


Controlled = tuple[Simulator, aiohttp.ClientSession]


@pytest.fixture
async def controlled() -> AsyncIterator[Controlled]:
    async with (
        Simulator([AccountRules("test", "secret")], control_port=0) as smsc,
        aiohttp.ClientSession(f"http://127.0.0.1:{smsc.control_port}") as session,
    ):
        yield smsc, session


async def test_an_account_changes_over_http(controlled: Controlled) -> None:
    smsc, session = controlled
    form = {"account": "test", "bind-status": "0x0d", "limit": "none", "limit-per": "connection", "law": "closing"}
    async with session.post("/account", data=form) as answer:
        text = await answer.text()
        told = await answer.json()
    assert "secret" not in text
    assert told == {
        "account": "test",
        "bind-status": 13,
        "limit": None,
        "limit-per": "connection",
        "law": "closing",
        "burst": None,
        "binds": 1,
        "second-bind": "close-older",
        "addresses": "",
        "same-within": None,
        "single": False,
        "delivery-rate": None,
        "cost": 1.0,
        "incoming": True,
        "handler": "",
    }
    assert smsc.account("test").rules.bind_status == 13


async def test_troubles_over_http(controlled: Controlled) -> None:
    smsc, session = controlled
    form = {"silent": "yes", "close_after": "5", "reject_share": "0.5", "reject_status": "0x08"}
    async with session.post("/behaviour", data=form) as answer:
        told = await answer.json()
    assert (told["silent"], told["close_after"], told["reject_share"], told["reject_status"]) == (True, 5, 0.5, 8)
    async with session.post("/behaviour", json={"silent": False, "reject_status": 0x14}) as answer:
        assert not (await answer.json())["silent"]
    assert smsc.behaviour == Behaviour(close_after=5, reject_share=0.5)


async def test_connections_over_http(controlled: Controlled) -> None:
    smsc, session = controlled
    async with Esme(smsc.port) as first, Esme(smsc.port) as second:
        await first.bind(password=b"secret")
        async with session.post("/drop") as answer:
            assert answer.status == 200
        assert await first.ended() == await second.ended() == b""
    async with session.post("/refuse") as answer:
        assert answer.status == 200
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", smsc.port)
    async with session.post("/listen") as answer:
        assert answer.status == 200
    async with Esme(smsc.port) as esme:
        assert (await esme.bind(password=b"secret")).command_status == 0
        assert (await esme.ask(CommandId.SUBMIT_SM, message(b"a"))).command_status == 0


WRONG = [
    ("/account", {"account": "nobody", "bind-status": 0}),
    ("/account", {"bind-status": 0}),
    ("/account", {"account": "test", "bind-status": -1}),
    ("/account", {"account": "test", "bind-status": True}),
    ("/account", {"account": "test", "limit": -1}),
    ("/account", {"account": "test", "limit": 5, "limit-per": "login"}),
    ("/account", {"account": "test", "password": "x"}),
    ("/account", {"account": "test", "binds": 10}),
    ("/behaviour", {"silent": "perhaps"}),
    ("/behaviour", {"silent": None}),
    ("/behaviour", {"close_after": -1}),
    ("/behaviour", {"reject_share": 1.1}),
    ("/behaviour", {"reject_share": "nan"}),
    ("/behaviour", {"reject_status": 0}),
    ("/behaviour", {"reject_status": 0x58}),
    ("/behaviour", {"reject_status": 1.5}),
    ("/behaviour", {"reject_status": True}),
]


@pytest.mark.parametrize(("path", "body"), WRONG)
async def test_a_wrong_change_is_refused_and_changes_nothing(
    controlled: Controlled, path: str, body: dict[str, object]
) -> None:
    smsc, session = controlled
    async with session.post(path, json=body) as answer:
        assert answer.status == 400
        assert (await answer.json())["error"]
    assert smsc.behaviour == Behaviour()
    assert smsc.account("test").rules == AccountRules("test", "secret")

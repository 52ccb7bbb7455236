"""Who may bind, and what happens to who was there before."""

from __future__ import annotations

import pytest

from kannelkit.simulator import AccountRules, Behaviour, SecondBind, Simulator
from kannelkit.simulator.rules import allowed_connections
from kannelkit.smpp.constants import CommandId, CommandStatus, Tag
from tests.simulator.esme import Esme, message

WRONG = [(b"test", b"wrong"), (b"nobody", b"test"), (b"", b""), (b"TEST", b"test"), (b"test", b"")]
BINDS = [CommandId.BIND_TRANSMITTER, CommandId.BIND_RECEIVER, CommandId.BIND_TRANSCEIVER]


@pytest.mark.parametrize("command_id", BINDS)
async def test_bind_is_answered(command_id: CommandId) -> None:
    async with Simulator() as smsc, Esme(smsc.port) as esme:
        answer = await esme.bind(command_id=command_id)
        assert (answer.command_id, answer.command_status) == (command_id | 0x80000000, 0)
        assert answer.tlv(Tag.SC_INTERFACE_VERSION) == b"\x34"
        assert smsc.account("test").counters.binds == len(smsc.account("test").links) == 1


@pytest.mark.parametrize(("login", "password"), WRONG)
async def test_wrong_login_or_password_is_0x0e(login: bytes, password: bytes) -> None:
    async with Simulator() as smsc, Esme(smsc.port) as esme:
        assert (await esme.bind(login, password)).command_status == 0x0E
        assert smsc.unknown_logins + smsc.account("test").counters.binds_refused == 1
        assert (await esme.bind()).command_status == 0  # the connection is still good for another try


async def test_bind_is_refused_with_the_status_asked_for() -> None:
    async with Simulator([AccountRules("test", "test", bind_status=0x0D)]) as smsc, Esme(smsc.port) as esme:
        assert (await esme.bind()).command_status == 0x0D
        assert smsc.account("test").counters.binds_refused == 1


async def test_binding_twice_on_one_connection_is_already_bound() -> None:
    async with Simulator() as smsc, Esme(smsc.port) as esme:
        await esme.bind()
        assert (await esme.bind()).command_status == 0x05
        assert (await esme.submit_and_wait()).command_status == 0


async def test_newer_bind_closes_the_older() -> None:
    async with Simulator() as smsc, Esme(smsc.port) as older, Esme(smsc.port) as newer:
        await older.bind()
        await newer.bind()
        assert await older.ended() == b""
        assert (await newer.submit_and_wait()).command_status == 0
        assert smsc.account("test").counters.closed_by_newer == len(smsc.account("test").links) == 1


async def test_a_refused_bind_closes_nobody() -> None:
    async with Simulator() as smsc, Esme(smsc.port) as older, Esme(smsc.port) as newer:
        await older.bind()
        await newer.bind(password=b"wrong")
        assert (await older.submit_and_wait()).command_status == 0


@pytest.mark.parametrize(("rule", "status"), [(SecondBind.BIND_FAILED, 0x0D), (SecondBind.ALREADY_BOUND, 0x05)])
async def test_second_bind_is_refused_where_asked(rule: SecondBind, status: int) -> None:
    rules = AccountRules("test", "test", second_bind=rule)
    async with Simulator([rules]) as smsc, Esme(smsc.port) as older, Esme(smsc.port) as newer:
        await older.bind()
        assert (await newer.bind()).command_status == status
        assert (await older.submit_and_wait()).command_status == 0
        await older.ask(CommandId.UNBIND)
        assert (await newer.bind()).command_status == 0


async def test_mcon_allows_n_and_closes_the_oldest_beyond() -> None:
    async with (
        Simulator() as smsc,
        Esme(smsc.port) as first,
        Esme(smsc.port) as second,
        Esme(smsc.port) as third,
    ):
        for esme in (first, second, third):
            assert (await esme.bind(system_type=b"ISO,MCON2")).command_status == 0
        assert await first.ended() == b""
        for esme in (second, third):
            assert (await esme.submit_and_wait()).command_status == 0


async def test_bind_without_mcon_closes_all_others() -> None:
    async with (
        Simulator() as smsc,
        Esme(smsc.port) as first,
        Esme(smsc.port) as second,
        Esme(smsc.port) as third,
    ):
        await first.bind(system_type=b"MCON9")
        await second.bind(system_type=b"MCON9")
        await third.bind()
        assert await first.ended() == await second.ended() == b""
        assert len(smsc.account("test").links) == 1


FLAGS = [
    ("", 1),
    ("MCON1", 1),
    ("MCON9", 9),
    ("ISO,MCON3", 3),
    ("SINGLE, MCON2", 2),
    ("MCON0", 1),
    ("MCON10", 1),
    ("ISO,SINGLE,M", 1),  # what is left of ISO,SINGLE,MCON2 in 12 characters
    ("mcon2", 1),
]


@pytest.mark.parametrize(("system_type", "connections"), FLAGS)
def test_system_type_says_how_many(system_type: str, connections: int) -> None:
    assert allowed_connections(system_type, AccountRules("test", "test")) == connections


UNBOUND = [
    (CommandId.SUBMIT_SM, message(b"hello")),
    (CommandId.UNBIND, {}),
    (CommandId.QUERY_SM, {"message_id": b"1"}),
    (CommandId.CANCEL_SM, {}),
]


@pytest.mark.parametrize(("command_id", "fields"), UNBOUND)
async def test_nothing_goes_without_a_bind(command_id: CommandId, fields: dict[str, int | bytes]) -> None:
    async with Simulator() as smsc, Esme(smsc.port) as esme:
        answer = await esme.ask(command_id, {**fields})
        assert answer.command_status == CommandStatus.ESME_RINVBNDSTS


async def test_receiver_may_not_submit() -> None:
    async with Simulator() as smsc, Esme(smsc.port) as esme:
        await esme.bind(command_id=CommandId.BIND_RECEIVER)
        assert (await esme.submit_and_wait()).command_status == CommandStatus.ESME_RINVBNDSTS
        assert smsc.account("test").counters.rejected == 1


async def test_idle_connection_is_closed() -> None:
    async with Simulator(behaviour=Behaviour(idle=0.5)) as smsc, Esme(smsc.port) as esme:
        await esme.bind()
        assert await esme.ended() == b""
        assert smsc.account("test").counters.closed_idle == 1


async def test_connection_that_does_not_bind_is_closed() -> None:
    async with Simulator(behaviour=Behaviour(bind_within=0.1)) as smsc, Esme(smsc.port) as esme:
        assert await esme.ended() == b""


async def test_octets_that_are_no_whole_pdu_are_idleness() -> None:
    async with Simulator() as smsc, Esme(smsc.port) as esme:
        await esme.bind()
        esme.writer.write(b"\0\0\0")
        smsc.change_behaviour({"idle": 0.1})
        assert await esme.ended() == b""


async def test_shorter_idle_limit_applies_at_once() -> None:
    async with Simulator() as smsc, Esme(smsc.port) as esme:
        await esme.bind()
        smsc.change_behaviour({"idle": 0.1})
        assert await esme.ended() == b""


async def test_unbind_is_answered_and_the_connection_closed() -> None:
    async with Simulator() as smsc, Esme(smsc.port) as esme:
        await esme.bind()
        assert (await esme.ask(CommandId.UNBIND)).command_id == CommandId.UNBIND_RESP
        assert await esme.ended() == b""
        assert smsc.account("test").links == []

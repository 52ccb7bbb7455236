"""Accounts that share a limit, a client's two binds for one account, and what the relay is asked meanwhile."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from kannelkit.errors import GatewayError
from kannelkit.relay.control import ask
from kannelkit.relay.settings import Login
from kannelkit.simulator import AccountRules, Simulator
from kannelkit.smpp.constants import CommandId
from tests.harness.waiting import until
from tests.relay.running import NAME, PASSWORD, account, bound, running
from tests.simulator.esme import Esme

RULES = AccountRules("test", "test", limit=None, binds=4)


async def test_accounts_of_one_unit_share_its_rate_in_turn(tmp_path: Path) -> None:
    rules = [RULES, AccountRules("other", "test", limit=None)]
    async with Simulator(rules) as smsc:
        one = account(smsc.port, ceiling=50.0, unit="both")
        two = replace(one, name="two", listen_system_id=b"two", login=Login(b"other", b"test"))
        async with running(tmp_path, one, two) as relay, bound(relay) as first, bound(relay, "two") as second:
            for each in range(40):
                first.submit(b"a%d" % each)
                second.submit(b"b%d" % each)
            await until(lambda: sum(each.counts.accepted for each in relay.accounts.values()) >= 40)
            accepted = [smsc.account(login).counters.accepted for login in ("test", "other")]
            assert abs(accepted[0] - accepted[1]) <= 2
            counters = smsc.account("test").counters
            assert counters.first_accepted is not None
            assert counters.last_accepted is not None
            # 40 at 50 a second, and the first at once; each account by itself would take 0.4 s
            assert counters.last_accepted - counters.first_accepted >= 0.6


async def test_a_transmitter_and_a_receiver_are_two_binds_at_the_provider(tmp_path: Path) -> None:
    rules = replace(RULES, incoming=True)
    async with (
        Simulator([rules]) as smsc,
        running(tmp_path, account(smsc.port)) as relay,
        Esme(relay.ports[NAME]) as transmitter,
        Esme(relay.ports[NAME]) as receiver,
    ):
        for esme, command in ((transmitter, CommandId.BIND_TRANSMITTER), (receiver, CommandId.BIND_RECEIVER)):
            assert (await esme.bind(NAME.encode(), PASSWORD, command_id=command)).command_status == 0
        answer = await transmitter.submit_and_wait(receipt=True)
        receipt = await receiver.receive()
        assert receipt.command_id == CommandId.DELIVER_SM
        assert answer.octets("message_id") in receipt.message()
        assert smsc.account("test").counters.binds == 2


async def test_a_second_bind_of_a_kind_takes_the_place_of_the_first(tmp_path: Path) -> None:
    rules = AccountRules("test", "test", limit=None)  # one bind; a second one closes the older
    async with Simulator([rules]) as smsc, running(tmp_path, account(smsc.port)) as relay:
        async with bound(relay) as half_open, bound(relay) as esme:
            await half_open.ended()
            assert (await esme.submit_and_wait()).command_status == 0
        assert smsc.account("test").counters.closed_by_newer == 0


async def test_it_says_how_it_stands_and_does_what_it_is_told(tmp_path: Path) -> None:
    async with (
        Simulator([RULES]) as smsc,
        running(tmp_path, account(smsc.port, ceiling=100.0, connections=2)) as relay,
        bound(relay) as esme,
    ):
        await until(lambda: len(smsc.account("test").links) == 2)
        assert await ask(tmp_path, {"do": "pause", "account": NAME}) == {"paused": True}
        numbers = [esme.submit(b"m%d" % each) for each in range(3)]
        await until(lambda: relay.accounts[NAME].counts.arrived == 3)
        (state,) = (await ask(tmp_path, {"do": "state"}))["accounts"]
        told = {name: state[name] for name in ("bearerbox", "connections", "held", "unanswered", "accepted", "paused")}
        assert told == {"bearerbox": 1, "connections": 2, "held": 3, "unanswered": 0, "accepted": 0, "paused": True}
        assert (await ask(tmp_path, {"do": "rate", "account": NAME, "rate": 20}))["rate"] == 20
        await ask(tmp_path, {"do": "resume", "account": NAME})
        assert [(await esme.receive()).sequence_number for _ in numbers] == numbers
        assert (await ask(tmp_path, {"do": "rate", "account": NAME, "rate": None}))["rate"] > 20
        for wrong in (
            {"do": "no such thing"},
            {"do": "rate", "account": "nobody"},
            {"do": "rate", "account": NAME, "rate": 0},
            {"do": "rate", "account": NAME, "rate": "20"},
        ):
            with pytest.raises(GatewayError, match="the relay says"):
                await ask(tmp_path, wrong)


async def test_its_socket_takes_anything_and_is_this_user_s_alone(tmp_path: Path) -> None:
    async with Simulator([RULES]) as smsc, running(tmp_path, account(smsc.port)):
        path = tmp_path / "relay.sock"
        assert path.stat().st_mode & 0o077 == 0
        for octets in (b"\xff\xfe\n", b"[" * 3000 + b"\n", b"x" * 100_000, b"[]\n", b'{"do": []}\n'):
            reader, writer = await asyncio.open_unix_connection(str(path))
            writer.write(octets)
            assert b"Traceback" not in await reader.readline()
            writer.transport.abort()
        assert (await ask(tmp_path, {"do": "state"}))["accounts"]

"""Whatever one side sends, other sessions go on, and nothing raises out of a connection."""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
import struct
import tempfile
from dataclasses import replace
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kannelkit.relay.bearerbox import BearerboxConnection
from kannelkit.relay.process import Relay
from kannelkit.simulator import AccountRules, Simulator
from kannelkit.smpp.constants import RESPONSE, CommandId
from kannelkit.smpp.pdu import FieldValue, Pdu, decode, encode
from tests.benchmarks import fuzz_octets
from tests.harness.waiting import turn, until
from tests.relay.running import NAME, PASSWORD, account, bound, running
from tests.simulator.esme import Esme

RULES = AccountRules("test", "test", limit=None, binds=9)


async def good(relay: Relay, count: int) -> None:
    """Send messages as a client should; each has to get its answer."""
    async with bound(relay, "good") as esme:
        numbers = {esme.submit(b"%d" % number) for number in range(count)}
        answers = [await esme.receive() for _ in numbers]
        assert {answer.sequence_number for answer in answers if answer.command_status == 0} == numbers


async def hostile_client(relay: Relay, chance: random.Random) -> None:
    async with Esme(relay.ports["hostile"]) as esme:
        bind = decode(fuzz_octets.bind(b"hostile", chance))
        bind.fields["password"] = PASSWORD
        esme.writer.write(encode(bind))
        for _ in range(chance.randrange(1, 30)):
            if not esme.writer.is_closing():
                esme.writer.write(fuzz_octets.hostile(chance))
                await turn()
        if chance.random() < 0.5:
            with contextlib.suppress(OSError):  # closed already
                esme.writer.write_eof()


async def hostile_provider(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, chance: random.Random) -> None:
    with contextlib.suppress(OSError, asyncio.IncompleteReadError):
        length = await reader.readexactly(4)
        bind = decode(length + await reader.readexactly(int.from_bytes(length, "big") - 4))
        writer.write(encode(Pdu(bind.command_id | CommandId.GENERIC_NACK, 0, bind.sequence_number)))
        for _ in range(chance.randrange(1, 60)):
            octets = chance.choice((fuzz_octets.hostile, fuzz_octets.delivery, answer, answer))(chance)
            writer.write(fuzz_octets.mutated(octets, chance) if chance.random() < 0.2 else octets)
            await turn()
    writer.transport.abort()


def answer(chance: random.Random) -> bytes:
    """Return a response to one of the first submits, or to one that was answered already, or to none."""
    fields: dict[str, FieldValue] = {"message_id": b"%d" % chance.randrange(100)}
    status = chance.choice((0, 0, 0, 0x08, 0x14, 0x45, 0x58, 0x451))
    return encode(Pdu(CommandId.SUBMIT_SM_RESP, status, chance.randrange(1, 30), fields))


@given(st.integers(0, 2**32))
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_hostility_on_either_side_disturbs_nobody(seed: int) -> None:
    chance = random.Random(seed)

    async def meet(folder: Path) -> None:
        faults: list[object] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: faults.append(context))
        provider = await asyncio.start_server(
            lambda reader, writer: hostile_provider(reader, writer, chance), "127.0.0.1", 0
        )
        port: int = provider.sockets[0].getsockname()[1]
        async with provider, Simulator([RULES]) as smsc:
            accounts = [
                replace(account(smsc.port), name="good", listen_system_id=b"good", unit="good"),
                replace(account(smsc.port), name="hostile", listen_system_id=b"hostile", unit="hostile"),
                replace(account(port), name="led astray", listen_system_id=b"astray", unit="astray"),
            ]
            async with running(folder, *accounts) as relay, Esme(relay.ports["led astray"]) as astray:
                astray.send(CommandId.BIND_TRANSCEIVER, {"system_id": b"astray", "password": PASSWORD})
                for each in range(20):
                    astray.submit(b"%d" % each)
                await asyncio.gather(good(relay, 20), *(hostile_client(relay, chance) for _ in range(3)))
        assert faults == []

    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(meet(Path(folder)))


async def test_one_who_is_gone_this_moment_can_be_taken_leave_of(tmp_path: Path) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        async with Simulator([RULES]) as smsc, running(tmp_path, account(smsc.port)) as relay:
            client = socket.create_connection(listener.getsockname())
            there, _ = listener.accept()
            _, connection = await asyncio.get_running_loop().connect_accepted_socket(
                lambda: BearerboxConnection(relay.accounts[NAME]), there
            )
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            client.close()  # a reset, of which the relay has had no chance to hear
            connection.unbind()
            await connection.closed


async def test_a_bind_that_is_answered_when_the_relay_has_taken_leave_is_no_fault(tmp_path: Path) -> None:
    faults: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: faults.append(context))
    asked, left = asyncio.Event(), asyncio.Event()

    async def late(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        length = await reader.readexactly(4)
        bind = decode(length + await reader.readexactly(int.from_bytes(length, "big") - 4))
        asked.set()
        await left.wait()
        writer.write(encode(Pdu(bind.command_id | RESPONSE, 0, bind.sequence_number, {"system_id": b"late"})))
        await reader.read()

    provider = await asyncio.start_server(late, "127.0.0.1", 0)
    async with provider, running(tmp_path, account(provider.sockets[0].getsockname()[1])) as relay:
        async with Esme(relay.ports[NAME]) as esme:
            esme.send(CommandId.BIND_TRANSCEIVER, {"system_id": NAME.encode(), "password": PASSWORD})
            await asked.wait()
            stopping = asyncio.create_task(relay.stop())
            assert await esme.ended() == b""
            left.set()
            await turn()
        await stopping
    assert faults == []


async def test_what_comes_after_the_leave_has_no_answer_and_is_no_fault(tmp_path: Path) -> None:
    faults: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: faults.append(context))
    async with Simulator([RULES]) as smsc, running(tmp_path, account(smsc.port)) as relay, bound(relay, NAME) as esme:
        assert (await esme.ask(CommandId.UNBIND)).command_id == CommandId.UNBIND_RESP
        assert await esme.ended() == b""
        for command_id in (CommandId.ENQUIRE_LINK, CommandId.SUBMIT_SM, CommandId.UNBIND, CommandId.BIND_TRANSCEIVER):
            esme.send(command_id)
        esme.writer.write(b"\0" * 16)
        esme.writer.write_eof()
        await until(lambda: relay.accounts[NAME].state()["bearerbox"] == 0)
    assert faults == []

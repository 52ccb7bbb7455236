"""The judge itself, tried with smpplib, a client that neither it nor the project wrote."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import smpplib.client
import smpplib.consts
import smpplib.exceptions

from tests.harness.node_smsc import NodeSmsc
from tests.harness.pem import write_pem

pytestmark = pytest.mark.skipif(not shutil.which("node"), reason="node is not installed")

THROTTLED = 0x58


@contextmanager
def bound(smsc: NodeSmsc) -> Iterator[smpplib.client.Client]:
    client = smpplib.client.Client("127.0.0.1", smsc.port, timeout=60, allow_unknown_opt_params=True)
    client.connect()
    try:
        client.bind_transceiver(system_id="one", password="secret")
        yield client
    finally:
        client._socket.close()  # disconnect() would log and raise where the SMSC closed first


def submit(client: smpplib.client.Client, count: int, first: int = 0) -> None:
    for number in range(first, first + count):
        client.send_message(
            source_addr="bench", destination_addr=f"7900000000{number}", short_message=f"m{number}".encode()
        )


def answers(client: smpplib.client.Client, count: int) -> list[int]:
    """Return the statuses of the next answers, in the order of the submits; fail when the order differs."""
    received = [client.read_pdu() for _ in range(count)]
    sequence = [pdu.sequence for pdu in received]
    assert sequence == sorted(sequence)
    return [pdu.status for pdu in received]


async def test_the_limit_holds_for_one_second_and_answers_keep_their_order() -> None:
    async with NodeSmsc(limit=3, delay_ms=20) as smsc:

        def talk() -> list[int]:
            with bound(smsc) as client:
                submit(client, 5)
                return answers(client, 5)

        assert await asyncio.to_thread(talk) == [0, 0, 0, THROTTLED, THROTTLED]
        timeline = await smsc.timeline()
        assert timeline.binds() == 1
        assert (len(timeline.accepted), len(timeline.refused)) == (3, 2)
        assert (await smsc.messages())["79000000004|m4"] == [0, 1]


async def test_a_changed_limit_counts_at_once_and_doubles_are_seen() -> None:
    async with NodeSmsc(limit=1) as smsc:
        await smsc.change(limit=0)

        def talk() -> list[int]:
            with bound(smsc) as client:
                submit(client, 4)
                submit(client, 1)
                return answers(client, 5)

        assert await asyncio.to_thread(talk) == [0] * 5
        counters = await smsc.counters()
        assert (counters["accepted"], counters["distinct_accepted"], counters["doubled"]) == (5, 4, 1)


async def test_the_older_bind_of_a_login_is_closed() -> None:
    async with NodeSmsc() as smsc:

        def talk() -> bytes:
            with bound(smsc) as older, bound(smsc):
                rest: bytes = older._socket.recv(1)
                return rest

        assert await asyncio.to_thread(talk) == b""
        assert [event["event"] for event in (await smsc.timeline()).events[:3]] == ["bind", "closed older", "bind"]


@pytest.mark.parametrize(("at_unbind", "expected"), [("answer", 4), ("close", 0)])
async def test_at_unbind_it_answers_all_or_closes(at_unbind: str, expected: int) -> None:
    async with NodeSmsc(delay_ms=50, at_unbind=at_unbind) as smsc:

        def talk() -> int:
            with bound(smsc) as client:
                submit(client, 3)
                unbind = smpplib.smpp.make_pdu("unbind", client=client)
                client.send_pdu(unbind)
                received = b""
                while more := client._socket.recv(4096):
                    received += more
                return received.count(b"\x80\x00\x00\x04") + received.count(b"\x80\x00\x00\x06")

        assert await asyncio.to_thread(talk) == expected


async def test_coalesced_answers_come_together() -> None:
    async with NodeSmsc(coalesce_ms=500) as smsc:

        def talk() -> list[int]:
            pieces: list[int] = []
            with bound(smsc) as client:
                submit(client, 20)
                while sum(pieces) < 20:
                    piece: bytes = client._socket.recv(65536)
                    pieces.append(piece.count(b"\x80\x00\x00\x04"))
            return pieces

        assert len(await asyncio.to_thread(talk)) <= 2  # two where the submits fell on both sides of a boundary


async def test_it_speaks_tls(tmp_path: Path) -> None:
    pem = write_pem(tmp_path / "smsc.pem")
    async with NodeSmsc(tls_pem=pem) as smsc:
        command = ["openssl", "s_client", "-connect", f"127.0.0.1:{smsc.port}", "-brief"]
        done = await asyncio.to_thread(
            subprocess.run, command, stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=False
        )
        assert b"CONNECTION ESTABLISHED" in done.stderr


async def test_binds_are_refused_with_the_status_that_was_asked_for() -> None:
    async with NodeSmsc() as smsc:
        await smsc.change(bind_status=0x0D)

        def talk() -> int:
            with pytest.raises(smpplib.exceptions.PDUError) as refused, bound(smsc):
                pass
            status: int = refused.value.args[1]
            return status

        assert await asyncio.to_thread(talk) == 0x0D
        assert [event["event"] for event in (await smsc.timeline()).events] == ["settings", "bind refused"]


async def test_a_bind_too_many_is_said_to_be_bound_already_and_its_messages_are_refused() -> None:
    async with NodeSmsc() as smsc:
        await smsc.change(already_bound=True)

        def talk() -> list[int]:
            with bound(smsc) as first:
                second = smpplib.client.Client("127.0.0.1", smsc.port, timeout=60, allow_unknown_opt_params=True)
                second.connect()
                second.send_pdu(
                    smpplib.smpp.make_pdu("bind_transceiver", client=second, system_id="one", password="secret")
                )
                statuses = [second.read_pdu().status]
                second.state = smpplib.consts.SMPP_CLIENT_STATE_BOUND_TRX
                submit(second, 1)
                submit(first, 1, first=1)
                statuses += [second.read_pdu().status, first.read_pdu().status]
                second._socket.close()
                return statuses

        assert await asyncio.to_thread(talk) == [0x05, 0x04, 0]


async def test_a_bind_lasts_as_long_as_it_may() -> None:
    async with NodeSmsc() as smsc:
        await smsc.change(close_binds_after=100.0)

        def talk() -> bytes:
            with bound(smsc) as client:
                rest: bytes = client._socket.recv(1)
                return rest

        assert await asyncio.to_thread(talk) == b""
        events = (await smsc.timeline()).events
        assert [event["event"] for event in events] == ["settings", "bind", "closed"]
        assert events[2]["at"] - events[1]["at"] >= 100


async def test_while_it_is_away_no_connection_is_taken_and_then_again() -> None:
    async with NodeSmsc() as smsc:

        def talk() -> None:
            with bound(smsc):
                pass

        reader, writer = await asyncio.open_connection("127.0.0.1", smsc.port)
        await smsc.change(away=True)
        assert await reader.read(1) == b""
        writer.close()
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", smsc.port)
        await smsc.change(away=False)
        async with asyncio.timeout(60):
            while True:
                try:
                    await asyncio.to_thread(talk)
                    break
                except smpplib.exceptions.ConnectionError:
                    continue  # it listens in a moment

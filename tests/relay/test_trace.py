"""Whoever looks on sees every PDU of an account on both sides, no password, and never holds anything up."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from kannelkit.errors import GatewayError
from kannelkit.relay.control import FILE
from kannelkit.relay.process import Relay
from kannelkit.relay.settings import Login, RelaySettings, write
from kannelkit.relay.trace import BEARERBOX, PROVIDER, Traced, Watcher, watch
from kannelkit.simulator import AccountRules, Simulator
from kannelkit.smpp.constants import CommandId
from kannelkit.smpp.pdu import Pdu, decode, encode
from tests.harness.waiting import until
from tests.relay.running import NAME, PASSWORD, account, bound, running
from tests.simulator.esme import Esme, message

UNLIMITED = AccountRules("test", "pr0vider", limit=None, binds=4, incoming=True)
LOGIN = Login(b"test", b"pr0vider")


def submit(number: int, text: bytes = b"hello", to: bytes = b"79991234567") -> bytes:
    return encode(Pdu(CommandId.SUBMIT_SM, 0, number, message(text, to=to)))


def response(number: int) -> bytes:
    return encode(Pdu(CommandId.SUBMIT_SM_RESP, 0, number, {"message_id": b"1"}))


class Seen:
    """A watcher that reads at once, or not at all."""

    def __init__(self, *only: int, number: bytes = b"", unread: int = 0) -> None:
        self.lines: list[dict[str, Any]] = []
        self.unread = unread
        self.traced = Traced()
        self.traced.watchers.append(Watcher(self.take, lambda: self.unread, frozenset(only), number))
        self.where = {side: self.traced.connection(side) for side in (BEARERBOX, PROVIDER)}

    def take(self, octets: bytes) -> None:
        self.lines += [json.loads(line) for line in octets.splitlines()]

    def pdus(self, side: str, came: bool, *frames: bytes) -> None:
        self.traced.pdus(self.where[side], frames, came=came, numbers=lambda number: number + 1000)


def test_the_other_side_s_number_is_told_of_what_a_side_was_asked() -> None:
    seen = Seen()
    seen.pdus(PROVIDER, False, submit(1), response(2))
    seen.pdus(PROVIDER, True, submit(3), response(4))
    assert [line["other"] for line in seen.lines] == [1001, None, None, 1004]
    assert [bytes.fromhex(line["pdu"]) for line in seen.lines] == [submit(1), response(2), submit(3), response(4)]
    assert {(line["side"], line["connection"]) for line in seen.lines} == {(PROVIDER, 1)}


def test_that_an_account_is_gone_is_told_to_those_as_well_who_read_nothing() -> None:
    seen = Seen(unread=10**9)
    seen.pdus(PROVIDER, False, submit(1))
    seen.traced.removed()
    assert seen.lines == [{"removed": True}]


ASKED: dict[str, tuple[Sequence[int], bytes, list[int]]] = {
    "everything": ((), b"", [1, 1, 2, 2, 3]),
    "a request and its responses": ((CommandId.SUBMIT_SM,), b"", [1, 1, 2, 2]),
    "responses alone": ((CommandId.SUBMIT_SM_RESP,), b"", [1, 2]),
    "a number": ((), b"79990000001", [1, 1]),
    "a number's responses": ((CommandId.SUBMIT_SM_RESP,), b"79990000001", []),
    "another command": ((CommandId.DELIVER_SM,), b"", []),
}


@pytest.mark.parametrize("what", ASKED)
def test_one_sees_what_one_asked_for(what: str) -> None:
    only, number, numbers = ASKED[what]
    seen = Seen(*only, number=number)
    for each, to in ((1, b"79990000001"), (2, b"79990000002")):
        seen.pdus(BEARERBOX, True, submit(each, to=to))
        seen.pdus(BEARERBOX, False, response(each))
    seen.pdus(BEARERBOX, True, encode(Pdu(CommandId.ENQUIRE_LINK, 0, 3)))
    assert [decode(bytes.fromhex(line["pdu"])).sequence_number for line in seen.lines] == numbers


def test_the_same_number_asked_by_the_other_end_is_another_exchange() -> None:
    seen = Seen(number=b"79990000001")
    seen.pdus(PROVIDER, False, submit(1, to=b"79990000001"))
    seen.pdus(PROVIDER, False, response(1))  # to what the provider asked, which was not shown
    seen.pdus(PROVIDER, True, response(1))
    assert [line["came"] for line in seen.lines] == [False, True]


def test_one_who_does_not_read_misses_lines_and_is_told_how_many() -> None:
    seen = Seen(unread=2**20)
    seen.pdus(BEARERBOX, True, submit(1), submit(2))
    seen.traced.event(seen.where[BEARERBOX], "connected")
    assert seen.lines == []
    seen.unread = 0
    seen.pdus(BEARERBOX, True, submit(3), submit(4))
    assert seen.lines[0] == {"lost": 3}
    assert len(seen.lines) == 3


@pytest.mark.parametrize("command", [CommandId.BIND_TRANSCEIVER, CommandId.BIND_RECEIVER, CommandId.OUTBIND])
@pytest.mark.parametrize("cut", [False, True])
def test_no_password_is_told_not_even_of_what_cannot_be_read(command: CommandId, cut: bool) -> None:
    frame = encode(Pdu(command, 0, 1, {"system_id": b"login", "password": b"s3cret"}))
    if cut:
        frame = frame[:-1].replace(b"s3cret\0", b"s3crets3crets3cret")
        frame = len(frame).to_bytes(4, "big") + frame[4:]
    seen = Seen()
    seen.pdus(BEARERBOX, True, frame)
    (line,) = seen.lines
    assert b"s3cret".hex() not in line["pdu"]
    assert cut or b"login" in bytes.fromhex(line["pdu"])


# -- through a relay


@contextlib.asynccontextmanager
async def looking_on(
    folder: Path, seen: list[dict[str, Any]], *, only: Sequence[int] = (), number: str = ""
) -> AsyncIterator[None]:
    """Collect what a relay tells of its account, from when it has begun."""
    begun = asyncio.Event()

    async def collect() -> None:
        async for told in watch(folder, NAME, only, number):
            if begun.is_set():
                seen.append(told)
            begun.set()

    task = asyncio.create_task(collect())
    await begun.wait()
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def passed(seen: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield the PDUs but for signs of life, which a slow machine makes the relay ask for."""
    for line in seen:
        if "pdu" in line and "enquire_link" not in summary(line)[2]:
            yield line


def summary(line: Mapping[str, Any]) -> tuple[str, bool, str]:
    return line["side"], line["came"], decode(bytes.fromhex(line["pdu"])).name


async def test_a_message_is_seen_on_both_sides_with_both_numbers(tmp_path: Path) -> None:
    seen: list[dict[str, Any]] = []
    async with Simulator([UNLIMITED]) as smsc:
        settings = account(smsc.port, login=LOGIN)
        async with running(tmp_path, settings) as relay, looking_on(tmp_path, seen), bound(relay) as esme:
            number = esme.submit(b"hello")
            await esme.receive()
            smsc.account("test").incoming("79991234567", "shop", "STOP")
            incoming = await esme.receive()
            esme.send(CommandId.DELIVER_SM_RESP, {"message_id": b""}, sequence_number=incoming.sequence_number)
            await until(lambda: smsc.account("test").counters.incoming_acknowledged == 1)
            await until(lambda: len(list(passed(seen))) >= 12)
    events = [(line["side"], line["event"]) for line in seen if "event" in line]
    assert events[:2] == [("bearerbox", "connected"), ("provider", f"connected to 127.0.0.1:{smsc.port}")]
    pdus = list(passed(seen))
    assert not any(password.hex() in json.dumps(pdus) for password in (PASSWORD, b"pr0vider"))
    assert [summary(line) for line in pdus][:12] == [
        ("bearerbox", True, "bind_transceiver"),
        ("provider", False, "bind_transceiver"),
        ("provider", True, "bind_transceiver_resp"),
        ("bearerbox", False, "bind_transceiver_resp"),
        ("bearerbox", True, "submit_sm"),
        ("provider", False, "submit_sm"),
        ("provider", True, "submit_sm_resp"),
        ("bearerbox", False, "submit_sm_resp"),
        ("provider", True, "deliver_sm"),
        ("bearerbox", False, "deliver_sm"),
        ("bearerbox", True, "deliver_sm_resp"),
        ("provider", False, "deliver_sm_resp"),
    ]
    by_provider = decode(bytes.fromhex(pdus[8]["pdu"])).sequence_number
    others = [line["other"] for line in pdus[4:12]]
    assert others == [None, number, number, None, None, by_provider, by_provider, None]


async def test_what_is_no_smpp_is_seen_too(tmp_path: Path) -> None:
    seen: list[dict[str, Any]] = []
    async with (
        Simulator([UNLIMITED]) as smsc,
        running(tmp_path, account(smsc.port, login=LOGIN)) as relay,
        looking_on(tmp_path, seen),
        Esme(relay.ports[NAME]) as esme,
    ):
        esme.writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        await esme.ended()
        await until(lambda: any(line.get("event") == "connection ended" for line in seen))
    (octets,) = [line["octets"] for line in seen if "octets" in line]
    assert bytes.fromhex(octets) == b"GET / HTTP/1.1\r\n"


async def test_one_who_stops_reading_holds_nothing_up(tmp_path: Path) -> None:
    async with (
        Simulator([UNLIMITED]) as smsc,
        running(tmp_path, account(smsc.port, login=LOGIN)) as relay,
        bound(relay) as esme,
    ):

        async def some() -> None:
            numbers = {esme.submit(b"x" * 250) for _ in range(30)}
            answers = [await esme.receive() for _ in numbers]
            assert {answer.sequence_number for answer in answers} == numbers

        reader, writer = await asyncio.open_unix_connection(str(tmp_path / FILE), limit=4096)
        writer.write(json.dumps({"do": "trace", "account": NAME}).encode() + b"\n")
        assert json.loads(await reader.readline()) == {"watching": True}
        traced = relay.accounts[NAME].traced
        for _ in range(30):  # 3 MB of lines
            await some()
        assert len(traced.watchers) == 1

        async def lost() -> int:
            async for line in reader:
                if "lost" in (told := json.loads(line)):
                    return int(told["lost"])
            raise AssertionError("the relay ended")

        reading = asyncio.create_task(lost())
        while not reading.done():  # it is told with the next line for which there is room
            await some()
        assert reading.result() > 0
        writer.transport.abort()
        await until(lambda: not traced.watchers)


async def test_one_who_is_gone_is_written_to_no_more(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with Simulator([UNLIMITED]) as smsc, running(tmp_path, account(smsc.port, login=LOGIN)) as relay:
        traced = relay.accounts[NAME].traced
        asker = socket.socket(socket.AF_UNIX)
        asker.connect(str(tmp_path / FILE))
        asker.sendall(json.dumps({"do": "trace", "account": NAME}).encode() + b"\n")
        await until(lambda: bool(traced.watchers))
        asker.close()
        for _ in range(20):  # the relay has had no chance yet to see that
            traced.pdus(traced.connection(PROVIDER), [submit(1)], came=True, numbers=lambda _: None)
        await until(lambda: not traced.watchers)
    assert caplog.text == ""


async def test_one_looks_on_through_a_change_of_the_account(tmp_path: Path) -> None:
    path, folder = tmp_path / "relay.json", tmp_path / "state"
    seen: list[dict[str, Any]] = []
    async with Simulator([UNLIMITED]) as smsc:
        settings = account(smsc.port, login=LOGIN)
        async with running(folder, settings, file=path) as relay, looking_on(folder, seen):
            write(path, RelaySettings(folder, (replace(settings, window=7),)))
            await relay.reload()
            async with bound(relay) as esme:
                await esme.submit_and_wait()
            await until(lambda: "submit_sm_resp" in {summary(line)[2] for line in passed(seen)})


async def test_what_cannot_be_looked_at_is_refused_in_words(tmp_path: Path) -> None:
    async def first(name: str, only: Sequence[int] = (), number: str = "") -> dict[str, Any]:
        return await anext(watch(tmp_path, name, only, number))

    assert [told async for told in watch(tmp_path, NAME)] == []  # no relay is there
    async with Simulator([UNLIMITED]) as smsc, running(tmp_path, account(smsc.port, login=LOGIN)) as relay:
        assert isinstance(relay, Relay)
        with pytest.raises(GatewayError, match="the accounts are acc"):
            await first("other")
        with pytest.raises(GatewayError, match="telephone number"):
            await first(NAME, number="x" * 5)
        async with contextlib.AsyncExitStack() as stack:
            for _ in range(4):
                await stack.enter_async_context(looking_on(tmp_path, []))
            with pytest.raises(GatewayError, match="4 look on already"):
                await first(NAME)

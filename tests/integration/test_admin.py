"""Admin, status and sendsms against a real bearerbox and smsbox, and a provider that can hold its answers back."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest

from kannelkit.errors import GatewayError
from kannelkit.gateway.admin import Admin
from kannelkit.gateway.sendsms import Message, SendSms
from kannelkit.gateway.status import GatewayStatus
from tests.harness.kannel import CORE, SMSBOX, Kannel

pytestmark = pytest.mark.kannel

ADMIN_PASSWORD = "adm&in +%pass"
USER_PASSWORD = "us&er +%pass"
NAME = "a&b<c:I<&'\""  # user and system type as bearerbox prints them into the link's name

CONF = (
    CORE
    + """\
store-type = spool
store-location = {folder}/store
dlr-storage = spool
dlr-spool = {folder}/dlr
sms-resend-freq = 1
"""
    + SMSBOX
    + """\
smsbox-id = box
global-sender = kannel

group = sendsms-user
username = app
password = {user_password}
concatenation = true
max-messages = 10
"""
)
LINK = """
group = smsc
smsc = smpp
smsc-id = acc
smsc-admin-id = {admin_id}
allowed-smsc-id = acc
host = 127.0.0.1
port = {port}
smsc-username = "a&b<c"
smsc-password = x
system-type = "I<&'\\""
transceiver-mode = true
reconnect-delay = {delay}
throughput = {throughput}
"""


class Provider:
    """An SMSC that accepts every bind and message, and answers messages when it may."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []  # of every submit_sm
        self.answering = asyncio.Event()
        self.answering.set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answers: set[asyncio.Task[None]] = set()
        try:
            while True:
                length, command, _, sequence = struct.unpack(">4I", await reader.readexactly(16))
                body = await reader.readexactly(length - 16)
                if command & 0x80000000:
                    continue
                text = b"smsc\0" if command == 0x00000009 else b""
                if command == 0x00000004:
                    self.bodies.append(body)
                    text = b"%d\0" % len(self.bodies)
                pdu = struct.pack(">4I", 16 + len(text), command | 0x80000000, 0, sequence) + text
                task = asyncio.create_task(self._answer(writer, pdu, wait=command == 0x00000004))
                answers.add(task)
                task.add_done_callback(answers.discard)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            for task in answers:
                task.cancel()
            writer.close()

    async def _answer(self, writer: asyncio.StreamWriter, pdu: bytes, wait: bool) -> None:
        if wait:
            await self.answering.wait()
        writer.write(pdu)

    def texts(self) -> list[tuple[int, bytes]]:
        """Return data_coding and short_message of what came, as they stand in submit_sm."""
        return [_coding_and_text(body) for body in self.bodies]


def _coding_and_text(body: bytes) -> tuple[int, bytes]:
    at = body.index(b"\0") + 1  # service_type
    for _ in range(2):  # two addresses
        at = body.index(b"\0", at + 2) + 1
    at += 3
    for _ in range(2):  # two times
        at = body.index(b"\0", at) + 1
    coding, length = body[at + 2], body[at + 4]
    return coding, body[at + 5 : at + 5 + length]


@dataclass
class Running:
    """A gateway that runs, and what is needed to talk to it and change it."""

    admin: Admin
    sendsms: SendSms
    session: aiohttp.ClientSession
    provider: Provider
    provider_port: int
    kannel: Kannel

    def throttle(self, admin_id: str, throughput: int) -> None:
        """Write another throughput of a link into the file; bearerbox reads it when the link is started."""
        kannel, port = self.kannel, self.provider_port
        kannel.conf = kannel.conf.replace(link(admin_id, port), link(admin_id, port, throughput))
        kannel.write()

    async def until(self, holds: Callable[[GatewayStatus], bool]) -> GatewayStatus:
        return await until(self.admin, holds)


def link(admin_id: str, port: int, throughput: int = 100, delay: int = 1) -> str:
    return LINK.format(admin_id=admin_id, port=port, delay=delay, throughput=throughput)


async def until(admin: Admin, holds: Callable[[GatewayStatus], bool], seconds: float = 60) -> GatewayStatus:
    """Poll the status until something holds; fail with the last status when it does not within `seconds`."""
    status: GatewayStatus | GatewayError | None = None
    for _ in range(int(seconds / 0.05)):
        try:
            status = await admin.status()
            if holds(status):
                return status
        except GatewayError as error:
            status = error
        await asyncio.sleep(0.05)
    pytest.fail(f"did not come to hold within {seconds} s: {status}")


def states(status: GatewayStatus) -> dict[str, str]:
    return {link.admin_id: link.state for link in status.links}


@pytest.fixture
async def gateway(tmp_path: Path) -> AsyncIterator[Running]:
    provider = Provider()
    server = await asyncio.start_server(provider.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    conf = CONF + link("acc-1", port) + link("acc-park", 1, throughput=1, delay=86400)
    (tmp_path / "store").mkdir()
    (tmp_path / "dlr").mkdir()
    kannel = Kannel(tmp_path, conf, smsbox=True, admin_password=ADMIN_PASSWORD, user_password=USER_PASSWORD)
    async with server, kannel, aiohttp.ClientSession() as session:
        admin = Admin(session, kannel.admin_port, ADMIN_PASSWORD)
        await until(admin, lambda status: states(status).get("acc-1") == "online")
        await until(admin, lambda status: [box.id for box in status.boxes] == ["box"])
        yield Running(
            admin=admin,
            sendsms=SendSms(session, kannel.sendsms_port, "app", USER_PASSWORD),
            session=session,
            provider=provider,
            provider_port=port,
            kannel=kannel,
        )


async def test_links_are_stopped_and_started_and_odd_names_do_not_hide_them(gateway: Running) -> None:
    status = await gateway.admin.status()
    assert [link.name.endswith(NAME) for link in status.links] == [True, True]
    assert states(status) == {"acc-1": "online", "acc-park": "re-connecting"}
    assert status.boxes[0].state == "online"

    await gateway.admin.stop_link("acc-1")
    await gateway.until(lambda status: states(status)["acc-1"] == "dead")
    # what waits now goes to the parking link's route: queued, not thrown away
    accepted = await gateway.sendsms.send(Message("79990000001", "waits", smsc="acc"))
    assert accepted.queued
    await gateway.until(lambda status: status.sms_queued_out == 1)
    assert gateway.provider.bodies == []

    await gateway.admin.start_link("acc-1")
    status = await gateway.until(lambda status: status.sms_sent_total == 1)
    assert states(status)["acc-1"] == "online"
    assert len(gateway.provider.bodies) == 1
    assert status.links_of("acc-1")[0].sms_sent == 1


async def test_a_refused_command_says_so_and_changes_nothing(gateway: Running) -> None:
    before = states(await gateway.admin.status())
    assert "Could not" in await gateway.admin.stop_link("no such link")
    assert "Could not" in await gateway.admin.start_link("acc-1")  # it runs
    assert states(await gateway.admin.status()) == before


async def test_a_wrong_password_is_an_error_that_does_not_tell_it(gateway: Running) -> None:
    stranger = Admin(gateway.session, gateway.kannel.admin_port, "gue&ssed")
    with pytest.raises(GatewayError, match="denies stop-smsc") as caught:
        await stranger.stop_link("acc-1")
    assert "gue" not in f"{caught.value!s}{caught.value!r}"
    assert states(await gateway.admin.status())["acc-1"] == "online"


async def test_in_flight_is_what_was_sent_and_has_no_response(gateway: Running) -> None:
    gateway.provider.answering.clear()
    messages = [Message("7999000000" + str(number), "text", smsc="acc") for number in range(5)]
    outcomes = [outcome async for outcome in gateway.sendsms.send_many(messages, concurrency=3)]
    assert sorted(outcome.message.to for outcome in outcomes) == [message.to for message in messages]
    assert all(outcome.accepted and outcome.error is None for outcome in outcomes)
    status = await gateway.until(lambda status: status.in_flight == 5)
    assert (status.store_size, status.sms_sent_total) == (5, 0)
    gateway.provider.answering.set()
    status = await gateway.until(lambda status: status.in_flight == 0)
    assert (status.store_size, status.sms_sent_total) == (0, 5)


async def test_a_long_message_waits_once_in_the_store_and_in_segments_at_the_link(gateway: Running) -> None:
    await gateway.admin.stop_link("acc-1")
    await gateway.until(lambda status: states(status)["acc-1"] == "dead")
    gateway.throttle("acc-1", 1)
    await gateway.admin.start_link("acc-1")
    await gateway.until(lambda status: states(status)["acc-1"] == "online")
    gateway.provider.answering.clear()
    for number in range(2):
        await gateway.sendsms.send(Message(f"7999000000{number}", "x" * 1200, smsc="acc"))  # eight segments each
    status = await gateway.until(lambda status: bool(status.links_of("acc-1")[0].queued))
    assert status.store_size == 2
    assert status.links_of("acc-1")[0].queued > 2
    assert status.in_flight is not None
    assert status.in_flight < 0


@pytest.mark.parametrize(
    ("text", "coding", "octets"),
    [
        ("a+b & c=d %41", 0, b"a+b & c=d %41"),
        ("two\nlines", 0, b"two\nlines"),
        ("привет", 8, "привет".encode("utf-16-be")),
        ("", 0, b""),
    ],
)
async def test_a_text_arrives_as_it_was_given(gateway: Running, text: str, coding: int, octets: bytes) -> None:
    accepted = await gateway.sendsms.send(Message("79990000001", text, smsc="acc", sender="me & you"))
    assert not accepted.queued
    await gateway.until(lambda status: status.sms_sent_total == 1)
    assert gateway.provider.texts() == [(coding, octets)]
    assert b"me & you\0" in gateway.provider.bodies[0]


async def test_a_refusal_has_kannels_words_and_no_password(gateway: Running) -> None:
    port = gateway.kannel.sendsms_port
    stranger = SendSms(gateway.session, port, "app", "gue&ssed")
    with pytest.raises(GatewayError, match="Authorization failed") as caught:
        await stranger.send(Message("79990000001", "text"))
    assert "gue" not in str(caught.value)
    with pytest.raises(GatewayError, match="Not routable") as caught:
        await gateway.sendsms.send(Message("79990000001", "text", smsc="no such smsc-id"))
    assert caught.value.hint
    messages = [Message("79990000001", "fine", smsc="acc"), Message("79990000002", "not", smsc="nowhere")]
    outcomes = {outcome.message.to: outcome async for outcome in gateway.sendsms.send_many(messages)}
    assert outcomes["79990000001"].accepted
    assert isinstance(outcomes["79990000002"].error, GatewayError)

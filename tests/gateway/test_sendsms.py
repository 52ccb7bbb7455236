"""SendSms against servers that answer as smsbox does, and wrongly."""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager
from dataclasses import astuple
from typing import Any

import aiohttp
import pytest

from kannelkit.errors import GatewayError
from kannelkit.gateway.sendsms import Accepted, Fate, Message, SendSms
from tests.gateway.server import listening, never
from tests.harness.waiting import turn

PASSWORD = "pass-wörd"

Headers = dict[str, str]
Answer = Callable[[Headers, bytes], Awaitable[bytes]]


def http(status: str, body: str) -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()


def server(answer: Answer) -> AbstractAsyncContextManager[int]:
    """Answer every POST with what `answer(headers, body)` returns, b"" for closing the connection; yield the port."""

    async def exchange(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        assert head.startswith("POST /cgi-bin/sendsms HTTP/1.1\r\n")
        lines = (line.split(": ", 1) for line in head.strip().split("\r\n")[1:])
        headers = {name.lower(): value for name, value in lines}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        if octets := await answer(headers, body):
            writer.write(octets)
        else:
            writer.close()

    return listening(exchange)


def always(octets: bytes) -> Answer:
    async def answer(headers: Headers, body: bytes) -> bytes:
        return octets

    return answer


@pytest.mark.parametrize(
    ("answer", "accepted"),
    [
        ("0: Accepted for delivery", Accepted("0: Accepted for delivery", queued=False)),
        ("3: Queued for later delivery", Accepted("3: Queued for later delivery", queued=True)),
        ("Sent.", Accepted("Sent.", queued=False)),  # immediate-sendsms-reply
    ],
)
async def test_what_was_accepted(answer: str, accepted: Accepted) -> None:
    async with server(always(http("202 Accepted", answer))) as port, aiohttp.ClientSession() as session:
        assert await SendSms(session, port, "app", PASSWORD).send(Message("7999", "text")) == accepted


@pytest.mark.parametrize(
    ("status", "answer", "hinted"),
    [
        ("403 Forbidden", "Authorization failed for sendsms", True),
        ("403 Forbidden", "Not routable. Do not try again.", True),
        ("503 Service Unavailable", "Temporal failure, try again later.", True),
        ("400 Bad Request", "Empty receiver number not allowed, rejected", False),
        ("200 OK", "an answer that smsbox does not give", True),
        ("500 Internal Server Error", "", True),
    ],
)
async def test_a_refusal_is_an_error_with_smsboxs_words(status: str, answer: str, hinted: bool) -> None:
    async with server(always(http(status, answer))) as port, aiohttp.ClientSession() as session:
        with pytest.raises(GatewayError) as caught:
            await SendSms(session, port, "app", PASSWORD).send(Message("7999", "text"))
    assert (answer or "HTTP 500") in caught.value.message
    assert bool(caught.value.hint) == hinted


@pytest.mark.parametrize(
    ("status", "answer", "fate"),
    [
        ("202 Accepted", "0: Accepted for delivery", Fate.TAKEN),
        ("202 Accepted", "3: Queued for later delivery", Fate.TAKEN),
        ("503 Service Unavailable", "Temporal failure, try again later.", Fate.NOT_NOW),
        ("503 Service Unavailable", "somebody else's words", Fate.UNKNOWN),
        ("403 Forbidden", "Not routable. Do not try again.", Fate.REFUSED),
        ("403 Forbidden", "Authorization failed for sendsms", Fate.REFUSED),
        ("400 Bad Request", "Empty receiver number not allowed, rejected", Fate.REFUSED),
        ("404 Not Found", "Unknown request.", Fate.REFUSED),
        ("500 Internal Server Error", "Sending failed.", Fate.UNKNOWN),
        ("200 OK", "no answer of smsbox", Fate.UNKNOWN),
        ("302 Found", "", Fate.UNKNOWN),
    ],
)
async def test_only_what_was_certainly_not_taken_may_be_sent_again(status: str, answer: str, fate: Fate) -> None:
    async with server(always(http(status, answer))) as port, aiohttp.ClientSession() as session:
        assert (await SendSms(session, port, "app", PASSWORD).deliver(Message("7999", "text"))).fate is fate


async def test_the_fate_of_a_request_without_an_answer() -> None:
    async with server(always(b"")) as port, aiohttp.ClientSession() as session:
        closed = await SendSms(session, port, "app", PASSWORD).deliver(Message("7999", "text"))
    async with server(silence) as port, aiohttp.ClientSession() as session:
        silent = await SendSms(session, port, "app", PASSWORD, timeout=0.2).deliver(Message("7999", "text"))
    async with aiohttp.ClientSession() as session:
        absent = await SendSms(session, port, "app", PASSWORD).deliver(Message("7999", "text"))
    assert [answer.fate for answer in (closed, silent, absent)] == [Fate.UNKNOWN, Fate.UNKNOWN, Fate.UNREACHED]


async def silence(headers: Headers, body: bytes) -> bytes:
    await never()


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        pytest.param(silence, "did not answer within", id="silence"),
        pytest.param(always(b""), "broke the connection", id="closed"),
        pytest.param(always(b"SSH-2.0-OpenSSH\r\n"), "broke the connection", id="another protocol"),
        pytest.param(
            always(b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"),
            "HTTP 302",
            id="redirect",
        ),
    ],
)
async def test_no_answer_is_an_error_without_the_password(
    answer: Answer, words: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    timeout = 0.2 if answer is silence else 60.0
    async with server(answer) as port, aiohttp.ClientSession() as session:
        with pytest.raises(GatewayError, match=words) as caught:
            await SendSms(session, port, "app", PASSWORD, timeout=timeout).send(Message("7999", "text"))
    assert "wörd" not in "".join(traceback.format_exception(caught.value)) + caplog.text


async def test_a_message_is_never_sent_twice_by_itself() -> None:
    seen: list[str] = []

    async def answer(headers: Headers, body: bytes) -> bytes:
        seen.append(headers["x-kannel-to"])
        return http("202 Accepted", "0: Accepted for delivery") if len(seen) == 1 else b""

    async with server(answer) as port, aiohttp.ClientSession() as session:
        sendsms = SendSms(session, port, "app", PASSWORD)
        await sendsms.send(Message("1", "text"))
        with pytest.raises(GatewayError, match="broke the connection"):
            await sendsms.send(Message("2", "text"))  # over the kept connection, which breaks
    assert seen == ["1", "2"]


@pytest.mark.parametrize(
    ("text", "coding"), [("plain", "0"), ("привет", "2"), ("", "0"), ("€", "0"), ("@£ñ", "0"), ("`", "2")]
)
async def test_the_coding_is_the_smallest_that_holds_the_text(text: str, coding: str) -> None:
    seen: list[tuple[Headers, bytes]] = []

    async def answer(headers: Headers, body: bytes) -> bytes:
        seen.append((headers, body))
        return http("202 Accepted", "Sent.")

    async with server(answer) as port, aiohttp.ClientSession() as session:
        sendsms = SendSms(session, port, "app", PASSWORD)
        await sendsms.send(Message("7999", text))
        await sendsms.send(Message("7999", text, coding=1))
    assert [headers["x-kannel-coding"] for headers, _ in seen] == [coding, "1"]
    assert seen[0][1] == text.encode()
    assert "wörd" in seen[0][0]["x-kannel-password"]


BAD = "a{}X-Kannel-Username: other"


@pytest.mark.parametrize(
    "message",
    [
        Message(to=BAD, text="text"),
        Message("7999", "text", sender=BAD),
        Message("7999", "text", dlr_url=BAD),
        Message("7999", "text", smsc=BAD),
        Message("7999", "text", account=BAD),
        Message("7999", "text", binfo=BAD),
    ],
)
@pytest.mark.parametrize("character", ["\n", "\r", "\0", "\x7f"])
async def test_no_field_can_carry_another_line(message: Message, character: str) -> None:
    values: list[Any] = [value.format(character) if isinstance(value, str) else value for value in astuple(message)]
    async with aiohttp.ClientSession() as session:
        with pytest.raises(GatewayError, match="control character"):
            await SendSms(session, 1, "app", PASSWORD).send(Message(*values))


@pytest.mark.parametrize(
    ("sendsms_password", "message"),
    [
        ("fine", Message("7999", "caf\udce9")),
        ("fine", Message("7999", "text", sender="caf\udce9")),
        ("caf\udce9", Message("7999", "text")),
    ],
)
async def test_what_no_octets_stand_for_is_an_error_that_does_not_show_it(
    sendsms_password: str, message: Message
) -> None:
    async with aiohttp.ClientSession() as session:
        with pytest.raises(GatewayError, match="half a character") as caught:
            await SendSms(session, 1, "app", sendsms_password).send(message)
    assert "caf" not in "".join(traceback.format_exception(caught.value, chain=True)).split("Error:")[-1]


async def test_many_are_sent_so_many_at_a_time_and_each_has_its_outcome() -> None:
    under_way = 0
    most = 0

    async def answer(headers: Headers, body: bytes) -> bytes:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        for _ in range(1 + 10 * (int(headers["x-kannel-to"]) % 5)):  # so that they do not end together
            await turn()
        under_way -= 1
        refused = int(headers["x-kannel-to"]) % 10 == 0
        return http("403 Forbidden", "no") if refused else http("202 Accepted", "0: Accepted for delivery")

    async with server(answer) as port, aiohttp.ClientSession() as session:
        sendsms = SendSms(session, port, "app", PASSWORD)
        messages = [Message(str(number), "text") for number in range(100)]
        outcomes = {int(outcome.message.to): outcome async for outcome in sendsms.send_many(iter(messages), 7)}
    assert sorted(outcomes) == list(range(100))
    assert [number for number in sorted(outcomes) if outcomes[number].error] == list(range(0, 100, 10))
    assert all((outcome.accepted is None) == (outcome.error is not None) for outcome in outcomes.values())
    assert most == 7


async def test_a_caller_that_stops_takes_no_more_messages_and_waits_for_no_answer() -> None:
    taken = 0

    def endless() -> Iterator[Message]:
        nonlocal taken
        while True:
            taken += 1
            yield Message(str(taken), "text")

    async def answer(headers: Headers, body: bytes) -> bytes:
        return http("202 Accepted", "Sent.") if headers["x-kannel-to"] == "1" else await silence(headers, body)

    async with server(answer) as port, aiohttp.ClientSession() as session:
        outcomes = SendSms(session, port, "app", PASSWORD, timeout=120).send_many(endless(), 5)
        async with asyncio.timeout(60):
            async for outcome in outcomes:
                assert outcome.message.to == "1"
                break
            await outcomes.aclose()
    assert taken == 5


async def test_an_error_of_the_messages_own_source_reaches_the_caller() -> None:
    def broken() -> Iterator[Message]:
        yield Message("7999", "text")
        raise ValueError("the source broke")

    async with (
        server(always(http("202 Accepted", "Sent."))) as port,
        aiohttp.ClientSession() as session,
    ):
        with pytest.raises(ValueError, match="the source broke"):
            _ = [outcome async for outcome in SendSms(session, port, "app", PASSWORD).send_many(broken())]

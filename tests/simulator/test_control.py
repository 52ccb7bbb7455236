"""What the control port tells of messages, what it changes, and how it refuses."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from kannelkit.simulator import AccountRules, Behaviour, Simulator
from kannelkit.smpp.constants import CommandId, Tag
from kannelkit.smpp.pdu import Pdu, Tlv, encode
from tests.simulator.esme import Esme, message
from tests.simulator.page_html import PageHtml

Controlled = tuple[Simulator, aiohttp.ClientSession]

BROWSER = {"Accept": "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8"}


@pytest.fixture
async def controlled() -> AsyncIterator[Controlled]:
    rules = [AccountRules("test", "test"), AccountRules("other", "secret", limit=None)]
    async with (
        Simulator(rules, Behaviour(receipt_delay=0), control_port=0) as smsc,
        aiohttp.ClientSession(f"http://127.0.0.1:{smsc.control_port}") as session,
    ):
        yield smsc, session


async def told(session: aiohttp.ClientSession, path: str) -> Any:
    async with session.get(path) as answer:
        assert answer.status == 200
        return await answer.json()


async def test_messages_are_told_decoded_and_the_newest_first(controlled: Controlled) -> None:
    smsc, session = controlled
    async with Esme(smsc.port) as esme, Esme(smsc.port) as other:
        await esme.bind(system_type=b"ISO")
        await other.bind(b"other", b"secret")
        await esme.submit_and_wait(b"__MAIL__: text\nsubj:subject")
        fields = message("Привет".encode("utf-16-be"))
        await other.ask(CommandId.SUBMIT_SM, {**fields, "data_coding": 8})
        await esme.submit_and_wait(b"text\n~~~\ncomment")
    newest, second, first = (await told(session, "/messages"))["messages"]
    assert [each["account"] for each in (newest, second, first)] == ["test", "other", "test"]
    assert newest["channel"] == {"channel": "sms", "text": "text", "comment": "comment"}
    assert (second["text"], second["alphabet"], second["source"]) == ("Привет", "ucs-2", "shop")
    assert first["channel"] == {"channel": "mail", "text": "text", "subject": "subject"}
    assert {each["state"] for each in (newest, second, first)} == {"DELIVRD"}
    assert (await told(session, f"/messages?after={first['id']}&account=test"))["messages"] == [newest]
    assert (await told(session, "/messages?limit=1"))["messages"] == [newest]
    assert await told(session, f"/messages/{second['id']}") == second


async def test_an_answer_has_a_bound_and_says_what_it_left_out(controlled: Controlled) -> None:
    smsc, session = controlled
    async with Esme(smsc.port) as esme:
        await esme.bind(b"other", b"secret")
        fields = {name: value for name, value in message(b"").items() if name != "short_message"}
        for number in range(20):
            payload = Tlv(Tag.MESSAGE_PAYLOAD, b"%05d" % number * 12_000)
            esme.writer.write(encode(Pdu(CommandId.SUBMIT_SM, sequence_number=9, fields=fields, tlvs=[payload])))
            await esme.receive()
    found = await told(session, "/messages")
    assert len(found["messages"]) == 16  # a million octets
    assert found["left_out"] == 4
    assert found["messages"][0]["text"].startswith("00019")


async def test_an_incoming_message_reaches_the_client(controlled: Controlled) -> None:
    smsc, session = controlled
    async with Esme(smsc.port) as esme:
        await esme.bind()
        form = {"account": "test", "from": "+79991234567", "to": "7999", "text": "Да"}
        async with session.post("/incoming", data=form) as answer:
            assert answer.status == 200
            assert set(await answer.json()) == {"account", "id"}
        arrived = await esme.receive()
    assert arrived.command_id == CommandId.DELIVER_SM
    assert (arrived.octets("source_addr"), arrived.octets("destination_addr")) == (b"+79991234567", b"7999")
    assert arrived.octets("short_message") == "Да".encode("utf-16-be")


async def test_outcomes_are_told_and_changed(controlled: Controlled) -> None:
    smsc, session = controlled
    lines = ["to=7999*,state=UNDELIV,err=220", "state=EXPIRED"]
    async with session.post("/outcomes", data={"rules": f"{lines[0]}\r\n\r\n  {lines[1]}"}) as answer:
        assert await answer.json() == {"rules": lines}
    assert await told(session, "/outcomes") == {"rules": lines}
    async with Esme(smsc.port) as esme:
        await esme.bind()
        await esme.submit_and_wait()
    found = (await told(session, "/messages"))["messages"][0]
    assert (found["state"], found["err"]) == ("UNDELIV", 220)
    async with session.post("/outcomes", json={"rules": [lines[0], "err=x"]}) as answer:
        assert answer.status == 400
        assert (await answer.json())["error"].startswith("line 2: err is")
    assert await told(session, "/outcomes") == {"rules": lines}
    async with session.post("/outcomes", data={"rules": ""}) as answer:
        assert await answer.json() == {"rules": []}


async def test_statuses_go_to_the_handler_of_an_account_that_has_one(controlled: Controlled) -> None:
    smsc, session = controlled
    form = {"account": "test", "handler": "http://127.0.0.1:1/smsc#swordfish"}
    async with session.post("/account", data=form) as answer:
        text = await answer.text()
        assert answer.status == 200
        assert "swordfish" not in text
    async with Esme(smsc.port) as esme:
        await esme.bind()
        await esme.submit_and_wait()
    counters = await told(session, "/counters")
    assert counters["accounts"]["test"]["handler"]["waiting"] == 1
    assert "handler" not in counters["accounts"]["other"]
    async with session.post("/account", data={"account": "test", "handler": "none"}) as answer:
        assert (await answer.json())["handler"] == ""
    assert smsc.statuses is None


WRONG_POSTS = [
    ("/incoming", {}, "account"),
    ("/incoming", {"account": "nobody", "from": "1", "to": "2", "text": ""}, "account"),
    ("/incoming", {"account": "test", "to": "2", "text": ""}, "from is"),
    ("/incoming", {"account": "test", "from": "1" * 21, "to": "2", "text": ""}, "from is"),
    ("/incoming", {"account": "test", "from": "1", "to": "ж", "text": ""}, "to is"),
    ("/incoming", {"account": "test", "from": "1", "to": "2", "text": "x" * 10_001}, "a text has at most"),
    ("/incoming", {"account": "test", "from": "1", "to": "2", "texts": ""}, "no such value: texts"),
    ("/outcomes", {}, "the rules are missing"),
    ("/outcomes", {"rules": "to=1,when=2"}, "line 1: no such part of an outcome: when=2"),
    ("/limit", {"account": "test", "limit": "many"}, "one decimal at the most"),
    ("/limit", {"account": "test", "limit": "7.25"}, "one decimal at the most"),
    ("/limit", {"account": "test", "limit": "7", "burst": "1.5"}, "a burst is a whole number"),
    ("/limit", {"account": "test"}, "the limit is missing"),
    ("/account", {"account": "test", "handler": "gopher://"}, "handler is"),
    ("/account", {"account": "test", "password": "x"}, "no such rule: password"),
    ("/behaviour", {"delay": "soon"}, "delay is"),
]
WRONG_GETS = [
    ("/messages?limit=0", "limit is a number from 1 to 1000"),
    ("/messages?limit=x", "limit is a number"),
    ("/messages?limit=²", "limit is a number"),
    ("/messages?after=-1", "after is a number"),
    ("/messages?account=nobody", "account"),
    ("/timeline", "account"),
]


@pytest.mark.parametrize(("path", "form", "words"), WRONG_POSTS)
async def test_a_wrong_value_is_told(controlled: Controlled, path: str, form: dict[str, str], words: str) -> None:
    _, session = controlled
    for sent in ({"data": form}, {"json": form}):
        async with session.post(path, **sent) as answer:  # type: ignore[arg-type]  # either of two arguments
            assert answer.status == 400
            assert words in (await answer.json())["error"]


@pytest.mark.parametrize(("path", "words"), WRONG_GETS)
async def test_a_wrong_question_is_told(controlled: Controlled, path: str, words: str) -> None:
    _, session = controlled
    async with session.get(path) as answer:
        assert answer.status == 400
        assert words in (await answer.json())["error"]


@pytest.mark.parametrize(
    ("body", "words"), [(b"{", "no JSON"), (b"[1]", "JSON object"), (b"\xff", "no JSON"), (b'{"rules": [1]}', "lines")]
)
async def test_a_body_that_is_no_object_is_told(controlled: Controlled, body: bytes, words: str) -> None:
    _, session = controlled
    async with session.post("/outcomes", data=body, headers={"Content-Type": "application/json"}) as answer:
        assert answer.status == 400
        assert words in (await answer.json())["error"]


@pytest.mark.parametrize("path", ["/messages/0", "/messages/999999999999999999999", "/messages/x", "/nowhere"])
async def test_what_is_not_there_is_told(controlled: Controlled, path: str) -> None:
    _, session = controlled
    async with session.get(path) as answer:
        assert answer.status == 404
        assert "there is" in (await answer.json())["error"]


@pytest.mark.parametrize("accept", ["*/*", "text/html"])
@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/x-www-form-urlencoded; charset=nothing", b"rules="),
        ("application/x-www-form-urlencoded; charset=utf-16", b"a"),
        ("application/json; charset=nothing", b"{}"),
        ("multipart/form-data", b"rules="),
        ("multipart/form-data; boundary=x", b"--x\r\n\xff"),
        ("multipart/form-data; boundary=x", b"--x\r\nContent-Disposition: form-data\r\n\r\nrules\r\n--x--"),
    ],
)
async def test_a_body_that_cannot_be_read_is_told(
    controlled: Controlled, caplog: pytest.LogCaptureFixture, accept: str, kind: str, body: bytes
) -> None:
    _, session = controlled
    async with session.post("/outcomes", data=body, headers={"Content-Type": kind, "Accept": accept}) as answer:
        assert answer.status == 400
    assert not caplog.records


async def test_what_is_no_http_is_answered_and_not_logged(
    controlled: Controlled, caplog: pytest.LogCaptureFixture
) -> None:
    smsc, _ = controlled
    reader, writer = await asyncio.open_connection("127.0.0.1", smsc.control_port)
    writer.write(b"GET / HTTP/1.1\r\nContent-Length: \xff\r\n\r\n")
    assert (await reader.read()).startswith(b"HTTP/1.0 400")
    writer.close()
    assert not caplog.records


async def test_a_callback_of_somebody_else_stays(controlled: Controlled) -> None:
    smsc, session = controlled
    ended: list[int] = []
    smsc.statuses = lambda account, message: ended.append(message.id)
    for handler in ("http://127.0.0.1:1/", "none"):
        async with session.post("/account", data={"account": "test", "handler": handler}) as answer:
            assert answer.status == 200
    async with Esme(smsc.port) as esme:
        await esme.bind()
        await esme.submit_and_wait()
    await told(session, "/messages")
    assert ended == [1]


async def test_too_much_and_other_methods_are_told(controlled: Controlled) -> None:
    _, session = controlled
    async with session.post("/outcomes", data={"rules": "x" * 100_000}) as answer:
        assert (answer.status, answer.content_type) == (413, "application/json")
    async with session.delete("/messages") as answer:
        assert (answer.status, answer.headers["Allow"]) == (405, "GET,HEAD")


async def test_other_peoples_pages_change_nothing(controlled: Controlled) -> None:
    smsc, session = controlled
    form = {"account": "test", "limit": "1"}
    for headers, status in (({"Origin": "http://example.org"}, 403), ({"Host": "example.org"}, 421)):
        async with session.post("/limit", data=form, headers=headers) as answer:
            assert answer.status == status
        async with session.get("/messages", headers=headers) as answer:
            assert answer.status == status
    assert smsc.account("test").rules.limit == 30
    own = {"Origin": f"http://127.0.0.1:{smsc.control_port}"}
    async with session.post("/limit", data=form, headers=own) as answer:
        assert answer.status == 200
        assert "Access-Control-Allow-Origin" not in answer.headers
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        assert answer.headers["Referrer-Policy"] == "same-origin"


async def test_a_form_without_a_script_comes_back_to_the_page(controlled: Controlled) -> None:
    smsc, session = controlled
    async with session.post("/limit", data={"account": "test", "limit": "none"}, headers=BROWSER) as answer:
        assert (answer.status, str(answer.url.relative())) == (200, "/?done=limit")
        assert "The limit is changed." in await answer.text()
    assert smsc.account("test").rules.limit is None


async def test_a_form_that_is_refused_keeps_what_was_written(controlled: Controlled) -> None:
    _, session = controlled
    form = {"account": "other", "from": "<b>", "to": "ж", "text": 'lines\n"and" <i>more'}
    async with session.post("/incoming", data=form, headers=BROWSER) as answer:
        assert (answer.status, answer.content_type) == (400, "text/html")
        text = await answer.text()
    html = PageHtml(text)
    assert html.said["incoming-text"].replace("\r\n", "\n") == form["text"]
    assert ("input", "value", "<b>") in html.attributes
    assert "to is a number or a name" in text
    assert ("p", "role", "alert") in html.attributes

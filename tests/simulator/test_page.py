"""What the page shows, that nothing hostile on it does anything, and what is sent of it again."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import aiohttp
import pytest

from kannelkit.simulator import AccountRules, Behaviour, Simulator
from kannelkit.simulator.outcomes import OutcomeRule
from kannelkit.simulator.page import LIMITS, SAID, asset
from kannelkit.smpp.constants import CommandId
from tests.simulator.esme import PATIENCE, Esme, Fields, message
from tests.simulator.page_html import PageHtml

HOSTILE = "</p><script>alert(1)</script><img src=x onerror=alert(1)>\u202egnp.exe\u0007{{ 7 * 7 }}\n</textarea>"


async def page(smsc: Simulator, query: str = "") -> PageHtml:
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"http://127.0.0.1:{smsc.control_port}/{query}") as answer,
    ):
        assert (answer.status, answer.content_type) == (200, "text/html")
        return PageHtml(await answer.text())


async def submitted(smsc: Simulator, fields: Fields) -> None:
    async with Esme(smsc.port) as esme:
        await esme.bind()
        assert (await esme.ask(CommandId.SUBMIT_SM, fields)).command_status == 0


async def test_what_arrived_is_shown_newest_first_with_its_state() -> None:
    rules = [OutcomeRule.parse("to=7*,state=UNDELIV,err=220"), OutcomeRule.parse("to=8*,after=3600")]
    async with Simulator(behaviour=Behaviour(receipt_delay=0), control_port=0, outcomes=rules) as smsc:
        assert "Nothing yet" in (await page(smsc)).said["nothing"]
        await submitted(smsc, message(b"first", to=b"79991234567"))
        await submitted(smsc, message(b"second", to=b"89991234567"))
        await submitted(smsc, message(b"third", to=b"99991234567"))
        html = await page(smsc)
    order = [key for key in html.said if key.startswith("message-")]
    assert order == ["message-3", "message-2", "message-1"]
    assert html.said["state-1"].split()[:4] == ["✖", "UNDELIV,", "error", "220:"]
    for number, words in ((2, "◌ ENROUTE"), (3, "● DELIVRD")):
        assert html.said[f"state-{number}"].split() == words.split()
    assert "shop" in html.said["message-1"]
    assert "79991234567" in html.said["message-1"]
    assert html.said["outcome-rules"].splitlines() == ["to=7*,state=UNDELIV,err=220", "to=8*,after=3600.0"]


SHOWN: list[tuple[str, Fields, list[str]]] = [
    ("channel", {"short_message": b"__TGM__: 123456"}, ["Telegram code", "123456"]),
    ("subject", {"short_message": b"__MAIL__: text\nsubj:Order 12"}, ["e-mail", "Subject: Order 12"]),
    ("comment", {"short_message": b"text\n~~~\nautumn"}, ["text", "autumn"]),
    ("hlr", {"short_message": b"__HLR__"}, ["HLR request", "HLR network", "MegaFON"]),
    ("binary", {"short_message": b"\x00\x01\xff", "data_coding": 4}, ["00 01 ff", "binary"]),
    ("ucs-2", {"short_message": "Код".encode("utf-16-be"), "data_coding": 8}, ["Код", "UCS-2"]),
    ("no sender", {"source_addr": b""}, ["(no sender)"]),
]


@pytest.mark.parametrize(("fields", "words"), [case[1:] for case in SHOWN], ids=[case[0] for case in SHOWN])
async def test_a_message_is_shown_decoded(fields: Fields, words: list[str]) -> None:
    async with Simulator(control_port=0) as smsc:
        async with Esme(smsc.port) as esme:
            await esme.bind(system_type=b"ISO")
            await esme.ask(CommandId.SUBMIT_SM, {**message(b"hello"), **fields})
        html = await page(smsc)
    for word in words:
        assert word in html.said["message-1"]


async def test_hostile_texts_are_shown_and_do_nothing() -> None:
    login = "<i>&\"'"
    async with Simulator([AccountRules("test", "test"), AccountRules(login, "x")], control_port=0) as smsc:
        before = await page(smsc)
        fields = message(HOSTILE.encode("utf-16-be"))
        await submitted(smsc, {**fields, "data_coding": 8, "source_addr": b"\x1b[2J<b>'\"", "dest_addr_ton": 5})
        html = await page(smsc)
    added = html.elements - before.elements
    assert not set(added) & {"script", "img", "i", "form", "textarea"}
    assert html.elements["script"] == 1
    assert not [name for _, name, _ in html.attributes if name.startswith("on") or name == "style"]
    said = html.said["message-1"]
    assert "<script>alert(1)</script>" in said
    assert "{{ 7 * 7 }}" in said
    assert "\\u202egnp.exe\\x07" in said
    assert "\\x1b[2J<b>" in said
    assert not [character for character in said if not character.isprintable() and character != "\n"]


async def test_everything_that_can_be_written_in_has_a_label_and_nothing_comes_from_elsewhere() -> None:
    async with Simulator(control_port=0) as smsc:
        html = await page(smsc)
    assert html.without_a_label == set()
    sources = [value for _, name, value in html.attributes if name in ("src", "href", "action")]
    assert not [value for value in sources if "//" in value]
    assert ("html", "lang", "en") in html.attributes
    assert html.elements["h1"] == html.elements["main"] == 1
    for name in ("page.css", "page.js"):
        assert "http" not in asset(name)


async def test_how_an_http_handler_fares_is_told() -> None:
    rules = [AccountRules("test", "test", handler="http://127.0.0.1:1/#swordfish")]
    async with Simulator(rules, Behaviour(receipt_delay=0), control_port=0) as smsc:
        assert "took 0" in (await page(smsc)).said["standing-0"]
        await submitted(smsc, message(b"hello"))
        async with asyncio.timeout(PATIENCE):
            while "last trouble: ClientConnectorError" not in (html := await page(smsc)).said["standing-0"]:
                pass
    assert "1 waiting" in html.said["standing-0"]
    assert "swordfish" not in str(html.said)


async def test_one_account_and_so_many_messages_are_shown_as_chosen() -> None:
    rules = [AccountRules("test", "test", limit=None), AccountRules("other", "x")]
    async with Simulator(rules, control_port=0) as smsc:
        async with Esme(smsc.port) as esme:
            await esme.bind()
            for number in range(30):
                await esme.submit_and_wait(b"%d" % number)
        chosen = await page(smsc, f"?account=test&limit={LIMITS[0]}")
        assert len([key for key in chosen.said if key.startswith("message-")]) == LIMITS[0]
        assert not [key for key in (await page(smsc, "?account=other")).said if key.startswith("message-")]
        for query in ("?account=nobody&limit=-1", "?limit=1e9&done=nothing"):
            assert len([key for key in (await page(smsc, query)).said if key.startswith("message-")]) == 30


async def event(answer: aiohttp.ClientResponse) -> dict[str, Any]:
    async with asyncio.timeout(PATIENCE):
        while not (line := await answer.content.readuntil(b"\n")).startswith(b"data: "):
            pass
    found: dict[str, Any] = json.loads(line.removeprefix(b"data: "))
    return found


async def test_a_reader_gets_everything_and_then_what_changes() -> None:
    async with Simulator(behaviour=Behaviour(receipt_delay=1), control_port=0) as smsc:
        await submitted(smsc, message(b"first"))
        async with (
            aiohttp.ClientSession(f"http://127.0.0.1:{smsc.control_port}") as session,
            session.get("/events") as answer,
        ):
            assert answer.content_type == "text/event-stream"
            first = await event(answer)
            assert first["messages"] == ["message-1"]
            assert set(first["parts"]) == {"standing-0", "message-1", "state-1"}
            await submitted(smsc, message(b"second"))
            while (changed := await event(answer))["messages"] == ["message-1"]:
                assert "message-1" not in changed["parts"]
            assert changed["messages"] == ["message-2", "message-1"]
            assert "second" in changed["parts"]["message-2"]
            assert "message-1" not in changed["parts"]
            while "DELIVRD" not in changed["parts"].get("state-2", ""):
                changed = await event(answer)
                assert not {"message-1", "message-2"} & set(changed["parts"])


async def test_the_end_of_the_simulator_ends_the_stream() -> None:
    smsc = Simulator(control_port=0)
    await smsc.start()
    async with (
        aiohttp.ClientSession(f"http://127.0.0.1:{smsc.control_port}") as session,
        session.get("/events") as answer,
    ):
        await event(answer)
        async with asyncio.timeout(PATIENCE):
            await smsc.stop()
            while await answer.content.readany():
                pass


def test_every_form_says_what_it_did() -> None:
    assert set(SAID) == {"limit", "incoming", "outcomes"}

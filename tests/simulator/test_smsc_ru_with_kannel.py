"""A real bearerbox and smsbox bound as SMSC.ru's users bind: every channel, alphabet, length and kind of receipt."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import unquote_to_bytes

import pytest
from aiohttp import web

from kannelkit.certs.dummy import dummy_certificate
from kannelkit.providers import statuses
from kannelkit.providers.channels import Channel, ChannelText, build
from kannelkit.simulator import AccountRules, Behaviour, Simulator
from tests.harness.kannel import APPLICATION, CORE, SMSBOX, Kannel, link
from tests.harness.waiting import until

pytestmark = pytest.mark.kannel

LOGINS = ("gsm", "iso", "single")

# with these Kannel hands the provider's own TLVs on, and does not warn of each
TLVS = "".join(
    f"""
group = smpp-tlv
name = {name}
tag = 0x{tag:04x}
type = {kind}
length = {length}
smsc-id = gsm
"""
    for name, tag, kind, length in (
        ("cost", 0x2000, "nulterminated", 7),
        ("flags", 0x2001, "integer", 2),
        ("parts", 0x2002, "integer", 2),
    )
)
CONF = (
    CORE
    + SMSBOX
    + TLVS
    + APPLICATION
    + """\
max-messages = 10
concatenation = true

group = sms-service
keyword = default
get-url = "http://127.0.0.1:{web}/incoming?from=%p&to=%P&coding=%c&text=%b"
max-messages = 0
"""
    + link("gsm", "gsm", "allowed-smsc-id = gsm", 'system-type = ""', "interface-version = 34")
    + link(
        "iso",
        "iso",
        "allowed-smsc-id = iso",
        "use-ssl = true",
        "ssl-client-certkey-file = {certificate}",
        "system-type = ISO",
        "alt-charset = ISO-8859-1",
        "interface-version = 50",
        port="{tls_port}",
    )
    + link("single", "single", "allowed-smsc-id = single", "system-type = SINGLE")
)


@dataclass
class Application:
    """What a gateway's user runs: takes receipts at a dlr-url and incoming messages at a get-url."""

    port: int = 0
    receipts: list[tuple[str, str, str]] = field(default_factory=list)  # of which message, Kannel's mask, the text
    known_besides: list[str] = field(default_factory=list)  # Kannel's meta-data
    incoming: list[tuple[str, str, str]] = field(default_factory=list)

    async def receipt(self, request: web.Request) -> web.Response:
        self.receipts.append((request.query["of"], request.query["mask"], request.query["text"]))
        self.known_besides.append(request.query["meta"])
        return web.Response()

    async def message(self, request: web.Request) -> web.Response:
        query = request.query
        octets = unquote_to_bytes(request.raw_path.partition("text=")[2].replace("+", " "))
        text = octets.decode("utf-16-be" if query["coding"] == "2" else "utf-8")
        self.incoming.append((query["from"], query["to"], text))
        return web.Response()


@dataclass
class Whole:
    """The simulator, a gateway that is bound to it three times, and the application behind."""

    smsc: Simulator
    kannel: Kannel
    application: Application

    async def send(self, name: str, login: str, text: str, to: str, **more: str) -> None:
        """Send a text over an account, and ask for what becomes of it."""
        receipts = f"http://127.0.0.1:{self.application.port}/receipt?of={name}&mask=%d&text=%A&meta=%D"
        await self.kannel.sendsms(text, to, **{"smsc": login, "dlr-mask": "3", "dlr-url": receipts, **more})


@pytest.fixture
async def whole(tmp_path: Path) -> AsyncIterator[Whole]:
    certificate = tmp_path / "both.pem"
    certificate.touch(mode=0o600)
    certificate.write_bytes(dummy_certificate(["127.0.0.1"], 1, datetime.now(UTC)))
    application = Application()
    server = web.Application()
    server.router.add_get("/receipt", application.receipt)
    server.router.add_get("/incoming", application.message)
    runner = web.AppRunner(server)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        application.port = runner.addresses[0][1]
        rules = [AccountRules(login, "password", limit=None) for login in LOGINS]
        async with (
            Simulator(rules, Behaviour(receipt_delay=0.05), tls_port=0, certificate=certificate) as smsc,
            Kannel(
                tmp_path,
                CONF,
                smsbox=True,
                port=smsc.port,
                tls_port=smsc.tls_port,
                certificate=certificate,
                web=application.port,
            ) as kannel,
        ):
            await until(lambda: all(smsc.account(login).links for login in LOGINS))
            yield Whole(smsc, kannel, application)
    finally:
        await runner.cleanup()


CHANNELS = [
    ChannelText(Channel.SMS, "a plain text with _ and ~"),
    ChannelText(Channel.SMS, "with a comment", comment="order 17"),
    ChannelText(Channel.MAIL, "Hello", subject="News"),
    ChannelText(Channel.CALL, "Your code is 1 2 3 4", voice="w2"),
    ChannelText(Channel.VIBER, "Hello"),
    ChannelText(Channel.SOC, "Hello"),
    ChannelText(Channel.TGM, "123456"),
    ChannelText(Channel.BOT, "Hello", bot="example_bot"),
    ChannelText(Channel.HLR),
    ChannelText(Channel.PING),
]


async def test_every_channel_arrives_and_is_told(whole: Whole) -> None:
    wanted: dict[str, tuple[str, ChannelText]] = {}
    for login in LOGINS:
        for number, channel in enumerate(CHANNELS):
            for coding in ("0", "2"):
                name = f"{login}-{number}-{coding}"
                wanted[name] = (login, channel)
                await whole.send(name, login, build(channel), f"79{len(wanted):09d}", coding=coding, charset="UTF-8")
    receipts = whole.application.receipts
    await until(lambda: len(receipts) >= len(wanted))
    assert sorted(name for name, _, _ in receipts) == sorted(wanted)
    assert {mask for _, mask, _ in receipts} == {"1"}
    for login in LOGINS:
        # Kannel sends what is asked for over one link in any order of the queue, each to a number of its own
        found = {each.destination: each for each in whole.smsc.account(login).recent(100)}
        for number, (of, channel) in enumerate(wanted.values(), 1):
            if of == login:
                assert found[f"79{number:09d}"].channel == channel
    for name, _, text in receipts:
        status = statuses.read_text(text)
        assert (status.state, status.err) == ("DELIVRD", 0)
        assert (status.hlr is not None) is (wanted[name][1].channel is Channel.HLR)


ALPHABETS = {
    "gsm": [("0", "é{€}_~", "gsm", 153), ("2", "Привет", "ucs-2", 67)],
    "iso": [("0", "é{}_~", "iso-8859-1", 153), ("2", "Привет", "ucs-2", 67)],
    "single": [("0", "é{€}_~", "gsm", 153), ("2", "Привет", "ucs-2", 67)],
}


async def test_long_message_is_one_or_as_many_as_its_parts(whole: Whole) -> None:
    wanted: dict[str, tuple[str, str, str, int]] = {}
    for login, alphabets in ALPHABETS.items():
        for coding, beginning, alphabet, room in alphabets:
            for parts in (1, 2, 5, 9):
                number = f"79{len(wanted) + 1:09d}"
                text = beginning + "x" * (room * parts - 20 - len(beginning))
                wanted[number] = (login, text, alphabet, parts)
                await whole.send(number, login, text, number, coding=coding, charset="UTF-8")
    receipts = whole.application.receipts
    # with SINGLE too: Kannel asks for a receipt with the first part alone
    await until(lambda: len(receipts) >= len(wanted))
    assert sorted(number for number, _, _ in receipts) == sorted(wanted)
    for login in LOGINS:
        found: dict[str, list[str]] = {}
        for each in reversed(whole.smsc.account(login).recent(1000)):
            text, alphabet, parts = wanted[each.destination][1:]
            assert str(each.alphabet) == alphabet
            assert (each.parts, each.long_by) == ((1 if login == "single" else parts), "udh" if parts > 1 else "")
            found.setdefault(each.destination, []).append(each.text or "")
        assert {number: "".join(texts) for number, texts in found.items()} == {
            number: text for number, (of, text, _, _) in wanted.items() if of == login
        }
    told = [statuses.read_text(text) for number, _, text in receipts if wanted[number][0] != "single"]
    assert Counter(each.sub for each in told) == {"001": 4, "002": 4, "005": 4, "009": 4}


async def test_every_end_is_told_and_incoming_messages_arrive(whole: Whole) -> None:
    # what Kannel makes of DELIVRD, UNDELIV, EXPIRED (32 + 2: gw/dlr.h) and REJECTD
    ends = {"79000000001": "1", "79000000002": "2", "79000000003": "34", "79000000004": "2"}
    whole.smsc.change_outcomes(["to=*2,err=220", "to=*3,state=EXPIRED", "to=*4,state=REJECTD,err=255"])
    for number in ends:
        await whole.send(number, "gsm", "hello", number)
    texts = {"short": "Hi @ thère", "long": "Long, " * 60, "Cyrillic": "Длинный ответ " * 20}
    for source, text in texts.items():
        whole.smsc.account("iso").incoming(source, "7777", text)
    application = whole.application
    await until(lambda: len(application.receipts) >= len(ends) and len(application.incoming) >= len(texts))
    assert {number: mask for number, mask, _ in application.receipts} == ends
    errors = {number: statuses.read_text(text).err for number, _, text in application.receipts}
    assert errors == dict(zip(ends, (0, 220, 0, 255), strict=True))
    for meta in application.known_besides:
        assert {"cost=1.0000", "flags=0", "parts=1"} <= set(meta.replace("?", "&").split("&"))
    assert sorted(application.incoming) == sorted((source, "7777", text) for source, text in texts.items())

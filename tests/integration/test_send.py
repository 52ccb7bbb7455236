"""`kannelkit send` through a real smsbox and bearerbox: texts arrive as they were written, receipts come back, and a
killed one goes on without doubling a message.
"""

from __future__ import annotations

import asyncio
import csv
import io
import json
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from kannelkit.simulator import AccountRules, Behaviour, OutcomeRule, Simulator
from kannelkit.smpp.parts import arriving
from tests.harness.embedded import Embedded
from tests.harness.gateway import PASSWORD, USER
from tests.harness.supervised import Supervised

pytestmark = pytest.mark.kannel

PATIENCE = 120.0
# every character that Kannel can write at data_coding 0, but for two that no list can hold
GSM = "".join(sorted(arriving() - {"\f", "\r"}))
# account -> what is written for it in the spec; bare is ISO without the charset that the provider's table brings
ACCOUNTS: dict[str, dict[str, str]] = {
    "gsm": {"provider": "smsc.ru"},
    "iso": {"provider": "smsc.ru", "system-type": "ISO"},
    "bare": {"system-type": "ISO"},
}
TEXTS = {
    "all of GSM": GSM,
    "signs": "a_b~c@d$e [x] {y} Grüße, Ärger, ñ, £5",
    "plain": "nothing special",
    "Cyrillic": "Ваш столик готов",
    "not in GSM": "a `quoted` word\u2019s ç",
    "an emoji": "hi 😀!",
    "long with escapes": "{€} " * 100,
    "long Cyrillic": "Длинный текст " * 30,
    "long with emoji": "😀" * 100,
    "blanks and lines": "first\n\nthird line \n last",
}
LONG = {f"{parts} parts": (f"This takes {parts} parts. " * 100)[: 153 * parts] for parts in range(2, 10)}
LONG_UCS2 = {f"{parts} in UCS-2": (f"Частей: {parts}. " * 100)[: 67 * parts] for parts in range(2, 10)}
TEXTS |= LONG | LONG_UCS2


@asynccontextmanager
async def gateway(folder: Path, smsc: Simulator) -> AsyncIterator[Path]:
    """Yield the spec of a gateway with all accounts bound."""
    accounts = [
        {
            "smsc-id": name,
            "host": "127.0.0.1",
            "port": smsc.port,
            "smsc-username": name,
            "smsc-password": "secret",
            "allowed-smsc-id": name,
            "throughput": 500,
            **more,
        }
        for name, more in ACCOUNTS.items()
    ]
    spec = {"smsc": accounts, "sendsms-user": [{"username": USER, "password": PASSWORD}]}
    async with Embedded(Supervised(folder, smsc.port, 100, spec=spec)):
        async with asyncio.timeout(PATIENCE):
            while not all(smsc.account(name).links for name in ACCOUNTS):
                await asyncio.sleep(0.05)
        yield folder / "gateway.yaml"


def simulator(**behaviour: Any) -> Simulator:
    rules = [AccountRules(name, "secret", None) for name in ACCOUNTS]
    return Simulator(
        rules, Behaviour(receipt_delay=0.1, **behaviour), outcomes=[OutcomeRule.parse("to=7666*,err=6,state=UNDELIV")]
    )


async def begun(path: Path, *arguments: str | Path) -> Process:
    command = [sys.executable, "-m", "kannelkit", "send", str(path), "--json", *map(str, arguments)]
    return await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE, stderr=PIPE)


async def ended(process: Process, stdin: str = "") -> list[dict[str, Any]]:
    """Return the process's events."""
    async with asyncio.timeout(PATIENCE):
        out, err = await process.communicate(stdin.encode())
    assert out, err.decode()
    assert b"Traceback" not in err
    return [json.loads(line) for line in out.splitlines()]


def listed(rows: Iterable[dict[str, str]]) -> str:
    columns = ["to", "text", "channel", "subject", "voice", "bot", "comment", "account"]
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, columns)
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def by_receiver(smsc: Simulator, account: str) -> dict[str, Any]:
    return {message.destination: message for message in smsc.account(account).recent(1000)}


async def test_texts_arrive_as_they_were_written_and_receipts_come_back(tmp_path: Path) -> None:
    rows = [
        {"to": f"79{at:02}{number:07}", "text": text, "account": name}
        for at, name in enumerate(ACCOUNTS)
        for number, text in enumerate(TEXTS.values())
    ]
    channels = [
        {"channel": "mail", "text": "a letter, " * 40, "subject": "Grüße"},
        {"channel": "call", "text": "Привет", "voice": "w2"},
        {"channel": "viber", "text": "hi"},
        {"channel": "soc", "text": "hi"},
        {"channel": "tgm", "text": "471100"},
        {"channel": "bot", "text": "hi", "bot": "cafe_bot"},
        {"channel": "hlr"},
        {"channel": "ping"},
        {"text": "hello", "comment": "заказ 7"},
    ]
    special = [
        {"to": f"78{at:02}{number:07}", "account": name, **each}
        for at, name in enumerate(ACCOUNTS)
        if "provider" in ACCOUNTS[name]  # of others nobody knows what they make of it
        for number, each in enumerate(channels)
    ]
    lost = [{"to": "76660000001", "text": "never", "account": "gsm"}]
    async with simulator() as smsc, gateway(tmp_path, smsc) as path:
        sending = await begun(path, "--to", "-", "--from", "Cafe", "--dlr", "wait", "--timeout", "100")
        *events, end = await ended(sending, listed([*rows, *special, *lost]))
        messages = {to: each for name in ACCOUNTS for to, each in by_receiver(smsc, name).items()}
    assert sending.returncode == 1  # the last one is not delivered
    # the provider's own TLVs are declared: bearerbox hands them on, and warns of none
    logs = {path.name: path.read_text(errors="replace") for path in tmp_path.rglob("*.log")}
    assert "Unknown TLV" not in logs["bearerbox.log"]
    assert "?cost=1.0000&" in logs["access.log"] or "&cost=1.0000&" in logs["access.log"]

    asked = {each["to"]: each for each in events if each["event"] == "message"}
    assert {row["to"]: messages[row["to"]].text for row in rows} == {row["to"]: row["text"] for row in rows}
    assert {row["to"]: messages[row["to"]].parts for row in rows} == {
        row["to"]: asked[row["to"]]["parts"] for row in rows
    }
    coding = {
        name: {number for number in range(len(TEXTS)) if messages[f"79{at:02}{number:07}"].data_coding == 0}
        for at, name in enumerate(ACCOUNTS)
    }
    numbers = {name: number for number, name in enumerate(TEXTS)}
    plain = {numbers[name] for name in ("plain", "blanks and lines", *LONG)}
    signs, with_euro = numbers["signs"], {numbers[name] for name in ("all of GSM", "long with escapes")}
    assert coding == {"gsm": plain | {signs} | with_euro, "iso": plain | {signs}, "bare": plain}

    for row in special:
        said = messages[row["to"]].channel
        wanted = {name: value for name, value in row.items() if name not in ("to", "account")}
        assert {name: str(getattr(said, name)) for name in wanted} == wanted

    receipts = {each["to"]: each for each in events if each["event"] == "receipt" and each["final"]}
    assert {to for to, each in receipts.items() if each["kind"] != "delivered"} == {"76660000001"}
    assert (receipts["76660000001"]["state"], receipts["76660000001"]["err"]) == ("UNDELIV", 6)
    assert [receipts[row["to"]]["hlr"] is not None for row in special] == [
        row.get("channel") == "hlr" for row in special
    ]
    assert (end["taken"], end["delivered"], end["undelivered"], end["without-receipt"]) == (
        len(asked),
        len(asked) - 1,
        1,
        0,
    )


async def test_a_killed_one_goes_on_without_doubling_a_message(tmp_path: Path) -> None:
    many = 400
    rows = [{"to": f"7999{number:07}", "text": f"message {number}", "account": "gsm"} for number in range(many)]
    (tmp_path / "list.csv").write_text(listed(rows))
    async with simulator() as smsc, gateway(tmp_path, smsc) as path:
        counters = smsc.account("gsm").counters
        for wanted in (1, 150):
            sending = await begun(path, "--to", tmp_path / "list.csv", "--from", "Cafe")
            async with asyncio.timeout(PATIENCE):
                while counters.accepted < wanted and sending.returncode is None:
                    await asyncio.sleep(0.005)
            sending.send_signal(signal.SIGKILL)
            await sending.wait()
        sending = await begun(path, "--to", tmp_path / "list.csv", "--from", "Cafe")
        *events, end = await ended(sending)
        unknown = {each["to"] for each in events if each["event"] == "unknown-before"}
        async with asyncio.timeout(PATIENCE):
            while counters.accepted < end["taken"] + end["sent-before"]:
                await asyncio.sleep(0.05)
        await asyncio.sleep(0.3)  # for one that should not come
        arrived = set(by_receiver(smsc, "gsm"))
    assert (counters.doubled, counters.accepted) == (0, len(arrived))
    assert {row["to"] for row in rows} - arrived <= unknown
    assert end["taken"] + end["sent-before"] + len(unknown) == many
    assert len(unknown) <= 16

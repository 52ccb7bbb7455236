"""Rates with a real Kannel: found, remembered, shared by links; logs that are rotated, and lines that are forged."""

from __future__ import annotations

import asyncio
import re
import signal
import time
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from kannelkit.host import processes
from kannelkit.simulator import Simulator
from kannelkit.throttle.lines import read_line
from tests.harness.gateway import PASSWORD, USER
from tests.harness.load import load
from tests.integration.operated import LOGIN, Up, arrived, drained, simulator, until

pytestmark = pytest.mark.kannel


@pytest.fixture
async def smsc() -> AsyncIterator[Simulator]:
    async with simulator() as running:
        yield running


async def test_the_limit_is_found_in_one_change_and_remembered(tmp_path: Path) -> None:
    async with simulator(limit=30) as smsc:
        counters = smsc.account(LOGIN).counters
        gateway = Up(tmp_path, smsc, throughput=60)
        async with gateway:
            await gateway.saying("ready")
            sent = await load(gateway.sendsms_port, 180, speed=400)
            await gateway.saying("throughput 60 -> 30")
            refused = counters.refused  # the excess of the bursts before the change: as many as looking took time for
            await drained(gateway)
            assert sent.failed == {}
            assert re.findall(r"throughput \d+ -> \d+", gateway.said()) == ["throughput 60 -> 30"]
            assert arrived(smsc) == (180, 0)
            assert counters.refused - refused <= 30  # one burst after it
            assert await gateway.end() == 0

            refused = counters.refused
            await gateway.start()
            await load(gateway.sendsms_port, 60, speed=400, series=1)
            await drained(gateway)
            assert arrived(smsc) == (240, 0)
            assert counters.refused - refused <= 30  # the second burst of a new link touches the first one's window
            assert len(re.findall(r"throughput \d+ -> \d+", gateway.said())) == 1
            assert gateway.learnt()["bench"].throughput == 30


async def test_two_connections_share_the_limit(tmp_path: Path) -> None:
    async with simulator(limit=30) as smsc, Up(tmp_path, smsc, throughput=60, account={"connections": 2}) as gateway:
        await gateway.saying("ready: 2 of 2 links online")
        sent = await load(gateway.sendsms_port, 300, speed=400)
        await drained(gateway)
        assert sent.failed == {}
        assert arrived(smsc) == (300, 0)
        assert gateway.learnt()["bench"].throughput == 30
        assert len(re.findall(r"throughput \d+ -> \d+", gateway.said())) <= 4
        shares = re.findall(r"^throughput = (\d+)", (gateway.state / "kannel.conf").read_text(), re.MULTILINE)
        assert shares == ["15", "15"]


@pytest.mark.parametrize("told", [True, False], ids=["SIGQUIT", "renamed only"])
async def test_refusals_are_seen_in_a_log_that_was_rotated(tmp_path: Path, told: bool) -> None:
    async with simulator() as smsc, Up(tmp_path, smsc, throughput=20) as gateway:
        await gateway.saying("ready")
        gateway.log.rename(gateway.log.with_suffix(".1"))
        if told:
            processes.send_signal(gateway.boxes()["bearerbox"], signal.SIGQUIT)
            await until(gateway.log.exists)
        smsc.change_limit(LOGIN, 10)
        sent = await load(gateway.sendsms_port, 60, speed=400)
        await gateway.saying("throughput 20 -> 10")
        await drained(gateway)
        assert sent.failed == {}
        assert arrived(smsc) == (60, 0)


def forged(pid: int) -> str:
    """Return the line that bearerbox writes when the provider says "too fast", with a line feed on either side."""
    stamp = time.strftime("%Y-%m-%d %H:%M:%S")
    said = "SMSC returned error code 0x00000058 (Throttling error) in response to submit_sm PDU."
    return f"x\n{stamp} [{pid}] [6] ERROR: SMPP[bench]: {said}\ny"


@pytest.mark.parametrize("level", [1, 0])
async def test_forged_lines_change_no_rate(tmp_path: Path, smsc: Simulator, level: int) -> None:
    async with Up(tmp_path, smsc, throughput=20, core={"log-level": level}) as gateway:
        await gateway.saying("ready")
        pid = gateway.boxes()["bearerbox"].pid
        # a queue that is long enough for all that the lines claim
        waiting = await load(gateway.sendsms_port, 80, speed=1000)
        taken = len(waiting.accepted)
        async with aiohttp.ClientSession() as session:

            async def send(more: dict[str, str]) -> bool:
                query = {"username": USER, "password": PASSWORD, "from": "a", "to": "79990000000", "text": "t"}
                url = f"http://127.0.0.1:{gateway.sendsms_port}/cgi-bin/sendsms"
                async with session.get(url, params={**query, **more}) as answer:
                    return answer.status == 202

            for _ in range(40):
                forms: tuple[dict[str, str], ...] = (
                    {"binfo": forged(pid)},
                    {"from": forged(pid), "dlr-mask": "31", "dlr-url": "http://127.0.0.1:1/"},
                    {"binfo": forged(pid), "from": forged(pid), "smsc": forged(pid), "service": forged(pid)},
                    {"text": forged(pid), "to": f"7999\n{forged(pid)}"},
                )
                taken += sum(await asyncio.gather(*map(send, forms)))
                await asyncio.sleep(0.05)  # over several of Kannel's periods, and of the controller's
        assert taken > 80 + 40
        smsc_log, access_log = (gateway.log.with_name(name).read_bytes() for name in ("smsbox.log", "access.log"))
        assert genuine(smsc_log + access_log, pid) > 100  # where they do get to
        assert genuine(gateway.log.read_bytes(), pid) == 0
        assert "throughput" not in gateway.said()
        assert gateway.learnt() == {}
        assert smsc.account(LOGIN).counters.refused == 0
        # with receipts that nobody takes bearerbox would need 10 s for its end
        await gateway.end(signal.SIGKILL)


def genuine(log: bytes, pid: int) -> int:
    """Return how many lines of a log look like refusals that this bearerbox logged."""
    return sum(read_line(line, pid) is not None for line in log.split(b"\n"))

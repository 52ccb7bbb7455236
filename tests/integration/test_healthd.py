"""`kannelkit healthd` beside a real Kannel, and beside an admin port that answers anything or nothing."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import psutil
import pytest
import yaml

from kannelkit.simulator import Simulator
from tests.gateway.server import listening, never
from tests.harness.load import load
from tests.harness.ports import free_ports
from tests.health.statusxml import GOOD, READABLE, UNREADABLE
from tests.integration.operated import Up, drained, simulator

PATIENCE = 60.0
# Answers lie ready: they come at once or never. They take a millisecond; this is for a machine that is busy.
AT_ONCE = 20.0
MEGABYTE = 1024 * 1024
MESSAGES = 150
TOKEN = "0123456789abcdef-health"


@dataclass(slots=True)
class Healthd:
    """A running healthd, and what it takes to ask it."""

    port: int
    output: Path
    session: aiohttp.ClientSession
    process: asyncio.subprocess.Process

    async def ask(self, path: str, **more: Any) -> tuple[int, str]:
        async with asyncio.timeout(AT_ONCE), self.session.get(f"http://127.0.0.1:{self.port}{path}", **more) as answer:
            return answer.status, await answer.text()

    async def until(self, path: str, holds: Callable[[int, str], bool]) -> str:
        """Ask until the answer is as wanted, and return it."""
        code, text = 0, ""
        try:
            async with asyncio.timeout(PATIENCE):
                while True:
                    code, text = await self.ask(path)
                    if holds(code, text):
                        return text
                    await asyncio.sleep(0.1)
        except TimeoutError:
            pytest.fail(f"{path} did not come to be as wanted: {code} {text[:2000]} {self.said()}")

    async def until_code(self, path: str, wanted: int) -> str:
        return await self.until(path, lambda code, text: code == wanted)

    async def metric(self, name: str, **labels: str) -> float | None:
        """Return the value of a series, None where there is none."""
        _, text = await self.ask("/metrics")
        for line in re.findall(rf"^{name}[{{ ].*$", text, re.MULTILINE):
            if all(f'{label}="{wanted}"' in line for label, wanted in labels.items()):
                return float(line.rpartition(" ")[2])
        return None

    def said(self) -> str:
        return self.output.read_text(errors="replace")


@asynccontextmanager
async def healthd(spec: Path, port: int, *arguments: str, env: dict[str, str] | None = None) -> AsyncIterator[Healthd]:
    """Run healthd until the block is left; it has to end in order then, and to have said nothing of a fault."""
    output = spec.with_name("healthd.out")
    with output.open("wb") as file:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "kannelkit", "healthd", str(spec), *arguments),
            stdout=file,
            stderr=file,
            env={**os.environ, **(env or {})},
        )
    try:
        async with aiohttp.ClientSession() as session:
            one = Healthd(port, output, session, process)
            async with asyncio.timeout(PATIENCE):
                while "listening" not in one.said():
                    assert process.returncode is None, one.said()
                    await asyncio.sleep(0.05)
            yield one
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(PATIENCE):
            assert await process.wait() == 0, one.said()
        assert "Traceback" not in one.said()
        assert "fault" not in one.said()
        assert "report it" not in one.said()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


@pytest.mark.kannel
async def test_up_answers_itself_and_runs_on_where_the_port_is_taken(tmp_path: Path) -> None:
    (port,) = free_ports(1)

    def gateway(folder: str, smsc: Simulator) -> Up:
        one = Up(tmp_path / folder, smsc, spec={"health": {"listen": f"127.0.0.1:{port}"}})
        one.options = ("--health",)
        return one

    async with simulator() as smsc, gateway("one", smsc) as first, aiohttp.ClientSession() as session:
        await first.saying("health: listening at")
        async with asyncio.timeout(PATIENCE):
            while True:
                async with session.get(f"http://127.0.0.1:{port}/can-send?to=+79161234567") as answer:
                    if answer.status == 200:
                        break
                await asyncio.sleep(0.1)
        async with gateway("two", smsc) as second:
            await second.saying("ready")
            assert "health: nobody is answered" in second.said()
            assert await second.end() == 0
        assert await first.end() == 0
        assert "Traceback" not in first.said() + second.said()


@pytest.mark.kannel
async def test_it_tells_of_a_real_gateway_and_answers_while_bearerbox_hangs(tmp_path: Path) -> None:
    (port,) = free_ports(1)
    async with simulator(limit=40) as smsc:
        gateway = Up(tmp_path, smsc, throughput=80, sms_resend_freq=1, spec={"health": {"listen": f"127.0.0.1:{port}"}})
        async with gateway, healthd(gateway.path, port) as daemon:
            await daemon.until_code("/readyz", 200)
            await daemon.until_code("/account/bench", 200)
            assert json.loads((await daemon.ask("/can-send?to=+79161234567"))[1])["account"] == "bench"
            await load(gateway.sendsms_port, MESSAGES, speed=200)
            await drained(gateway)

            # every message is counted, and every refusal, over the links that the changes of rate made anew
            accepted = await daemon.until(
                "/metrics", lambda code, text: 'kannelkit_accepted_total{account="bench"}' in text
            )
            assert "bearerbox_" not in accepted
            await settled(daemon, "kannelkit_accepted_total", smsc.account("bench").counters.accepted, account="bench")
            refused = smsc.account("bench").counters.refused
            assert refused > 0
            status = {"account": "bench", "command_status": "ESME_RTHROTTLED"}
            await settled(daemon, "kannelkit_refused_total", refused, **status)
            assert (
                await daemon.metric("kannelkit_throughput_changes_total", account="bench", direction="lower") or 0
            ) > 0
            assert (await daemon.metric("kannelkit_throughput_change_seconds_count", account="bench") or 0) > 0
            assert (await daemon.metric("kannelkit_throughput", account="bench") or 99) < 80
            assert await daemon.metric("kannelkit_throughput_ceiling", account="bench") == 80
            assert await daemon.metric("kannelkit_supervised") == 1
            assert (await daemon.metric("kannelkit_log_read_bytes_total", log="bearerbox.log") or 0) > 0

            bearerbox = psutil.Process(gateway.boxes()["bearerbox"].pid)
            bearerbox.suspend()
            try:
                await daemon.until_code("/readyz", 503)
                await daemon.until_code("/account/bench", 503)
                assert await daemon.metric("kannel_up") == 0
                assert await daemon.metric("kannelkit_accepted_total", account="bench") == MESSAGES
                assert (await daemon.ask("/livez"))[0] == 200
            finally:
                bearerbox.resume()
            await daemon.until_code("/readyz", 200)
            texts = [(await daemon.ask(path))[1] for path in ("/", "/healthz", "/metrics", "/account/bench")]
            assert not [text for text in texts if "secret" in text]


async def settled(daemon: Healthd, name: str, wanted: float, **labels: str) -> None:
    """Wait until a metric is what it has to come to."""
    value = None
    for _ in range(int(PATIENCE / 0.2)):
        value = await daemon.metric(name, **labels)
        if value == wanted:
            return
        await asyncio.sleep(0.2)
    pytest.fail(f"{name}{labels} is {value}, not {wanted}")


# -- an admin port that answers anything -------------------------------------------------------------------------------


async def test_whatever_the_admin_port_answers_it_answers_at_once_and_stays_small(tmp_path: Path) -> None:
    body = GOOD

    async def admin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        await writer.drain()

    (port,) = free_ports(1)
    async with listening(admin) as admin_port:
        spec = played(tmp_path, admin_port, port)
        async with healthd(spec, port, "--every", "0.2") as daemon:
            await daemon.until_code("/readyz", 200)
            process = psutil.Process(daemon.process.pid)
            for what, answer in (*READABLE.items(), ("an entity bomb", UNREADABLE["an entity bomb"])):
                body = answer
                for _ in range(2):  # the look that was under way, and one at this
                    looked = await daemon.metric("kannelkit_observed_timestamp_seconds")
                    await daemon.until("/metrics", changed(looked))
                # a look that came too late on a busy machine has another one
                await settled(daemon, "kannel_up", what in READABLE)
                for path in ("/livez", "/healthz", "/account/account0", "/can-send?to=1", "/metrics?names=both", "/"):
                    code, text = await daemon.ask(path)
                    assert code in (200, 503), (what, path, text)
                assert process.memory_info().rss < 200 * MEGABYTE, what


def changed(before: float | None) -> Callable[[int, str], bool]:
    """Return whether a text of metrics was made of another look than that of `before`."""
    line = f"kannelkit_observed_timestamp_seconds {before}"
    return lambda code, text: line not in text


def played(folder: Path, admin_port: int, port: int, **health: object) -> Path:
    """Return a spec of a gateway whose admin port somebody plays."""
    smsc = [
        {"smsc-id": f"account{number}", "host": "127.0.0.1", "port": 1, "smsc-username": "u", "smsc-password": "p"}
        for number in range(3)
    ]
    spec = {
        "state-dir": str(folder / "state"),
        "core": {"admin-port": admin_port, "admin-password": "admin-secret"},
        "smsc": smsc,
        "health": {"listen": f"127.0.0.1:{port}", **health},
    }
    path = folder / "gateway.yaml"
    path.write_text(yaml.safe_dump(spec))
    return path


async def test_it_does_not_wait_for_an_admin_port_that_says_nothing_and_ends_meanwhile(tmp_path: Path) -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        await never()

    (port,) = free_ports(1)
    async with listening(silent) as admin_port, healthd(played(tmp_path, admin_port, port), port) as daemon:
        for path, code in (("/livez", 200), ("/readyz", 503), ("/healthz", 503), ("/metrics", 200), ("/", 200)):
            assert (await daemon.ask(path))[0] == code
        await daemon.until("/healthz", lambda code, text: '"critical"' in text)
        assert await daemon.metric("kannel_up") == 0


async def test_a_changed_spec_is_read_again_and_a_broken_one_is_told(tmp_path: Path) -> None:
    admin_port, port = free_ports(2)
    path = played(tmp_path, admin_port, port, token={"env": "HEALTH_TOKEN"})
    async with healthd(path, port, env={"HEALTH_TOKEN": TOKEN}) as daemon:
        assert (await daemon.ask("/livez"))[0] == 401
        daemon.session.headers["Authorization"] = f"Bearer {TOKEN}"
        assert (await daemon.ask("/account/renamed"))[0] == 404
        good = path.read_text()
        path.write_text("smsc: [\n")
        await daemon.until("/livez", lambda code, text: "cannot be read" in daemon.said())
        path.write_text(good.replace("account0", "renamed"))
        await daemon.until_code("/account/renamed", 503)
        assert TOKEN not in daemon.said()

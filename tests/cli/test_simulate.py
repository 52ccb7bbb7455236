"""`kannelkit simulate` as a person meets it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import signal
import ssl
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import aiohttp
import click.testing
import pytest
import smpplib.client
import smpplib.consts
from aiohttp import web

from kannelkit.cli.simulate import _as_provider, command, counter_lines, what_to_write
from kannelkit.providers.shipped import PROFILES
from kannelkit.simulator import AccountRules, Simulator
from kannelkit.smpp.constants import CommandId
from kannelkit.spec.load import load
from tests.simulator.esme import Esme, message

PATIENCE = 60  # seconds to wait for what must come
FREE = ["--port", "0", "--control-port", "0"]


@pytest.fixture
def running() -> Iterator[subprocess.Popen[str]]:
    command_line = [sys.executable, "-m", "kannelkit", "simulate", *FREE, "--limit", "7"]
    with subprocess.Popen(command_line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        yield process
        process.kill()


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_tells_what_to_write_serves_and_ends_cleanly(running: subprocess.Popen[str], ending: signal.Signals) -> None:
    assert running.stdout is not None
    assert running.stderr is not None
    told = ""
    while "Ctrl-C" not in told:
        line = running.stdout.readline()
        assert line
        told += line
    found = re.search(r"port: (\d+)", told)
    assert found
    client = smpplib.client.Client("127.0.0.1", int(found[1]), timeout=PATIENCE)
    client.connect()
    assert client.bind_transceiver(system_id="test", password="test").status == 0
    running.send_signal(ending)
    assert running.wait(PATIENCE) == 0
    client.state = smpplib.consts.SMPP_CLIENT_STATE_OPEN  # smpplib warns where no unbind was sent
    client.disconnect()
    last = running.stderr.read()
    assert "test: 1 online, 0 accepted" in last
    assert "Traceback" not in last


BEHAVIOUR = {
    "delay": 0.5,
    "order": "out-of-order",
    "coalesce": 0.25,
    "unbind": "close",
    "idle": 60.0,
    "same_within": 30.0,
    "parts_within": 9.0,
    "receipt_delay": 2.0,
    "receipt_window": 9,
    "reject_share": 0.5,
    "reject_status": 8,
    "close_after": 60.0,
    "silent": True,
}


def test_behaves_as_its_options_say() -> None:
    options = ["--seed", "1"]
    for name, value in BEHAVIOUR.items():
        options += [f"--{name.replace('_', '-')}"] if value is True else [f"--{name.replace('_', '-')}", str(value)]
    command_line = [sys.executable, "-m", "kannelkit", "simulate", *FREE, *options]
    with subprocess.Popen(command_line, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            assert process.stdout is not None
            found = re.search(r"http://127.0.0.1:\d+", process.stdout.readline())
            assert found
            with urllib.request.urlopen(f"{found[0]}/behaviour", data=b"", timeout=PATIENCE) as answer:
                told = json.load(answer)
        finally:
            process.kill()
    assert {name: told[name] for name in BEHAVIOUR} == BEHAVIOUR


def test_what_is_told_shows_no_password_but_the_default_one() -> None:
    for rules, shown in ((AccountRules("test", "test"), "test"), (AccountRules("test", "hunter2"), "{env: ")):
        simulator = Simulator([rules])
        assert "hunter2" not in what_to_write(simulator)
        assert f"smsc-password: {shown}" in what_to_write(simulator)


@pytest.mark.parametrize("provider", [None, "smsc.ru"])
async def test_what_is_told_is_a_spec(tmp_path: Path, provider: str | None) -> None:
    async with Simulator([AccountRules("login", "hunter2", limit=7)], control_port=0) as simulator:
        told = what_to_write(simulator, provider)
    path = tmp_path / "spec.yaml"
    path.write_text(told[told.index("smsc:") : told.index("Ctrl-C")])
    account = load(path, {"SMSC_PASSWORD": "hunter2"}).smpp_accounts[0]
    assert (account.smsc_id, account.throughput, account.provider) == ("simulator", 7, provider or "")


async def test_a_line_for_each_account() -> None:
    async with Simulator([AccountRules("a", "x"), AccountRules("b", "x", limit=None)]) as simulator:
        lines = counter_lines(simulator)
        assert [line.split(":")[0] for line in lines] == ["a", "b"]
        assert "0 accepted (0/s)" in lines[0]


def test_accounts_from_a_file_with_the_line_of_each_mistake(tmp_path: Path) -> None:
    path = tmp_path / "accounts"
    path.write_text("# comment\n\na:x@5\nb\nc:hunter2long\n")
    done = subprocess.run(
        [sys.executable, "-m", "kannelkit", "simulate", *FREE, "--accounts", str(path)],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 1
    assert f"{path}:4: simulator-account" in done.stderr
    assert f"{path}:5: simulator-account" in done.stderr
    assert "hunter2" not in done.stderr


async def test_the_providers_rules_by_one_option(tmp_path: Path) -> None:
    settings = Simulated(tmp_path, ["--provider", "smsc.ru", "--port", "0", "--tls", "--tls-port", "0", "--idle", "60"])
    async with settings as simulated:
        listening = await simulated.event("listening")
        assert listening["accounts"] == [{"login": "test", "limit": 30}]
        behaviour = await simulated.post("/behaviour")
        assert (behaviour["same_within"], behaviour["idle"]) == (60.0, 60.0)  # what is given besides wins
        tls = ssl.create_default_context()
        tls.check_hostname, tls.verify_mode = False, ssl.CERT_NONE
        async with Esme(listening["tls_port"], tls) as esme:
            assert (await esme.bind()).command_status == 0
            assert [(await esme.submit_and_wait(b"the same")).command_status for _ in range(2)] == [0, 0x45]


def test_the_providers_ports_are_its_own() -> None:
    assert _as_provider(PROFILES["smsc.ru"])[:2] == (3700, 3443)


async def test_what_happens_as_json_lines(tmp_path: Path) -> None:
    options = ["--outcome", "to=7999*,err=220", "--outcome", "state=EXPIRED", "--receipt-delay", "0.3", "--port", "0"]
    async with Simulated(tmp_path, options) as simulated:
        listening = await simulated.event("listening")
        assert (listening["host"], listening["tls_port"]) == ("127.0.0.1", None)
        async with Esme(listening["port"]) as esme:
            await esme.bind()
            await esme.submit_and_wait("Код".encode())
            await esme.ask(CommandId.SUBMIT_SM, message(b"", to=b"1"))
        arrived = await simulated.event("message")
        assert (arrived["account"], arrived["state"], arrived["destination"]) == ("test", "ENROUTE", "79991234567")
        ended = [await simulated.event("ended") for _ in range(2)]
        assert [(each["id"], each["state"], each["err"]) for each in ended] == [
            (arrived["id"], "UNDELIV", 220),
            (arrived["id"] + 1, "EXPIRED", 0),
        ]
        simulated.process.send_signal(signal.SIGTERM)
        assert (await simulated.event("counters"))["accounts"]["test"]["accepted"] == 2
        await simulated.event("end")
        assert await simulated.process.wait() == 0
    assert simulated.complaints() == ""


async def test_an_end_of_the_reader_is_the_end(tmp_path: Path) -> None:
    async with Simulated(tmp_path, ["--port", "0"]) as simulated:
        listening = await simulated.event("listening")
        assert simulated.process.stdout is not None
        simulated.process.stdout._transport.close()  # type: ignore[attr-defined]  # asyncio has no other way
        # it ends with the next thing that it has to say
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            async with Esme(listening["port"]) as esme:
                await esme.bind()
                await esme.submit_and_wait()
        async with asyncio.timeout(PATIENCE):
            await simulated.process.wait()
    assert "Traceback" not in simulated.complaints()


async def test_statuses_go_to_the_handler(tmp_path: Path) -> None:
    told: asyncio.Future[dict[str, str]] = asyncio.get_running_loop().create_future()

    async def take(request: web.Request) -> web.Response:
        told.set_result({name: str(value) for name, value in (await request.post()).items()})
        return web.Response()

    application = web.Application()
    application.router.add_post("/smsc", take)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    address = f"http://127.0.0.1:{runner.addresses[0][1]}/smsc"
    try:
        async with Simulated(tmp_path, ["--port", "0", "--receipt-delay", "0", "--handler", address]) as simulated:
            listening = await simulated.event("listening")
            async with Esme(listening["port"]) as esme:
                await esme.bind()
                answer = await esme.submit_and_wait()
            async with asyncio.timeout(PATIENCE):
                status = await told
    finally:
        await runner.cleanup()
    assert status["id"] == answer.octets("message_id").decode()
    assert (status["status"], status["phone"], status["err"]) == ("1", "79991234567", "0")


class Simulated:
    """`kannelkit simulate --json` with these options; stderr goes to a file in the folder."""

    def __init__(self, folder: Path, options: list[str]) -> None:
        self._complaints = folder / "stderr"
        self._options = options
        self.control_port = 0

    async def __aenter__(self) -> Self:
        with self._complaints.open("wb") as errors:
            self.process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "kannelkit", "simulate", "--json", "--control-port", "0", *self._options),
                stdout=asyncio.subprocess.PIPE,
                stderr=errors,
            )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process.returncode is None:
            self.process.kill()
        await self.process.wait()

    async def event(self, name: str) -> dict[str, Any]:
        """Return the next event of this name."""
        assert self.process.stdout is not None
        async with asyncio.timeout(PATIENCE):
            while line := await self.process.stdout.readline():
                event: dict[str, Any] = json.loads(line)
                if event["event"] == "listening":
                    self.control_port = event["control_port"]
                if event["event"] == name:
                    return event
        raise AssertionError(f"no {name} came")

    async def post(self, path: str) -> dict[str, Any]:
        address = f"http://127.0.0.1:{self.control_port}{path}"
        async with aiohttp.ClientSession() as session, session.post(address) as answer:
            told: dict[str, Any] = await answer.json()
            return told

    def complaints(self) -> str:
        return self._complaints.read_text()


WRONG = [
    ["--provider", "smpp.example.org"],
    ["--outcome", "err=300"],
    ["--outcome", "when=now"],
    ["--handler", "ftp://127.0.0.1/"],
    ["--account", "a:x,handler=nothing"],
    ["--receipt-window", "0"],
    ["--account", "test"],
    ["--account", "a:hunter2long"],
    ["--account", "a:x", "--account", "a:y"],
    ["--account", "a:x", "--limit", "3"],
    ["--tls-port", "0"],
    ["--limit", "-1"],
    ["--limit", "1.25"],
    ["--law", "none"],
    ["--delay", "nan"],
    ["--delay", "-1"],
    ["--port", "65536"],
    ["--reject-share", "1.5"],
    ["--reject-status", "full"],
    ["--reject-status", "0x58"],
    ["--account", "a:x,limit-per=login"],
    ["--certificate", os.devnull + "/none", "--tls-port", "0"],
]


@pytest.mark.parametrize("arguments", WRONG, ids=" ".join)
def test_wrong_use_is_2(arguments: list[str]) -> None:
    result = click.testing.CliRunner().invoke(command, [*FREE, *arguments])
    assert result.exit_code == 2
    assert "hunter2" not in result.output
    assert "Traceback" not in result.output


def test_help_names_every_option() -> None:
    result = click.testing.CliRunner().invoke(command, ["--help"])
    assert result.exit_code == 0
    for parameter in command.params:
        assert parameter.opts[0] in result.output

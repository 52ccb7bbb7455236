"""`kannelkit simulate` as a person meets it."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import click.testing
import pytest
import smpplib.client
import smpplib.consts

from kannelkit.cli.simulate import command, counter_lines, what_to_write
from kannelkit.simulator import AccountRules, Simulator
from kannelkit.spec.load import load

PATIENCE = 20  # seconds to wait for what must come
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
    "receipt_delay": 2.0,
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


async def test_what_is_told_is_a_spec(tmp_path: Path) -> None:
    async with Simulator([AccountRules("login", "hunter2", limit=7)], control_port=0) as simulator:
        told = what_to_write(simulator)
    path = tmp_path / "spec.yaml"
    path.write_text(told[told.index("smsc:") : told.index("Ctrl-C")])
    account = load(path, {"SMSC_PASSWORD": "hunter2"}).smpp_accounts[0]
    assert (account.smsc_id, account.throughput) == ("simulator", 7)


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


WRONG = [
    ["--account", "test"],
    ["--account", "a:hunter2long"],
    ["--account", "a:x", "--account", "a:y"],
    ["--account", "a:x", "--limit", "3"],
    ["--tls-port", "0"],
    ["--limit", "-1"],
    ["--limit", "1.5"],
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

"""`kannelkit health`: one line that a monitor understands, whatever the gateway and its names hold."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from kannelkit.cli.health import lines
from kannelkit.cli.main import group
from kannelkit.health.table import CHECKS
from kannelkit.health.values import Check, Figure, Report, Status
from kannelkit.spec import load
from kannelkit.supervise.kept import keep

REAL = (Path(__file__).parents[1] / "gateway/status.xml").read_bytes()
SPEC = """
state-dir: state
core: {{admin-port: {port}, admin-password: adminpw77}}
smsc:
  - {{smsc-id: {name}, host: 127.0.0.1, port: 1, smsc-username: u, smsc-password: loginpw7}}
{more}
"""
# a plugin's first line (the Monitoring Plugins' development guidelines): text, and performance data behind one `|`
LABEL = r"'(?:[^'=|\n]|'')+'"
NUMBER = r"-?\d+(?:\.\d+)?"
FIGURE = rf"{LABEL}={NUMBER}(?:s|%|B|c)?(?:;(?:{NUMBER})?){{0,4}}"
FIRST = re.compile(rf"KANNEL (OK|WARNING|CRITICAL|UNKNOWN) - [^|\n]+(?: \| {FIGURE}(?: {FIGURE})*)?")
CODES = {"OK": 0, "WARNING": 1, "CRITICAL": 2, "UNKNOWN": 3}

Serve = Callable[[bytes | None], int]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Answer whatever comes with these octets as an HTTP body, or with nothing at all, on a free port."""
    with ExitStack() as opened:

        def begin(body: bytes | None) -> int:
            listening = opened.enter_context(socket.create_server(("127.0.0.1", 0)))
            if body is not None:
                threading.Thread(target=answer, args=(listening, body), daemon=True).start()
            return int(listening.getsockname()[1])

        yield begin


def answer(listening: socket.socket, body: bytes) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % len(body)
    with suppress(OSError):  # the test is over
        while True:
            connection, _ = listening.accept()
            with connection, suppress(OSError):
                connection.recv(4096)
                connection.sendall(head + body)


def written(folder: Path, port: int, name: str = "acc", more: str = "") -> Path:
    path = folder / "spec.yaml"
    path.write_text(SPEC.format(port=port, name=name, more=more))
    return path


def health(*arguments: object) -> Result:
    return CliRunner().invoke(group, ["health", *map(str, arguments)])


def first_line(result: Result) -> str:
    line = result.stdout.splitlines()[0]
    found = FIRST.fullmatch(line)
    assert found, line
    assert CODES[found[1]] == result.exit_code
    return line


def test_a_gateway_that_sends(tmp_path: Path, serve: Serve) -> None:
    path = written(tmp_path, serve(REAL))
    result = health(path, "--check", "sending", "--check", "queue", "--check", "bearerbox")
    assert result.exit_code == 0
    assert first_line(result).startswith("KANNEL OK - 1 account sending, ")
    assert "'queue'=" in result.stdout
    assert result.stdout.count("\n") == 1
    assert result.stderr == ""


def test_thresholds_of_the_command_line_go_before_those_of_the_spec(tmp_path: Path, serve: Serve) -> None:
    path = written(tmp_path, serve(REAL), more="health: {thresholds: {queue: {warning: 5, critical: 7}}}")
    assert ";5;7;0" in health(path, "--check", "queue").stdout
    over = health(path, "--check", "queue", "-w", "queue=0", "-c", "queue=never")
    assert over.exit_code == 1
    assert ";0;;0" in first_line(over)
    assert health(path, "--check", "queue", "--critical", "queue=0").exit_code == 2


def test_every_check_in_a_line_of_its_own(tmp_path: Path, serve: Serve) -> None:
    result = health(written(tmp_path, serve(REAL)), "--verbose")
    first_line(result)
    assert all(re.match(r"(OK|WARNING|CRITICAL|UNKNOWN) [a-z-]+: ", line) for line in result.stdout.splitlines()[1:])
    assert "CRITICAL logs: " in result.stdout
    assert " -> make the folder again" in result.stdout


def test_json_is_the_whole_report(tmp_path: Path, serve: Serve) -> None:
    result = health(written(tmp_path, serve(REAL)), "--json")
    told = json.loads(result.stdout)
    assert CODES[told["status"].upper()] == result.exit_code
    assert told["sending"] == {"acc": True}
    assert {"id", "status", "summary", "advice", "account", "link", "since", "figures"} == set(told["checks"][0])


def test_a_monitor_has_no_secrets_of_the_gateway(tmp_path: Path, serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ADMIN", raising=False)
    path = written(tmp_path, serve(REAL))
    path.write_text(path.read_text().replace("loginpw7", "{env: HEALTH_LOGIN}").replace("adminpw77", "{env: ADMIN}"))
    without = health(path)
    assert without.exit_code == 3
    assert "ADMIN is not set" in first_line(without)
    (tmp_path / "state").mkdir()
    keep(load(path, {"HEALTH_LOGIN": "loginpw7", "ADMIN": "adminpw77"}))  # as whoever runs it does
    result = health(path, "--check", "sending")
    assert (result.exit_code, first_line(result)) == (0, "KANNEL OK - 1 account sending")


def test_nothing_runs(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    result = health(written(tmp_path, port))
    assert result.exit_code == 2
    assert "bearerbox is not running" in first_line(result)
    assert not (tmp_path / "state").exists()


WRONG = [
    ("no-such.yaml",),
    ("spec.yaml", "-w", "queu=3"),
    ("spec.yaml", "-w", "queue"),
    ("spec.yaml", "-w", "queue=x"),
    ("spec.yaml", "-c", "queue=-1"),
    ("spec.yaml", "--check", "sendin"),
    ("spec.yaml", "--timeout", "0"),
    ("spec.yaml", "--timeout", "x"),
    ("spec.yaml", "more"),
    ("spec.yaml", "--no-such|option\n"),
    (),
]


@pytest.mark.parametrize("arguments", WRONG, ids=str)
def test_wrong_use_is_unknown_and_not_critical(
    arguments: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    written(tmp_path, 1)
    result = health(*arguments)
    assert result.exit_code == 3
    assert first_line(result).startswith("KANNEL UNKNOWN - ")


def test_a_slip_of_the_pen_is_answered(tmp_path: Path) -> None:
    path = written(tmp_path, 1)
    assert "did you mean queue?" in health(path, "-w", "queu=3").stdout
    assert "did you mean sending?" in health(path, "--check", "sendin").stdout


@pytest.mark.parametrize("id", CHECKS)
def test_every_check_is_explained(id: str) -> None:
    told = CliRunner().invoke(group, ["explain", f"health.{id}"])
    assert told.exit_code == 0
    assert CHECKS[id].title in told.stdout
    assert CHECKS[id].advice in told.stdout
    (about,) = json.loads(CliRunner().invoke(group, ["explain", "--json", f"health.{id}"]).stdout)
    assert (about["topic"], about["id"]) == ("check", id)
    assert f"health.{id}" in CliRunner().invoke(group, ["explain", id]).stdout or id in ("smsbox", "supervisor")


def test_a_wrong_spec_is_unknown_in_one_line(tmp_path: Path) -> None:
    path = written(tmp_path, 1, more="healt: {}")
    result = health(path)
    assert result.exit_code == 3
    assert "spec.yaml:6:1" in first_line(result)
    assert json.loads(health(path, "--json").stdout)["status"] == "unknown"


def test_no_secret_in_any_answer(tmp_path: Path, serve: Serve) -> None:
    for body in (REAL, b"Denied", REAL[:700]):
        path = written(tmp_path, serve(body))
        for result in (health(path, "--verbose"), health(path, "--json")):
            assert "adminpw77" not in result.output
            assert "loginpw7" not in result.output


def test_it_is_never_longer_than_its_timeout(tmp_path: Path, serve: Serve) -> None:
    """A pipe as spec: whoever opens it waits for a writer for ever."""
    os.mkfifo(tmp_path / "spec.yaml")
    done = subprocess.run(
        [sys.executable, "-m", "kannelkit", "health", "spec.yaml", "--timeout", "2"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (3, "")
    assert done.stdout == "KANNEL UNKNOWN - not done within 2 s\n"


words = st.text(st.sampled_from("ab |\n\r\t'=;\\%\x00\x1b\u202e\ud800é"), max_size=12)
numbers = st.floats(-1e12, 1e12, allow_nan=False)
figures = st.builds(
    Figure,
    words.map(lambda text: f"a{text}"),
    numbers,
    st.sampled_from(["", "s", "B", "%", "c"]),
    *[st.none() | numbers] * 4,
)
statuses: st.SearchStrategy[Status] = st.sampled_from(["ok", "warning", "critical", "unknown"])
checks = st.builds(
    Check,
    st.sampled_from(["sending", "queue", "disk"]),
    statuses,
    words.map(lambda text: f"a{text}"),
    words,
    account=st.none() | words,
    figures=st.lists(figures, max_size=3).map(tuple),
)


@given(st.lists(checks, max_size=6).map(tuple))
def test_no_name_breaks_the_form(found: tuple[Check, ...]) -> None:
    report = Report(0.0, found)
    told = list(lines(report, verbose=True))
    assert len(told) == 1 + len(found)
    assert FIRST.fullmatch(told[0]), told[0]
    for line in told:
        assert line.isprintable()
        line.encode()
    assert all("|" not in line for line in told[1:])


def test_the_worst_is_named_first() -> None:
    worst_last: list[Status] = ["warning", "critical", "ok", "unknown", "critical"]
    found = (Check("disk", status, f"{status} {number}", "do") for number, status in enumerate(worst_last))
    report = Report(0.0, tuple(found))
    assert list(lines(report)) == ["KANNEL CRITICAL - critical 1; critical 4; and 2 more"]

"""`kannelkit status`: an answer in every state of a gateway, nothing made or changed, no password in it."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Protocol

import pytest
from click.testing import CliRunner, Result

from kannelkit.cli.figures import event_line, shown
from kannelkit.cli.main import group
from kannelkit.host import processes
from kannelkit.host.secrets import keep as keep_made
from kannelkit.spec import load
from kannelkit.supervise.kept import keep
from kannelkit.supervise.lock import Lock
from kannelkit.supervise.memory import Event, Memory
from kannelkit.throttle.values import Learnt

REAL = (Path(__file__).parents[1] / "gateway/status.xml").read_bytes()
PASSWORD, LOGIN_PASSWORD = "adminpw77", "loginpw7"
DENIED = b'<?xml version="1.0"?>\n<gateway>\nDenied</gateway>\n'

SPEC = """
state-dir: state
core: {{admin-port: {port}, admin-password: {password}}}
smsc:
  - {{smsc-id: {name}, host: smsc.test, smsc-username: u, smsc-password: {login}, throughput: 60}}
"""


class Serve(Protocol):
    def __call__(self, body: bytes, password: str = "") -> int:
        """Serve a text as whatever is asked for, by whoever knows the password; return the port."""


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Serve texts on free ports."""
    servers: list[ThreadingHTTPServer] = []

    def begin(body: bytes, password: str = "") -> int:
        class Answer(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                answer = body if f"password={password}" in self.path else DENIED
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, format: str, *args: object) -> None:
                return

        servers.append(ThreadingHTTPServer(("127.0.0.1", 0), Answer))
        threading.Thread(target=servers[-1].serve_forever, args=(0.01,)).start()
        return int(servers[-1].server_address[1])

    yield begin
    for server in servers:
        server.shutdown()
        server.server_close()


def spec(folder: Path, port: int, name: str = "acc") -> Path:
    path = folder / "spec.yaml"
    path.write_text(SPEC.format(port=port, password=PASSWORD, login=LOGIN_PASSWORD, name=name))
    return path


def run(*arguments: str | Path) -> Result:
    result = CliRunner().invoke(group, ["status", *map(str, arguments)])
    for secret in (PASSWORD, LOGIN_PASSWORD):
        assert secret not in result.output
    return result


def answer(path: Path) -> dict[str, object]:
    result = run(path, "--json")
    found: dict[str, object] = json.loads(result.stdout)
    assert result.exit_code == (0 if found["ok"] else 1)
    return found


@pytest.fixture
def state(tmp_path: Path) -> Iterator[Path]:
    """A state-dir that a supervisor holds, with something learnt and told."""
    folder = tmp_path / "state"
    folder.mkdir()
    with Lock(folder / "lock"):
        memory = Memory(folder / "state.db")
        memory.learn("acc", Learnt(30, 2), 1.0)
        memory.tell(Event(1.0, "rate", "acc", "acc: throughput 60 -> 30\x1b[2J", {"after": 30}))
        yield folder
        memory.close()


def real(name: str = "acc", link: str = "online 4s") -> bytes:
    """Return a real bearerbox's status with one link of this account."""
    head, _, _ = REAL.partition(b"<smscs>")
    return head + (
        b"<smscs>\n\t<count>1</count>\n\t<smsc>\n\t\t<name>SMPP</name>\n\t\t<admin-id>%b-1</admin-id>\n\t\t<id>%b</id>\n"
        b"\t\t<status>%b</status>\n\t\t<failed>0</failed>\n\t\t<queued>7</queued>\n\t\t<sms>\n\t\t\t"
        b"<received>0</received>\n\t\t\t<sent>3</sent>\n\t\t</sms>\n\t\t<dlr>\n\t\t\t<received>0</received>\n\t\t\t"
        b"<sent>0</sent>\n\t\t</dlr>\n\t</smsc>\n</smscs>\n</gateway>\n"
    ) % (name.encode(), name.encode(), link.encode())


def test_before_the_first_start_it_answers_and_makes_nothing(tmp_path: Path, serve: Serve) -> None:
    path = tmp_path / "spec.yaml"
    path.write_text("smsc: [{smsc-id: acc, host: h, smsc-username: u, smsc-password: p}]\n")  # all passwords to make
    found = answer(path)
    assert (found["ok"], found["state"], found["problems"]) == (
        False,
        "not running",
        [f"the gateway is not running: kannelkit up {path}"],
    )
    assert list(tmp_path.iterdir()) == [path]


def test_a_gateway_that_is_well(tmp_path: Path, serve: Serve, state: Path) -> None:
    path = spec(tmp_path, serve(real()))
    found = answer(path)
    assert (found["ok"], found["problems"], found["supervisor"]) == (True, [], os.getpid())
    accounts = found["accounts"]
    assert isinstance(accounts, list)
    assert (accounts[0]["throughput"], accounts[0]["ceiling"], accounts[0]["queued"]) == (30, 60, 7)
    assert accounts[0]["accepted_per_second"] == 0.0
    assert isinstance(found["events"], list)
    assert found["events"][0]["after"] == 30


def test_in_a_pipe_it_is_plain_text_in_columns(tmp_path: Path, serve: Serve, state: Path) -> None:
    result = run(spec(tmp_path, serve(real())))
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[0].startswith("gateway running, Kannel 1.4.5, supervised by pid")
    assert "acc      online  1/1    0.0         30          60       7" in lines
    assert "\x1b" not in result.stdout
    assert any(line.endswith("acc: throughput 60 -> 30\\x1b[2J") for line in lines)


def test_a_link_that_is_away_is_told(tmp_path: Path, serve: Serve, state: Path) -> None:
    path = spec(tmp_path, serve(real(link="re-connecting")))
    assert answer(path)["problems"] == [
        "acc: 0 of 1 links online: acc-1 re-connecting: smsc.test:2775 does not take the connection or the bind, and "
        f"is tried again; kannelkit history {path} --account acc says more"
    ]


@pytest.mark.parametrize("body", [b"", b"\0" * 1000, DENIED, real()[:500], b"<html>hello</html>"])
def test_garbage_on_the_admin_port_is_a_problem_not_an_error(
    tmp_path: Path, serve: Serve, state: Path, body: bytes
) -> None:
    found = answer(spec(tmp_path, serve(body)))
    assert found["ok"] is False
    assert found["problems"]


def test_a_damaged_state_is_a_problem_not_an_error(tmp_path: Path, serve: Serve) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "state/state.db").write_bytes(b"no database at all " * 100)
    problems = answer(spec(tmp_path, serve(real())))["problems"]
    assert isinstance(problems, list)
    assert any("state.db" in problem for problem in problems)


def test_a_file_that_is_not_there_is_told_with_its_name(tmp_path: Path) -> None:
    result = run(tmp_path / "nowhere.yaml")
    assert result.exit_code == 1
    assert "nowhere.yaml" in result.stderr


def in_terminal(path: Path, **environment: str) -> bytes:
    """Return what the command says in a terminal."""
    ours, theirs = pty.openpty()
    clean = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
    words = [sys.executable, "-m", "kannelkit", "status", str(path)]
    whole = {**clean, "TERM": "xterm-256color", "COLUMNS": "100", **environment}
    with subprocess.Popen(words, stdout=theirs, stdin=theirs, env=whole) as process:
        os.close(theirs)
        said = b""
        try:
            while chunk := os.read(ours, 4096):
                said += chunk
        except OSError:  # the other end is closed
            pass
        assert process.wait() == 0
    os.close(ours)
    return said


@pytest.mark.parametrize(("no_color", "coloured"), [("", True), ("1", False)])
def test_in_a_terminal_it_has_colours_unless_they_are_not_wanted(
    tmp_path: Path, serve: Serve, state: Path, no_color: str, coloured: bool
) -> None:
    said = in_terminal(spec(tmp_path, serve(real())), **({"NO_COLOR": no_color} if no_color else {}))
    assert (b"\x1b[32m" in said) is coloured
    assert b"\x1b[2J" not in said


def test_a_narrow_terminal_gets_fewer_columns_and_no_broken_words(tmp_path: Path, serve: Serve, state: Path) -> None:
    said = in_terminal(spec(tmp_path, serve(real())), COLUMNS="44").decode()
    lines = [line.split() for line in re.sub(r"\x1b\[[0-9;]*m", "", said).splitlines()]
    assert ["ACCOUNT", "STATE", "LINKS", "THROUGHPUT"] in lines
    assert ["acc", "online", "1/1", "30"] in lines
    assert ["acc-1", "online", "smsc.test:2775", "7"] in lines


@pytest.mark.parametrize(
    ("text", "safe"), [("й 1", "й 1"), ("a\nb", "a\\nb"), ("\x1b[1m", "\\x1b[1m"), ("\u202e", "\\u202e")]
)
def test_a_terminal_is_given_nothing_that_steers_it(text: str, safe: str) -> None:
    assert shown(text) == safe
    assert event_line(Event(0.0, "note", None, text, {})).endswith(f" {safe}")


def test_a_gateway_that_runs_is_shown_with_what_it_runs_with(tmp_path: Path, serve: Serve) -> None:
    port = serve(REAL)
    running = load(spec(tmp_path, port, "other"), {})
    running = running.with_made(keep_made(running.state_dir, running.to_make()))
    keep(running)
    memory = Memory(tmp_path / "state" / "state.db")
    memory.box("bearerbox", processes.current(os.getpid()))
    memory.close()
    assert "do not run yet" not in run(spec(tmp_path, port, "other")).stdout
    changed = run(spec(tmp_path, port, "acc")).stdout
    assert "the spec has changes that do not run yet" in changed
    assert "other-1" in changed
    assert "acc-1" not in changed


def test_a_gateway_that_runs_is_looked_at_without_the_secrets_that_only_it_has(
    tmp_path: Path, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = serve(real())
    path = tmp_path / "spec.yaml"
    variables = {"password": "{env: THE_ADMIN_PASSWORD}", "login": "{env: THE_LOGIN_PASSWORD}"}
    path.write_text(SPEC.format(port=port, name="acc", **variables))
    before = answer(path)["problems"]
    assert isinstance(before, list)
    assert not any("not set here" in problem for problem in before)  # anybody answers there, whatever the password
    running = load(path, {"THE_ADMIN_PASSWORD": PASSWORD, "THE_LOGIN_PASSWORD": LOGIN_PASSWORD})
    running = running.with_made(keep_made(running.state_dir, running.to_make()))
    keep(running)
    memory = Memory(tmp_path / "state" / "state.db")
    memory.box("bearerbox", processes.current(os.getpid()))
    memory.close()
    problems = answer(path)["problems"]
    assert isinstance(problems, list)
    assert [problem.partition(":")[0] for problem in problems] == ["no kannelkit supervises"]
    path.write_text(path.read_text().replace("throughput: 60", "throughput: 61"))
    assert "do not run yet" in run(path).stdout
    monkeypatch.setenv("THE_ADMIN_PASSWORD", PASSWORD)
    monkeypatch.setenv("THE_LOGIN_PASSWORD", "another")
    path.write_text(path.read_text().replace("throughput: 61", "throughput: 60"))
    assert "do not run yet" in run(path).stdout


def test_a_denial_for_want_of_a_variable_is_said_to_be_one(tmp_path: Path, serve: Serve) -> None:
    path = tmp_path / "spec.yaml"
    path.write_text(SPEC.format(port=serve(DENIED), name="acc", password="{env: THE_ADMIN_PASSWORD}", login="p"))
    assert "its password may be in a variable that is not set here: THE_ADMIN_PASSWORD" in run(path).stdout


def test_a_kannel_that_is_only_watched_is_asked_with_the_password_of_its_own_file(tmp_path: Path, serve: Serve) -> None:
    path, conf = tmp_path / "spec.yaml", tmp_path / "kannel.conf"
    text = SPEC.format(port=serve(real(), PASSWORD), name="acc", password="{env: THE_ADMIN_PASSWORD}", login="p")
    path.write_text(text + "supervisor: {conf-file: kannel.conf}\n")
    assert "THE_ADMIN_PASSWORD" in run(path).stdout
    conf.write_text(f"group = core\nadmin-password = {PASSWORD}\n")
    said = run(path).stdout
    assert "THE_ADMIN_PASSWORD" not in said
    assert "acc-1  online" in said

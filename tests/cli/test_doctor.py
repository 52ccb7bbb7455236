"""`kannelkit doctor`: steps in order, what to do, exit codes; nothing changed, no secret shown."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from kannelkit.cli.doctor import for_terminal, plain, summary
from kannelkit.cli.main import group
from kannelkit.doctor import values
from kannelkit.doctor.steps import STEPS
from tests.harness.ports import free_ports

LOCAL = ("kannel", "spec", "secrets", "conf", "gateway", "ports", "rights", "disk", "limits", "clock", "certificate")
ACCOUNT = "{smsc-id: main, host: 127.0.0.1, port: 1, smsc-username: login, smsc-password: pa55word}"


def written(folder: Path, account: str = ACCOUNT, more: str = "") -> Path:
    admin, boxes, sendsms = free_ports(3)
    path = folder / "gateway.yaml"
    path.write_text(
        f"state-dir: state\ncore: {{admin-port: {admin}, smsbox-port: {boxes}}}\nsmsbox: {{sendsms-port: {sendsms}}}\n"
        f"smsc:\n  - {account}\n{more}"
    )
    path.chmod(0o600)
    return path


def doctor(path: Path, *arguments: str, **variables: str | None) -> Result:
    return CliRunner(env=variables).invoke(group, ["doctor", str(path), *arguments])


def lines(result: Result, status: str) -> list[str]:
    return [line for line in result.stdout.splitlines() if line.startswith(f"{status}: ")]


def test_every_step_is_taken_in_order(tmp_path: Path) -> None:
    result = doctor(written(tmp_path), "--json")
    whole = json.loads(result.stdout)
    steps = list(dict.fromkeys(each["step"] for each in whole["results"]))
    assert steps == list(STEPS)
    assert (whole["ok"], result.exit_code) == (False, 1)
    failed = [each for each in whole["results"] if each["status"] == "failed"]
    assert [each["step"] for each in failed] == ["connect"]
    assert all(each["advice"] for each in failed)
    assert result.stderr == ""


def test_nothing_is_changed(tmp_path: Path) -> None:
    before = written(tmp_path).stat()
    doctor(tmp_path / "gateway.yaml")
    assert os.listdir(tmp_path) == ["gateway.yaml"]
    assert (tmp_path / "gateway.yaml").stat().st_mtime == before.st_mtime


def test_a_pipe_has_plain_lines_and_the_sum_apart(tmp_path: Path) -> None:
    result = doctor(written(tmp_path))
    assert lines(result, "failed") == ["failed: connect: 127.0.0.1:1: Connection refused"]
    assert "\x1b" not in result.output
    assert "pa55word" not in result.output
    assert result.stderr.startswith("1 failed, ")


@pytest.mark.parametrize("step", LOCAL)
def test_one_step_alone(step: str, tmp_path: Path) -> None:
    result = doctor(written(tmp_path), "--only", step, "--json")
    whole = json.loads(result.stdout)
    assert {each["step"] for each in whole["results"]} == {step}
    assert (whole["ok"], result.exit_code) == (True, 0)


def test_a_step_whose_ground_is_missing_fails_where_that_is_not_shown(tmp_path: Path) -> None:
    path = written(tmp_path)
    alone = doctor(path, "--only", "bind")
    assert lines(alone, "failed") == [
        "failed: bind: main at the primary, 127.0.0.1:1: the host takes no connection",
    ]
    both = doctor(path, "--only", "bind", "--only", "connect")
    assert len(lines(both, "not tried")) == len(lines(both, "failed")) == 1


def test_missing_secrets_are_told_and_everything_else_is_tried(tmp_path: Path) -> None:
    account = "{smsc-id: main, host: 127.0.0.1, port: 1, smsc-username: login, smsc-password: {env: NO_SUCH_PASSWORD}}"
    users = "sendsms-user:\n  - {username: app, password: {file: secrets/app}}\n"
    result = doctor(written(tmp_path, account, users), NO_SUCH_PASSWORD=None)
    failed = lines(result, "failed")
    assert len([line for line in failed if "failed: secrets:" in line]) == 2
    assert any("NO_SUCH_PASSWORD" in line for line in failed)
    assert any("secrets/app" in line for line in failed)
    assert any("failed: connect:" in line for line in failed)
    assert any("its login or password is not at hand" in line for line in lines(result, "not tried"))
    assert result.exit_code == 1


@pytest.mark.parametrize(
    "content", [None, b"", b"core: [}\n", b"core:\n  admin-password: \xff\xfe\n", b"smsc:\n", b"- x\n", b"[" * 100_000]
)
def test_a_spec_that_is_none(content: bytes | None, tmp_path: Path) -> None:
    path = tmp_path / "gateway.yaml"
    if content is not None:
        path.write_bytes(content)
    result = doctor(path, "--json")
    whole = json.loads(result.stdout)
    found = {each["step"]: each["status"] for each in whole["results"]}
    assert (found["kannel"], found["spec"], result.exit_code) == ("ok", "failed", 1)
    assert "gateway" not in found
    assert any("without a sound spec" in each["summary"] for each in whole["results"])


@pytest.mark.parametrize(
    ("steps", "last"),
    [
        (["tls"], "not tried: tls: cannot be tried without a sound spec"),
        (["secrets"], "not tried: secrets: cannot be tried without a sound spec"),
        (["tls", "bind"], "not tried: tls: cannot be tried without a sound spec, nor can bind"),
    ],
)
def test_steps_that_need_a_sound_spec_show_what_is_wrong_with_it(steps: list[str], last: str, tmp_path: Path) -> None:
    path = written(tmp_path, more="no-such-group: {}\n")
    result = doctor(path, *(word for step in steps for word in ("--only", step)))
    assert result.exit_code == 1
    (failed,) = lines(result, "failed")
    assert failed.startswith(f"failed: spec: {path}:")
    assert "S101" in failed
    assert result.stdout.splitlines()[-1] == last


def test_steps_that_need_no_spec_are_not_failed_by_one(tmp_path: Path) -> None:
    result = doctor(written(tmp_path, more="no-such-group: {}\n"), "--only", "clock")
    assert (result.exit_code, lines(result, "failed"), lines(result, "not tried")) == (0, [], [])


def test_a_pipe_as_a_spec_keeps_nobody_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "gateway.yaml")
    assert doctor(tmp_path / "gateway.yaml", "--only", "spec").exit_code == 1


@pytest.mark.parametrize(
    "arguments", [("--only", "no-such-step"), ("--timeout", "1"), ("--timeout", "nan"), ("--no-such-option",)]
)
def test_wrong_use(arguments: tuple[str, ...], tmp_path: Path) -> None:
    assert doctor(written(tmp_path), *arguments).exit_code == 2


def test_no_program_of_kannels(tmp_path: Path) -> None:
    """As at a machine on which it is still to be installed."""
    for name in ("bearerbox", "smsbox"):
        (tmp_path / name).write_text("#!/bin/sh\necho hello\n")
        (tmp_path / name).chmod(0o755)
    ran = subprocess.run(
        [sys.executable, "-m", "kannelkit", "doctor", str(written(tmp_path)), "--only", "kannel"],
        env={**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.returncode == 1
    assert "does not say that it is Kannel" in ran.stdout
    assert "apt-get install kannel" in ran.stdout


RESULT = values.Result(
    "bind", "failed", "main: refused " + "x " * 60, "do this", details=("the provider says that",), seconds=1.234
)


BEFORE = values.Result("bind", "ok", "another one")


def test_what_is_to_be_done_stands_below_what_was_found() -> None:
    assert list(plain(RESULT))[1:] == ["  hint: the provider says that", "  hint: do this"]


@pytest.mark.parametrize("width", [20, 40, 80, 200])
def test_a_terminal_is_not_overflowed(width: int) -> None:
    shown = list(for_terminal(RESULT, width))
    bare = [_bare(line) for line in shown]
    assert max(map(len, bare)) <= max(width, 55)
    assert bare[0].startswith("✗ bind")
    assert "(1.2 s)" in bare[0]
    assert [line.strip() for line in bare[-2:]] == ["→ the provider says that", "→ do this"]
    again = [_bare(line) for line in for_terminal(RESULT, width, before=BEFORE, marks=False)]
    assert again[0].startswith("x      ")
    assert again[-1].strip() == "> do this"
    assert _bare(list(for_terminal(RESULT, width, before=RESULT))[-1]).strip() == "→ as above"


def _bare(line: str) -> str:
    return "".join(part.partition("m")[2] if number else part for number, part in enumerate(line.split("\x1b[")))


def test_a_host_cannot_steer_the_terminal() -> None:
    evil = values.Result("tls", "ok", "certificate \x1b[2J\r\nok: all is well")
    assert all("\x1b[2J" not in line for line in for_terminal(evil, 80))
    assert len(list(plain(evil))) == 1


def test_the_sum() -> None:
    assert summary([values.Result("dns", "ok", "")]) == "all is well"
    assert summary([RESULT, values.Result("dns", "warning", "")]) == "1 failed, 1 warning"

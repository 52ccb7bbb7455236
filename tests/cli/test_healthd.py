"""`kannelkit healthd`: what keeps it from starting is said before it listens, with what to do."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from kannelkit.cli.main import group

SMSC = "smsc: [{provider: smsc.ru, smsc-username: login, smsc-password: secret77}]\n"


def run(folder: Path, health: str, *arguments: str, env: dict[str, str] | None = None) -> Result:
    spec = folder / "spec.yaml"
    spec.write_text(f"{SMSC}health: {health}\n")
    return CliRunner().invoke(group, ["healthd", str(spec), *arguments], env=env)


REFUSED = [
    ("{listen: '0.0.0.0:13080'}", r"health.token"),
    ("{listen: '[::]:13080'}", r"health.token"),
    ("{listen: 'gateway.example:13080'}", r"health.token"),
    ("{listen: '0.0.0.0:13080', token: short}", "16 characters"),
    ("{listen: '0.0.0.0:13080', token: {env: NO_SUCH_TOKEN}}", "NO_SUCH_TOKEN is not set"),
    ("{listen: '127.0.0.1:0'}", "no address"),
    ("{tokens: x}", "did you mean token?"),
    ("{certificate: no-such.pem}", "no-such.pem: No such file"),
]


@pytest.mark.parametrize(("health", "said"), REFUSED)
def test_it_does_not_start(tmp_path: Path, health: str, said: str) -> None:
    result = run(tmp_path, health)
    assert result.exit_code == 1
    assert said in result.stderr
    assert "hint:" in result.stderr
    assert "listening" not in result.stderr
    assert "secret77" not in result.output + result.stderr


def test_a_port_that_is_taken_is_told(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        result = run(tmp_path, f"{{listen: '127.0.0.1:{taken.getsockname()[1]}'}}")
    assert result.exit_code == 1
    assert "Address already in use" in result.stderr
    assert "health.listen" in result.stderr


@pytest.mark.parametrize("arguments", [["--names", "other"], ["--every", "0"], ["--every", "x"]])
def test_wrong_use_is_told_as_such(tmp_path: Path, arguments: list[str]) -> None:
    assert run(tmp_path, "{}", *arguments).exit_code == 2


def test_a_spec_that_is_not_there_is_told(tmp_path: Path) -> None:
    result = CliRunner().invoke(group, ["healthd", str(tmp_path / "none.yaml")])
    assert result.exit_code == 1
    assert "none.yaml" in result.stderr

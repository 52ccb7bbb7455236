"""`kannelkit import`: the spec to a file or to standard output, passwords beside it, all of it or nothing."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from kannelkit.cli.main import group

CONF = """# the gateway
group = core
admin-port = 13000
admin-password = opensesame
smsbox-port = 13001
log-file = /var/log/bearerbox.log

group = smsbox
bearerbox-host = localhost
sendsms-port = 13013

group = sendsms-user
username = app
password = apppass

group = smsc
smsc = smpp
smsc-id = a
host = smpp.m.smsc.ru
port = 3700
smsc-username = login
smsc-password = ninechars
system-type = ""
instances = 2
throughput = 10
"""
SECRETS = {
    "core.admin-password": "opensesame\n",
    "sendsms-user.app.password": "apppass\n",
    "smsc.a.smsc-password": "ninechars\n",
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a kannel.conf in it, in which the command runs."""
    (tmp_path / "kannel.conf").write_text(CONF)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(group, ["import", *arguments])


def modes(*paths: Path) -> list[int]:
    return [stat.S_IMODE(path.stat().st_mode) for path in paths]


def test_to_standard_output(folder: Path) -> None:
    result = run("kannel.conf")
    assert result.exit_code == 0
    assert result.stdout.startswith("# Imported from kannel.conf by kannelkit.\n")
    assert "\n# the gateway\ncore:\n  admin-port: 13000\n" in result.stdout
    assert "read kannel.conf: 4 groups\n1 SMPP group became 1 account\n" in result.stderr
    assert "what is printed holds passwords" in result.stderr
    assert not {"opensesame", "apppass", "ninechars"} & set(result.stderr.split())
    assert os.listdir(folder) == ["kannel.conf"]


def test_the_report(folder: Path) -> None:
    report = run("kannel.conf", "-o", "gateway.yaml").stderr
    assert "smsc a: instances became 2 connections" in report
    assert "gateway.yaml:29:20: S205: smsc-password has 9 octets, of which 8 fit" in report
    assert "smsc a goes to smsc.ru: `provider: smsc.ru` sets smsc, port, system-type as they are here" in report
    assert "  kannelkit lint gateway.yaml\n  kannelkit plan gateway.yaml\n" in report
    assert "gateway.yaml, mode 0600, holds passwords" in report
    assert modes(folder / "gateway.yaml") == [0o600]
    assert "    smsc-password: ninechars  # kannelkit: ignore S205 - " in (folder / "gateway.yaml").read_text()


def test_the_report_as_json(folder: Path) -> None:
    result = run("kannel.conf", "-o", "gateway.yaml", "--secrets-dir", "secrets", "--json")
    assert result.stderr == ""
    report = json.loads(result.stdout)
    assert report["spec"] == "gateway.yaml"
    assert (report["files"], report["groups"], report["accounts"]) == (["kannel.conf"], 4, 1)
    assert [(row["rule"], row["file"]) for row in report["findings"]] == [("S205", "gateway.yaml")]
    assert report["secrets"] == 3


def test_secrets_go_to_files(folder: Path) -> None:
    result = run("kannel.conf", "-o", "gateway.yaml", "--secrets-dir", "secrets")
    assert result.exit_code == 0
    secrets = folder / "secrets"
    assert {path.name: path.read_text() for path in secrets.iterdir()} == SECRETS
    assert set(modes(*secrets.iterdir())) == {0o600}
    assert modes(secrets) == [0o700]
    text = (folder / "gateway.yaml").read_text()
    assert "admin-password: {file: secrets/core.admin-password}" in text
    assert not any(secret.strip() in text for secret in SECRETS.values())
    assert "holds passwords" not in result.stderr


def test_the_spec_with_its_secrets_in_files_is_the_same(folder: Path) -> None:
    (folder / "there").mkdir()
    run("kannel.conf", "-o", "gateway.yaml")
    run("kannel.conf", "-o", "there/gateway.yaml", "--secrets-dir", str(folder / "elsewhere"))
    texts = [CliRunner().invoke(group, ["generate", spec]).stdout for spec in ("gateway.yaml", "there/gateway.yaml")]
    assert texts[0] == texts[1]
    assert "smsc-password = ninechars" in texts[0]


def test_nothing_is_overwritten(folder: Path) -> None:
    (folder / "gateway.yaml").write_text("mine")
    result = run("kannel.conf", "-o", "gateway.yaml", "--secrets-dir", "secrets")
    assert result.exit_code == 1
    assert "gateway.yaml is there already" in result.stderr
    assert (folder / "gateway.yaml").read_text() == "mine"
    assert not (folder / "secrets").exists()


def test_no_secret_is_overwritten(folder: Path) -> None:
    (folder / "secrets").mkdir()
    (folder / "secrets/smsc.a.smsc-password").write_text("mine")
    result = run("kannel.conf", "-o", "gateway.yaml", "--secrets-dir", "secrets")
    assert result.exit_code == 1
    assert [path.name for path in (folder / "secrets").iterdir()] == ["smsc.a.smsc-password"]
    assert not (folder / "gateway.yaml").exists()


def test_with_force_all_is_overwritten(folder: Path) -> None:
    (folder / "secrets").mkdir()
    (folder / "secrets/smsc.a.smsc-password").write_text("mine")
    (folder / "gateway.yaml").write_text("mine")
    assert run("kannel.conf", "-o", "gateway.yaml", "--secrets-dir", "secrets", "--force").exit_code == 0
    assert {path.name: path.read_text() for path in (folder / "secrets").iterdir()} == SECRETS
    assert modes(folder / "gateway.yaml", *(folder / "secrets").iterdir()) == [0o600] * 4


def test_what_cannot_be_written_whole_is_not_written_at_all(folder: Path) -> None:
    (folder / "secrets").mkdir()
    (folder / "secrets/core.admin-password").write_text("mine")
    (folder / "secrets/core.admin-password").chmod(0o640)
    (folder / "secrets/smsc.a.smsc-password").mkdir()
    result = run("kannel.conf", "-o", "gateway.yaml", "--secrets-dir", "secrets", "--force")
    assert result.exit_code == 1
    assert "secrets/smsc.a.smsc-password" in result.stderr
    assert sorted(path.name for path in (folder / "secrets").iterdir()) == [
        "core.admin-password",
        "smsc.a.smsc-password",
    ]
    assert (folder / "secrets/core.admin-password").read_text() == "mine"
    assert modes(folder / "secrets/core.admin-password") == [0o640]
    assert not (folder / "gateway.yaml").exists()


def test_the_original_is_not_overwritten_even_with_force(folder: Path) -> None:
    result = run("kannel.conf", "-o", str(folder / "kannel.conf"), "--force")
    assert result.exit_code == 2
    assert (folder / "kannel.conf").read_text() == CONF


def test_a_broken_file_is_told_and_nothing_written(folder: Path) -> None:
    (folder / "kannel.conf").write_text(CONF + "\ngroup = nonsense\n\nwithout equals\n")
    result = run("kannel.conf", "-o", "gateway.yaml", "--secrets-dir", "secrets")
    assert result.exit_code == 1
    assert result.stdout == ""
    assert "kannel.conf:27:9: C104: no such group: nonsense" in result.stderr
    assert "kannel.conf:29:1: C101: a line without an equals sign" in result.stderr
    assert os.listdir(folder) == ["kannel.conf"]


@pytest.mark.parametrize("arguments", [["--json"], ["--secrets-dir", "s"], ["--json", "--secrets-dir", "s"]])
def test_what_needs_a_file_for_the_spec(folder: Path, arguments: list[str]) -> None:
    result = run("kannel.conf", *arguments)
    assert result.exit_code == 2
    assert "-o FILE" in result.stderr


def test_a_file_that_is_not_there(folder: Path) -> None:
    result = run("nowhere.conf")
    assert result.exit_code == 1
    assert "nowhere.conf: C113: cannot read nowhere.conf: No such file or directory" in result.stderr

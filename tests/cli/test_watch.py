"""`kannelkit watch` where it cannot begin: said in words, with what to do, and nothing is written."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

SPEC = """\
state-dir: state
core: {admin-port: 13000, admin-password: x, smsbox-port: 13001, log-file: log/bearerbox.log}
smsc:
  - {smsc-id: a, smsc: smpp, host: 127.0.0.1, port: 1, smsc-username: u, smsc-password: secret-p, throughput: 60}
supervisor: {conf-file: kannel.conf}
"""


def kannelkit(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "kannelkit", *words],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        stdin=subprocess.DEVNULL,
        env={**os.environ, "NO_COLOR": "1"},
        check=False,
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "gateway.yaml").write_text(SPEC)
    assert kannelkit(tmp_path, "generate", "gateway.yaml", "-o", "kannel.conf").returncode == 0
    return tmp_path


def test_a_file_that_is_not_there(folder: Path) -> None:
    (folder / "kannel.conf").unlink()
    refused = kannelkit(folder, "watch", "gateway.yaml")
    assert refused.returncode == 1
    assert f"{folder}/kannel.conf is not there" in refused.stderr
    assert "kannelkit generate" in refused.stderr
    assert not (folder / "kannel.conf").exists()


def test_a_file_that_says_something_else(folder: Path) -> None:
    conf = folder / "kannel.conf"
    text = conf.read_text().replace("smsc-username = u", "smsc-username = someone")
    conf.write_text(text)
    refused = kannelkit(folder, "watch", "gateway.yaml")
    assert refused.returncode == 1
    assert "is not what" in refused.stderr
    assert "smsc a-1: another smsc-username" in refused.stderr
    assert "kannelkit import" in refused.stderr
    assert "kannelkit generate" in refused.stderr
    assert "secret-p" not in refused.stderr
    assert conf.read_text() == text


def test_a_file_whose_comments_would_be_lost(folder: Path) -> None:
    conf = folder / "kannel.conf"
    text = "# my notes\n" + conf.read_text()
    conf.write_text(text)
    refused = kannelkit(folder, "watch", "gateway.yaml")
    assert refused.returncode == 1
    assert "its comments would be lost" in refused.stderr
    assert conf.read_text() == text


def test_a_log_that_cannot_be_read(folder: Path) -> None:
    (folder / "log" / "bearerbox.log").mkdir(parents=True)
    refused = kannelkit(folder, "watch", "gateway.yaml")
    assert refused.returncode == 1
    assert f"this user may not read {folder}/log/bearerbox.log" in refused.stderr


@pytest.mark.parametrize(
    ("command", "conf_file", "said"),
    [
        ("watch", "", "does not say which kannel.conf the running bearerbox reads"),
        ("up", "supervisor: {conf-file: kannel.conf}", "something else runs this Kannel"),
    ],
)
def test_a_spec_for_the_other_command(tmp_path: Path, command: str, conf_file: str, said: str) -> None:
    (tmp_path / "gateway.yaml").write_text(SPEC.replace("supervisor: {conf-file: kannel.conf}", conf_file))
    refused = kannelkit(tmp_path, command, "gateway.yaml")
    assert refused.returncode == 1
    assert said in refused.stderr
    assert f"kannelkit {'up' if command == 'watch' else 'watch'} gateway.yaml" in refused.stderr


def test_what_watching_needs_of_a_spec_that_kannel_fills_in(tmp_path: Path) -> None:
    spec = SPEC.replace(", log-file: log/bearerbox.log", "") + "defaults: kannel\n"
    (tmp_path / "gateway.yaml").write_text(spec)
    refused = kannelkit(tmp_path, "watch", "gateway.yaml")
    assert refused.returncode == 1
    assert "group core has no log-file" in refused.stderr
    assert "smsbox" not in refused.stderr  # it may run anywhere
    assert "Traceback" not in refused.stderr

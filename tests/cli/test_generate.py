"""`kannelkit generate`: printing, writing whole, comparing; and no password where it does not belong."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from kannelkit.cli.main import group

SPEC = """
smsc:
  - smsc-id: a
    provider: smsc.ru
    smsc-username: login
    smsc-password: {env: SMSC_PASSWORD}
sendsms-user:
  - username: app
"""
PASSWORD = "pa55word"


def run(*arguments: str | Path, password: str = PASSWORD) -> Result:
    return CliRunner(env={"SMSC_PASSWORD": password}).invoke(group, ["generate", *map(str, arguments)])


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    path = tmp_path / "spec.yaml"
    path.write_text(SPEC)
    return path


def test_it_prints_the_file_and_makes_passwords_once(spec: Path) -> None:
    first, second = run(spec), run(spec)
    assert first.exit_code == 0
    assert first.stdout == second.stdout
    assert f"smsc-password = {PASSWORD}" in first.stdout
    kept = spec.parent / ".kannelkit/passwords.json"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600


def test_it_writes_what_it_prints_and_only_its_group_may_read_it(spec: Path, tmp_path: Path) -> None:
    conf = tmp_path / "kannel.conf"
    done = run(spec, "-o", conf)
    assert (done.exit_code, done.stdout) == (0, "")
    assert conf.read_text() == run(spec).stdout
    assert stat.S_IMODE(conf.stat().st_mode) == 0o640


def test_a_symbolic_link_is_followed_and_stays_one(spec: Path, tmp_path: Path) -> None:
    real, conf = tmp_path / "var" / "kannel.conf", tmp_path / "kannel.conf"
    real.parent.mkdir()
    real.write_text("old\n")
    real.chmod(0o600)
    conf.symlink_to("var/kannel.conf")
    assert run(spec, "-o", conf).exit_code == 0
    assert conf.is_symlink()
    assert real.read_text() == run(spec).stdout
    assert stat.S_IMODE(real.stat().st_mode) == 0o640
    assert run(spec, "-o", conf, "--check").exit_code == 0


@pytest.mark.parametrize("leads_to", ["nowhere", "pipe", "folder", "itself"])
def test_a_link_to_no_file_is_refused_and_left_alone(spec: Path, tmp_path: Path, leads_to: str) -> None:
    conf = tmp_path / "kannel.conf"
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    conf.symlink_to(conf if leads_to == "itself" else leads_to)
    done = run(spec, "-o", conf)
    assert done.exit_code == 1
    assert str(conf) in done.stderr
    assert "hint:" in done.stderr
    assert conf.is_symlink()
    assert not (tmp_path / "nowhere").exists()
    assert PASSWORD not in done.output


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give a file away")
def test_the_owner_and_the_group_stay(spec: Path, tmp_path: Path) -> None:
    conf = tmp_path / "kannel.conf"
    conf.write_text("old\n")
    os.chown(conf, 12345, 54321)
    assert run(spec, "-o", conf).exit_code == 0
    found = conf.stat()
    assert (found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode)) == (12345, 54321, 0o640)


def test_a_wrong_spec_leaves_the_old_file(spec: Path, tmp_path: Path) -> None:
    conf = tmp_path / "kannel.conf"
    run(spec, "-o", conf)
    before = conf.read_bytes()
    spec.write_text(SPEC + "smbox: {}\n")
    done = run(spec, "-o", conf)
    assert done.exit_code == 1
    assert f"{spec}:9:1: S101" in done.stderr
    assert "did you mean smsbox?" in done.stderr
    assert conf.read_bytes() == before


def test_a_folder_that_is_not_there_is_no_traceback(spec: Path, tmp_path: Path) -> None:
    done = run(spec, "-o", tmp_path / "none/kannel.conf")
    assert done.exit_code == 1
    assert done.exception is None or isinstance(done.exception, SystemExit)
    assert "cannot write" in done.stderr


def test_check_says_same_or_different_and_writes_nothing(spec: Path, tmp_path: Path) -> None:
    conf = tmp_path / "kannel.conf"
    missing = run(spec, "-o", conf, "--check")
    assert (missing.exit_code, "is not there" in missing.stderr, conf.exists()) == (1, True, False)
    assert not (tmp_path / ".kannelkit").exists()
    run(spec, "-o", conf)
    assert run(spec, "-o", conf, "--check").exit_code == 0
    conf.write_text(conf.read_text().replace("throughput = 30", "throughput = 60"))
    before = conf.read_bytes()
    differs = run(spec, "-o", conf, "--check")
    assert differs.exit_code == 1
    assert "-throughput = 60\n+throughput = 30\n" in differs.stdout
    assert conf.read_bytes() == before


def test_check_tells_no_password(spec: Path, tmp_path: Path) -> None:
    conf = tmp_path / "kannel.conf"
    run(spec, "-o", conf)
    done = run(spec, "-o", conf, "--check", password="another1")
    assert done.exit_code == 1
    assert "smsc-password = ***" in done.stdout
    assert PASSWORD not in done.stdout
    assert "another1" not in done.stdout


def test_check_needs_a_file(spec: Path) -> None:
    assert run(spec, "--check").exit_code == 2


def test_a_spec_that_is_not_there(tmp_path: Path) -> None:
    done = run(tmp_path / "none.yaml")
    assert done.exit_code == 1
    assert "S001: cannot be read: No such file or directory" in done.stderr


def test_a_password_file_that_others_can_read_is_refused(spec: Path) -> None:
    run(spec)
    os.chmod(spec.parent / ".kannelkit/passwords.json", 0o644)
    done = run(spec)
    assert done.exit_code == 1
    assert "can be read by others" in done.stderr


def test_octets_that_are_no_text_are_shown_somehow(spec: Path, tmp_path: Path) -> None:
    conf = tmp_path / "kannel.conf"
    conf.write_bytes(b"\xff\xfe old")
    done = run(spec, "-o", conf, "--check")
    assert done.exit_code == 1
    assert "old" in done.stdout

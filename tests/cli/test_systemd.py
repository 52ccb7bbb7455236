"""`kannelkit systemd`: printed or written, all or none, and what to do next."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from kannelkit.cli.main import group
from kannelkit.cli.systemd import closed_to

SPEC = """\
state-dir: /srv/gw/run
core: {admin-password: {env: GW_ADMIN_PASSWORD}}
sendsms-user:
  - {username: app, password: {file: secrets/app}}
smsc:
  - {smsc-id: acc, host: smsc.test, smsc-username: u, smsc-password: {env: GW_ACC_PASSWORD}}
"""


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "app").write_text("s3cretpw\n")
    path = tmp_path / "gateway.yaml"
    path.write_text(SPEC)
    return path


def run(*arguments: str | Path) -> Result:
    result = CliRunner().invoke(group, ["systemd", *map(str, arguments)])
    assert "s3cretpw" not in result.output
    return result


def written(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_it_prints_every_file_under_its_path_and_says_what_comes_next(spec: Path) -> None:
    result = run(spec)
    assert result.exit_code == 0
    assert re.findall(r"^# (/etc/.*)$", result.stdout, re.MULTILINE) == [
        "/etc/systemd/system/kannelkit-gateway.service",
        "/etc/sysusers.d/kannelkit.conf",
        "/etc/tmpfiles.d/kannelkit-gateway.conf",
        "/etc/logrotate.d/kannelkit-gateway",
    ]
    for step in ("systemd-sysusers", "systemd-tmpfiles --create", "enable --now kannelkit-gateway", "kannelkit status"):
        assert step in result.stderr


def test_secrets_of_the_environment_need_not_be_at_hand_and_their_names_are_told(spec: Path) -> None:
    result = run(spec)
    assert "GW_ADMIN_PASSWORD=..., GW_ACC_PASSWORD=..." in result.stderr
    assert f"EnvironmentFile={spec.with_suffix('.env')}" in result.stdout


def test_files_that_the_services_user_cannot_read_are_told_with_their_folders(spec: Path) -> None:
    secret = spec.parent / "secrets" / "app"
    secret.chmod(0o640)
    secret.parent.chmod(0o750)
    assert list(closed_to("no-such-user-yet", secret))[-2:] == [secret.parent, secret]
    (step,) = (line for line in run(spec).stderr.splitlines() if "has to read them" in line)
    assert f"{secret.parent} {secret} && chmod g+rX" in step


def test_root_reads_everything_and_what_is_not_there_is_no_matter(spec: Path) -> None:
    spec.chmod(0o600)
    assert list(closed_to("root", spec)) == []
    assert list(closed_to("root", spec.parent / "nothing")) == []


def test_it_writes_where_each_file_belongs(spec: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    result = run(spec, "-o", out)
    assert (result.exit_code, result.stdout) == (0, "")
    assert written(out) == [
        "etc/logrotate.d/kannelkit-gateway",
        "etc/systemd/system/kannelkit-gateway.service",
        "etc/sysusers.d/kannelkit.conf",
        "etc/tmpfiles.d/kannelkit-gateway.conf",
    ]
    assert {path.stat().st_mode & 0o7777 for path in out.rglob("*") if path.is_file()} == {0o644}
    assert f"cp -rT {out} /" in result.stderr


def test_it_replaces_what_it_made(spec: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run(spec, "-o", out)
    unit = out / "etc/systemd/system/kannelkit-gateway.service"
    first = unit.read_text()
    spec.write_text(SPEC.replace("/srv/gw/run", "/var/lib/gw"))
    assert run(spec, "-o", out).exit_code == 0
    assert unit.read_text() != first
    assert "StateDirectory=gw\n" in unit.read_text()


@pytest.mark.parametrize(
    "foreign", ["etc/systemd/system/kannelkit-gateway.service", "etc/logrotate.d/kannelkit-gateway"]
)
def test_it_replaces_nothing_that_it_did_not_make_and_then_writes_nothing(
    spec: Path, tmp_path: Path, foreign: str
) -> None:
    out = tmp_path / "out"
    (out / foreign).parent.mkdir(parents=True)
    (out / foreign).write_text("[Unit]\n")
    result = run(spec, "-o", out)
    assert result.exit_code == 1
    assert f"{out / foreign} is there, and kannelkit did not make it" in result.stderr
    assert written(out) == [foreign]
    assert (out / foreign).read_text() == "[Unit]\n"


def test_where_one_file_cannot_be_written_the_others_are_as_they_were(spec: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run(spec, "-o", out)
    before = {name: (out / name).read_text() for name in written(out)}
    rotation = out / "etc/logrotate.d"
    (rotation / "kannelkit-gateway").unlink()
    rotation.rmdir()
    rotation.symlink_to("nowhere")  # which shows only when the other files are written already
    spec.write_text(SPEC.replace("/srv/gw/run", "/srv/gw/other"))
    result = run(spec, "-o", out)
    assert (result.exit_code, "logrotate.d" in result.stderr) == (1, True)
    del before["etc/logrotate.d/kannelkit-gateway"]
    assert {name: (out / name).read_text() for name in written(out)} == before


def watched(spec: Path, conf_file: Path) -> None:
    spec.write_text(f"supervisor: {{conf-file: {conf_file}}}\n" + SPEC)


def test_watch_is_for_debians_kannel(spec: Path) -> None:
    (spec.parent / "kannel").mkdir()
    conf = spec.parent / "kannel" / "kannel.conf"
    conf.touch()
    watched(spec, conf)
    result = run(spec, "--watch")
    assert result.exit_code == 0
    assert "User=kannel\n" in result.stdout
    assert f"ReadWritePaths={conf.parent}\n" in result.stdout
    assert re.search(r"^ExecStart=.* watch ", result.stdout, re.MULTILINE)
    assert f"chown kannel: {conf.parent} {conf} && chmod 600 {conf} " in result.stderr
    assert "reopen-logs" in result.stderr


@pytest.mark.parametrize("foreign", [False, True])
def test_healthd_has_a_unit_of_its_own_whoever_runs_kannel(spec: Path, foreign: bool) -> None:
    if foreign:
        watched(spec, Path("/etc/kannel/kannel.conf"))
    result = run(spec, "--healthd")
    assert result.exit_code == 0
    assert "# /etc/systemd/system/kannelkit-gateway-healthd.service" in result.stdout
    assert f"User={'kannel' if foreign else 'kannelkit'}\n" in result.stdout
    assert "enable --now kannelkit-gateway-healthd" in result.stderr
    assert "only where neither" in result.stderr
    assert "ReadWritePaths" not in result.stdout


def test_one_unit_at_a_time_is_asked_for(spec: Path) -> None:
    result = run(spec, "--healthd", "--watch")
    assert (result.exit_code, result.stdout) == (2, "")


def test_a_link_to_the_watched_file_leads_to_the_folder_that_is_written(spec: Path) -> None:
    (spec.parent / "elsewhere").mkdir()
    (spec.parent / "kannel.conf").symlink_to("elsewhere/kannel.conf")
    watched(spec, spec.parent / "kannel.conf")
    assert f"ReadWritePaths={spec.parent / 'elsewhere'}\n" in run(spec, "--watch").stdout


@pytest.mark.parametrize("watch", [False, True])
def test_who_runs_kannel_has_to_be_one_and_the_same(spec: Path, watch: bool) -> None:
    if not watch:
        watched(spec, Path("/etc/kannel/kannel.conf"))
    result = run(spec, *["--watch"] * watch)
    assert (result.exit_code, result.stdout) == (1, "")
    assert ("--watch" if not watch else "supervisor: {conf-file: ") in result.stderr


def test_another_user_is_not_made(spec: Path) -> None:
    result = run(spec, "--user", "daemon")
    assert "User=daemon\n" in result.stdout
    assert "sysusers" not in result.output
    assert "su daemon daemon\n" in result.stdout


@pytest.mark.parametrize("name", ["", "a b", "root\nExecStartPre=+/bin/x", "0"])
def test_what_is_no_name_of_a_user_is_wrong_use(spec: Path, name: str) -> None:
    result = run(spec, "--user", name)
    assert (result.exit_code, result.stdout) == (2, "")


def test_no_secret_is_given_to_a_group_of_many(spec: Path) -> None:
    secret = spec.parent / "secrets" / "app"
    secret.chmod(0o600)
    (step,) = (line for line in run(spec, "--user", "nobody").stderr.splitlines() if "has to read them" in line)
    assert step.strip().startswith("chown nobody ")
    assert f"{secret} && chmod u+rX" in step


def test_debians_rotation_of_the_same_logs_is_told(spec: Path) -> None:
    assert "kannel.disabled" not in run(spec).stderr
    spec.write_text(SPEC.replace("core: {", "core: {log-file: /var/log/kannel/bearerbox.log, "))
    assert "mv /etc/logrotate.d/kannel /etc/logrotate.d/kannel.disabled" in run(spec).stderr


def test_a_spec_that_cannot_be_run_is_refused(spec: Path) -> None:
    spec.write_text("defaults: kannel\n" + SPEC.replace("core: {", "core: {admin-port: 13000, "))
    result = run(spec)
    assert result.exit_code == 1
    assert "S318" in result.stderr
    assert result.stdout == ""


def test_it_works_in_a_folder_of_any_name(tmp_path: Path) -> None:
    folder = tmp_path / "my gw 100%"
    folder.mkdir()
    (folder / "gate way.yaml").write_text(SPEC.replace("{file: secrets/app}", "app"))
    result = run(folder / "gate way.yaml")
    assert result.exit_code == 0
    assert f'"{os.fspath(folder).replace("%", "%%")}/gate way.yaml"' in result.stdout
    assert "kannelkit-gate-way.service" in result.stdout

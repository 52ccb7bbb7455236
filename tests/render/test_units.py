"""What runs a spec as a service: its own folders and no others, hardened, and judged by systemd itself."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kannelkit.errors import KannelkitError
from kannelkit.render.units import MARK, STOP_SECONDS, USER, Job, Wanted, machine_files, read, rotated
from kannelkit.spec.load import parse
from kannelkit.supervise import boxes

ACCOUNT = "{smsc-id: acc, host: smsc.test, smsc-username: u, smsc-password: p}"
needs_systemd = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed (Debian: systemd)"
)


def wanted(
    text: str = "state-dir: /var/lib/kannelkit/gw\n",
    path: str = "/etc/kannelkit/gateway.yaml",
    job: Job = "up",
    user: str = USER,
    **more: tuple[str, ...],
) -> Wanted:
    spec = parse(text + f"\nsmsc:\n  - {ACCOUNT}\n" * ("smsc:" not in text), Path(path), {}, path)
    writes = () if spec.supervisor.conf_file is None else (spec.supervisor.conf_file.parent,)
    program = (sys.executable, "-m", "kannelkit")
    return Wanted(spec, job, program, user, user, more.get("variables", ()), writes=writes)


def files(asked: Wanted) -> Mapping[str, str]:
    return {str(file.path): file.text for file in machine_files(asked)}


def unit(asked: Wanted) -> str:
    (text,) = (text for path, text in files(asked).items() if path.endswith(".service"))
    return text


def settings(text: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in text.splitlines():
        name, equals, value = line.partition("=")
        if equals and not line.startswith("#"):
            found.setdefault(name, []).append(value)
    return found


def test_a_spec_in_its_place_takes_a_unit_a_user_and_the_rotation_of_its_logs() -> None:
    assert list(files(wanted())) == [
        "/etc/systemd/system/kannelkit-gateway.service",
        "/etc/sysusers.d/kannelkit.conf",
        "/etc/logrotate.d/kannelkit-gateway",
    ]


def test_every_file_says_who_made_it() -> None:
    texts = files(wanted("state-dir: /srv/gw/run\n"))
    assert len(texts) == 4
    assert [path for path, text in texts.items() if not text.startswith(f"# {MARK}")] == []


# state-dir and more -> StateDirectory, LogsDirectory, ReadWritePaths, lines of tmpfiles.d
FOLDERS = {
    "state-dir: /var/lib/kannelkit/gw\n": (["kannelkit/gw"], [], [], []),
    "state-dir: /var/lib/gw\ncore: {log-file: /var/log/gw/bearerbox.log}\n": (["gw"], ["gw"], [], []),
    "state-dir: /srv/gw\n": ([], [], ["/srv/gw"], ["d /srv/gw 0750 kannelkit kannelkit -"]),
    "state-dir: /srv/my gw\n": ([], [], ['"/srv/my gw"'], ['d "/srv/my gw" 0750 kannelkit kannelkit -']),
    "state-dir: /srv/100%\n": ([], [], ['"/srv/100%%"'], ['d "/srv/100%%" 0750 kannelkit kannelkit -']),
    "state-dir: run\n": ([], [], ["/etc/kannelkit/run"], ["d /etc/kannelkit/run 0750 kannelkit kannelkit -"]),
    "state-dir: /srv/gw\ncore: {store-location: /var/lib/kannel/store}\n": (
        ["kannel/store"],
        [],
        ["/srv/gw"],
        ["d /srv/gw 0750 kannelkit kannelkit -"],
    ),
    "state-dir: /var/lib/gw\nsqlite3-connection: [{id: d, database: /srv/db/dlr.db}]\n": (
        ["gw"],
        [],
        ["/srv/db"],
        ["d /srv/db 0750 kannelkit kannelkit -"],
    ),
}


@pytest.mark.parametrize("text", FOLDERS)
def test_each_folder_that_is_written_is_its_own_and_nothing_else_is(text: str) -> None:
    texts = files(wanted(text))
    found = settings(texts["/etc/systemd/system/kannelkit-gateway.service"])
    tmpfiles = texts.get("/etc/tmpfiles.d/kannelkit-gateway.conf", "").splitlines()
    state, logs, writable, made = FOLDERS[text]
    assert found.get("StateDirectory", []) == state
    assert found.get("LogsDirectory", []) == logs
    assert found.get("ReadWritePaths", []) == writable
    assert tmpfiles[1:] == made
    assert found["ProtectSystem"] == ["strict"]


@pytest.mark.parametrize(
    ("text", "folder"),
    [
        ("state-dir: /var/lib\n", "/var/lib"),
        ("state-dir: /var/lib/gw\ncore: {log-file: /var/log/bearerbox.log}\n", "/var/log"),
        ("state-dir: /var/lib/gw\ncore: {access-log: /tmp/access.log}\n", "/tmp"),
    ],
)
def test_a_folder_of_the_whole_machine_is_refused(text: str, folder: str) -> None:
    with pytest.raises(KannelkitError, match=f"^{folder} belongs to the whole machine") as refused:
        machine_files(wanted(text))
    assert f"{folder}/kannelkit" in refused.value.hint


def test_the_boxes_outlive_kannelkit_and_are_given_their_time_to_stop() -> None:
    found = settings(unit(wanted()))
    assert found["KillMode"] == ["process"]
    assert found["Type"] == ["notify"]
    assert int(found["WatchdogSec"][0]) > boxes._STOP_SECONDS + boxes._KILL_SECONDS  # for so long it says nothing
    assert found["TimeoutStopSec"] == [str(STOP_SECONDS)]
    # both boxes, one behind the other; the time is boxes' own affair and has no public name
    assert STOP_SECONDS >= 2 * (boxes._STOP_SECONDS + boxes._KILL_SECONDS)


def test_what_it_writes_is_not_for_a_group_that_others_are_in() -> None:
    text = "state-dir: /srv/gw/run\ncore: {log-file: /var/log/gw/bearerbox.log}\n"
    spec = wanted(text).spec
    cases = [("kannel", "0027", "0750", "0750", "0640"), ("nogroup", "0077", "0755", "0700", "0600")]
    for group, umask, logs, folder, log in cases:
        texts = files(Wanted(spec, "up", (sys.executable,), "kannel", group))
        found = settings(texts["/etc/systemd/system/kannelkit-gateway.service"])
        assert (found["UMask"], found["LogsDirectoryMode"]) == ([umask], [logs])
        assert f"d /srv/gw/run {folder} kannel {group} -" in texts["/etc/tmpfiles.d/kannelkit-gateway.conf"]
        assert f"create {log}\n" in texts["/etc/logrotate.d/kannelkit-gateway"]


def test_watch_comes_behind_debians_kannel_and_runs_as_its_user() -> None:
    text = "state-dir: /var/lib/kw\nsupervisor: {conf-file: /etc/kannel/kannel.conf}\n"
    texts = files(wanted(text, job="watch", user="kannel"))
    assert list(texts) == ["/etc/systemd/system/kannelkit-gateway.service"]
    found = settings(unit(wanted(text, job="watch", user="kannel")))
    assert found["After"] == ["network-online.target kannel.service"]
    assert found["StateDirectory"] == ["kw"]
    assert found["ReadWritePaths"] == ["/etc/kannel"]
    assert found["KillMode"] == ["process"]  # a relay outlives it


def test_healthd_only_looks() -> None:
    text = "state-dir: /srv/gw\nhealth: {certificate: /etc/ssl/health.pem}\ncore: {admin-port: 81}\n"
    asked = wanted(text, job="healthd")
    texts = files(asked)
    assert list(texts) == ["/etc/systemd/system/kannelkit-gateway-healthd.service", "/etc/sysusers.d/kannelkit.conf"]
    found = settings(unit(asked))
    assert found["ExecStart"] == [f"{sys.executable} -m kannelkit healthd /etc/kannelkit/gateway.yaml"]
    assert (found["Type"], found["CapabilityBoundingSet"]) == (["notify"], [""])
    assert not {"StateDirectory", "ReadWritePaths", "ExecReload", "KillMode"} & found.keys()
    assert Path("/etc/ssl/health.pem") in read(asked)
    low = settings(unit(wanted("state-dir: /srv/gw\nhealth: {listen: 127.0.0.1:81}\n", job="healthd")))
    assert low["CapabilityBoundingSet"] == ["CAP_NET_BIND_SERVICE"]
    assert settings(unit(wanted("state-dir: /home/me/gw\n", job="healthd")))["ProtectHome"] == ["read-only"]


# spec, what is in it, the interpreter -> ProtectHome, PrivateTmp
OPT = "/opt/kannelkit/bin/python"
ROOTS_HOME = os.path.join("/", "root")
SEEN = [
    ("/etc/kannelkit/gateway.yaml", "state-dir: /var/lib/gw\n", OPT, "yes", "yes"),
    ("/home/me/gateway.yaml", "state-dir: /var/lib/gw\n", OPT, "read-only", "yes"),
    ("/etc/gateway.yaml", f"state-dir: {ROOTS_HOME}/gw\n", OPT, "read-only", "yes"),
    ("/tmp/gateway.yaml", "state-dir: /var/lib/gw\n", OPT, "yes", "no"),
    ("/etc/g.yaml", "state-dir: /var/lib/gw\ncore: {ssl-trusted-ca-file: /home/me/ca.pem}\n", OPT, "read-only", "yes"),
    ("/etc/g.yaml", "state-dir: /var/lib/gw\n", f"{ROOTS_HOME}/python/bin/python3", "read-only", "yes"),
]


@pytest.mark.parametrize(("path", "text", "python", "home", "tmp"), SEEN)
def test_what_is_needed_is_not_hidden(path: str, text: str, python: str, home: str, tmp: str) -> None:
    program = ("/opt/kannelkit/bin/kannelkit",)
    found = settings(unit(Wanted(wanted(text, path).spec, "up", program, USER, USER, parts=(Path(python),))))
    assert (found["ProtectHome"], found["PrivateTmp"]) == ([home], [tmp])


def test_a_low_port_takes_one_capability_and_a_providers_port_takes_none() -> None:
    assert settings(unit(wanted()))["CapabilityBoundingSet"] == [""]
    theirs = "state-dir: /var/lib/gw\nsmsc:\n  - {smsc-id: a, host: h, port: 443, smsc-username: u, smsc-password: p}\n"
    assert settings(unit(wanted(theirs)))["CapabilityBoundingSet"] == [""]
    for port in ("smsbox: {sendsms-port: 80}", "health: {listen: 127.0.0.1:81}"):
        low = settings(unit(wanted(f"state-dir: /var/lib/gw\n{port}\n")))
        assert low["CapabilityBoundingSet"] == low["AmbientCapabilities"] == ["CAP_NET_BIND_SERVICE"]


def test_a_modem_is_the_only_device() -> None:
    text = (
        "state-dir: /var/lib/gw\nmodems:\n  - {id: m, name: n}\n"
        "smsc:\n  - {smsc-id: a, smsc: at, modemtype: m, device: /dev/ttyUSB0}\n"
    )
    found = settings(unit(wanted(text)))
    assert (found["DevicePolicy"], found["DeviceAllow"]) == (["closed"], ["/dev/ttyUSB0 rw"])
    assert "PrivateDevices" not in found


def test_variables_come_from_a_file_of_roots() -> None:
    text = unit(wanted(variables=("SMSCRU_PASSWORD",)))
    assert settings(text)["EnvironmentFile"] == ["/etc/kannelkit/gateway.env"]
    assert "SMSCRU_PASSWORD" in text
    assert "EnvironmentFile" not in settings(unit(wanted()))


def test_no_secret_is_in_any_file() -> None:
    text = (
        "state-dir: /srv/gw\ncore: {admin-password: S3CRET-A}\nsendsms-user:\n  - {username: app, password: S3CRET-B}\n"
        "smsc:\n  - {smsc-id: acc, host: smsc.test, smsc-username: LOGIN77, smsc-password: S3CRET-C}\n"
    )
    everything = "".join(files(wanted(text)).values())
    assert [each for each in ("S3CRET", "LOGIN77") if each in everything] == []


def test_logs_of_links_and_of_boxes_are_rotated_once_each() -> None:
    text = (
        "state-dir: /var/lib/gw\nsmsbox: {access-log: /var/log/gw/smsbox-access.log}\nsmsc:\n"
        "  - {smsc-id: a, host: h, smsc-username: u, smsc-password: p, log-file: /var/log/gw/link.log}\n"
        "  - {smsc-id: b, host: h, smsc-username: v, smsc-password: p, log-file: /var/log/gw/link.log}\n"
    )
    assert sorted(map(str, rotated(wanted(text).spec))) == [
        "/var/lib/gw/log/access.log",
        "/var/lib/gw/log/bearerbox.log",
        "/var/lib/gw/log/smsbox.log",
        "/var/log/gw/link.log",
        "/var/log/gw/smsbox-access.log",
    ]
    rotation = files(wanted(text))["/etc/logrotate.d/kannelkit-gateway"]
    directives = [line.split()[0] for line in rotation.splitlines() if line.startswith("    ")]
    assert "copytruncate" not in directives
    assert "HUP" not in rotation.partition("{")[2]
    assert f"{sys.executable} -m kannelkit reopen-logs /etc/kannelkit/gateway.yaml" in rotation


def test_a_log_that_logrotate_would_take_for_a_pattern_is_refused() -> None:
    with pytest.raises(KannelkitError, match="for a pattern"):
        machine_files(wanted('state-dir: /var/lib/gw\ncore: {log-file: "/var/log/gw/[1].log"}\n'))


def test_what_is_read_is_named() -> None:
    text = "state-dir: /var/lib/gw\ncore: {ssl-trusted-ca-file: ca.pem}\n"
    assert [str(path) for path in read(wanted(text))] == ["/etc/kannelkit/gateway.yaml", "/etc/kannelkit/ca.pem"]


# -- systemd is the judge

UNITS: dict[str, Wanted] = {
    "plain": wanted(),
    "elsewhere": wanted("state-dir: /srv/my gw/100%/state\n", "/srv/my gw/100%/gate$way.yaml", variables=("A",)),
    "low port": wanted("state-dir: /var/lib/gw\nsmsbox: {sendsms-port: 80}\n"),
    "watch": wanted("state-dir: /var/lib/kw\nsupervisor: {conf-file: /etc/kannel/kannel.conf}\n", job="watch"),
    "healthd": wanted(job="healthd"),
    "modem": wanted(
        "state-dir: /var/lib/gw\nmodems:\n  - {id: m, name: n}\n"
        "smsc:\n  - {smsc-id: a, smsc: at, modemtype: m, device: /dev/ttyUSB0}\n"
    ),
}


def analyzed(folder: Path, text: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    path = folder / "judged.service"
    path.write_text(text)
    return subprocess.run(
        ["systemd-analyze", *arguments, path], capture_output=True, text=True, timeout=60, check=False
    )


@needs_systemd
@pytest.mark.parametrize("name", UNITS)
def test_systemd_takes_the_unit_without_a_word(name: str, tmp_path: Path) -> None:
    answer = analyzed(tmp_path, unit(UNITS[name]), "verify", "--recursive-errors=no", "--man=no")
    assert (answer.stdout, answer.stderr, answer.returncode) == ("", "", 0)


@needs_systemd
def test_systemd_would_find_a_fault(tmp_path: Path) -> None:
    answer = analyzed(tmp_path, unit(wanted()) + "Nonsense=1\n", "verify", "--man=no")
    assert "Nonsense" in answer.stderr


@needs_systemd
@pytest.mark.parametrize("name", UNITS)
def test_systemd_finds_the_unit_little_exposed(name: str, tmp_path: Path) -> None:
    answer = analyzed(tmp_path, unit(UNITS[name]), "security", "--offline=true", "--no-pager", "--threshold=20")
    assert answer.returncode == 0, answer.stdout[-200:]
    exposure = re.search(r"exposure level for \S+: (\d+\.\d)", answer.stdout)
    assert exposure is not None
    assert float(exposure[1]) <= 2.0


def judged(folder: Path, path: str, asked: Wanted) -> Path:
    """Write one of the files and return its path."""
    found = folder / Path(path).name
    found.write_text(files(asked)[path])
    found.chmod(0o644)
    return found


def run(*words: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.skipif(
    os.geteuid() != 0 or not shutil.which("systemd-tmpfiles"),
    reason="needs root and systemd-tmpfiles (Debian: systemd)",
)
def test_systemd_makes_the_user_and_gives_it_the_folders(tmp_path: Path) -> None:
    root = tmp_path / "root"
    (root / "etc").mkdir(parents=True)
    asked = wanted("state-dir: /srv/my gw/100%\n")
    for program, path in (
        (("systemd-sysusers",), "/etc/sysusers.d/kannelkit.conf"),
        (("systemd-tmpfiles", "--create"), "/etc/tmpfiles.d/kannelkit-gateway.conf"),
    ):
        answer = run(*program, f"--root={root}", judged(tmp_path, path, asked))
        assert answer.returncode == 0, answer.stderr
    (line,) = (line for line in (root / "etc/passwd").read_text().splitlines() if line.startswith("kannelkit:"))
    made = (root / "srv/my gw/100%").stat()
    assert (made.st_mode & 0o777, made.st_uid, line.split(":")[6]) == (
        0o750,
        int(line.split(":")[2]),
        "/usr/sbin/nologin",
    )


LOGROTATE = shutil.which("logrotate", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")


@pytest.mark.skipif(LOGROTATE is None, reason="logrotate is not installed (Debian: logrotate)")
def test_logrotate_knows_each_log_whatever_its_folder_is_called(tmp_path: Path) -> None:
    assert LOGROTATE is not None
    folder = tmp_path / "my gw, 100%"
    (folder / "log").mkdir(parents=True)
    asked = Wanted(wanted(f"state-dir: {folder}\n").spec, "up", (sys.executable,), "root", "root")
    for log in rotated(asked.spec):
        log.touch()
    answer = run(LOGROTATE, "--debug", judged(tmp_path, "/etc/logrotate.d/kannelkit-gateway", asked))
    assert (answer.returncode, "error" in answer.stderr) == (0, False), answer.stderr
    considered = re.findall(r"^considering log (.*)$", answer.stderr, re.MULTILINE)
    assert sorted(considered) == sorted(map(str, rotated(asked.spec)))


def _undone(words: str) -> str:
    """Return the last word of a command line as systemd reads it: quotes, escapes, variables, specifiers."""
    quoted, bare = re.findall(r'"((?:[^"\\]|\\.)*)"|(\S+)', words)[-1]
    return re.sub(r"\\(.)", r"\1", quoted or bare).replace("$$", "$").replace("%%", "%")


FOLDER_NAMES = st.text(st.characters(exclude_categories=("C", "Z"), exclude_characters="/") | st.just(" "), min_size=1)


@given(name=FOLDER_NAMES.filter(lambda name: name not in (".", "..")))
def test_a_word_comes_back_whole(name: str) -> None:
    path = f"/srv/{name}/gateway.yaml"
    (start,) = settings(unit(wanted(path=path)))["ExecStart"]
    assert _undone(start) == path


def test_a_name_of_several_lines_adds_none_to_the_unit() -> None:
    with pytest.raises(KannelkitError, match="no unit can hold the name"):
        machine_files(wanted(path="/srv/x\nExecStartPre=+rm/gateway.yaml"))

"""A spec with every gap filled: defaults, the provider's profile, secrets, paths, names."""

from __future__ import annotations

from pathlib import Path

import pytest

from kannelkit.spec import Address, Secret, Spec, load

SMALLEST = """
smsc:
  - provider: smsc.ru
    smsc-username: login
    smsc-password: secret
"""
LOCAL = """
smsc:
  - smsc-id: a
    host: 127.0.0.1
    smsc-username: u
    smsc-password: p
"""


def loaded(folder: Path, text: str, **environ: str) -> Spec:
    path = folder / "spec.yaml"
    path.write_text(text)
    return load(path, environ)


def test_the_smallest_spec_has_a_sound_default_for_everything(tmp_path: Path) -> None:
    spec = loaded(tmp_path, SMALLEST)
    state = tmp_path / ".kannelkit"
    assert spec.state_dir == state
    assert spec.files.kannel_conf == state / "kannel.conf"
    assert spec.files.bearerbox_log == state / "log/bearerbox.log"
    assert spec.files.smsbox_log == state / "log/smsbox.log"
    assert spec.files.access_log == state / "log/access.log"
    assert (spec.admin_port, spec.smsbox_port, spec.sendsms_port) == (13000, 13001, 13013)
    assert spec.health_listen == Address("127.0.0.1", 13080)
    assert spec.folders() == (state, state / "log", state / "spool/dlr", state / "spool/store")
    wanted = {
        "admin-interface": "127.0.0.1",
        "smsbox-interface": "127.0.0.1",
        "store-type": "spool",
        "dlr-storage": "spool",
        "sms-resend-freq": "5",
        "log-level": "1",
    }
    assert {name: spec.core.get(name) for name in wanted} == wanted
    assert spec.smsbox.get("sendsms-interface") == "127.0.0.1"
    (account,) = spec.smpp_accounts
    assert (account.smsc_id, account.provider, account.throughput) == ("smsc.ru", "smsc.ru", 30)
    assert (account.backup_host, account.backup_port) == ("smpp2.m.smsc.ru", 3700)
    assert account.group.get("max-pending-submits") == "300"
    assert account.group.get("wait-ack-expire") == "0"


def test_passwords_left_out_are_to_be_made(tmp_path: Path) -> None:
    spec = loaded(tmp_path, SMALLEST + "sendsms-user:\n  - username: app\n  - {username: two, password: x}\n")
    names = ("core.admin-password", "core.status-password", "sendsms-user.app.password")
    assert spec.to_make() == names
    with pytest.raises(ValueError, match="still to be made"):
        _ = spec.admin_password
    filled = spec.with_made(dict.fromkeys(names, "made"))
    assert filled.to_make() == ()
    assert filled.admin_password == "made"
    assert [user.get("password") for user in filled.sendsms_users] == ["made", "x"]


def test_what_is_written_wins_over_the_profile(tmp_path: Path) -> None:
    (account,) = loaded(tmp_path, SMALLEST + "    throughput: 100\n    validityperiod: 60\n").smpp_accounts
    assert account.throughput == 100
    assert account.group.values["validityperiod"].origin == "written"
    assert account.group.values["enquire-link-interval"].origin == "provider"


def test_another_host_leaves_the_provider_alone(tmp_path: Path) -> None:
    (account,) = loaded(tmp_path, SMALLEST + "    host: 127.0.0.1\n").smpp_accounts
    assert account.backup_host == ""


@pytest.mark.parametrize(
    ("lines", "port"),
    [
        ("", "3700"),
        ("    use-ssl: true\n", "3443"),
        ("    use-ssl: no\n", "3700"),
        ("    use-ssl: true\n    port: 1\n", "1"),
    ],
)
def test_the_port_follows_tls(tmp_path: Path, lines: str, port: str) -> None:
    (account,) = loaded(tmp_path, SMALLEST + lines).smpp_accounts
    assert account.group.get("port") == port


FLAGS = [
    ("", ""),
    ("    connections: 2\n", "MCON2"),
    ("    connections: 2\n    system-type: [ISO]\n", "ISO,MCON2"),
    ("    connections: 2\n    system-type: ISO,MCON3\n", "ISO,MCON3"),
    ("    system-type: SINGLE,MCON2\n", "SINGLE,MCON2"),
    ("    connections: 9\n    system-type: ''\n", "MCON9"),
    ("    system-type: VMA\n", "VMA"),
]


@pytest.mark.parametrize(("lines", "system_type"), FLAGS)
def test_flags(tmp_path: Path, lines: str, system_type: str) -> None:
    (account,) = loaded(tmp_path, SMALLEST + lines).smpp_accounts
    assert account.group.get("system-type") == system_type


@pytest.mark.parametrize(("provider", "system_type"), [("", "MCON2"), ("    provider: generic\n", "")])
def test_several_connections_without_a_known_provider(tmp_path: Path, provider: str, system_type: str) -> None:
    (account,) = loaded(tmp_path, LOCAL + provider + "    connections: 2\n").smpp_accounts
    assert account.group.get("system-type") == system_type


@pytest.mark.parametrize(
    ("lines", "delay"),
    [
        ("provider: smsc.ru", "3"),
        ("provider: smsc.ru\n    reconnect-delay: 20", "20"),
        ("provider: smsc.kz", None),  # no second host is known
        ("host: h\n    backup-host: g", "3"),
        ("host: h", None),
    ],
)
@pytest.mark.parametrize("gaps", ["kannelkit", "kannel"])
def test_with_a_second_host_a_link_is_soon_back(tmp_path: Path, lines: str, delay: str | None, gaps: str) -> None:
    text = f"defaults: {gaps}\nsmsc:\n  - smsc-id: a\n    smsc-username: u\n    smsc-password: p\n    {lines}\n"
    (tmp_path / "spec.yaml").write_text(text)
    (account,) = load(tmp_path / "spec.yaml", {}).smpp_accounts
    expected = delay if gaps == "kannelkit" or delay != "3" else None
    assert account.group.get("reconnect-delay") == expected


def test_an_account_without_a_provider(tmp_path: Path) -> None:
    (account,) = loaded(tmp_path, LOCAL).smpp_accounts
    values = {
        name: account.group.get(name) for name in ("smsc", "port", "transceiver-mode", "system-type", "throughput")
    }
    assert values == {
        "smsc": "smpp",
        "port": "2775",
        "transceiver-mode": "true",
        "system-type": "",
        "throughput": None,
    }
    assert int(account.group.values["max-pending-submits"].text) > 10


def test_a_link_with_a_log_of_its_own_does_not_log_passwords(tmp_path: Path) -> None:
    spec = loaded(tmp_path, LOCAL + "    log-file: logs/a.log\n")
    (account,) = spec.smpp_accounts
    assert account.group.get("log-level") == "1"
    assert spec.files.links_logs == (tmp_path / "logs/a.log",)
    assert tmp_path / "logs" in spec.folders()


SECRETS = [
    ("{env: P}", "from-env"[:8]),
    ("{file: secret}", "from-fil"),
    ("'{env: P}'", "{env: P}"),
    ("0123", "0123"),
    ("no", "no"),
]


@pytest.mark.parametrize(("written", "text"), SECRETS)
def test_secrets(tmp_path: Path, written: str, text: str) -> None:
    (tmp_path / "secret").write_text("from-fil\n")
    spec = loaded(tmp_path, LOCAL.replace("smsc-password: p", f"smsc-password: {written}"), P="from-env")
    (account,) = spec.smpp_accounts
    assert account.group.get("smsc-password") == text
    assert text in spec.secrets()
    assert repr(text) not in repr(spec)


def test_only_one_line_feed_at_the_end_of_a_file_is_dropped(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b" a b \n")
    (account,) = loaded(tmp_path, LOCAL.replace("smsc-password: p", "smsc-password: {file: secret}")).smpp_accounts
    assert account.group.get("smsc-password") == " a b "


def test_a_value_from_the_environment_is_a_secret_wherever_it_stands(tmp_path: Path) -> None:
    spec = loaded(tmp_path, LOCAL.replace("smsc-username: u", "smsc-username: {env: LOGIN}"), LOGIN="mylogin")
    assert spec.smpp_accounts[0].group.get("smsc-username") == "mylogin"
    assert "mylogin" in spec.secrets()
    assert "mylogin" not in repr(spec)


@pytest.mark.parametrize(
    ("written", "read"), [("yes", "true"), ("on", "true"), ("1", "true"), ("OFF", "false"), ("no", "false")]
)
def test_truth_values_are_kannels(tmp_path: Path, written: str, read: str) -> None:
    (account,) = loaded(tmp_path, LOCAL + f"    use-ssl: {written}\n").smpp_accounts
    assert account.group.get("use-ssl") == read


def test_paths_are_relative_to_the_spec(tmp_path: Path) -> None:
    text = "state-dir: ../state\ncore:\n  log-file: logs/../bb.log\n  access-log: /var/log/a.log\n"
    spec = loaded(tmp_path, text + LOCAL)
    assert spec.state_dir == tmp_path.parent / "state"
    assert spec.files.bearerbox_log == tmp_path / "bb.log"
    assert spec.files.access_log == Path("/var/log/a.log")


STORES = [
    ("store-type: file", "spool/store.dat", "spool"),
    ("store-type: spool", "spool/store", "spool/store"),
    ("store-file: ../old", "../old", ".."),
    ("store-location: ../here", "../here", "../here"),
]


@pytest.mark.parametrize(("line", "store", "folder"), STORES)
def test_stores_and_their_folders(tmp_path: Path, line: str, store: str, folder: str) -> None:
    spec = loaded(tmp_path, f"core:\n  {line.replace('../', './')}\n{LOCAL}")
    state = tmp_path / ".kannelkit"
    assert spec.files.store == (state / store).resolve()
    assert (state / folder).resolve() in spec.folders()
    assert ("store-type" in spec.core.values) == ("store-file" not in line)


def test_a_catch_all_service_is_there_unless_one_is_written(tmp_path: Path) -> None:
    (silent,) = loaded(tmp_path, LOCAL).sms_services
    assert (silent.get("keyword"), silent.get("max-messages")) == ("default", "0")
    own = "sms-service:\n  - {keyword: stop, text: x}\n  - {keyword: default, text: y}\n"
    assert [service.get("text") for service in loaded(tmp_path, own + LOCAL).sms_services] == ["x", "y"]
    assert len(loaded(tmp_path, "sms-service:\n  - {keyword: stop, text: x}\n" + LOCAL).sms_services) == 2


def test_groups_of_other_kinds_are_kept_as_they_are(tmp_path: Path) -> None:
    spec = loaded(tmp_path, "smsc:\n  - {smsc-id: f, smsc: fake, port: 10000, smsc-admin-id: f1}\n")
    assert spec.smpp_accounts == ()
    (fake,) = spec.other_smscs
    assert {name: value.text for name, value in fake.values.items()} == {
        "smsc-id": "f",
        "smsc": "fake",
        "port": "10000",
        "smsc-admin-id": "f1",
    }


def test_supervisor_and_health(tmp_path: Path) -> None:
    text = "supervisor:\n  rate: {floor: 3, raise-after: 60}\n  failover: {after: 10, back-after: 20}\n"
    spec = loaded(tmp_path, text + "health: {listen: '[::1]:80'}\n" + LOCAL)
    supervisor = spec.supervisor
    assert (supervisor.floor, supervisor.raise_after) == (3, 60.0)
    assert (supervisor.failover_after, supervisor.failover_back_after) == (10.0, 20.0)
    assert spec.health_listen == Address("::1", 80)


def test_sections_may_be_left_empty(tmp_path: Path) -> None:
    spec = loaded(tmp_path, "core:\nsmsbox:\nsendsms-user:\nsupervisor:\n  rate:\n" + LOCAL)
    assert spec.admin_port == 13000


def test_a_secret_does_not_show_itself() -> None:
    assert "hunter2" not in repr(Secret("hunter2"))
    assert Secret("hunter2") == "hunter2"

"""With `defaults: kannel` Kannel reads what the spec says and nothing else; what running needs is told apart."""

from __future__ import annotations

from pathlib import Path

import pytest

from kannelkit.conf import read
from kannelkit.errors import InputError
from kannelkit.render import kannel_conf
from kannelkit.spec import Spec, lacking, load

ACCOUNT = """
smsc:
  - smsc-id: a
    host: 192.0.2.1
    smsc-username: u
    smsc-password: p
"""
WHOLE = """
core:
  admin-port: 13000
  admin-password: secret
  smsbox-port: 13001
  log-file: /var/log/kannel.log
smsbox:
  bearerbox-host: 127.0.0.1
  sendsms-port: 13080
"""


def loaded(folder: Path, text: str) -> Spec:
    path = folder / "spec.yaml"
    path.write_text(f"defaults: kannel\n{text}")
    return load(path, {})


def groups_of(spec: Spec) -> list[tuple[str, dict[str, str]]]:
    groups, findings = read(kannel_conf(spec))
    assert findings == ()
    return [(group.name, {name: text for name, text in group.values.items() if name != "group"}) for group in groups]


def test_kannel_gets_what_is_written_and_the_links(tmp_path: Path) -> None:
    spec = loaded(tmp_path, WHOLE + ACCOUNT)
    core, smsbox, primary, park = groups_of(spec)
    assert core == (
        "core",
        {
            "admin-port": "13000",
            "admin-password": "secret",
            "smsbox-port": "13001",
            "log-file": "/var/log/kannel.log",
        },
    )
    assert smsbox == ("smsbox", {"bearerbox-host": "127.0.0.1", "sendsms-port": "13080"})
    assert primary[1] == {
        "smsc": "smpp",
        "smsc-id": "a",
        "smsc-admin-id": "a-1",
        "host": "192.0.2.1",
        "smsc-username": "u",
        "smsc-password": "p",
        "system-type": "",
    }
    assert park[1]["smsc-admin-id"] == "a-park"
    assert spec.to_make() == ()
    assert lacking(spec) == ()


def test_values_are_those_of_the_text(tmp_path: Path) -> None:
    text = WHOLE.replace("/var/log/kannel.log", "log//kannel.log\n  smsbox-port-ssl: on")
    core = groups_of(loaded(tmp_path, text))[0][1]
    assert (core["log-file"], core["smsbox-port-ssl"]) == ("log//kannel.log", "on")


def test_several_connections_leave_system_type_alone(tmp_path: Path) -> None:
    text = ACCOUNT + "    connections: 2\n    system-type: VMA, X\n    throughput: 31\n"
    links = [values for name, values in groups_of(loaded(tmp_path, text)) if name == "smsc"]
    assert [(link["system-type"], link.get("throughput")) for link in links] == [
        ("VMA, X", "16"),
        ("VMA, X", "15"),
        ("", None),
    ]


def test_a_provider_fills_in_what_its_profile_says(tmp_path: Path) -> None:
    (account,) = loaded(tmp_path, ACCOUNT + "    provider: smsc.ru\n    connections: 2\n").smpp_accounts
    assert account.group.get("max-pending-submits") == "300"
    assert account.group.get("system-type") == "MCON2"


@pytest.mark.parametrize("text", ["wapbox: {bearerbox-host: h}\n", "modems:\n  - {id: x}\n", "{}\n"])
def test_a_file_without_core_and_smsc_is_one(tmp_path: Path, text: str) -> None:
    spec = loaded(tmp_path, text if text != "{}\n" else "")
    assert not spec.core.there
    assert spec.files.bearerbox_log is spec.files.smsbox_log is spec.files.access_log is None
    assert spec.folders() == (tmp_path / ".kannelkit",)
    assert [name for name, _ in groups_of(spec)] == ([text.partition(":")[0]] if ":" in text else [])


def test_the_ports_of_kannelkits_own_do_not_count(tmp_path: Path) -> None:
    assert loaded(tmp_path, WHOLE).sendsms_port == 13080
    with pytest.raises(InputError, match="S306"):
        loaded(tmp_path, WHOLE + "health: {listen: 127.0.0.1:13080}\n")


def test_what_kannel_asks_for_is_asked_for(tmp_path: Path) -> None:
    text = "core: {admin-port: 13000}\nsendsms-user:\n  - username: app\nsmsc:\n  - {smsc: fake, smsc-id: f}\n"
    with pytest.raises(InputError) as raised:
        loaded(tmp_path, text)
    assert [(finding.place.line, finding.message) for finding in raised.value.findings] == [
        (2, "group core has no admin-password"),
        (4, "group sendsms-user has no password"),
        (6, "an smsc of the kind fake has no port"),
    ]


def test_another_word_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "spec.yaml"
    path.write_text("defaults: debian # kannelkit: ignore S201\n")
    with pytest.raises(InputError, match="defaults cannot be 'debian'"):
        load(path, {})


# what is changed in a spec that runs, and what running it then lacks
LACKING = [
    ("  log-file: /var/log/kannel.log\n", "", "S318: group core has no log-file, which running it needs"),
    ("  smsbox-port: 13001\n", "", "S318: group core has no smsbox-port, which running it needs"),
    ("  sendsms-port: 13080\n", "", "S318: group smsbox has no sendsms-port, which running it needs"),
    ("/var/log/", "", "S319: log-file kannel.log is relative to the folder in which Kannel is started"),
    ("smsc-id: a", "smsc-id: a;b # kannelkit: ignore S310", "S310: smsc-id 'a;b' cannot be addressed"),
]


@pytest.mark.parametrize(("old", "new", "expected"), LACKING)
def test_what_running_needs(tmp_path: Path, old: str, new: str, expected: str) -> None:
    (finding,) = lacking(loaded(tmp_path, (WHOLE + ACCOUNT).replace(old, new)))
    assert f"{finding.rule}: {finding.message}" == expected
    assert finding.hint
    assert finding.place.line


def test_a_silenced_password_is_missed_by_running(tmp_path: Path) -> None:
    text = WHOLE.replace("  admin-password: secret\n", "").replace("core:", "core: # kannelkit: ignore S105")
    (finding,) = lacking(loaded(tmp_path, text))
    assert finding.message == "group core has no admin-password, which running it needs"


@pytest.mark.parametrize("name", ["admin_port", "admin_password", "smsbox_port", "sendsms_port"])
def test_what_is_not_there_is_told_where_it_is_asked_for(tmp_path: Path, name: str) -> None:
    spec = loaded(tmp_path, ACCOUNT)
    with pytest.raises(InputError, match=f"S318: group (core|smsbox) has no {name.replace('_', '-')}"):
        getattr(spec, name)


def test_running_needs_boxes(tmp_path: Path) -> None:
    assert [finding.message for finding in lacking(loaded(tmp_path, ACCOUNT))] == [
        "there is no group core, and kannelkit runs it",
        "there is no group smsbox, and kannelkit runs it",
    ]


def test_running_needs_names_that_tell_links_apart(tmp_path: Path) -> None:
    twice = ACCOUNT + ACCOUNT.removeprefix("\nsmsc:\n").replace("id: a", "id: a # kannelkit: ignore S304")
    assert [finding.rule for finding in lacking(loaded(tmp_path, WHOLE + twice))] == ["S304"]


def test_what_kannelkit_fills_in_lacks_nothing(tmp_path: Path) -> None:
    path = tmp_path / "spec.yaml"
    path.write_text(ACCOUNT)
    assert lacking(load(path, {})) == ()

"""The spec of the demonstration."""

from __future__ import annotations

import stat
from pathlib import Path

from kannelkit.demo.gateway import ACCOUNT, make_spec
from kannelkit.render import accounts, kannel_conf
from kannelkit.simulator.rules import AccountRules


def test_it_is_one_bind_at_the_simulator(tmp_path: Path) -> None:
    rules = AccountRules("alone", "12345678", 30)
    spec = make_spec(tmp_path / "alone", 2775, rules.login, rules.password, 60)
    (account,) = accounts(spec)
    assert (account.smsc_id, account.connections, account.ceiling) == (ACCOUNT, 1, 60)
    text = kannel_conf(spec)
    for line in ("port = 2775", "smsc-username = alone", "smsc-password = 12345678", "throughput = 60"):
        assert line in text.splitlines()


def test_it_disturbs_nobody(tmp_path: Path) -> None:
    first, second = (make_spec(tmp_path / name, 2775, name, "12345678", 60) for name in ("one", "two"))
    ports = [port for spec in (first, second) for port in (spec.admin_port, spec.smsbox_port, spec.sendsms_port)]
    assert len(set(ports)) == 6
    assert not {13000, 13001, 13013} & set(ports)
    assert first.admin_password != second.admin_password
    assert all(folder.is_relative_to(tmp_path / "one") for folder in first.folders())


def test_its_passwords_are_for_this_user_alone(tmp_path: Path) -> None:
    spec = make_spec(tmp_path / "one", 2775, "one", "12345678", 60)
    assert stat.S_IMODE((tmp_path / "one").stat().st_mode) == 0o700
    assert stat.S_IMODE(spec.path.stat().st_mode) == 0o600

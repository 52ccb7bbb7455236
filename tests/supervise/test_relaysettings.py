"""What the relay is told of a spec, and that it reads all of it as it is meant."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kannelkit.host.reach import Address
from kannelkit.relay.settings import RelayAccount, Verify, parse
from kannelkit.spec import Spec, load
from kannelkit.supervise.relaysettings import accounts_in, folder, port_of, relay_accounts, relay_file

MADE = {"smsc.a.relay-password": "pass-word-that-is-long", "smsc.a.relay-port": "21000"}


def spec(folder_of: Path, *lines: str, core: str = "{}") -> Spec:
    """Return a spec with one account that the relay paces, and one that it does not."""
    account = "\n".join(f"    {line}" for line in lines)
    (folder_of / "spec.yaml").write_text(
        f"""
core: {core}
smsc:
  - smsc-id: a
    host: primary.example
    smsc-username: login
    smsc-password: secret12
    pacing: relay
{account}
  - smsc-id: b
    host: primary.example
    smsc-username: other
    smsc-password: secret12
supervisor: {{failover: {{after: 7, back-after: 70}}}}
"""
    )
    return load(folder_of / "spec.yaml", {}).with_made(MADE)


def told(of: Spec) -> RelayAccount:
    """Return what the relay itself reads of the one account."""
    accounts = relay_accounts(of)
    settings = parse(json.loads(relay_file(folder(of), accounts, {})))
    assert settings.state_dir == of.state_dir / "relay"
    (account,) = settings.accounts
    return account


def test_an_account_with_little_said(tmp_path: Path) -> None:
    account = told(spec(tmp_path))
    assert (account.name, account.unit, account.listen_system_id) == ("a", "a", b"a")
    assert (account.listen_port, account.listen_password) == (21000, b"pass-wor")
    assert account.hosts == (Address("primary.example", 2775),)
    assert (account.login.system_id, account.login.password) == (b"login", b"secret12")
    # bearerbox's own go through
    assert (account.login.system_type, account.login.interface_version) == (None, None)
    assert account.ceiling == float("inf")
    assert (account.wait_ack, account.enquire_every, account.after, account.back_after) == (60, 30, 7, 70)
    assert account.verify is None


CASES: list[tuple[str, str, object]] = [
    ("throughput: 30", "ceiling", 30.0),
    ("throughput: 7.5", "ceiling", 7.5),
    ("connections: 3", "connections", 3),
    ("max-pending-submits: 300", "window", 300),
    ("max-pending-submits: 20\n    throughput: 500", "window", 20),
    ("throughput: 500", "window", 1010),
    ("throughput: 30", "window", 100),
    ("wait-ack: 20", "wait_ack", 20.0),
    ("enquire-link-interval: 15", "enquire_every", 15.0),
    ("account-group: both", "unit", "both"),
    ("relay-port: 15001", "listen_port", 15001),
    ("backup-host: second.example", "hosts", (Address("primary.example", 2775), Address("second.example", 2775))),
    ("our-host: 10.0.0.1", "hosts", (Address("primary.example", 2775, source="10.0.0.1"),)),
    ("use-ssl: true", "hosts", (Address("primary.example", 2775, tls=True),)),
]


@pytest.mark.parametrize(("line", "field", "value"), CASES, ids=[line for line, _, _ in CASES])
def test_what_an_account_says_reaches_the_relay(tmp_path: Path, line: str, field: str, value: object) -> None:
    assert getattr(told(spec(tmp_path, line)), field) == value


def test_certificates_are_verified_where_kannel_knows_authorities(tmp_path: Path) -> None:
    core = "{ssl-trusted-ca-file: authorities.pem}"
    assert told(spec(tmp_path, "use-ssl: true", core=core)).verify == Verify(tmp_path / "authorities.pem")
    assert told(spec(tmp_path, core=core)).verify is None


def test_a_file_tells_its_accounts_again(tmp_path: Path) -> None:
    accounts = relay_accounts(spec(tmp_path, "backup-host: second.example"))
    text = relay_file(tmp_path, accounts, {21000: 7})
    assert json.loads(text)["accounts"][0]["listen_descriptor"] == 7
    assert accounts_in(text) == accounts
    assert [port_of(account) for account in accounts.values()] == [21000]

"""The file that the relay is started with: what it may say, and what is said of what it may not."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from kannelkit.cli.relay import command
from kannelkit.errors import HostError
from kannelkit.host.reach import Address
from kannelkit.relay.settings import Login, RelayAccount, Verify, parse, read, write

LEAST: dict[str, Any] = {
    "name": "acc",
    "listen_password": "f0rtress",
    "hosts": [{"host": "smpp.example"}],
    "login": {"system_id": "shop", "password": "s3cret"},
}


def file(**account: Any) -> dict[str, Any]:
    return {"state_dir": "/run", "accounts": [{**LEAST, **account}]}


def test_the_least_has_sound_defaults() -> None:
    (account,) = parse(file()).accounts
    assert account == RelayAccount(
        "acc", b"acc", b"f0rtress", (Address("smpp.example", 2775),), Login(b"shop", b"s3cret"), "acc"
    )
    assert account.ceiling == math.inf
    assert account.held_for + account.answer_within < account.wait_ack


@pytest.mark.parametrize(("ceiling", "window"), [(None, 1000), (30, 1000), (2000.5, 4001), (90_000, 10_000)])
def test_a_window_that_is_not_written_fits_the_ceiling(ceiling: float | None, window: int) -> None:
    assert parse(file(ceiling=ceiling)).accounts[0].window == window
    assert parse(file(ceiling=ceiling, window=7)).accounts[0].window == 7


def test_what_is_written_is_read(tmp_path: Path) -> None:
    hosts = [
        {"host": "a", "port": 3443, "tls": True, "source": "10.0.0.1", "certificate": "/etc/c.pem"},
        {"host": "b"},
    ]
    login = {"system_id": "shop", "password": "пароль", "system_type": "ISO", "interface_version": 80}
    for value in (file(), file(hosts=hosts, login=login, verify={"name": "x"}, ceiling=7.5, listen_descriptor=3)):
        settings = parse(value)
        write(tmp_path / "relay.json", settings)
        assert read(tmp_path / "relay.json") == settings


def test_everything_can_be_said() -> None:
    hosts = [
        {"host": "a", "port": 3443, "tls": True, "source": "10.0.0.1", "certificate": "/etc/c.pem"},
        {"host": "b", "port": 3700},
    ]
    login = {"system_id": "shop", "password": "s3cret", "system_type": "ISO", "interface_version": 80}
    (account,) = parse(
        file(
            hosts=hosts,
            login=login,
            unit="group",
            connections=4,
            ceiling=7.5,
            verify={"authorities": "/etc/ca.pem", "name": "smpp.example"},
        )
    ).accounts
    assert account.hosts[0] == Address("a", 3443, True, "10.0.0.1", Path("/etc/c.pem"))
    assert account.login == Login(b"shop", b"s3cret", b"ISO", 0x50)
    assert account.verify == Verify(Path("/etc/ca.pem"), "smpp.example")
    assert (account.unit, account.connections, account.ceiling) == ("group", 4, 7.5)


WRONG: dict[str, tuple[Any, str]] = {
    "a list": ([], "the file is not an object"),
    "no accounts": ({"state_dir": "/run"}, "the file.accounts is missing"),
    "a name that is a path": (file(name="../acc"), "accounts[0].name cannot be a part of a file's name"),
    "a name of two lines": (file(name="acc\nacc"), "accounts[0].name cannot be a part of a file's name"),
    "an unknown key": (file(colour="red"), "accounts[0] has no key colour"),
    "no host": (file(hosts=[]), "accounts[0].hosts is one host, or a host and its backup"),
    "a ceiling of nothing": (file(ceiling=0), "accounts[0].ceiling is not a number above 0"),
    "a truth for a number": (file(connections=True), "accounts[0].connections is not a whole number from 1 to 64"),
    "a port beyond all": (file(listen_port=65536), "accounts[0].listen_port is not a whole number from 0 to 65535"),
    "a login without a name": (file(login={"password": "s3cret"}), "accounts[0].login.system_id is missing"),
    "twice the same": ({"state_dir": "/run", "accounts": [LEAST, LEAST]}, "two accounts have the same name"),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_is_wrong_is_named_and_its_value_is_not(what: str) -> None:
    value, words = WRONG[what]
    with pytest.raises(ValueError, match=f"^{re.escape(words)}$") as raised:
        parse(value)
    assert "s3cret" not in str(raised.value)


def test_a_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "relay.json"
    path.write_text(json.dumps(file()))
    path.chmod(0o640)
    with pytest.raises(HostError, match="can be read by others") as raised:
        read(path)
    assert raised.value.hint == f"chmod 600 {path}"
    path.chmod(0o600)
    assert read(path) == parse(file())


@pytest.mark.parametrize("octets", [b"", b"{", b"\xff\xfe", b"[" * 100_000, b'{"state_dir": 1e999}'])
def test_the_command_refuses_any_other_file_in_words(octets: bytes, tmp_path: Path) -> None:
    path = tmp_path / "relay.json"
    path.touch(mode=0o600)
    path.write_bytes(octets)
    done = CliRunner().invoke(command, ["--settings", str(path)])
    assert isinstance(done.exception, HostError)
    assert str(path) in done.exception.message


def test_no_password_is_in_what_is_printed_of_an_account() -> None:
    text = repr(parse(file()))
    assert "s3cret" not in text
    assert "f0rtress" not in text

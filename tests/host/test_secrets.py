"""Passwords made at random: once, for this user alone, in letters that Kannel can read."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from kannelkit.errors import HostError
from kannelkit.host.secrets import FILE, keep, kept


def test_a_password_stays_what_it_was(tmp_path: Path) -> None:
    first = keep(tmp_path / "state", ["a", "b"])
    assert first["a"] != first["b"]
    assert keep(tmp_path / "state", ["b", "c"])["b"] == first["b"]
    assert set(kept(tmp_path / "state")) == {"a", "b", "c"}


def test_it_is_long_and_plain(tmp_path: Path) -> None:
    password = keep(tmp_path, ["a"])["a"]
    assert len(password) == 20
    assert password.isascii()
    assert password.isalnum()


def test_only_its_owner_may_read_it(tmp_path: Path) -> None:
    keep(tmp_path / "state", ["a"])
    assert stat.S_IMODE((tmp_path / "state" / FILE).stat().st_mode) == 0o600


def test_nothing_wanted_is_nothing_made(tmp_path: Path) -> None:
    assert keep(tmp_path / "state", []) == {}
    assert not (tmp_path / "state").exists()


def test_none_are_kept_where_there_is_no_file(tmp_path: Path) -> None:
    assert kept(tmp_path) == {}


def test_two_at_the_same_moment_agree(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: keep(tmp_path, ["a"])["a"], range(16)))
    assert len(set(made)) == 1


FAULTS = [
    (b"{", "no JSON"),
    (b"[]", "not a table"),
    (b'{"a": 1}', "not a table"),
    (b'{"a": ""}', "not a table"),
    (b"\xff", "no JSON"),
]


@pytest.mark.parametrize(("octets", "words"), FAULTS)
def test_a_spoilt_file_is_told(tmp_path: Path, octets: bytes, words: str) -> None:
    (tmp_path / FILE).write_bytes(octets)
    (tmp_path / FILE).chmod(0o600)
    with pytest.raises(HostError, match=words):
        keep(tmp_path, ["a"])


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_file_that_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    keep(tmp_path, ["a"])
    (tmp_path / FILE).chmod(mode)
    with pytest.raises(HostError, match="can be read by others"):
        keep(tmp_path, ["a"])


def test_a_port_of_the_relays_is_chosen_once_and_each_is_another_one(tmp_path: Path) -> None:
    names = [f"smsc.{name}.relay-port" for name in "abcdefgh"]
    ports = keep(tmp_path, names)
    assert len(set(ports.values())) == len(names)
    # not one that the kernel gives to an outgoing connection meanwhile
    assert all(20_000 <= int(port) < 32_768 for port in ports.values())
    assert keep(tmp_path, names) == ports

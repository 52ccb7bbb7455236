"""What the relay is told when it starts: plain values, read from a JSON file that its starter alone can read."""

from __future__ import annotations

import json
import math
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kannelkit.errors import HostError
from kannelkit.host.files import write_whole
from kannelkit.host.reach import Address

# of bearerbox's wait-ack: for so long a submit may be held, and for so long its answer is waited for
_HELD_SHARE = 0.6
_ANSWER_SHARE = 0.35
# submits without an answer on a connection whose window is not written, and seconds that answers may take
_WINDOW, _LARGEST_WINDOW, _SECONDS_AWAY = 1000, 10_000, 2
_HINT = "the file is written by what starts the relay; see docs/relay.md"


@dataclass(frozen=True, slots=True)
class Login:
    """What the relay binds with at the provider; a system_type and an interface_version of None are bearerbox's own."""

    system_id: bytes
    password: bytes = field(repr=False)
    system_type: bytes | None = None
    interface_version: int | None = None


@dataclass(frozen=True, slots=True)
class Verify:
    """Whose certificate is taken: signed by one of `authorities` (None: those of this machine), for `name` ("": the
    host's own).
    """

    authorities: Path | None = None
    name: str = ""


@dataclass(frozen=True, slots=True)
class RelayAccount:
    """One account: where bearerbox binds to, and where the relay does.

    Ceiling in submits per second, infinity for none; `window` is the number of submits that may be unanswered at the
    provider on one connection; `wait_ack` (bearerbox's), `enquire_every`, `after` and `back_after` in seconds. Accounts
    of one `unit` share a limit. `listen_descriptor` is an inherited socket that listens already.
    """

    name: str
    listen_system_id: bytes
    listen_password: bytes = field(repr=False)
    hosts: tuple[Address, ...]
    login: Login
    unit: str
    listen_port: int = 0
    listen_descriptor: int | None = None
    connections: int = 1
    ceiling: float = math.inf
    window: int = _WINDOW
    wait_ack: float = 60.0
    enquire_every: float = 30.0
    verify: Verify | None = None
    after: float = 30.0
    back_after: float = 300.0

    @property
    def held_for(self) -> float:
        """For how many seconds a submit is held at the most."""
        return self.wait_ack * _HELD_SHARE

    @property
    def answer_within(self) -> float:
        """For how many seconds the provider's answer to a submit is waited for."""
        return self.wait_ack * _ANSWER_SHARE


@dataclass(frozen=True, slots=True)
class RelaySettings:
    """All that one relay does; `state_dir` is the folder for what outlives it and for its socket."""

    state_dir: Path
    accounts: tuple[RelayAccount, ...]

    def ceiling(self, unit: str) -> float:
        """Return what the accounts of a unit together never exceed."""
        return min((each.ceiling for each in self.accounts if each.unit == unit), default=math.inf)


def read(path: Path) -> RelaySettings:
    """Return what a file says; raises HostError where others can read it, or where it is not what it should be."""
    try:
        with path.open("rb") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            octets = file.read()
    except OSError as error:
        raise HostError(f"cannot read {path}: {error.strerror}", _HINT) from error
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise HostError(f"{path} holds passwords and can be read by others (mode {mode:04o})", f"chmod 600 {path}")
    try:
        return parse(json.loads(octets))
    except json.JSONDecodeError as error:
        raise HostError(f"{path}:{error.lineno}:{error.colno}: not JSON: {error.msg}", _HINT) from None
    except (ValueError, RecursionError) as error:
        raise HostError(f"{path}: {error}", _HINT) from None


def write(path: Path, settings: RelaySettings) -> None:
    """Put the settings into a file that `read` gives them back from, whole or not at all; raises HostError."""
    write_whole(path, json.dumps(plain(settings), indent=1) + "\n", 0o600)


def plain(settings: RelaySettings) -> dict[str, object]:
    """Return the settings as the JSON value that `parse` gives them back from; passwords are in it."""
    return {"state_dir": str(settings.state_dir), "accounts": [_plain_account(each) for each in settings.accounts]}


def _plain_account(account: RelayAccount) -> dict[str, object]:
    login, verify = account.login, account.verify
    return {
        "name": account.name,
        "listen_system_id": account.listen_system_id.decode(),
        "listen_password": account.listen_password.decode(),
        "listen_port": account.listen_port,
        "listen_descriptor": account.listen_descriptor,
        "hosts": [
            {
                "host": host.host,
                "port": host.port,
                "tls": host.tls,
                "source": host.source,
                "certificate": None if host.certificate is None else str(host.certificate),
            }
            for host in account.hosts
        ],
        "login": {
            "system_id": login.system_id.decode(),
            "password": login.password.decode(),
            "system_type": None if login.system_type is None else login.system_type.decode(),
            "interface_version": login.interface_version,
        },
        "unit": account.unit,
        "connections": account.connections,
        "ceiling": None if account.ceiling == math.inf else account.ceiling,
        "window": account.window,
        "wait_ack": account.wait_ack,
        "enquire_every": account.enquire_every,
        "verify": verify
        and {"authorities": None if verify.authorities is None else str(verify.authorities), "name": verify.name},
        "after": account.after,
        "back_after": account.back_after,
    }


def parse(value: object) -> RelaySettings:
    """Return the settings in a JSON value; raises ValueError that names the key and never says its value."""
    table = _Table(value, "the file")
    state_dir = Path(table.text("state_dir"))
    accounts = tuple(_account(each, f"accounts[{place}]") for place, each in enumerate(table.items("accounts")))
    table.done()
    names = [account.name for account in accounts]
    if len(set(names)) < len(names):
        raise ValueError("two accounts have the same name")
    ports = [account.listen_port for account in accounts if account.listen_port]
    if len(set(ports)) < len(ports):
        raise ValueError("two accounts have the same listen_port")
    return RelaySettings(state_dir, accounts)


def _account(value: object, where: str) -> RelayAccount:
    table = _Table(value, where)
    name = table.text("name")
    login = _Table(table.value("login"), f"{where}.login")
    verify = table.value("verify", None)
    ceiling = math.inf if table.value("ceiling", None) is None else table.number("ceiling", math.inf)
    account = RelayAccount(
        name=name,
        listen_system_id=table.text("listen_system_id", name[:15]).encode(),
        listen_password=table.text("listen_password").encode(),
        hosts=tuple(_host(each, f"{where}.hosts[{place}]") for place, each in enumerate(table.items("hosts"))),
        login=Login(
            login.text("system_id").encode(),
            login.text("password", "").encode(),
            login.octets_or_none("system_type"),
            None if login.value("interface_version", None) is None else login.whole("interface_version", 0, 0, 255),
        ),
        unit=table.text("unit", name),
        listen_port=table.whole("listen_port", 0, 0, 65535),
        listen_descriptor=(
            None if table.value("listen_descriptor", None) is None else table.whole("listen_descriptor", 0, 0, 65535)
        ),
        connections=table.whole("connections", 1, 1, 64),
        ceiling=ceiling,
        window=_usual_window(ceiling) if table.value("window", None) is None else table.whole("window", 0, 1, 100_000),
        wait_ack=table.number("wait_ack", 60.0),
        enquire_every=table.number("enquire_every", 30.0),
        verify=None if verify is None else _verify(verify, f"{where}.verify"),
        after=table.number("after", 30.0),
        back_after=table.number("back_after", 300.0),
    )
    login.done()
    table.done()
    if not 1 <= len(account.hosts) <= 2:
        raise ValueError(f"{where}.hosts is one host, or a host and its backup")
    if "/" in name or not name or not name.isprintable():
        raise ValueError(f"{where}.name cannot be a part of a file's name")
    return account


def _usual_window(ceiling: float) -> int:
    """Return as many submits as leave at the ceiling within two seconds, a usual number at the least."""
    return _WINDOW if ceiling == math.inf else max(_WINDOW, min(_LARGEST_WINDOW, math.ceil(_SECONDS_AWAY * ceiling)))


def _host(value: object, where: str) -> Address:
    table = _Table(value, where)
    certificate = table.value("certificate", None)
    address = Address(
        table.text("host"),
        table.whole("port", 2775, 1, 65535),
        table.truth("tls", False),
        table.text("source", ""),
        None if certificate is None else Path(table.text("certificate")),
    )
    table.done()
    return address


def _verify(value: object, where: str) -> Verify:
    table = _Table(value, where)
    authorities = table.value("authorities", None)
    verify = Verify(None if authorities is None else Path(table.text("authorities")), table.text("name", ""))
    table.done()
    return verify


class _Table:
    """A JSON object whose every key is asked for."""

    def __init__(self, value: object, where: str) -> None:
        if not isinstance(value, dict):
            raise ValueError(f"{where} is not an object")
        self._where = where
        self._values: Mapping[str, Any] = value
        self._asked: set[str] = set()

    def value(self, key: str, default: object = ...) -> Any:
        self._asked.add(key)
        if key not in self._values and default is ...:
            raise ValueError(f"{self._where}.{key} is missing")
        return self._values.get(key, default)

    def text(self, key: str, default: object = ...) -> str:
        value = self.value(key, default)
        if not isinstance(value, str):
            raise ValueError(f"{self._where}.{key} is not a text")
        return value

    def octets_or_none(self, key: str) -> bytes | None:
        return None if self.value(key, None) is None else self.text(key).encode()

    def items(self, key: str) -> list[object]:
        value = self.value(key)
        if not isinstance(value, list):
            raise ValueError(f"{self._where}.{key} is not a list")
        return value

    def truth(self, key: str, default: bool) -> bool:
        value = self.value(key, default)
        if not isinstance(value, bool):
            raise ValueError(f"{self._where}.{key} is neither true nor false")
        return value

    def whole(self, key: str, default: int, least: int, most: int) -> int:
        value = self.value(key, default)
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise ValueError(f"{self._where}.{key} is not a whole number from {least} to {most}")
        return value

    def number(self, key: str, default: float) -> float:
        value = self.value(key, default)
        if not isinstance(value, int | float) or isinstance(value, bool) or not 0 < value <= math.inf:
            raise ValueError(f"{self._where}.{key} is not a number above 0")
        return float(value)

    def done(self) -> None:
        unknown = sorted(self._values.keys() - self._asked)
        if unknown:
            raise ValueError(f"{self._where} has no key {', '.join(unknown)}")

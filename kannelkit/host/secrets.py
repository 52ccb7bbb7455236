"""What a spec leaves out, passwords and ports: made once, kept in the state folder for this user alone."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import secrets
import stat
import string
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from kannelkit.errors import HostError
from kannelkit.host.files import make_folder, write_whole
from kannelkit.host.ports import choose_free
from kannelkit.spec.model import MADE_PORT

FILE = "passwords.json"
_ALPHABET = string.ascii_letters + string.digits
_LENGTH = 20  # 119 bits


def kept(folder: Path) -> Mapping[str, str]:
    """Return the passwords kept in the folder, by name; none where there is no file yet.

    Raises HostError where the file can be read by others, or is not what `keep` wrote.
    """
    path = folder / FILE
    try:
        with path.open("rb") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            octets = file.read()
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise HostError(f"cannot read {path}: {error.strerror}", "run as the user that made it") from error
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise HostError(
            f"{path} can be read by others (mode {mode:04o})",
            f"chmod 600 {path}, or remove it and have new passwords made",
        )
    try:
        table = json.loads(octets)
    except ValueError as error:
        raise HostError(f"{path} is no JSON", "remove it and have new passwords made") from error
    if not isinstance(table, dict) or not all(isinstance(text, str) and text for text in table.values()):
        raise HostError(f"{path} is not a table of passwords", "remove it and have new passwords made")
    return table


def keep(folder: Path, names: Iterable[str]) -> Mapping[str, str]:
    """Return a password for each name, or a port for a name that ends in MADE_PORT: what is kept in the folder, or a
    new one that is kept from now on.

    A new password has 20 letters and digits; a new port is one that is free on 127.0.0.1 now. The folder is made where
    it is missing; the file has mode 0600. Raises HostError.
    """
    wanted = tuple(names)
    if not wanted:
        return {}
    make_folder(folder)
    with _alone(folder):
        there = dict(kept(folder))
        missing = [name for name in wanted if name not in there]
        for name in missing:
            there[name] = str(choose_free(_ports(there))) if name.endswith(MADE_PORT) else _password()
        if missing:
            write_whole(folder / FILE, json.dumps(there, indent=1, sort_keys=True) + "\n", 0o600)
    return {name: there[name] for name in wanted}


def _ports(there: Mapping[str, str]) -> frozenset[int]:
    return frozenset(int(text) for name, text in there.items() if name.endswith(MADE_PORT) and text.isdecimal())


def _password() -> str:
    while True:
        password = "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH))
        if "include" not in password:  # Kannel would take the line for the name of a file
            return password


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Keep out another kannelkit that makes passwords for the same folder at the same moment."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)

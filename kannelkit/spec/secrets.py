"""A secret that stands somewhere else: in the environment, or in a file."""

from __future__ import annotations

import errno
import stat
from collections.abc import Mapping
from pathlib import Path

# A password is short; a file larger than this is the wrong file.
MOST_OCTETS = 4096


class MissingSecretError(ValueError):
    """A secret that is not where the spec says; `hint` is the next step."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


def from_environ(name: str, environ: Mapping[str, str]) -> str:
    """Return the variable's value; raises MissingSecretError when it is not set or empty."""
    if not environ.get(name):
        raise MissingSecretError(
            f"the environment variable {name} is {'empty' if name in environ else 'not set'}",
            f"set it for the process that runs kannelkit: export {name}=...",
        )
    return environ[name]


def beginning(path: Path, most: int) -> bytes:
    """Return the first octets of a file; raises OSError for what is none: a pipe would keep its reader waiting."""
    mode = path.stat().st_mode
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
        raise OSError(errno.EINVAL, "No regular file")
    with path.open("rb") as file:
        return file.read(most)


def from_file(name: str, folder: Path) -> str:
    """Return the file's text without one line feed at its end; raises MissingSecretError when it cannot be read."""
    path = folder / name
    try:
        octets = beginning(path, MOST_OCTETS + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "no file can have this name"
        raise MissingSecretError(
            f"the file {path} cannot be read: {reason}", "write the secret into it, readable for this user only"
        ) from error
    if len(octets) > MOST_OCTETS:
        raise MissingSecretError(
            f"the file {path} is longer than a secret can be", "name a file that holds only the secret"
        )
    try:
        text = octets.decode("utf-8")
    except UnicodeDecodeError as error:
        raise MissingSecretError(
            f"the file {path} is no UTF-8 text", "name a file that holds only the secret"
        ) from error
    text = text.removesuffix("\n").removesuffix("\r")
    if not text:
        raise MissingSecretError(f"the file {path} is empty", "write the secret into it")
    return text

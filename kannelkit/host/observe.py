"""What a configuration names on this machine: files, folders, logrotate's blocks; looked at, never changed."""

from __future__ import annotations

import os
import pwd
import re
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

from kannelkit.lint.facts import Rotation, Seen

LOGROTATE = (Path("/etc/logrotate.conf"), Path("/etc/logrotate.d"))
_LARGEST = 2**20
_KANNEL = "kannel"  # the user of Debian's package


def seen(path: str) -> Seen:
    """Return what is at the absolute path; where nothing can be seen, there is nothing."""
    above = os.path.dirname(path)
    try:
        status = os.stat(path)
    except (OSError, ValueError):
        folder_there = os.path.isdir(above)
        return Seen(folder_there=folder_there, writable=folder_there and _may(above, os.W_OK | os.X_OK))
    is_folder = stat.S_ISDIR(status.st_mode)
    return Seen(
        is_file=not is_folder,
        is_folder=is_folder,
        folder_there=True,
        mode=stat.S_IMODE(status.st_mode),
        readable=_may(path, os.R_OK | os.X_OK * is_folder),
        writable=_may(path, os.W_OK | os.X_OK * is_folder),
    )


def content(path: str) -> bytes | None:
    """Return the beginning of a file, a mebibyte at most; nothing where it cannot be read."""
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):  # a pipe would keep its reader waiting
            return None
        with open(path, "rb") as file:
            return file.read(_LARGEST)
    except (OSError, ValueError):
        return None


def _may(path: str, rights: int) -> bool:
    """Return whether this user or the user kannel has the rights; the folders above are not looked at for kannel."""
    if os.access(path, rights):
        return True
    try:
        user = pwd.getpwnam(_KANNEL)
        status = os.stat(path)
    except (KeyError, OSError):
        return False
    if status.st_uid == user.pw_uid:
        granted = status.st_mode >> 6
    elif status.st_gid in os.getgrouplist(_KANNEL, user.pw_gid):
        granted = status.st_mode >> 3
    else:
        granted = status.st_mode
    return granted & rights == rights


def rotations(places: Iterable[Path] = LOGROTATE) -> tuple[Rotation, ...]:
    """Return the blocks of logrotate's files; what cannot be read is left out."""
    found: list[Rotation] = []
    for place in places:
        for path in sorted(place.iterdir()) if place.is_dir() else [place]:
            octets = content(str(path))
            if octets is not None:
                found += blocks(octets.decode("utf-8", "replace"), str(path))
    return tuple(found)


_OPENING = re.compile(r"^([^#\n{]*(?:\n[^#\n{]+)*)\{[ \t]*$", re.MULTILINE)
_HANGUP = re.compile(r"-(?:s[ ]*)?(?:SIG)?(?:HUP|1)\b")


def blocks(text: str, file: str) -> Iterator[Rotation]:
    """Yield the blocks of one of logrotate's files: patterns, an opening brace, directives, a closing brace."""
    everywhere = re.search(r"^[ \t]*copytruncate\b", re.sub(r"\{[^}]*\}", "", text), re.MULTILINE) is not None
    for opening in _OPENING.finditer(text):
        end = text.find("\n}", opening.end() - 1)
        body = text[opening.end() : end if end >= 0 else len(text)]
        yield Rotation(
            file=file,
            line=text.count("\n", 0, opening.start() + len(opening[0]) - len(opening[0].lstrip())) + 1,
            patterns=tuple(quoted or bare for quoted, bare in re.findall(r'"([^"]+)"|(\S+)', opening[1])),
            copytruncate=not re.search(r"^[ \t]*nocopytruncate\b", body, re.MULTILINE)
            and (everywhere or re.search(r"^[ \t]*copytruncate\b", body, re.MULTILINE) is not None),
            hangs_up="kannel reload" in body or ("bearerbox" in body and _HANGUP.search(body) is not None),
        )

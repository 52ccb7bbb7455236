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
        open_to_all=_open_to_all(path, status.st_mode),
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


def _open_to_all(path: str, mode: int) -> bool:
    """Return whether every user may read the file: a folder above it that others may not enter closes the way."""
    try:
        above = [folder.stat().st_mode for folder in Path(os.path.realpath(path)).parents]
    except OSError:
        return False
    return bool(mode & stat.S_IROTH) and all(each & stat.S_IXOTH for each in above)


def _may(path: str, rights: int) -> bool:
    """Return whether this user or the user kannel has the rights, and may enter the folders above."""
    if os.access(path, rights):
        return True
    try:
        user = pwd.getpwnam(_KANNEL)
        groups = os.getgrouplist(_KANNEL, user.pw_gid)
        folders = {*Path(path).parents, *Path(os.path.realpath(path)).parents}
        return _granted(os.stat(path), user.pw_uid, groups, rights) and all(
            _granted(folder.stat(), user.pw_uid, groups, os.X_OK) for folder in folders
        )
    except (KeyError, OSError):
        return False


def _granted(status: os.stat_result, user: int, groups: Iterable[int], rights: int) -> bool:
    """Return whether the permission bits give that user the rights."""
    if status.st_uid == user:
        bits = status.st_mode >> 6
    elif status.st_gid in groups:
        bits = status.st_mode >> 3
    else:
        bits = status.st_mode
    return bits & rights == rights


def rotations(places: Iterable[Path] = LOGROTATE) -> tuple[Rotation, ...]:
    """Return the blocks of logrotate's files; what cannot be read is left out."""
    found: list[Rotation] = []
    for place in places:
        for path in _files_of(place):
            octets = content(str(path))
            if octets is not None:
                found += blocks(octets.decode("utf-8", "replace"), str(path))
    return tuple(found)


def _files_of(place: Path) -> list[Path]:
    try:
        return sorted(place.iterdir()) if place.is_dir() else [place]
    except OSError:
        return []


_HANGUP = re.compile(r"-(?:s[ ]*)?(?:SIG)?(?:HUP|1)\b")
_PATTERN = re.compile(r"\"([^\"]+)\"|(\S+)")


def blocks(text: str, file: str) -> Iterator[Rotation]:
    """Yield the blocks of one of logrotate's files: patterns, an opening brace, directives, a closing brace.

    A `copytruncate` outside of any block counts for those behind it.
    """
    everywhere = False
    patterns: list[str] = []
    body: list[str] | None = None
    start = 0
    for number, line in enumerate(text.split("\n"), start=1):
        bare = line.strip()
        if body is not None:
            if bare != "}":
                body.append(bare)
                continue
            yield Rotation(file, start, tuple(patterns), *_done(body, everywhere))
            patterns, body = [], None
        elif bare and not bare.startswith("#"):
            named = [quoted or word for quoted, word in _PATTERN.findall(bare.removesuffix("{"))]
            if not patterns or not bare.startswith(("/", '"', "{")):
                patterns, start = [], number
            patterns += [each for each in named if each.startswith("/")]
            everywhere = everywhere or bare == "copytruncate"
            if bare.endswith("{"):
                body = []


def _done(body: Iterable[str], everywhere: bool) -> tuple[bool, bool]:
    """Return whether a block with these lines copies and cuts, and whether it sends bearerbox SIGHUP."""
    words = {line.split()[0] for line in body if line}
    script = "\n".join(body)
    copies = "copytruncate" in words or (everywhere and "nocopytruncate" not in words)
    return copies, "kannel reload" in script or ("bearerbox" in script and _HANGUP.search(script) is not None)

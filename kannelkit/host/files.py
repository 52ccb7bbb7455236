"""Files that are there whole or not at all."""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
from pathlib import Path

from kannelkit.errors import HostError

_HINTS = {
    "PermissionError": "look at the owner and mode of the folder, or run as the user that owns it",
    "FileNotFoundError": "make the folder first, or name another one",
    "NotADirectoryError": "a part of the path is a file; name another folder",
    "FileExistsError": "something else has this name; move it away or choose another name",
    "IsADirectoryError": "this is a folder; name a file",
}


def write_whole(path: Path, text: str | bytes, mode: int, *, replace: bool = True, keep_owner: bool = False) -> None:
    """Put `text` (UTF-8 when it is a string) at `path` so that a reader sees the old file or the new one, never a part.

    The new file has exactly `mode`, whatever the umask, before its first octet is written; it keeps the group of the
    file it replaces where `mode` gives the group a right, so that a Kannel that runs as another user can still read it,
    and with `keep_owner` its owner, too, where this user may give files away.
    A symbolic link at `path` is replaced, not followed. What returns is on the disk, the name too. Raises HostError;
    then `path` is as it was and no temporary file is left.
    """
    octets = text.encode() if isinstance(text, str) else text
    try:
        if path.is_dir():
            raise IsADirectoryError(21, "Is a directory")
        descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name[:64]}.", dir=path.parent)
    except OSError as error:
        raise _refused("write", path, error) from error
    try:
        with os.fdopen(descriptor, "wb") as file:
            _keep_group(descriptor, path, mode)
            if keep_owner:
                _keep_owner(descriptor, path)
            os.fchmod(descriptor, mode)
            file.write(octets)
            file.flush()
            os.fsync(descriptor)
        if replace:
            os.replace(temporary, path)
        else:
            os.link(temporary, path)  # unlike a rename it fails where the name is taken
        _sync_folder(path.parent)
    except OSError as error:
        raise _refused("write", path, error) from error
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)


def make_folder(path: Path, mode: int = 0o750) -> None:
    """Make the folder `path` and those above it that are missing, each with exactly `mode`.

    A folder that is there stays as it is. Raises HostError where that is not possible or `path` is not a folder.
    """
    missing: list[Path] = []
    folder = path
    while not os.path.lexists(folder):
        missing.append(folder)
        folder = folder.parent
    try:
        for folder in reversed(missing):
            with contextlib.suppress(FileExistsError):  # somebody else was quicker; the check below decides
                os.mkdir(folder, 0o700)
                os.chmod(folder, mode)
        if not path.is_dir():
            raise FileExistsError(17, "There is something that is not a folder")
    except OSError as error:
        raise _refused("make the folder", path, error) from error


def _keep_group(descriptor: int, path: Path, mode: int) -> None:
    if not mode & stat.S_IRWXG:
        return
    # no former file, or a group that this user is not in: the new file then has this user's own group
    with contextlib.suppress(FileNotFoundError, PermissionError):
        former = os.lstat(path)
        if stat.S_ISREG(former.st_mode):
            os.fchown(descriptor, -1, former.st_gid)


def _keep_owner(descriptor: int, path: Path) -> None:
    with contextlib.suppress(FileNotFoundError, PermissionError):
        former = os.lstat(path)
        if stat.S_ISREG(former.st_mode):
            os.fchown(descriptor, former.st_uid, -1)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _refused(what: str, path: Path, error: OSError) -> HostError:
    return HostError(f"cannot {what} {path}: {error.strerror or error}", _HINTS.get(type(error).__name__, ""))

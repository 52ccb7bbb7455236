"""A file that somebody else made and reads, given another content: whole or not at all, and as its owner left it."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import tempfile
from pathlib import Path

from kannelkit.errors import HostError

# what a file system keeps beside the mode: who else may read it (acl(5)); SELinux sets its own label by the folder
_ACCESS_LIST = "system.posix_acl_access"
_NONE = (errno.ENODATA, errno.ENOTSUP, errno.EPERM)


def replace_whole(path: Path, text: str, *, expected: bytes) -> None:
    """Put `text` (UTF-8) in the place of a file that is there, if it still holds `expected`.

    A reader sees the old file or the new one, never a part. The new one has the owner, the group, the mode and the
    access list of the old one; a symbolic link stays one, and the file that it leads to is replaced. Raises HostError;
    then the file is as it was: where it holds something else by now, or where this user may not do any of that.
    """
    target = _target(path)
    temporary = _copy(path, target, text.encode())
    try:
        if read_octets(path) != expected:
            raise HostError(f"{path} was changed by somebody else", "nothing was written over that")
        os.replace(temporary, target)
        _sync_folder(target.parent)
    except OSError as error:
        raise HostError(f"cannot replace {path}: {error.strerror}", _whose(target)) from error
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)


def replaceable_or_raise(path: Path) -> None:
    """Raise HostError, with what to grant, where this user could not replace the file at `path`."""
    target = _target(path)
    os.unlink(_copy(path, target, b""))


def read_octets(path: Path) -> bytes:
    """Return what is in a file. Raises HostError, with what to grant, where it cannot be read."""
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise HostError(f"{path} is not there") from error
    except PermissionError as error:
        raise HostError(f"this user may not read {path}", _whose(path)) from error
    except OSError as error:
        raise HostError(f"cannot read {path}: {error.strerror}") from error


def _target(path: Path) -> Path:
    try:
        return path.resolve(strict=True)
    except FileNotFoundError as error:
        raise HostError(f"{path} is not there") from error
    except (OSError, RuntimeError) as error:  # a link to itself is a RuntimeError before Python 3.13
        raise HostError(f"cannot find {path}: {error}", "is it a symbolic link that leads nowhere?") from error


def _copy(path: Path, target: Path, octets: bytes) -> str:
    """Write a file beside the target that is like it but for its content, and return its name."""
    try:
        former = os.stat(target)
        if not stat.S_ISREG(former.st_mode):
            raise HostError(f"{path} is not a file")
        descriptor, temporary = tempfile.mkstemp(prefix=f".{target.name[:64]}.", dir=target.parent)
    except OSError as error:
        raise HostError(
            f"this user may not make files in {target.parent}, so {path} cannot be replaced whole: {error.strerror}",
            f"{_whose(target)}; and let that user write in the folder, or move the file into a folder where it may, "
            "with a symbolic link in its place",
        ) from error
    try:
        with os.fdopen(descriptor, "wb") as file:
            _like(descriptor, target, former)
            file.write(octets)
            file.flush()
            os.fsync(descriptor)
    except OSError as error:
        os.unlink(temporary)
        if error.errno == errno.EPERM:
            text = f"this user cannot keep the owner and group of {path}"
            raise HostError(text, _whose(target)) from error
        raise HostError(f"cannot write beside {path}: {error.strerror}", _whose(target)) from error
    return temporary


def _like(descriptor: int, target: Path, former: os.stat_result) -> None:
    made = os.fstat(descriptor)
    if (made.st_uid, made.st_gid) != (former.st_uid, former.st_gid):
        os.fchown(descriptor, former.st_uid, former.st_gid)
    os.fchmod(descriptor, stat.S_IMODE(former.st_mode))
    try:
        granted = os.getxattr(target, _ACCESS_LIST)
    except OSError as error:
        if error.errno not in _NONE:
            raise
        return
    os.setxattr(descriptor, _ACCESS_LIST, granted)


def _whose(path: Path) -> str:
    """Return whom to run as to have the rights that a file's owner has."""
    with contextlib.suppress(OSError, KeyError):
        uid = os.stat(path).st_uid
        return f"run as its owner, {_name(uid)}, or as root"
    return "run as the user that Kannel runs as"


def _name(uid: int) -> str:
    import pwd

    try:
        return f"user {pwd.getpwuid(uid).pw_name}"
    except KeyError:  # a user of another machine or container
        return f"user {uid}"


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

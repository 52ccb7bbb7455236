"""One kannelkit for one state directory."""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path
from types import TracebackType

from kannelkit.errors import HostError

# who only asks for the holder has the file for microseconds
_TRIES = 5
_BETWEEN_TRIES = 0.02


class Lock:
    """Holds a file locked while it is entered; the kernel lets go of it when the process ends, however it ends.

    Raises HostError, with the holder's process id, where another process holds it.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor = -1

    def __enter__(self) -> Lock:
        try:
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
        except OSError as error:
            raise HostError(f"{self._path}: {error.strerror}", "does this user own the state-dir?") from error
        for _ in range(_TRIES):
            if _taken(descriptor, fcntl.LOCK_EX):
                break
            time.sleep(_BETWEEN_TRIES)
        else:
            pid = _pid(descriptor)
            os.close(descriptor)
            raise HostError(
                f"another kannelkit (pid {pid or 'not known'}) supervises this gateway",
                "stop it first, or give this spec a state-dir and ports of its own",
            )
        os.ftruncate(descriptor, 0)
        os.write(descriptor, f"{os.getpid()}\n".encode())
        self._descriptor = descriptor
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._descriptor)


def holder(path: Path) -> int | None:
    """Return the process id of the kannelkit that holds the lock now; None where nobody does, 0 where it has not
    written its process id yet.

    Makes no file. Raises HostError where the lock may not be read.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise HostError(f"{path}: {error.strerror}", "run as the user that runs kannelkit up") from error
    try:
        return None if _taken(descriptor, fcntl.LOCK_SH) else _pid(descriptor)
    finally:
        os.close(descriptor)  # which also lets go of the lock


def _taken(descriptor: int, how: int) -> bool:
    try:
        fcntl.flock(descriptor, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _pid(descriptor: int) -> int:
    text = os.pread(descriptor, 32, 0).strip()
    return int(text) if text.isdigit() else 0

"""One kannelkit for one state directory."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from types import TracebackType

from kannelkit.errors import HostError


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
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.read(descriptor, 32).decode("ascii", "replace").strip()
            os.close(descriptor)
            raise HostError(
                f"another kannelkit (pid {holder}) supervises this gateway",
                "stop it first, or give this spec a state-dir and ports of its own",
            ) from error
        os.ftruncate(descriptor, 0)
        os.write(descriptor, f"{os.getpid()}\n".encode())
        self._descriptor = descriptor
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._descriptor)

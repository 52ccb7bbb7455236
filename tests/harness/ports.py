"""TCP ports for the tests of one process: no other one's, and none twice until all were given once."""

from __future__ import annotations

import fcntl
import itertools
import os
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

LOOPBACK = "127.0.0.1"
# Below the ports of outgoing connections (net.ipv4.ip_local_port_range), and below those that kannelkit itself chooses
# for its demo. A gateway that is stopped and started again keeps its ports, although nobody listens on them meanwhile.
_LOWEST, _EACH, _PARTS = 10_240, 750, 13


@cache
def _own() -> tuple[int, Iterator[int]]:
    """Return the lock of a part of the ports that is this process's until its end, and these ports over and over."""
    folder = Path(tempfile.gettempdir()) / f"kannelkit-test-ports-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    for part in range(_PARTS):
        lock = os.open(folder / str(part), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            continue
        begin = _LOWEST + part * _EACH
        return lock, itertools.cycle(range(begin, begin + _EACH))
    raise RuntimeError(f"{_PARTS} test programs run already, which is all that there are ports for")


def free_ports(count: int) -> tuple[int, ...]:
    """Return `count` different ports of 127.0.0.1 that nobody listens on; raise RuntimeError where there are none."""
    chosen: list[int] = []
    for port in itertools.islice(_own()[1], _EACH):
        if len(chosen) == count:
            break
        with socket.socket() as listener:
            try:
                listener.bind((LOOPBACK, port))
            except OSError:
                continue
        chosen.append(port)
    if len(chosen) < count:
        raise RuntimeError(f"no {count} free ports from {_LOWEST} on")
    return tuple(chosen)


@contextmanager
def closed_port() -> Iterator[int]:
    """Hold a port of 127.0.0.1 on which nobody listens: a connection to it is refused, and nobody else gets it."""
    with socket.socket() as held:
        held.bind((LOOPBACK, 0))
        yield held.getsockname()[1]

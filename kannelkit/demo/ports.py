"""TCP ports for programs that take a number and cannot take "any free one"."""

from __future__ import annotations

import random
import socket
from contextlib import ExitStack

from kannelkit.errors import HostError

LOOPBACK = "127.0.0.1"
# Below the range from which Linux takes the ports of outgoing connections (net.ipv4.ip_local_port_range): one that is
# found by binding to port 0 lies inside it, and may be a client's before the program it is meant for has started.
_LOWEST, _HIGHEST = 20_000, 32_000
_ATTEMPTS = 500


def free_ports(count: int) -> tuple[int, ...]:
    """Return `count` different ports of 127.0.0.1 that are free now. Raises HostError where there are none."""
    chosen: list[int] = []
    with ExitStack() as held:  # all are held until the last is chosen, so that none is given twice
        for _ in range(_ATTEMPTS):
            if len(chosen) == count:
                return tuple(chosen)
            port = random.randint(_LOWEST, _HIGHEST)  # noqa: S311 - a port is no secret
            listener = held.enter_context(socket.socket())
            try:
                listener.bind((LOOPBACK, port))
            except OSError:
                continue
            chosen.append(port)
    raise HostError(f"no {count} free ports between {_LOWEST} and {_HIGHEST}", "what listens on all of them?")

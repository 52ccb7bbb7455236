"""TCP ports that nothing else is likely to take before the program they are meant for does."""

from __future__ import annotations

import random
import socket
from contextlib import ExitStack

# Below the range from which Linux takes the ports of outgoing connections (net.ipv4.ip_local_port_range):
# a port found free by binding to port 0 lies inside it and is soon some client's.
LOWEST, HIGHEST = 20000, 32000
_ATTEMPTS = 500


def free_ports(count: int) -> list[int]:
    """Return `count` different ports of 127.0.0.1 that are free now; raise OSError when there are none."""
    chosen: list[int] = []
    with ExitStack() as held:  # all held until all are chosen, so that none is given twice
        for _ in range(_ATTEMPTS):
            if len(chosen) == count:
                break
            port = random.randint(LOWEST, HIGHEST)
            listener = held.enter_context(socket.socket())
            try:
                listener.bind(("127.0.0.1", port))
            except OSError:
                continue
            chosen.append(port)
    if len(chosen) < count:
        raise OSError(f"no {count} free ports between {LOWEST} and {HIGHEST}")
    return chosen

"""Which names and addresses mean this machine, so that a server that listens here alone answers to no others.

A web page elsewhere could have a name of its own point at 127.0.0.1, and a browser here would let it read the answers.
"""

from __future__ import annotations

import ipaddress


def is_loopback(host: str) -> bool:
    """Return whether only this machine can reach what listens at a host."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:  # a name, which may stand for anything
        return False


def means_this_machine(host: str) -> bool:
    """Return whether an HTTP Host header, with or without a port, names this machine."""
    name = host.rpartition(":")[0] if not host.endswith("]") and ":" in host else host
    return is_loopback(name.removeprefix("[").removesuffix("]").lower().removesuffix("."))

"""Tells the service manager how a service stands (sd_notify(3))."""

from __future__ import annotations

import socket
from collections.abc import Mapping

from kannelkit.errors import HostError

READY = "READY=1"
STOPPING = "STOPPING=1"

_HINT = "the service manager sets NOTIFY_SOCKET; unset it where kannelkit runs without one"


def notify(environment: Mapping[str, str], *assignments: str, wait: float = 1.0) -> bool:
    """Send assignments to the service manager named by NOTIFY_SOCKET; return False when there is none to tell.

    The socket is a path, or an abstract one where the name begins with `@`. A manager that is behind is waited for
    `wait` seconds. Raises HostError where the socket is there but does not take the message, or is not there.
    """
    name = environment.get("NOTIFY_SOCKET", "")
    if not name:
        return False
    if name[0] not in "/@":
        raise HostError("NOTIFY_SOCKET is neither a path nor an abstract socket", _HINT)
    address = "\0" + name[1:] if name[0] == "@" else name
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as manager:
            manager.settimeout(wait)
            manager.connect(address)
            manager.sendall("\n".join(assignments).encode())
    except OSError as error:
        raise HostError(f"cannot tell the service manager: {error.strerror or error}", _HINT) from error
    return True

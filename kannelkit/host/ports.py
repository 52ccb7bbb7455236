"""TCP ports of this machine."""

from __future__ import annotations

import errno
import socket

from kannelkit.errors import HostError


def is_free(host: str, port: int) -> bool:
    """Return whether a server could listen on this TCP port now, by trying it.

    As Kannel does, it takes a port whose old connections are still closing for free (SO_REUSEADDR). Raises HostError
    when the answer is neither: `host` is no address of this machine, or the port needs a right that this user lacks.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind, protocol) as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
            listener.listen(1)
    except PermissionError as error:
        raise HostError(f"this user may not listen on port {port}", "take a port above 1023, or run as root") from error
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            return False
        raise HostError(
            f"cannot listen on {host} port {port}: {error.strerror}", "is that an address of this machine?"
        ) from error
    return True

"""TCP ports of this machine."""

from __future__ import annotations

import errno
import secrets
import socket
from collections.abc import Collection

from kannelkit.errors import HostError

# below those that the kernel gives to outgoing connections (net.ipv4.ip_local_port_range begins at 32768): a port that
# is chosen today has to be free tomorrow; above those that Kannel's examples and kannelkit's defaults take
_CHOSEN_FROM = range(20_000, 32_000)
_ATTEMPTS = 1000


def choose_free(but: Collection[int] = ()) -> int:
    """Return a port of 127.0.0.1, none of `but`, at which a server could listen now. Raises HostError."""
    for _ in range(_ATTEMPTS):
        port = secrets.choice(_CHOSEN_FROM)
        if port not in but and is_free("127.0.0.1", port):
            return port
    raise HostError("no port of 127.0.0.1 is free", "end what has them, or write relay-port into the spec")


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

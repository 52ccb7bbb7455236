"""The sockets that bearerbox connects to: they outlast the accounts behind them, so that whoever comes then waits."""

from __future__ import annotations

import socket
from collections.abc import Collection
from typing import Final

from kannelkit.errors import HostError
from kannelkit.relay.settings import RelayAccount

LOOPBACK: Final = "127.0.0.1"
_LISTENS_FOR: Final = 128


class Listeners:
    """Sockets that listen on this machine alone, by port."""

    def __init__(self) -> None:
        self._sockets: dict[int, socket.socket] = {}

    def inherit(self, settings: RelayAccount) -> int:
        """Take the socket that was inherited for an account, or open one; return its port. Raises HostError."""
        if settings.listen_descriptor is None:
            return self.open(settings.name, settings.listen_port)
        try:
            return self._add(socket.socket(fileno=settings.listen_descriptor))
        except OSError as error:
            raise HostError(
                f"{settings.name}: the inherited socket cannot be used: {error.strerror}", "end what started it"
            ) from error

    def open(self, name: str, port: int) -> int:
        """Listen for an account at a port, where 0 is a free one, unless that is done; return it. Raises HostError."""
        if port in self._sockets:
            return port
        listener = socket.socket()
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((LOOPBACK, port))
            listener.listen(_LISTENS_FOR)
        except OSError as error:
            listener.close()
            raise HostError(
                f"{name}: cannot listen on {LOOPBACK}:{port}: {error.strerror}",
                "end what has the port, or choose another one",
            ) from error
        return self._add(listener)

    def another(self, port: int) -> socket.socket:
        """Return another descriptor of a socket, to be served; when that is closed, connections wait in this one."""
        return self._sockets[port].dup()

    def keep(self, ports: Collection[int]) -> None:
        """Listen at no other ports."""
        for port in self._sockets.keys() - set(ports):
            self._sockets.pop(port).close()

    def _add(self, listener: socket.socket) -> int:
        port: int = listener.getsockname()[1]
        self._sockets[port] = listener
        return port

"""The sockets that bearerbox connects to, kept open by whoever starts the relay: one that ends takes none with it."""

from __future__ import annotations

import socket
from collections.abc import Mapping, Set

from kannelkit.errors import HostError
from kannelkit.host.processes import who_listens
from kannelkit.render.links import RELAY_HOST

_BACKLOG = 128


class Ports:
    """Sockets that listen, by port. A relay inherits them at its start; one that takes on more later listens itself."""

    def __init__(self) -> None:
        self._listeners: dict[int, socket.socket] = {}

    @property
    def descriptors(self) -> Mapping[int, int]:
        """The file descriptors of the sockets, by port."""
        return {port: listener.fileno() for port, listener in self._listeners.items()}

    def listen(self, ports: Set[int]) -> None:
        """Listen at these ports, too. Raises HostError, with who has one of them."""
        for port in sorted(ports - self._listeners.keys()):
            listener = socket.socket()
            try:
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                listener.bind((RELAY_HOST, port))
                listener.listen(_BACKLOG)
            except OSError as error:
                listener.close()
                whom = who_listens(RELAY_HOST, port) or error.strerror
                hint = "stop it, or set relay-port in the spec"
                raise HostError(f"relay-port {port} is in use by {whom}", hint) from error
            self._listeners[port] = listener

    def free_or_raise(self, ports: Set[int]) -> None:
        """Raise HostError, with who has one of these ports, where somebody but this one has."""
        new = ports - self._listeners.keys()
        try:
            self.listen(new)
        finally:
            for port in new & self._listeners.keys():
                self._listeners.pop(port).close()

    def keep(self, ports: Set[int]) -> None:
        """Listen at no other ports."""
        for port in self._listeners.keys() - ports:
            self._listeners.pop(port).close()

"""The ports that an SMSC listens on, each of which can refuse connections for a while."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
from collections.abc import Callable

from kannelkit.errors import HostError

HANDSHAKE_WITHIN = 10.0  # seconds for the TLS handshake


class Port:
    """A port of `host` whose connections each get a protocol; 0 is a free one, and `number` then says which."""

    def __init__(
        self, host: str, number: int, protocol: Callable[[], asyncio.Protocol], tls: ssl.SSLContext | None = None
    ) -> None:
        self.number = number
        self._host = host
        self._protocol = protocol
        self._tls = tls
        self._server: asyncio.Server | None = None
        self._kept: list[socket.socket] = []  # what keeps the number while connections are refused

    async def listen(self) -> None:
        """Take connections, again where they were refused; raises HostError where the port is taken."""
        if self._server is not None:
            return
        self._let_go()
        try:
            self._server = await asyncio.get_running_loop().create_server(
                self._protocol,
                self._host,
                self.number,
                ssl=self._tls,
                ssl_handshake_timeout=HANDSHAKE_WITHIN if self._tls else None,
                backlog=128,
            )
        except (OSError, OverflowError) as error:
            raise cannot_listen(self._host, self.number, error) from None
        self.number = self._server.sockets[0].getsockname()[1]

    def refuse(self) -> None:
        """Refuse connections from now on; those that are there stay. The number stays this port's."""
        if self._server is None:
            return
        addresses = [(each.family, each.getsockname()) for each in self._server.sockets]
        self._server.close()
        self._server = None
        for family, address in addresses:
            # bound and not listening: the operating system refuses, and gives the number to nobody else
            kept = socket.socket(family, socket.SOCK_STREAM)
            self._kept.append(kept)
            kept.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                kept.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            kept.bind(address)

    def close(self) -> None:
        """Let go of the port; connections that are there stay."""
        self._let_go()
        if self._server is not None:
            self._server.close()

    async def wait_closed(self) -> None:
        """Return when every connection to the closed port is gone."""
        if self._server is not None:
            await self._server.wait_closed()
            self._server = None

    def _let_go(self) -> None:
        for kept in self._kept:
            kept.close()
        self._kept.clear()


def cannot_listen(host: str, port: int, error: OSError | OverflowError) -> HostError:
    """Return the error for a port that is taken, not allowed, or none."""
    number = getattr(error, "errno", None)
    reason = os.strerror(number) if number else str(error)
    return HostError(f"cannot listen on {host}:{port}: {reason}", "choose another port; 0 stands for a free one")

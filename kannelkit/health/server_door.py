"""How many may be connected to the health daemon at once, and for how long: whoever is slow is in nobody's way.

A connection is for one request. Its client has ten seconds to ask and half a minute to take the answer. Where more are
connected than there is room for, whoever has waited longest without asking goes first: so one that asks at once is
answered, however many hold connections open.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from typing import cast

# below the 1,024 descriptors that a process may usually open, of which a look needs some
MOST_CLIENTS = 200
# of a request, all its headers and what came behind it: a browser sends a thousand or two
MOST_OCTETS = 32 * 1024
_ASKING_SECONDS = 10.0
_TAKING_SECONDS = 30.0
_GREETING_SECONDS = 5.0  # a TLS handshake

Answering = Callable[[], asyncio.Protocol]


class Door:
    """Makes the protocol of each connection, as an event loop's create_server wants it; `answering` makes what answers.

    `tls` is what TLS needs, None without it. `asking` and `taking` are in seconds.
    """

    def __init__(
        self,
        answering: Answering,
        tls: ssl.SSLContext | None = None,
        *,
        most: int = MOST_CLIENTS,
        asking: float = _ASKING_SECONDS,
        taking: float = _TAKING_SECONDS,
    ) -> None:
        self._answering = answering
        self.tls = tls
        self._most = most
        self._asking = asking
        self._taking = taking
        self._silent: dict[_Client, None] = {}  # in the order in which they came
        self._asked: dict[_Client, None] = {}

    def __call__(self) -> asyncio.Protocol:
        """Return the protocol of a connection that is made."""
        return _Client(self, self._answering())

    def asked(self, transport: asyncio.BaseTransport | None, *, lasting: bool = False) -> None:
        """Take note that the request of a connection is there whole; its answer has no end where it is `lasting`."""
        for client in self._silent:
            if client.transport is transport:
                break
        else:
            return
        del self._silent[client]
        self._asked[client] = None
        client.limit(None if lasting else self._taking)

    def enters(self, client: _Client) -> bool:
        """Give a client its time to ask; return False where there is no room for it."""
        if len(self._silent) + len(self._asked) >= self._most:
            oldest = next(iter(self._silent), None)
            if oldest is None:
                return False
            oldest.end()
        self._silent[client] = None
        client.limit(self._asking)
        return True

    def leaves(self, client: _Client) -> None:
        """Forget a client."""
        self._silent.pop(client, None)
        self._asked.pop(client, None)

    def close(self) -> None:
        """End every connection that is left."""
        for client in (*self._silent, *self._asked):
            client.end()


class _Client(asyncio.Protocol):
    """One connection: hands everything on to what answers, and counts."""

    def __init__(self, door: Door, answers: asyncio.Protocol) -> None:
        self.transport: asyncio.Transport | None = None  # what the answer is written to
        self._socket: asyncio.Transport | None = None
        self._door = door
        self._answers = answers
        self._greeting: asyncio.Task[None] | None = None
        self._octets = 0
        self._early = b""
        self._limit: asyncio.TimerHandle | None = None

    def limit(self, seconds: float | None) -> None:
        """Let the connection end after so many seconds from now, or not at all."""
        if self._limit is not None:
            self._limit.cancel()
        self._limit = None if seconds is None else asyncio.get_running_loop().call_later(seconds, self.end)

    def end(self) -> None:
        """End the connection at once, and forget it."""
        self.limit(None)
        self._door.leaves(self)
        if self._socket is not None:
            self._socket.abort()

    # -- what the event loop tells

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Let the client in, and greet it where there is TLS."""
        self._socket = cast("asyncio.Transport", transport)
        if not self._door.enters(self):
            self._socket.abort()
        elif self._door.tls is None:
            self._begin(self._socket)
        else:
            self._socket.pause_reading()  # what comes is for the TLS that is begun in a moment
            self._greeting = asyncio.get_running_loop().create_task(self._greet(self._socket, self._door.tls))

    async def _greet(self, plain: asyncio.Transport, tls: ssl.SSLContext) -> None:
        try:
            secured = await asyncio.get_running_loop().start_tls(
                plain, self, tls, server_side=True, ssl_handshake_timeout=_GREETING_SECONDS
            )
        except OSError:  # no TLS, none that both know, or nothing in time
            self.end()
            return
        if secured is None or plain.is_closing():
            self.end()
        else:
            self._begin(secured)

    def _begin(self, transport: asyncio.Transport) -> None:
        self.transport = transport
        self._answers.connection_made(transport)
        if self._early:
            self._answers.data_received(self._early)

    def data_received(self, data: bytes) -> None:
        """Hand on what came, unless it is too much."""
        self._octets += len(data)
        if self._octets > MOST_OCTETS:
            self.end()
        elif self.transport is None:
            self._early += data  # came with the end of the handshake, before that is told
        else:
            self._answers.data_received(data)

    def eof_received(self) -> bool | None:
        """Hand on that no more comes."""
        return None if self.transport is None else self._answers.eof_received()

    def pause_writing(self) -> None:
        """Hand on that the client is slow to take."""
        self._answers.pause_writing()

    def resume_writing(self) -> None:
        """Hand on that the client takes again."""
        self._answers.resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the client."""
        self.limit(None)
        self._door.leaves(self)
        if self.transport is not None:
            self._answers.connection_lost(exc)

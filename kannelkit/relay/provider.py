"""One connection to a provider: a bind, requests and what they are answered with, and what it delivers."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
from typing import Final, Protocol, cast

from kannelkit.errors import GatewayError, HostError
from kannelkit.host.reach import Address
from kannelkit.relay import tls
from kannelkit.relay.held import Submit
from kannelkit.relay.octets import BINDS, HEADER, MOST_NUMBER, UNANSWERED, bare, numbered, response
from kannelkit.relay.settings import Verify
from kannelkit.relay.trace import PROVIDER, Traced
from kannelkit.smpp.constants import RESPONSE, CommandId, CommandStatus
from kannelkit.smpp.framing import Frames, FramingError
from kannelkit.smpp.pdu import answer, encode

_CONNECT_SECONDS: Final = 10.0
_BIND_SECONDS: Final = 10.0
_UNBIND_SECONDS: Final = 2.0
# a provider from which nothing came for so long, while it owes answers, is asked for a sign of life
_DOUBT_SECONDS: Final = 5.0
_MOST_UNREAD: Final = 1024 * 1024  # octets of answers
_SIGN_SECONDS: Final = 5.0  # and has so long to give it


class Owner(Protocol):
    """Who the connection works for."""

    traced: Traced

    def bound(self, connection: ProviderConnection, frame: bytes) -> None:
        """The provider took the bind, with this answer."""

    def answered(self, submit: Submit, status: int, frame: bytes, now: float) -> None:
        """A request has its answer."""

    def delivered(self, connection: ProviderConnection, frame: bytes, command_id: int, number: int) -> bool:
        """The provider sent a request of its own; return whether somebody takes it."""

    def worked_off(self) -> None:
        """All that came at once has been told."""

    def lost(self, connection: ProviderConnection, unanswered: list[Submit]) -> None:
        """The connection ended, these without an answer."""


class ProviderConnection(asyncio.Protocol):
    """A connection that is made, bound and ended once; what a provider sends raises nothing out of here."""

    def __init__(self, owner: Owner, address: Address, window: int, enquire_every: float) -> None:
        self.address = address
        self.unanswered: dict[int, Submit] = {}  # by sequence number; the oldest first
        self.bound_at: float | None = None
        self.ended: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        """Why it ended."""
        self._owner = owner
        self._traced = owner.traced
        self._where = owner.traced.connection(PROVIDER)
        self._window = window
        self._enquire_every = enquire_every
        self._clock = asyncio.get_running_loop().time
        self._frames = Frames()
        self._transport: asyncio.Transport | None = None
        self._out: list[bytes] = []
        self._number = 0
        self._binding: tuple[int, asyncio.Future[bytes]] | None = None
        self._unbinding: int | None = None
        self._choked = False  # it does not read what it is sent
        self._held = False
        self._leaving = False
        self._why = ""
        self.heard = self._clock()
        self._enquired: float | None = None

    @property
    def room(self) -> bool:
        """Whether a submit may be sent here now."""
        return (
            self.bound_at is not None and not self._choked and not self._leaving and len(self.unanswered) < self._window
        )

    @property
    def doubtful(self) -> bool:
        """Whether the provider is asked for a sign of life and has not given one."""
        return self._enquired is not None

    async def bind(self, request: bytes) -> bytes:
        """Send a bind and return the provider's answer as it is; raises GatewayError where there is none in time."""
        number = self._next_number()
        answered: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._binding = (number, answered)
        self._write([numbered(request, number)])
        try:
            async with asyncio.timeout(_BIND_SECONDS):
                done, _ = await asyncio.wait((answered, self.ended), return_when=asyncio.FIRST_COMPLETED)
        except TimeoutError:
            self.end("the bind was not answered in time")
            raise GatewayError(f"{self.address}: the bind was not answered within {_BIND_SECONDS:g} s") from None
        if answered not in done:
            raise GatewayError(f"{self.address}: {self.ended.result()}")
        return answered.result()

    def send(self, submit: Submit) -> None:
        """Send a request with the next `flush`."""
        number = self._next_number()
        self.unanswered[number] = submit
        self._out.append(numbered(submit.octets, number))

    def flush(self) -> None:
        """Write what was sent."""
        if self._out:
            out, self._out = self._out, []
            self._write(out)

    def reply(self, frame: bytes) -> None:
        """Send bearerbox's answer to something that the provider sent."""
        self._out.append(frame)

    async def unbind(self) -> None:
        """Take leave, and end the connection."""
        self._leaving = True
        if self.bound_at is not None and not self.ended.done():
            self._unbinding = self._next_number()
            self._write([bare(CommandId.UNBIND, 0, self._unbinding)])
            await asyncio.wait((self.ended,), timeout=_UNBIND_SECONDS)
        self.end("unbound")
        await asyncio.wait((self.ended,))

    def end(self, why: str) -> None:
        """End the connection, whatever is under way."""
        self._leaving = True
        self._why = self._why or why
        if self._transport is not None:
            self._transport.abort()

    def tick(self, now: float) -> None:
        """Ask for a sign of life where nothing was heard for long, and end what gives none."""
        if self.bound_at is None or self._leaving:
            return
        if self._enquired is not None:
            if now - self._enquired >= _SIGN_SECONDS:
                self.end("the provider gives no sign of life")
            return
        patience = min(self._enquire_every, _DOUBT_SECONDS) if self.unanswered else self._enquire_every
        if now - self.heard >= patience:
            self._enquired = now
            self._write([bare(CommandId.ENQUIRE_LINK, 0, self._next_number())])

    def overdue(self, before: float) -> list[Submit]:
        """Return the submits that left before a moment and have no answer, and wait for it no longer."""
        late = []
        for number, submit in self.unanswered.items():
            if submit.left > before:
                break
            late.append(number)
        return [self.unanswered.pop(number) for number in late]

    def hold_reading(self, held: bool) -> None:
        """Leave to the provider what it sends, or read on."""
        self._held = held
        self._regulate()

    # what asyncio calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self.heard = self._clock()
        if self._traced.watchers:
            self._traced.event(self._where, f"connected to {self.address}")
        if self._leaving:
            self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        if not self._why:
            said = isinstance(exc, OSError) and exc.errno
            self._why = os.strerror(exc.errno) if said and isinstance(exc, OSError) and exc.errno else ""
        unanswered = list(self.unanswered.values())
        self.unanswered.clear()
        self.bound_at = None
        why = self._why or "the provider closed the connection"
        if not self.ended.done():
            self.ended.set_result(why)
        if self._traced.watchers:
            self._traced.event(self._where, f"connection ended: {why}")
        self._owner.lost(self, unanswered)

    def pause_writing(self) -> None:
        self._choked = True

    def resume_writing(self) -> None:
        self._choked = False
        self._regulate()
        self._owner.worked_off()

    def data_received(self, data: bytes) -> None:
        now = self.heard = self._clock()
        self._enquired = None
        broken = None
        try:
            frames = self._frames.feed(data)
        except FramingError as error:
            frames, broken = error.frames, error
        if self._traced.watchers:
            self._traced.pdus(self._where, frames, came=True, numbers=self._number_there)
            if broken is not None:
                self._traced.octets(self._where, broken.rest)
        unpack = HEADER.unpack_from
        unanswered = self.unanswered
        answered = self._owner.answered
        for frame in frames:
            _, command_id, status, number = unpack(frame)
            if command_id & RESPONSE:
                submit = unanswered.pop(number, None)
                if submit is not None:
                    answered(submit, status, frame, now)
                else:
                    self._own_answer(command_id, status, number, frame, now)
            else:
                self._requested(command_id, number, frame)
        if broken is not None:
            refusal = answer(broken)
            if refusal is not None:
                self._out.append(encode(refusal))
            self.flush()
            self.end("what the provider sends is no SMPP")
        self._owner.worked_off()
        self.flush()
        if self._choked:
            self._regulate()

    def _own_answer(self, command_id: int, status: int, number: int, frame: bytes, now: float) -> None:
        if self._binding is not None and number == self._binding[0]:
            _, answered = self._binding
            self._binding = None
            if command_id & ~RESPONSE in BINDS and status == CommandStatus.ESME_ROK:
                self.bound_at = now
                self._owner.bound(self, frame)  # before what may have come with it
            if not answered.done():
                answered.set_result(frame)
        elif self._unbinding is not None and number == self._unbinding:
            self.end("unbound")

    def _requested(self, command_id: int, number: int, frame: bytes) -> None:
        if command_id == CommandId.ENQUIRE_LINK:
            self._out.append(response(command_id, 0, number))
        elif command_id == CommandId.UNBIND:
            self._out.append(response(command_id, 0, number))
            self.flush()
            self._why = self._why or "the provider unbound"
            self._leaving = True
            if self._transport is not None:
                self._transport.close()
        elif (self.bound_at is None or not self._owner.delivered(self, frame, command_id, number)) and (
            command_id not in UNANSWERED
        ):
            # it keeps what it delivers for somebody who takes it (SMPP 3.4, 5.1.3)
            self._out.append(response(command_id, CommandStatus.ESME_RX_T_APPN, number))

    def _next_number(self) -> int:
        while True:
            self._number = self._number % MOST_NUMBER + 1
            if self._number not in self.unanswered:
                return self._number

    def _regulate(self) -> None:
        """Read on, or not while nobody takes it or while the provider reads none of its answers."""
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        if self._held or (self._choked and transport.get_write_buffer_size() > _MOST_UNREAD):
            transport.pause_reading()
        else:
            transport.resume_reading()

    def _write(self, frames: list[bytes]) -> None:
        if self._transport is not None and not self._transport.is_closing():
            if self._traced.watchers:
                self._traced.pdus(self._where, frames, came=False, numbers=self._number_there)
            self._transport.write(b"".join(frames))

    def _number_there(self, number: int) -> int | None:
        submit = self.unanswered.get(number)
        return None if submit is None else submit.number


async def connect(
    owner: Owner, address: Address, verify: Verify | None, window: int, enquire_every: float
) -> ProviderConnection:
    """Return a connection to a provider, not bound yet; raises GatewayError with the reason in words."""
    loop = asyncio.get_running_loop()
    try:
        made: ssl.SSLContext | None = None
        if address.tls:
            made = await asyncio.to_thread(tls.context, address, verify)
        async with asyncio.timeout(_CONNECT_SECONDS):
            _, connection = await loop.create_connection(
                lambda: ProviderConnection(owner, address, window, enquire_every),
                address.host,
                address.port,
                family=socket.AF_INET,  # as Kannel itself: gwlib/socket.c, tcpip_connect_to_server_with_port
                ssl=made,
                server_hostname=tls.wanted_name(address, verify) if made else None,
                local_addr=(address.source, 0) if address.source else None,
            )
    except HostError as error:
        raise GatewayError(error.message, error.hint) from error
    except (OSError, ValueError) as error:  # a host that can be none is a ValueError
        raise GatewayError(f"{address}: {tls.words(error, address, verify)}") from error
    return connection

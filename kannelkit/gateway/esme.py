"""A client of an SMSC beside Kannel: one connection with a bind of its own, over SMPP 3.4 or 5.0."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import ssl
from collections.abc import Callable
from dataclasses import replace
from types import TracebackType
from typing import Final, Literal, Self

from kannelkit.errors import GatewayError
from kannelkit.host.bind import Login
from kannelkit.host.reach import Address, connect
from kannelkit.smpp.constants import RESPONSE, CommandId, CommandStatus
from kannelkit.smpp.fields import FieldValue
from kannelkit.smpp.framing import Frames, FramingError
from kannelkit.smpp.pdu import Pdu, answer, decode, encode
from kannelkit.smpp.pduerror import PduError

Kind = Literal["transmitter", "receiver", "transceiver"]

_BINDS: Final = {
    "transmitter": CommandId.BIND_TRANSMITTER,
    "receiver": CommandId.BIND_RECEIVER,
    "transceiver": CommandId.BIND_TRANSCEIVER,
}
_DELIVERIES: Final = frozenset({int(CommandId.DELIVER_SM), int(CommandId.DATA_SM)})
_NO_ANSWER: Final = frozenset({int(CommandId.ALERT_NOTIFICATION), int(CommandId.OUTBIND)})
_MOST_NUMBER: Final = 0x7FFFFFFF  # 3.4: 3.2
_UNBIND_SECONDS: Final = 2.0
_READ: Final = 64 * 1024


def _not_now(pdu: Pdu) -> int:
    """Have the SMSC keep what it delivers, for somebody who takes it (3.4: 5.1.3)."""
    return CommandStatus.ESME_RX_T_APPN


class Esme:
    """`async with Esme(address, login) as esme:` is a connection to an SMSC; where there is a bind, an unbind ends it.

    Each request has its answer by sequence number, and `patience` seconds to get it. What the SMSC delivers is given
    to `received`, whose result is the command_status that it is answered with; without one the SMSC keeps it.
    After `enquire_after` seconds in which nothing came an enquire_link is sent, and the connection ended where it has
    no answer. At most `most_waiting` requests wait at once. Raises GatewayError, and nothing else, for what the
    network and the SMSC do.
    """

    def __init__(
        self,
        address: Address,
        login: Login,
        *,
        received: Callable[[Pdu], int] = _not_now,
        patience: float = 10.0,
        enquire_after: float = 30.0,
        most_waiting: int = 1000,
    ) -> None:
        self.bound: Pdu | None = None
        """The SMSC's answer to the bind that it took, None before there is one."""
        self._address = address
        self._login = login
        self._received = received
        self._patience = patience
        self._enquire_after = enquire_after
        self._most_waiting = most_waiting
        self._waiting: dict[int, tuple[int, asyncio.Future[Pdu]]] = {}  # by sequence number, with the command's id
        self._number = 0
        self._ended = asyncio.Event()
        self._why = ""
        self._heard = 0.0
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        try:
            async with asyncio.timeout(self._patience):
                self._reader, self._writer = await connect(self._address)
        except (OSError, ValueError) as error:  # a host that can be none is a ValueError
            raise GatewayError(f"{self._address}: {_words(error)}") from error
        self._heard = asyncio.get_running_loop().time()
        self._tasks = [asyncio.create_task(self._read()), asyncio.create_task(self._enquire())]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if self.bound is not None and not self._ended.is_set():
                with contextlib.suppress(GatewayError):  # however it takes leave, this is the end
                    await self.unbind()
        finally:
            self._end("the connection was ended")
            self._writer.transport.abort()
            for task in self._tasks:
                task.cancel()
            await asyncio.wait(self._tasks)
        for task in self._tasks:
            if not task.cancelled():
                task.result()  # what `received` raised is its maker's to see

    @property
    def ended(self) -> str:
        """Why there is no connection any more, "" while there is one."""
        return self._why

    async def wait_ended(self) -> str:
        """Wait until the connection ends, and return why."""
        await self._ended.wait()
        return self._why

    async def bind(self, kind: Kind) -> int:
        """Bind as one of the three, and return the SMSC's command_status: 0 where it took the bind."""
        fields: dict[str, FieldValue] = {
            "system_id": self._login.system_id,
            "password": self._login.password,
            "system_type": self._login.system_type,
            "interface_version": self._login.interface_version,
        }
        answered = await self.request(Pdu(_BINDS[kind], fields=fields))
        if answered.command_status == CommandStatus.ESME_ROK:
            self.bound = answered
        return answered.command_status

    async def unbind(self) -> None:
        """Take leave of the SMSC, and end the connection."""
        try:
            await self.request(Pdu(CommandId.UNBIND), min(self._patience, _UNBIND_SECONDS))
        finally:
            self._end("unbound")

    async def request(self, pdu: Pdu, seconds: float | None = None) -> Pdu:
        """Send a request under the next sequence number and return its answer, whatever command_status that has.

        `seconds` takes the place of `patience`. An answer may be a generic_nack. Raises GatewayError where none comes.
        """
        if self._ended.is_set():
            raise GatewayError(f"{self._address}: {self._why}")
        if len(self._waiting) >= self._most_waiting:
            raise GatewayError(f"{self._address}: {self._most_waiting} requests wait for an answer")
        number = self._next_number()
        octets = self._octets(replace(pdu, sequence_number=number))
        answered: asyncio.Future[Pdu] = asyncio.get_running_loop().create_future()
        self._waiting[number] = (pdu.command_id, answered)
        patience = self._patience if seconds is None else seconds
        try:
            async with asyncio.timeout(patience):
                self._writer.write(octets)
                await self._writer.drain()
                return await answered
        except TimeoutError as error:
            raise GatewayError(f"{self._address}: {pdu.name} has no answer within {patience:g} s") from error
        except OSError as error:
            raise GatewayError(f"{self._address}: {self._why or _words(error)}") from error
        finally:
            del self._waiting[number]
            if answered.done() and not answered.cancelled():
                answered.exception()  # seen, also where the wait for it ended in the same moment

    def _next_number(self) -> int:
        while True:
            self._number = self._number % _MOST_NUMBER + 1
            if self._number not in self._waiting:
                return self._number

    def _octets(self, pdu: Pdu) -> bytes:
        try:
            return encode(pdu)
        except PduError as error:
            raise GatewayError(f"{pdu.name} cannot be sent: {error.message}") from error

    # -- what comes ------------------------------------------------------------------------------------------------

    async def _read(self) -> None:
        frames = Frames()
        why = "the connection is closed by the SMSC"
        try:
            while octets := await self._reader.read(_READ):
                self._heard = asyncio.get_running_loop().time()
                for frame in frames.feed(octets):
                    self._take(frame)
                await self._writer.drain()  # who does not read its answers is not read either
        except FramingError as error:
            for frame in error.frames:
                self._take(frame)
            self._nack(error)
            why = f"what came is no SMPP: {error.message}"
        except OSError as error:
            why = _words(error)
        finally:
            self._end(why)

    def _take(self, frame: bytes) -> None:
        try:
            pdu = decode(frame)
        except PduError as error:
            _, waiting = self._waiting.get(error.sequence_number or 0, (0, None))
            if waiting is not None and (error.command_id or 0) & RESPONSE and not waiting.done():
                waiting.set_exception(GatewayError(f"{self._address}: the answer cannot be read: {error.message}"))
            self._nack(error)
            return
        if pdu.command_id & RESPONSE:
            self._answered(pdu)
        else:
            self._requested(pdu)

    def _answered(self, pdu: Pdu) -> None:
        command_id, waiting = self._waiting.get(pdu.sequence_number, (0, None))
        if waiting is None or waiting.done():
            return  # too late, or never asked for
        if pdu.command_id in (command_id | RESPONSE, CommandId.GENERIC_NACK):
            waiting.set_result(pdu)
        else:
            waiting.set_exception(GatewayError(f"{self._address}: answered with {pdu.name}"))

    def _requested(self, pdu: Pdu) -> None:
        if self._ended.is_set():
            return
        if pdu.command_id in _DELIVERIES:
            status = self._received(pdu)
            self._reply(Pdu(pdu.command_id | RESPONSE, status, pdu.sequence_number, {"message_id": b""}))
        elif pdu.command_id == CommandId.ENQUIRE_LINK:
            self._reply(Pdu(CommandId.ENQUIRE_LINK_RESP, sequence_number=pdu.sequence_number))
        elif pdu.command_id == CommandId.UNBIND:
            self._reply(Pdu(CommandId.UNBIND_RESP, sequence_number=pdu.sequence_number))
            self._end("the SMSC unbound")
        elif pdu.command_id not in _NO_ANSWER:
            self._reply(Pdu(CommandId.GENERIC_NACK, CommandStatus.ESME_RINVCMDID, pdu.sequence_number))

    def _nack(self, error: PduError) -> None:
        refusal = answer(error)
        if refusal is not None:
            self._reply(refusal)

    def _reply(self, pdu: Pdu) -> None:
        if not self._writer.is_closing():
            self._writer.write(encode(pdu))

    async def _enquire(self) -> None:
        clock = asyncio.get_running_loop().time
        while not self._ended.is_set():
            idle = clock() - self._heard
            if self.bound is None or idle < self._enquire_after:
                await asyncio.sleep(self._enquire_after if self.bound is None else self._enquire_after - idle)
                continue
            try:
                await self.request(Pdu(CommandId.ENQUIRE_LINK))
            except GatewayError as error:
                self._end(f"no sign of life: {error.message}")

    def _end(self, why: str) -> None:
        if self._ended.is_set():
            return
        self._why = why
        self._ended.set()
        for _, waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_exception(GatewayError(f"{self._address}: {why}"))
        self._writer.close()  # what is written still leaves


def _words(error: OSError | ValueError) -> str:
    if isinstance(error, TimeoutError):
        return "no connection in time"
    if isinstance(error, socket.gaierror) or not isinstance(error, OSError):
        return "the name is not known"
    if isinstance(error, ssl.SSLError):
        return f"no TLS: {error.reason or 'not understood'}"
    return os.strerror(error.errno) if error.errno else "no connection"

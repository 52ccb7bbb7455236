"""A client of the relay that behaves as bearerbox and is quicker: a window of submits is unanswered all the time."""

from __future__ import annotations

import asyncio
import struct
from collections import Counter
from collections.abc import Callable
from functools import partial

from kannelkit.smpp.constants import RESPONSE, CommandId
from kannelkit.smpp.pdu import FieldValue, Pdu, encode

_HEADER = struct.Struct(">IIII")
_NUMBER = struct.Struct(">I")
_ANSWER = CommandId.SUBMIT_SM | RESPONSE
_NUMBER_AT = 12
_MOST_NUMBER = 0x7FFFFFFF
_BIND_SECONDS = 30.0
_DIGITS = 9
_PLACE = b"#" * _DIGITS


class Client(asyncio.Protocol):
    """One bind; `connected` makes it. Messages differ from each other, and from those of another `series`.

    Nothing is sent again: what is refused is counted by its command_status in `refused`.
    """

    def __init__(self, window: int, series: int) -> None:
        self.accepted = self.unanswered = self.sent = 0
        self.refused: Counter[int] = Counter()
        self.ended = ""
        """Why there is no connection any more."""
        self._window = window
        self._sending = False
        self._rest = b""
        self._transport: asyncio.Transport
        self._bound: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._settled = asyncio.Event()
        fields: dict[str, FieldValue] = {
            "source_addr": b"bench",
            "dest_addr_ton": 1,
            "dest_addr_npi": 1,
            "destination_addr": b"7%02d%s" % (series % 100, _PLACE),
            "esm_class": 3,
            "short_message": b"Your code is 123456. " + b"x" * 40,
        }
        made = encode(Pdu(CommandId.SUBMIT_SM, sequence_number=1, fields=fields))
        before, self._after = made.split(_PLACE)
        self._head, self._before = before[:_NUMBER_AT], before[_NUMBER_AT + 4 :]

    async def bind(self, system_id: bytes, password: bytes) -> None:
        """Bind as a transceiver and begin to send; raise RuntimeError where that is refused."""
        fields: dict[str, FieldValue] = {"system_id": system_id, "password": password, "interface_version": 0x34}
        self._transport.write(encode(Pdu(CommandId.BIND_TRANSCEIVER, sequence_number=1, fields=fields)))
        async with asyncio.timeout(_BIND_SECONDS):
            status = await self._bound
        if status:
            raise RuntimeError(f"the bind is refused with {status:#x}")
        self._sending = True
        self._fill()

    async def stop(self, seconds: float) -> None:
        """Send no more, and wait for what is unanswered, but no longer than that."""
        self._sending = False
        try:
            async with asyncio.timeout(seconds):
                while self.unanswered and not self.ended:
                    self._settled.clear()
                    await self._settled.wait()
        except TimeoutError:
            pass  # it stays counted as unanswered

    def close(self) -> None:
        """End the connection."""
        self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def connection_lost(self, error: Exception | None) -> None:
        self.ended = f"the connection ended: {error}" if error else "the connection ended"
        if not self._bound.done():
            self._bound.set_exception(RuntimeError(self.ended))
        self._settled.set()

    def data_received(self, data: bytes) -> None:
        octets = self._rest + data if self._rest else data
        at, end = 0, len(octets)
        while end - at >= _HEADER.size:
            length, command, status, number = _HEADER.unpack_from(octets, at)
            if end - at < length:
                break
            at += length
            if command == _ANSWER:
                self.unanswered -= 1
                if status:
                    self.refused[status] += 1
                else:
                    self.accepted += 1
            elif command == CommandId.BIND_TRANSCEIVER | RESPONSE:
                self._bound.set_result(status)
            elif command == CommandId.ENQUIRE_LINK:
                self._transport.write(_HEADER.pack(16, command | RESPONSE, 0, number))
        self._rest = octets[at:]
        if self._sending:
            self._fill()
        elif not self.unanswered:
            self._settled.set()

    def _fill(self) -> None:
        count = self._window - self.unanswered
        if count <= 0:
            return
        head, before, after = self._head, self._before, self._after
        numbers = range(self.sent + 1, self.sent + count + 1)
        self._transport.write(
            b"".join(
                b"%s%s%s%0*d%s" % (head, _NUMBER.pack(each & _MOST_NUMBER), before, _DIGITS, each, after)
                for each in numbers
            )
        )
        self.sent += count
        self.unanswered += count


async def connected(port: int, window: int, series: int) -> Client:
    """Return a client with a connection to a port of this machine."""
    make: Callable[[], Client] = partial(Client, window, series)
    _, client = await asyncio.get_running_loop().create_connection(make, "127.0.0.1", port)
    return client

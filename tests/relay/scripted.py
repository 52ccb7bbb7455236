"""A provider that answers as a test writes it, and keeps every frame that comes."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from types import TracebackType
from typing import Self

from kannelkit.relay.octets import HEADER
from kannelkit.smpp.constants import RESPONSE, CommandId, CommandStatus
from kannelkit.smpp.fields import PLANS
from kannelkit.smpp.pdu import FieldValue, Pdu, Tlv, encode
from tests.simulator.esme import PATIENCE

BINDS = (CommandId.BIND_TRANSMITTER, CommandId.BIND_RECEIVER, CommandId.BIND_TRANSCEIVER)
Answer = Callable[[int, int], bytes]


def usual(command_id: int, number: int) -> bytes:
    """Return the response to a request that did what was asked; generic_nack to what is not known."""
    plan = PLANS.get(command_id | RESPONSE)
    if plan is None:
        return encode(Pdu(CommandId.GENERIC_NACK, CommandStatus.ESME_RINVCMDID, number))
    fields: dict[str, FieldValue] = {"message_id": b"1"} if "message_id" in plan.names else {}
    return encode(Pdu(command_id | RESPONSE, 0, number, fields))


class Scripted:
    """`async with Scripted() as provider:` takes every bind, with this answer's status, fields and TLVs."""

    def __init__(
        self,
        answer: Answer = usual,
        *,
        status: int = 0,
        fields: dict[str, FieldValue] | None = None,
        tlvs: list[Tlv] | None = None,
    ) -> None:
        self.port = 0
        self.binds: list[bytes] = []
        self.frames: list[bytes] = []
        """What came after a bind, but for signs of life."""
        self._answer = answer
        self._status = status
        self._fields: dict[str, FieldValue] = fields or {"system_id": b"provider"}
        self._tlvs = tlvs or []
        self._writers: list[asyncio.StreamWriter] = []
        self._came = asyncio.Condition()

    def send(self, frame: bytes) -> None:
        """Send octets over the newest connection."""
        self._writers[-1].write(frame)

    async def come(self, count: int) -> list[bytes]:
        """Return the first frames when so many have come."""
        async with asyncio.timeout(PATIENCE), self._came:
            await self._came.wait_for(lambda: len(self.frames) >= count)
        return self.frames[:count]

    async def _served(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.append(writer)
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            while True:
                length = await reader.readexactly(4)
                frame = length + await reader.readexactly(int.from_bytes(length, "big") - 4)
                _, command_id, _, number = HEADER.unpack_from(frame)
                if command_id in BINDS:
                    self.binds.append(frame)
                    fields = {} if self._status else self._fields
                    answer = Pdu(command_id | RESPONSE, self._status, number, dict(fields), self._tlvs)
                    writer.write(encode(answer))
                    continue
                if command_id not in (CommandId.ENQUIRE_LINK, CommandId.UNBIND):
                    async with self._came:
                        self.frames.append(frame)
                        self._came.notify_all()
                if not command_id & RESPONSE:
                    writer.write(self._answer(command_id, number))

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._served, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        for writer in self._writers:
            writer.transport.abort()

"""Whether an SMSC takes a bind, tried without sending anything: a bind, its answer, an unbind."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass

from kannelkit.host.reach import Address, connect
from kannelkit.smpp.constants import CommandId
from kannelkit.smpp.framing import Frames
from kannelkit.smpp.pdu import Pdu, decode, encode
from kannelkit.smpp.pduerror import PduError

_UNBIND_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Login:
    """What Kannel binds with; `interface_version` as SMPP writes it, 0x34 for 3.4."""

    system_id: bytes
    password: bytes
    system_type: bytes
    interface_version: int
    transceiver: bool

    def __repr__(self) -> str:
        return f"Login({self.system_id!r}, ***)"


async def try_bind(address: Address, login: Login, seconds: float = 5.0) -> int | None:
    """Return the command_status that a bind is answered with, None where no answer came within so many seconds."""
    writer: asyncio.StreamWriter | None = None
    try:
        async with asyncio.timeout(seconds):
            reader, writer = await connect(address)
            bind = CommandId.BIND_TRANSCEIVER if login.transceiver else CommandId.BIND_TRANSMITTER
            writer.write(
                encode(
                    Pdu(
                        bind,
                        sequence_number=1,
                        fields={
                            "system_id": login.system_id,
                            "password": login.password,
                            "system_type": login.system_type,
                            "interface_version": login.interface_version,
                        },
                    )
                )
            )
            status = await _answer(reader)
        if status == 0:
            writer.write(encode(Pdu(CommandId.UNBIND, sequence_number=2)))
            with contextlib.suppress(OSError, PduError):  # however it takes leave, it took the bind
                async with asyncio.timeout(_UNBIND_SECONDS):
                    await _answer(reader)
    except (OSError, ValueError, PduError):  # TimeoutError is one, too
        return None
    finally:
        if writer is not None:
            writer.transport.abort()
    return status


async def _answer(reader: asyncio.StreamReader) -> int | None:
    """Return the status of the next response that comes, None where the connection ends."""
    frames = Frames()
    while octets := await reader.read(4096):
        for frame in frames.feed(octets):
            pdu = decode(frame)
            if pdu.command_id & 0x80000000:
                return pdu.command_status
    return None

"""Whether an SMSC takes a bind, tried without sending anything: a bind, its answer, an unbind."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from dataclasses import dataclass
from typing import Final

from kannelkit.host.reach import Address, connect
from kannelkit.smpp.constants import RESPONSE, CommandId, Tag
from kannelkit.smpp.framing import Frames, FramingError, header
from kannelkit.smpp.pdu import Pdu, decode, encode
from kannelkit.smpp.pduerror import PduError

_UNBIND_SECONDS = 1.0
_LONGEST_EXCERPT = 40
# the first octets of an alert of TLS (RFC 8446, 5.1: content type 21, legacy version 3.x)
_TLS_ALERT: Final = b"\x15\x03"


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


@dataclass(frozen=True, slots=True)
class Answer:
    """What a bind is answered with: its `status`, and None with `why` in words where no answer came.

    `system_id` is the SMSC's own, printable; `interface_version` what it says in sc_interface_version, None where it
    says nothing. `tls` is whether it answered as somebody who waits for TLS.
    """

    status: int | None
    why: str = ""
    system_id: str = ""
    interface_version: int | None = None
    tls: bool = False


async def try_bind(address: Address, login: Login, seconds: float = 5.0) -> int | None:
    """Return the command_status that a bind is answered with, None where no answer came within so many seconds."""
    command = CommandId.BIND_TRANSCEIVER if login.transceiver else CommandId.BIND_TRANSMITTER
    return (await bind(address, login, command, seconds)).status


async def bind(address: Address, login: Login, command: CommandId, seconds: float = 5.0) -> Answer:
    """Bind with one of the three commands, and unbind; return the answer. What is no SMPP is told, not raised."""
    writer: asyncio.StreamWriter | None = None
    try:
        async with asyncio.timeout(seconds):
            reader, writer = await connect(address)
            writer.write(
                encode(
                    Pdu(
                        command,
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
            answer = await _answer(reader, command | RESPONSE, login)
        if answer.status == 0:
            writer.write(encode(Pdu(CommandId.UNBIND, sequence_number=2)))
            with contextlib.suppress(OSError):  # however it takes leave, it took the bind
                async with asyncio.timeout(_UNBIND_SECONDS):
                    await _answer(reader, CommandId.UNBIND | RESPONSE, login)
    except TimeoutError:
        return Answer(None, f"no answer within {seconds:g} s")
    except ssl.SSLError as error:
        return Answer(None, f"TLS failed: {(error.reason or 'not understood').replace('_', ' ').lower()}")
    except PduError as error:  # a login that no bind can hold
        return Answer(None, f"a bind cannot be written: {error.message}")
    except (OSError, ValueError):
        return Answer(None, "the connection was closed without an answer" if writer else "no connection")
    finally:
        if writer is not None:
            writer.transport.abort()
    return answer


async def _answer(reader: asyncio.StreamReader, command: int, login: Login) -> Answer:
    """Return the next response of this command; requests of the SMSC's own are left unanswered."""
    frames = Frames()
    first = b""
    while octets := await reader.read(4096):
        first = first or octets
        try:
            found = frames.feed(octets)
        except FramingError as error:
            found = error.frames
            if not any(header(frame)[1] in (command, CommandId.GENERIC_NACK) for frame in found):
                return _no_smpp(first, login)
        for frame in found:
            _, command_id, status, _ = header(frame)
            if command_id == command:
                return _described(frame, status, login)
            if command_id == CommandId.GENERIC_NACK:
                return Answer(status) if status else Answer(None, "the answer is a generic_nack without a status")
    if first:
        return _no_smpp(first, login)
    return Answer(None, "the connection was closed without an answer")


def _described(frame: bytes, status: int, login: Login) -> Answer:
    try:
        pdu = decode(frame)
    except PduError:  # its header says what counts; Kannel goes by that, too
        return Answer(status)
    version = pdu.tlv(Tag.SC_INTERFACE_VERSION)
    system_id = pdu.fields.get("system_id", b"")
    return Answer(
        status,
        system_id=_printable(system_id, login) if isinstance(system_id, bytes) else "",
        interface_version=version[0] if version is not None and len(version) == 1 else None,
    )


def _no_smpp(first: bytes, login: Login) -> Answer:
    if first.startswith(_TLS_ALERT):
        return Answer(None, "the answer is an alert of TLS", tls=True)
    excerpt = _printable(first, login)
    return Answer(None, "the answer is no SMPP" + (f": {excerpt!r}" if excerpt else ""))


def _printable(octets: bytes, login: Login) -> str:
    """Return the octets as far as they are printable ASCII; nothing where they may give the password back."""
    if login.password and login.password in octets:
        return ""
    text = octets.decode("latin-1")
    end = next((number for number, each in enumerate(text) if not " " <= each <= "~"), len(text))
    return text[: min(end, _LONGEST_EXCERPT)]

"""A client for the tests, as bare as can be: PDUs over a socket, and nothing done unasked."""

from __future__ import annotations

import asyncio
import ssl
from types import TracebackType
from typing import Self

from kannelkit.smpp.constants import CommandId
from kannelkit.smpp.pdu import FieldValue, Pdu, Tlv, decode, encode

Fields = dict[str, FieldValue]

PATIENCE = 60.0  # seconds to wait for what must come


class Esme:
    """`async with Esme(port) as esme:` is a TCP connection to an SMSC on this machine."""

    def __init__(self, port: int, tls: ssl.SSLContext | None = None) -> None:
        self._port = port
        self._tls = tls
        self._sequence_number = 0

    async def __aenter__(self) -> Self:
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self._port, ssl=self._tls)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.writer.transport.abort()

    async def receive(self) -> Pdu:
        """Return the next PDU; raises IncompleteReadError when the connection ends."""
        async with asyncio.timeout(PATIENCE):
            length = await self.reader.readexactly(4)
            return decode(length + await self.reader.readexactly(int.from_bytes(length, "big") - 4))

    async def ended(self) -> bytes:
        """Wait until the SMSC closes the connection; return what still came."""
        async with asyncio.timeout(PATIENCE):
            try:
                return await self.reader.read()
            except ConnectionResetError:
                return b""

    def send(self, command_id: int, fields: Fields | None = None, *, sequence_number: int = 0, status: int = 0) -> int:
        """Send a PDU with the next sequence number, or the one given, and return that number."""
        self._sequence_number += 1
        number = sequence_number or self._sequence_number
        self.writer.write(encode(Pdu(command_id, status, number, fields or {})))
        return number

    async def ask(self, command_id: int, fields: Fields | None = None) -> Pdu:
        """Send a request and return the PDU that comes next."""
        self.send(command_id, fields)
        return await self.receive()

    async def bind(
        self,
        login: bytes = b"test",
        password: bytes = b"test",
        system_type: bytes = b"",
        command_id: int = CommandId.BIND_TRANSCEIVER,
    ) -> Pdu:
        """Bind and return the answer."""
        fields: Fields = {"system_id": login, "password": password, "system_type": system_type}
        return await self.ask(command_id, {**fields, "interface_version": 0x34})

    def submit(self, text: bytes = b"hello", *, receipt: bool = False) -> int:
        """Send a submit_sm and return its sequence number."""
        return self.send(CommandId.SUBMIT_SM, message(text, receipt=receipt))

    async def submit_and_wait(self, text: bytes = b"hello", *, receipt: bool = False) -> Pdu:
        """Send a submit_sm and return the PDU that comes next."""
        self.submit(text, receipt=receipt)
        return await self.receive()


def message(text: bytes, *, receipt: bool = False, to: bytes = b"79991234567") -> Fields:
    """Return the fields of a submit_sm."""
    return {
        "source_addr_ton": 5,
        "source_addr": b"shop",
        "dest_addr_ton": 1,
        "dest_addr_npi": 1,
        "destination_addr": to,
        "registered_delivery": int(receipt),
        "short_message": text,
    }


def with_tlvs(sequence_number: int, tlvs: list[Tlv], text: bytes = b"") -> bytes:
    """Return a submit_sm with these TLVs, as octets."""
    return encode(Pdu(CommandId.SUBMIT_SM, sequence_number=sequence_number, fields=message(text), tlvs=tlvs))

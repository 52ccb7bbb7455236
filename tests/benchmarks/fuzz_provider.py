"""A provider that answers as none should: too much, too little, twice, late, cut off, or something else altogether."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Callable

from kannelkit.smpp.constants import RESPONSE, CommandId
from kannelkit.smpp.fields import PLANS
from kannelkit.smpp.pdu import FieldValue, Pdu, encode
from tests.benchmarks import fuzz_octets

_LASTS = 20.0  # seconds that a connection lives at the most
_STATUSES = (0, 0, 0, 0, 0x08, 0x14, 0x45, 0x58, 0x64, 0x451, 2**32 - 1)
_BINDS = frozenset({int(CommandId.BIND_TRANSMITTER), int(CommandId.BIND_RECEIVER), int(CommandId.BIND_TRANSCEIVER)})


class HostileProvider:
    """Listens on 127.0.0.1; `made` counts what it did. `async with HostileProvider(seed, made) as provider:`."""

    def __init__(self, seed: str, made: dict[str, int]) -> None:
        self._chance = random.Random(seed)
        self._made = made
        self.port = 0

    async def __aenter__(self) -> HostileProvider:
        self._server = await asyncio.start_server(self._served, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()

    async def _served(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        chance = random.Random(self._chance.random())
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, TimeoutError):
            async with asyncio.timeout(_LASTS * chance.random()):
                await self._lives(reader, writer, chance)
        writer.transport.abort() if chance.random() < 0.5 else writer.close()

    async def _lives(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, chance: random.Random) -> None:
        manner = chance.choice((_proper, _proper, _mutated, _twice, _unasked, _refusing, _silent, _anything))
        self._count(manner.__name__.strip("_"))
        if chance.random() < 0.1:
            self._count("before_the_bind")
            writer.write(fuzz_octets.hostile(chance))
        bound = False
        while True:
            length = await reader.readexactly(4)
            frame = length + await reader.readexactly(int.from_bytes(length, "big") - 4)
            command_id, number = (int.from_bytes(frame[place : place + 4], "big") for place in (4, 12))
            if command_id & RESPONSE:
                continue
            if not bound and command_id in _BINDS and chance.random() < 0.8:
                bound = True  # mostly, so that the rest is tried
                writer.write(_proper(command_id, number, chance))
            else:
                writer.write(manner(command_id, number, chance))
            await self._besides(writer, chance)
            if chance.random() < 0.1:
                await asyncio.sleep(chance.random() * 0.2)
            await writer.drain()

    async def _besides(self, writer: asyncio.StreamWriter, chance: random.Random) -> None:
        what = chance.random()
        if what < 0.005:
            self._count("flood_of_deliveries")
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(3):
                    for _ in range(chance.choice((10, 500, 5000))):
                        writer.write(fuzz_octets.delivery(chance))
                        await writer.drain()
        elif what < 0.05:
            octets = fuzz_octets.delivery(chance)
            writer.write(fuzz_octets.mutated(octets, chance) if chance.random() < 0.3 else octets)
        elif what < 0.055:
            self._count("ends_in_the_middle")
            writer.write(fuzz_octets.delivery(chance)[: chance.randrange(1, 30)])
            writer.close()
        elif what < 0.06:
            self._count("octet_by_octet")
            for octet in fuzz_octets.delivery(chance):
                writer.write(bytes((octet,)))
                await asyncio.sleep(0.002)

    def _count(self, what: str) -> None:
        self._made[f"provider: {what}"] = self._made.get(f"provider: {what}", 0) + 1


Manner = Callable[[int, int, random.Random], bytes]


def _answer(command_id: int, number: int, status: int, chance: random.Random) -> bytes:
    """Return a response, with what belongs into it unless it is a refusal."""
    fields: dict[str, FieldValue] = {}
    if status == 0 and command_id in _BINDS:
        fields["system_id"] = b"provider"
    elif status == 0 and command_id in (CommandId.SUBMIT_SM, CommandId.DATA_SM):
        fields["message_id"] = b"%d" % chance.randrange(10**9)
    if command_id | RESPONSE not in PLANS:
        return encode(Pdu(CommandId.GENERIC_NACK, 3, number))
    return encode(Pdu(command_id | RESPONSE, status, number, fields))


def _proper(command_id: int, number: int, chance: random.Random) -> bytes:
    return _answer(command_id, number, 0, chance)


def _mutated(command_id: int, number: int, chance: random.Random) -> bytes:
    octets = _answer(command_id, number, 0, chance)
    return fuzz_octets.mutated(octets, chance) if chance.random() < 0.2 else octets


def _twice(command_id: int, number: int, chance: random.Random) -> bytes:
    return _answer(command_id, number, 0, chance) * chance.choice((1, 2, 3))


def _unasked(command_id: int, number: int, chance: random.Random) -> bytes:
    wrong = chance.choice((number, number + 1, 0, 2**32 - 1, chance.randrange(2**32)))
    return _answer(command_id, wrong % 2**32, 0, chance)


def _refusing(command_id: int, number: int, chance: random.Random) -> bytes:
    return _answer(command_id, number, chance.choice(_STATUSES), chance)


def _silent(command_id: int, number: int, chance: random.Random) -> bytes:
    return b"" if chance.random() < 0.5 else _answer(command_id, number, 0, chance)


def _anything(command_id: int, number: int, chance: random.Random) -> bytes:
    return fuzz_octets.hostile(chance) if chance.random() < 0.2 else _answer(command_id, number, 0, chance)

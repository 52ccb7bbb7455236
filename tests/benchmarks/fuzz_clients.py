"""What hostile clients do to whatever listens for SMPP."""

from __future__ import annotations

import asyncio
import contextlib
import random
import ssl
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from tests.benchmarks import fuzz_octets
from tests.benchmarks.fuzz_good import listens

RARELY = 0.003  # how often an attack is a flood


@dataclass(frozen=True)
class Target:
    """Where something listens (0: nowhere), and a login that it takes, its password the same."""

    plain: int
    tls: int = 0
    control: int = 0
    login: bytes = b"hostile"


Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Attack = Callable[[Target, random.Random], Awaitable[None]]


async def connected(port: int, tls: bool = False) -> Streams:
    context = None
    if tls:
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return await asyncio.open_connection("127.0.0.1", port, ssl=context)


async def pdus(target: Target, chance: random.Random) -> None:
    """Send hostile PDUs, mostly after a bind, and listen; or leave at once, or in the middle of one."""
    tls = bool(target.tls) and chance.random() < 0.2
    reader, writer = await connected(target.tls if tls else target.plain, tls)
    if chance.random() < 0.8:
        writer.write(fuzz_octets.bind(target.login, chance))
    for _ in range(chance.randrange(1, 200)):
        if writer.is_closing():
            break
        writer.write(fuzz_octets.hostile(chance))
        if chance.random() < 0.1:
            await writer.drain()
    if chance.random() < 0.3:
        writer.write(fuzz_octets.submit(chance)[: chance.randrange(1, 40)])
    if chance.random() < 0.7:
        await listens(reader, chance.random())
    writer.transport.abort() if chance.random() < 0.5 else writer.close()


async def no_reader(target: Target, chance: random.Random) -> None:
    """Send submits and read nothing, so that answers and receipts pile up."""
    _, writer = await connected(target.plain)
    writer.write(fuzz_octets.bind(target.login, chance))
    octets = b"".join(fuzz_octets.submit(chance) for _ in range(100))
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(3):
            for _ in range(100):
                writer.write(octets)
                await writer.drain()
                if writer.is_closing():
                    break
    await asyncio.sleep(1)
    writer.transport.abort()


async def drip(target: Target, chance: random.Random) -> None:
    """Send one octet after another."""
    reader, writer = await connected(target.plain)
    for octet in fuzz_octets.bind(target.login, chance) + fuzz_octets.hostile(chance)[:200]:
        if writer.is_closing():
            break
        writer.write(bytes((octet,)))
        await asyncio.sleep(0.005)
    await listens(reader, 0.2)
    writer.close()


async def flood(target: Target, chance: random.Random) -> None:
    """Take as many connections as there are, and more."""
    opened = await asyncio.gather(*(connected(target.plain) for _ in range(220)), return_exceptions=True)
    await asyncio.sleep(chance.random())
    for each in opened:
        if not isinstance(each, BaseException):
            each[1].transport.abort()


async def attack(target: Target, attacks: Sequence[Attack], seed: str, until: float, made: dict[str, int]) -> None:
    """Attack in one way after another until then; a flood now and then. `made` counts."""
    chance = random.Random(seed)
    while time.monotonic() < until:
        each = flood if chance.random() < RARELY else chance.choice(attacks)
        made[each.__name__] = made.get(each.__name__, 0) + 1
        with contextlib.suppress(OSError, ssl.SSLError):  # being cut off is what they are there for
            await each(target, chance)

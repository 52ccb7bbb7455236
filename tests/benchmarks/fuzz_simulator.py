"""Hostile clients at the simulator's ports, beside sessions that must not notice: `python -m tests.benchmarks fuzz`.

    .venv/bin/python -m tests.benchmarks fuzz [--seconds 600] [--seed N]

Hostile PDUs, cut, huge, random and mutated ones, clients that do not read or write one octet at a time, garbage for
TLS and for the control port, and floods of connections. Meanwhile two good sessions, one of them over TLS, send
messages and get an answer and a receipt for each. The simulator is a process of its own with small bounds, so that what
it may hold is held soon. It fails where the simulator ends or complains, where a good session misses anything, and
where memory or the number of objects grows from the second third to the last one. What a good session waits for is
counted without the time in which the machine gave this program or the simulator no processor.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import logging
import os
import random
import ssl
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from kannelkit.certs.dummy import dummy_certificate
from kannelkit.errors import GatewayError
from kannelkit.gateway.esme import Esme
from kannelkit.host.bind import Login
from kannelkit.host.reach import Address
from kannelkit.smpp.constants import CommandId
from kannelkit.smpp.pdu import FieldValue, Pdu
from tests.benchmarks import fuzz_octets

HOSTILE_AT_ONCE = 12
GOOD_PAUSE = 0.02  # seconds between two messages of a good session
LONGEST_WAIT = 10.0  # seconds for an answer or receipt, those without a processor left out
PATIENCE = 60.0  # the same, whatever the machine does besides
MORE_MEMORY, MORE_OBJECTS = 1.10, 1.05  # times what was there in the second third

SERVER = """
import asyncio, gc, json, sys
from pathlib import Path
import psutil
from kannelkit.simulator import AccountRules, Behaviour, Bounds, Simulator

async def main(certificate):
    rules = [AccountRules(name, name, limit=None) for name in ("plain", "tls", "hostile")]
    bounds = Bounds(
        connections=200, waiting=1000, receipts=1000, digests=10000, messages=400, unfinished=100,
        unfinished_octets=1_000_000, long_octets=2_000_000,
    )
    behaviour = Behaviour(receipt_delay=0.05, bind_within=5, idle=20)
    async with Simulator(
        rules, behaviour, tls_port=0, certificate=Path(certificate), control_port=0, seed=1, bounds=bounds
    ) as smsc:
        print(json.dumps([smsc.port, smsc.tls_port, smsc.control_port]), flush=True)
        process = psutil.Process()
        while True:
            await asyncio.sleep(2)
            gc.collect()
            told = {"rss": process.memory_info().rss, "objects": len(gc.get_objects()),
                    "tasks": len(asyncio.all_tasks()), "files": process.num_fds()}
            print(json.dumps(told), flush=True)

asyncio.run(main(sys.argv[1]))
"""


@dataclass
class Ports:
    """Where the simulator listens."""

    plain: int
    tls: int
    control: int


@dataclass(frozen=True)
class Moment:
    """When something was asked for, and how long each of these processes had waited for a processor by then."""

    seconds: float
    denied: tuple[tuple[int, float], ...]

    @classmethod
    def of(cls, pids: tuple[int, ...]) -> Moment:
        return cls(time.monotonic(), tuple((pid, denied(pid)) for pid in pids))

    def waited(self) -> float:
        """Return the seconds since, without those in which the process that fared worse had no processor."""
        return time.monotonic() - self.seconds - max(denied(pid) - before for pid, before in self.denied)


def denied(pid: int) -> float:
    """Return the seconds that a process has waited for a processor (Linux, Documentation/scheduler/sched-stats)."""
    try:
        return int(Path(f"/proc/{pid}/schedstat").read_text().split()[1]) / 1e9
    except OSError:  # the process ended, or the kernel does not count it
        return 0.0


@dataclass
class Good:
    """A session that behaves, and what it was given; `troubles` is to stay empty."""

    name: str
    pids: tuple[int, ...]  # of the simulator and of this program
    sent: int = 0
    receipts: int = 0
    waits: list[float] = field(default_factory=list)
    troubles: list[str] = field(default_factory=list)
    waiting: dict[bytes, Moment] = field(default_factory=dict)  # message id -> when it was sent
    early: set[bytes] = field(default_factory=set)  # of receipts that were read in one go with the answer before them

    def received(self, pdu: Pdu) -> int:
        """Take a receipt."""
        for tlv in pdu.tlvs:
            if tlv.tag == 0x001E:
                self.receipts += 1
                message_id = tlv.value.rstrip(b"\0")
                if self.waiting.pop(message_id, None) is None:
                    self.early.add(message_id)
        return 0

    async def run(self, address: Address, until: float) -> None:
        """Send until then, and wait for the last receipt."""
        name = self.name.encode()
        login = Login(name, name, b"", 0x34, True)
        try:
            async with Esme(address, login, received=self.received, patience=PATIENCE) as esme:
                if await esme.bind("transceiver"):
                    raise GatewayError("the bind is refused")
                while time.monotonic() < until:
                    await self._send(esme)
                    await asyncio.sleep(GOOD_PAUSE)
                async with asyncio.timeout(PATIENCE):
                    while self.waiting:
                        await asyncio.sleep(0.05)
        except GatewayError as error:
            self.troubles.append(str(error))
        except TimeoutError:
            self.troubles.append(f"{len(self.waiting)} receipts never came")
        if self.early:
            self.troubles.append(f"{len(self.early)} receipts came twice, or for messages of others")

    async def _send(self, esme: Esme) -> None:
        began = Moment.of(self.pids)
        self.sent += 1
        fields: dict[str, FieldValue] = {
            "source_addr": b"shop",
            "destination_addr": b"79%09d" % self.sent,
            "registered_delivery": 1,
            "short_message": b"%d" % self.sent,
        }
        answer = await esme.request(Pdu(CommandId.SUBMIT_SM, fields=fields))
        self.waits.append(time.monotonic() - began.seconds)
        if began.waited() > LONGEST_WAIT:
            self.troubles.append(f"a submit was answered after {self.waits[-1]:.1f} s")
        if answer.command_status:
            self.troubles.append(f"a submit was answered with 0x{answer.command_status:02x}")
        elif answer.octets("message_id") in self.early:
            self.early.remove(answer.octets("message_id"))
        else:
            self.waiting[answer.octets("message_id")] = began
        late = [began for began in self.waiting.values() if began.waited() > LONGEST_WAIT]
        if late:
            self.troubles.append(f"{len(late)} receipts did not come within {LONGEST_WAIT:g} s")
            self.waiting.clear()


# -- what hostile clients do ---------------------------------------------------------------------------------------

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Attack = Callable[[Ports, random.Random], Awaitable[None]]


async def connected(port: int, tls: bool = False) -> Streams:
    context = None
    if tls:
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return await asyncio.open_connection("127.0.0.1", port, ssl=context)


async def listens(reader: asyncio.StreamReader, seconds: float) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            while await reader.read(65536):
                pass


async def pdus(ports: Ports, chance: random.Random) -> None:
    """Send hostile PDUs, mostly after a bind, and listen; or leave at once, or in the middle of one."""
    tls = chance.random() < 0.2
    reader, writer = await connected(ports.tls if tls else ports.plain, tls)
    if chance.random() < 0.8:
        writer.write(fuzz_octets.bind(b"hostile", chance))
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


async def no_reader(ports: Ports, chance: random.Random) -> None:
    """Send submits and read nothing, so that answers and receipts pile up."""
    _, writer = await connected(ports.plain)
    writer.write(fuzz_octets.bind(b"hostile", chance))
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


async def drip(ports: Ports, chance: random.Random) -> None:
    """Send one octet after another."""
    reader, writer = await connected(ports.plain)
    for octet in fuzz_octets.bind(b"hostile", chance) + fuzz_octets.hostile(chance)[:200]:
        if writer.is_closing():
            break
        writer.write(bytes((octet,)))
        await asyncio.sleep(0.005)
    await listens(reader, 0.2)
    writer.close()


async def no_tls(ports: Ports, chance: random.Random) -> None:
    """Send the TLS port what is no TLS, or the beginning of one."""
    reader, writer = await connected(ports.tls)
    hello = b"\x16\x03\x01" + chance.randbytes(2) + chance.randbytes(chance.randrange(300))
    writer.write(chance.choice((hello, chance.randbytes(200), fuzz_octets.bind(b"hostile", chance), b"")))
    await listens(reader, chance.random())
    writer.close()


async def no_http(ports: Ports, chance: random.Random) -> None:
    """Send the control port requests that it should refuse, and octets that are none."""
    reader, writer = await connected(ports.control)
    path = chance.choice(("/messages", "/messages/9", "/incoming", "/outcomes", "/limit", "/", "/events", "/nowhere"))
    query = chance.choice(("", "?limit=-1", "?account=hostile&limit=1000", "?after=%00", "?account=" + "x" * 3000))
    body = chance.choice((b"", b"{", b"[1]", b"account=hostile&limit=x", b"rules=to%3D%00", chance.randbytes(100)))
    kind = chance.choice(("application/json", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"))
    host = chance.choice(("127.0.0.1", "localhost", "example.org", "[::1"))
    head = f"{chance.choice(('GET', 'POST', 'HEAD', 'X'))} {path}{query} HTTP/1.1\r\nHost: {host}\r\n"
    head += f"Content-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
    octets = head.encode("latin-1") + body
    writer.write(fuzz_octets.mutated(octets, chance) if chance.random() < 0.5 else octets)
    await listens(reader, 0.3)
    writer.transport.abort()


async def flood(ports: Ports, chance: random.Random) -> None:
    """Take as many connections as there are, and more."""
    opened = await asyncio.gather(*(connected(ports.plain) for _ in range(220)), return_exceptions=True)
    await asyncio.sleep(chance.random())
    for each in opened:
        if not isinstance(each, BaseException):
            each[1].transport.abort()


ATTACKS: tuple[Attack, ...] = (pdus, pdus, pdus, pdus, no_reader, drip, no_tls, no_http, no_http)


async def attack(ports: Ports, seed: str, until: float, made: dict[str, int]) -> None:
    """Attack in one way after another until then; a flood now and then."""
    chance = random.Random(seed)
    while time.monotonic() < until:
        each = flood if chance.random() < 0.003 else chance.choice(ATTACKS)
        made[each.__name__] = made.get(each.__name__, 0) + 1
        with contextlib.suppress(OSError, ssl.SSLError):  # being cut off is what they are there for
            await each(ports, chance)


# -- the whole -----------------------------------------------------------------------------------------------------


def grown(told: list[dict[str, int]], name: str, most: float) -> str:
    """Return in words how much a figure grew from the second third to the last, "" where that is no more than usual."""
    third = len(told) // 3
    if third < 30:
        return ""  # too short to say
    before, after = (max(each[name] for each in part) for part in (told[third : 2 * third], told[2 * third :]))
    return f"{name} grew from {before} to {after}" if after > before * most else ""


async def fuzz(seconds: float, seed: int, folder: Path) -> list[str]:
    """Run it all, print the figures, and return what is wrong."""
    certificate = folder / "smsc.pem"
    certificate.touch(mode=0o600)
    certificate.write_bytes(dummy_certificate(["127.0.0.1"], 2, datetime.now(UTC), key="ec-p256"))
    complaints = folder / "stderr"
    with complaints.open("wb") as errors:
        server = await asyncio.create_subprocess_exec(
            sys.executable, "-c", SERVER, str(certificate), stdout=asyncio.subprocess.PIPE, stderr=errors
        )
    assert server.stdout is not None
    ports = Ports(*json.loads(await server.stdout.readline()))
    told: list[dict[str, int]] = []
    made: dict[str, int] = {}

    async def watch() -> None:
        assert server.stdout is not None
        async for line in server.stdout:
            told.append(json.loads(line))
            if len(told) % 15 == 0:
                print(f"{2 * len(told)} s: {told[-1]}, {sum(made.values())} attacks", file=sys.stderr, flush=True)

    watching = asyncio.create_task(watch())
    until = time.monotonic() + seconds
    good = [Good(name, (server.pid, os.getpid())) for name in ("plain", "tls")]
    try:
        await asyncio.gather(
            good[0].run(Address("127.0.0.1", ports.plain), until),
            good[1].run(Address("127.0.0.1", ports.tls, tls=True), until),
            *(attack(ports, f"{seed}-{number}", until, made) for number in range(HOSTILE_AT_ONCE)),
        )
        ended = server.returncode
    finally:
        if server.returncode is None:
            server.terminate()
        await server.wait()
        await watching
    found = [f"{each.name}: {trouble}" for each in good for trouble in each.troubles[:5]]
    if ended is not None:
        found.append(f"the simulator ended with {ended}")
    if complaints.stat().st_size:
        found.append("the simulator complained:\n" + complaints.read_text(errors="replace")[:4000])
    found += filter(None, (grown(told, "rss", MORE_MEMORY), grown(told, "objects", MORE_OBJECTS)))
    figures = {
        "seed": seed,
        "seconds": seconds,
        "attacks": made,
        "good": {
            each.name: {
                "sent": each.sent,
                "receipts": each.receipts,
                "median_wait_ms": round(statistics.median(each.waits) * 1000, 1) if each.waits else None,
                "longest_wait_ms": round(max(each.waits) * 1000) if each.waits else None,
            }
            for each in good
        },
        "at_first": told[0] if told else None,
        "at_last": told[-1] if told else None,
        "troubles": found,
    }
    print(json.dumps(figures, indent=2))
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    arguments = parser.parse_args()
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)  # it warns of what is written after a hostile client's end
    with tempfile.TemporaryDirectory() as folder:
        return 1 if asyncio.run(fuzz(arguments.seconds, arguments.seed, Path(folder))) else 0


if __name__ == "__main__":
    sys.exit(main())

"""Hostile clients at the simulator's target, beside sessions that must not notice: `python -m tests.benchmarks fuzz`.

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
import json
import logging
import os
import random
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from kannelkit.certs.dummy import dummy_certificate
from kannelkit.host.reach import Address
from tests.benchmarks import fuzz_octets
from tests.benchmarks.fuzz_clients import Attack, Target, attack, connected, drip, no_reader, pdus
from tests.benchmarks.fuzz_good import Good, listens, more

HOSTILE_AT_ONCE = 12

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


# -- what hostile clients do ---------------------------------------------------------------------------------------


async def no_tls(target: Target, chance: random.Random) -> None:
    """Send the TLS port what is no TLS, or the beginning of one."""
    reader, writer = await connected(target.tls)
    hello = b"\x16\x03\x01" + chance.randbytes(2) + chance.randbytes(chance.randrange(300))
    writer.write(chance.choice((hello, chance.randbytes(200), fuzz_octets.bind(b"hostile", chance), b"")))
    await listens(reader, chance.random())
    writer.close()


async def no_http(target: Target, chance: random.Random) -> None:
    """Send the control port requests that it should refuse, and octets that are none."""
    reader, writer = await connected(target.control)
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


ATTACKS: tuple[Attack, ...] = (pdus, pdus, pdus, pdus, no_reader, drip, no_tls, no_http, no_http)


# -- the whole -----------------------------------------------------------------------------------------------------


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
    target = Target(*json.loads(await server.stdout.readline()))
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
            good[0].run(Address("127.0.0.1", target.plain), until),
            good[1].run(Address("127.0.0.1", target.tls, tls=True), until),
            *(attack(target, ATTACKS, f"{seed}-{number}", until, made) for number in range(HOSTILE_AT_ONCE)),
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
    found += more(told)
    figures = {
        "seed": seed,
        "seconds": seconds,
        "attacks": made,
        "good": {each.name: each.figures() for each in good},
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

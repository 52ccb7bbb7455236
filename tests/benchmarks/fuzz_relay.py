"""Hostility on both sides of the relay, beside sessions that must not notice: `python -m tests.benchmarks fuzz-relay`.

    .venv/bin/python -m tests.benchmarks fuzz-relay [--seconds 600] [--seed N]

Hostile clients where bearerbox binds (PDUs cut, huge, random and mutated, no reading, one octet at a time, half open
connections, floods), hostile providers (see fuzz_provider.py), and some who ask the control socket for anything and
read nothing of it. Meanwhile two good sessions, one of them over TLS with verification, send messages on other accounts
of the same relay and get an answer and a receipt for each. It fails where the relay ends or complains, where a good
session misses anything or its provider counts another number of messages, and where memory or the number of objects
grows from the second third to the last one.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import logging
import math
import os
import random
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from kannelkit.certs.dummy import dummy_certificate
from kannelkit.errors import GatewayError
from kannelkit.host.reach import Address
from kannelkit.relay.control import FILE, ask
from kannelkit.relay.octets import HEADER, bare, response
from kannelkit.relay.settings import Login, RelayAccount, RelaySettings, Verify, write
from kannelkit.simulator import AccountRules, Behaviour, Simulator
from kannelkit.smpp.constants import RESPONSE, CommandId
from tests.benchmarks import fuzz_octets
from tests.benchmarks.fuzz_clients import Attack, Target, attack, connected, drip, no_reader, pdus
from tests.benchmarks.fuzz_good import Good, more
from tests.benchmarks.fuzz_provider import HostileProvider

GOOD = ("plain", "tls")
HOSTILE = ("hostile", "astray", "astray2")  # the first has a good provider, the others hostile ones
CLIENTS_EACH = 3
CONTROL_PAUSE = 0.2  # seconds between two who ask the control socket

SERVER = """
import asyncio, gc, json, sys
from pathlib import Path
import psutil
from kannelkit.relay import settings
from kannelkit.relay.process import Relay

said = 0

def tell(account, text, **more):
    global said
    said += 1

async def watch(relay):
    process = psutil.Process()
    while True:
        await asyncio.sleep(2)
        gc.collect()
        told = {"rss": process.memory_info().rss, "objects": len(gc.get_objects()),
                "tasks": len(asyncio.all_tasks()), "files": process.num_fds(), "said": said}
        print(json.dumps(told), flush=True)

async def main(path):
    relay = Relay(settings.read(Path(path)), tell)
    watching = []
    def ready():
        print(json.dumps(relay.ports), flush=True)
        watching.append(asyncio.create_task(watch(relay)))
    await relay.run(ready)
    watching[0].cancel()

asyncio.run(main(sys.argv[1]))
"""


def accounts(smsc: Simulator, certificate: Path, hostile: list[int]) -> tuple[RelayAccount, ...]:
    """Return the good accounts and the hostile ones; the last one has two hosts to go between."""
    assert smsc.tls_port is not None
    local = "127.0.0.1"
    hosts = {
        "plain": (Address(local, smsc.port),),
        "tls": (Address(local, smsc.tls_port, tls=True),),
        "hostile": (Address(local, smsc.port),),
        "astray": (Address(local, hostile[0]),),
        "astray2": (Address(local, hostile[1]), Address(local, hostile[2])),
    }
    return tuple(
        RelayAccount(
            name,
            name.encode(),
            name.encode(),
            where,
            Login(name.encode(), name.encode()),
            unit=name,
            verify=Verify(certificate) if name == "tls" else None,
            window=200,
            wait_ack=60.0 if name in GOOD else 10.0,
            enquire_every=5.0,
            after=2.0,
            back_after=4.0,
        )
        for name, where in hosts.items()
    )


async def half_open(target: Target, chance: random.Random) -> None:
    """Connect, bind perhaps, and say nothing more."""
    _, writer = await connected(target.plain)
    if chance.random() < 0.7:
        writer.write(fuzz_octets.bind(target.login, chance))
    await asyncio.sleep(chance.random() * 8)
    writer.transport.abort()


async def steady(target: Target, chance: random.Random) -> None:
    """Bind and send what can be read, answer what comes, and leave in order or not."""
    reader, writer = await connected(target.plain)
    writer.write(fuzz_octets.bind(target.login, chance))
    until = time.monotonic() + chance.random() * 10
    with contextlib.suppress(asyncio.IncompleteReadError, TimeoutError):
        async with asyncio.timeout(12):
            while time.monotonic() < until and not writer.is_closing():
                writer.write(b"".join(fuzz_octets.submit(chance) for _ in range(chance.randrange(40))))
                length = await reader.readexactly(4)
                frame = length + await reader.readexactly(int.from_bytes(length, "big") - 4)
                _, command_id, _, number = HEADER.unpack_from(frame)
                if not command_id & RESPONSE:
                    writer.write(response(command_id, 0, number))
                await writer.drain()
    if chance.random() < 0.5:
        writer.write(bare(CommandId.UNBIND, 0, 1))
    writer.close()


ATTACKS: tuple[Attack, ...] = (pdus, pdus, steady, steady, steady, no_reader, drip, half_open)


async def control(folder: Path, chance: random.Random, made: dict[str, int]) -> None:
    """Ask for anything, and look on at a hostile account without reading."""
    lines = (
        b'{"do":"trace","account":"hostile"}\n',
        b'{"do":"trace","account":"astray","only":[4],"number":"7999"}\n',
        b'{"do":"trace","account":[],"only":{}}\n',
        b'{"do":"state"}\n{"do":"state"}\n{"do":"state"}\n',
        b'{"do":"rate","account":"hostile","rate":-1}\n',
        b"[" * 5000 + b"\n",
        b"\xff\xfe\n\n{}\nnull\n1\n",
    )
    while True:
        made["control"] = made.get("control", 0) + 1
        with contextlib.suppress(OSError):
            _, writer = await asyncio.open_unix_connection(str(folder / FILE), limit=64)
            writer.write(chance.choice(lines) if chance.random() < 0.8 else chance.randbytes(100))
            await asyncio.sleep(chance.random() * 3)
            writer.transport.abort()
        await asyncio.sleep(CONTROL_PAUSE)


async def fuzz(seconds: float, seed: int, folder: Path) -> list[str]:
    """Run it all, print the figures, and return what is wrong."""
    certificate = folder / "smsc.pem"
    certificate.touch(mode=0o600)
    certificate.write_bytes(dummy_certificate(["127.0.0.1"], 2, datetime.now(UTC), key="ec-p256"))
    rules = [AccountRules(name, name, limit=None, binds=4) for name in (*GOOD, "hostile")]
    made: dict[str, int] = {}
    async with contextlib.AsyncExitStack() as stack:
        behaviour = Behaviour(receipt_delay=0.05)
        smsc = await stack.enter_async_context(Simulator(rules, behaviour, tls_port=0, certificate=certificate))
        providers = [
            await stack.enter_async_context(HostileProvider(f"{seed}-provider-{number}", made)) for number in range(3)
        ]
        settings = RelaySettings(folder / "state", accounts(smsc, certificate, [each.port for each in providers]))
        return await _relayed(seconds, seed, settings, smsc, made)


async def _relayed(
    seconds: float, seed: int, settings: RelaySettings, smsc: Simulator, made: dict[str, int]
) -> list[str]:
    folder = settings.state_dir
    path, complaints = folder.with_suffix(".json"), folder.with_suffix(".stderr")
    write(path, settings)
    with complaints.open("wb") as errors:
        relay = await asyncio.create_subprocess_exec(
            sys.executable, "-c", SERVER, str(path), stdout=asyncio.subprocess.PIPE, stderr=errors
        )
    assert relay.stdout is not None
    ports: dict[str, int] = json.loads(await relay.stdout.readline())
    told: list[dict[str, int]] = []

    async def watch() -> None:
        assert relay.stdout is not None
        async for line in relay.stdout:
            told.append(json.loads(line))
            if len(told) % 15 == 0:
                print(f"{2 * len(told)} s: {told[-1]}, {sum(made.values())} attacks", file=sys.stderr, flush=True)

    watching = asyncio.create_task(watch())
    until = time.monotonic() + seconds
    good = [Good(name, (relay.pid, os.getpid())) for name in GOOD]
    stood: dict[str, dict[str, Any]] = {}
    hostile = [
        asyncio.create_task(
            attack(Target(ports[name], login=name.encode()), ATTACKS, f"{seed}-{name}-{number}", math.inf, made)
        )
        for name in HOSTILE
        for number in range(CLIENTS_EACH)
    ]
    hostile.append(asyncio.create_task(control(folder, random.Random(seed), made)))
    try:
        await asyncio.gather(*(each.run(Address("127.0.0.1", ports[each.name]), until) for each in good))
        with contextlib.suppress(GatewayError):
            stood = {each["account"]: each for each in (await ask(folder, {"do": "state"}))["accounts"]}
        ended = relay.returncode
    finally:
        if relay.returncode is None:
            relay.terminate()  # while hostility goes on
        code = await relay.wait()
        for task in hostile:
            task.cancel()
        await asyncio.gather(*hostile, return_exceptions=True)
        await watching
    found = [f"{each.name}: {trouble}" for each in good for trouble in each.troubles[:5]]
    found += [wrong for each in good for wrong in miscounted(each, smsc, stood.get(each.name, {}))]
    if ended is not None or code:
        found.append(f"the relay ended with {code}" + ("" if ended is None else " before it was asked to"))
    if complaints.stat().st_size:
        found.append("the relay complained:\n" + complaints.read_text(errors="replace")[:4000])
    found += more(told, min)  # it holds up to 20,000 submits of each hostile account, and then none
    figures = {
        "seed": seed,
        "seconds": seconds,
        "attacks": dict(sorted(made.items())),
        "good": {each.name: each.figures() for each in good},
        "hostile": {name: counted(stood.get(name, {})) for name in HOSTILE},
        "at_first": told[0] if told else None,
        "at_last": told[-1] if told else None,
        "troubles": found,
    }
    print(json.dumps(figures, indent=2))
    return found


def miscounted(good: Good, smsc: Simulator, stood: dict[str, Any]) -> list[str]:
    """Return in words where the provider or the relay counted a good session's messages otherwise."""
    counters = smsc.account(good.name).counters
    wrong = []
    if (counters.accepted, counters.doubled, good.receipts) != (good.sent, 0, good.sent):
        arrived = f"{counters.accepted} arrived, {counters.doubled} of them again, {good.receipts} receipts"
        wrong.append(f"{good.sent} sent, {arrived}")
    untouched = ("maybe_doubled", "expired", "without_answer")
    wrong += [f"{name}: {stood.get(name)}" for name in untouched if stood.get(name) != 0]
    return [f"{good.name}: {each}" for each in wrong]


def counted(stood: dict[str, Any]) -> dict[str, object]:
    """Return what the relay says that became of a hostile account's messages."""
    names = ("arrived", "sent", "accepted", "refused", "put_off", "rejected", "expired", "maybe_doubled", "delivered")
    return {name: stood.get(name) for name in (*names, "binds", "binds_refused", "moves")}


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

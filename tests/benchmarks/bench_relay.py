"""What the relay gains, beside Kannel alone and `pacing: log`: `python -m tests.benchmarks.bench_relay [PART...]`.

speed: submits a second through it and the processor's time for them, the memory of fifty accounts, and how much later
a lone message is. laws: what each delivers of a limit that it does not know, under the simulator's laws, from a ceiling
of twice the limit; Kannel alone is told the best constant. kills: the relay, bearerbox and the SMSC are killed, or
one of the first two ended in order, at random moments under load, and every message counted. Fails where a promise is
not kept.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import psutil

from kannelkit.simulator import Law
from kannelkit.smpp.constants import CommandId
from kannelkit.smpp.pdu import FieldValue, Pdu, encode
from tests.benchmarks.bench_simulator import OUR_SERVER, load, server, submits
from tests.benchmarks.laws_figures import LEARNT, SLOT, share
from tests.benchmarks.laws_rows import Row
from tests.benchmarks.laws_run import Sender, delivered
from tests.benchmarks.laws_smsc import Slots, Smsc
from tests.harness.gateway import SYSTEM_ID, stored
from tests.harness.load import Feed
from tests.relay.killing import BEARERBOX_ORDERED, ORDERED, VICTIMS, Tally, killed
from tests.relay.relayed import Relayed

PARTS = ("speed", "laws", "kills")
A_SECOND = 10_000
OF_A_CORE = 0.5
MEGABYTES = 40.0
ACCOUNTS = 50
LONE_MEDIAN, LONE_P99 = 0.001, 0.005  # seconds later than without the relay
GOODPUT, GOODPUT_PUNISHED = 0.985, 0.90  # of the limit
REFUSED = 0.003
BEARERBOX = 400  # submits a second; beyond that it takes a quicker client

# the constants of which one is the best for Kannel alone, as shares of the limit (laws_rows.py tries more)
_CONSTANTS = {Law.SLIDING_WINDOW: 0.97, Law.FIXED_WINDOW: 1.0, Law.TOKEN_BUCKET: 1.0, Law.PUNISHING: 0.94}
_BATCH = 10  # kills of one gateway
_DRAINED_SECONDS = 180.0


# -- speed ---------------------------------------------------------------------------------------------------------


@contextmanager
def relay(folder: Path, port: int, accounts: int = 1, **keys: object) -> Iterator[tuple[int, psutil.Process]]:
    """Run a relay with so many accounts, all to one SMSC; give the first one's port."""
    login = {"system_id": "test", "password": "test"}
    one = {"hosts": [{"host": "127.0.0.1", "port": port}], "login": login, **keys}
    named = [{"name": f"a{each}", "listen_system_id": "test", "listen_password": "test"} for each in range(accounts)]
    path = folder / f"relay-{accounts}.json"
    path.touch(mode=0o600)
    path.write_text(json.dumps({"state_dir": str(folder / "state"), "accounts": [{**each, **one} for each in named]}))
    command = [sys.executable, "-m", "kannelkit", "relay", "--json", "--settings", str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield json.loads(process.stdout.readline())["port"], psutil.Process(process.pid)
        finally:
            process.terminate()


def lone(port: int, count: int) -> list[float]:
    """Return the seconds that each of some messages takes to its answer, one at a time."""
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

        def ask(octets: bytes) -> None:
            connection.sendall(octets)
            (length,) = struct.unpack(">I", connection.recv(4, socket.MSG_WAITALL))
            if connection.recv(length - 4, socket.MSG_WAITALL)[4:8] != bytes(4):
                raise RuntimeError("the SMSC refuses")

        login: dict[str, FieldValue] = {"system_id": b"test", "password": b"test", "interface_version": 0x34}
        ask(encode(Pdu(CommandId.BIND_TRANSCEIVER, sequence_number=1, fields=login)))
        taken = []
        for octets in submits(count, receipts=False):
            time.sleep(0.005)
            began = time.perf_counter()
            ask(octets)
            taken.append(time.perf_counter() - began)
        return taken


def speed(seconds: float) -> bool:
    """Measure and print; return whether all of it is as promised."""
    made = submits(100_000, receipts=False)
    with (
        tempfile.TemporaryDirectory() as name,
        server([sys.executable, "-c", OUR_SERVER], name) as (smsc, _),
        relay(Path(name), smsc, ACCOUNTS) as (port, process),
    ):
        before = process.cpu_times()
        count, took = load(port, seconds, 1000, made, receipts=False)
        after = process.cpu_times()
        core = (after.user + after.system - before.user - before.system) / count * A_SECOND
        megabytes = process.memory_info().rss / 1e6
        direct, behind = lone(smsc, 500), lone(port, 500)
    later = [statistics.quantiles(behind, n=100)[at] - statistics.quantiles(direct, n=100)[at] for at in (49, 98)]
    print(f"  {count / took:,.0f} submits a second; {A_SECOND:,} take {core:.0%} of a core")
    print(f"  {megabytes:.1f} MB with {ACCOUNTS} accounts")
    print(f"  a lone message is {later[0] * 1000:.2f} ms later at the median, {later[1] * 1000:.2f} ms at the 99th")
    quick = count / took >= A_SECOND and core <= OF_A_CORE and megabytes <= MEGABYTES
    return quick and later[0] <= LONE_MEDIAN and later[1] <= LONE_P99


# -- laws ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Through:
    """What went through the relay, of the limit: in the whole run, and after learning it; and refused of that."""

    accepted: float
    later: float
    refused: float
    lost: int
    doubled: int


def through(row: Row, seconds: float, begin: float, timeline: Slots, lost: int, doubled: int) -> Through:
    """Return the figures of a run of so many seconds from `begin`."""
    learnt = min(LEARNT, seconds / 2)
    first, last, known = (round((begin + at - timeline.start) / SLOT) for at in (0.0, seconds, learnt))
    accepted = sum(timeline.accepted[first:last]) / seconds / row.limit
    later = sum(timeline.accepted[known:last]) / (seconds - learnt) / row.limit
    return Through(accepted, later, share(timeline.accepted[known:last], timeline.refused[known:last]), lost, doubled)


async def loaded(row: Row, seconds: float) -> Through:
    """Return the same as `relayed`, with a client that is quicker than bearerbox."""
    made = submits(100_000, receipts=False)
    with tempfile.TemporaryDirectory(prefix="kannelkit-relay-", ignore_cleanup_errors=True) as name:
        accounts = [f"test:test@{row.limit},law={row.law},binds={row.links}"]
        async with Smsc(Path(name, "smsc"), accounts, ["--delay", f"{row.delay:g}"]) as smsc:
            window = int(row.limit * (row.delay + 1))
            with relay(Path(name), smsc.port, ceiling=2 * row.limit, connections=row.links) as (port, _):
                sending = asyncio.to_thread(load, port, seconds + 1, window, made, receipts=False)
                answered, _ = await sending
            timeline = await smsc.timeline("test")
            counters = await smsc.counters("test")
    missing = answered - int(counters["accepted"])
    return through(row, seconds, counters["first_submit"], timeline, max(0, missing), max(0, -missing))


async def relayed(row: Row, seconds: float) -> Through:
    """Return what the relay delivers of a row's limit, to which bearerbox sends more."""
    if row.limit > BEARERBOX:
        return await loaded(row, seconds)
    with tempfile.TemporaryDirectory(prefix="kannelkit-relay-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        accounts = [f"{SYSTEM_ID}:secret@{row.limit},law={row.law},binds={row.links}"]
        options = ["--delay", f"{row.delay:g}", "--receipt-delay", "3600"]
        async with Smsc(folder / "smsc", accounts, options) as smsc:
            hosts = [{"host": "127.0.0.1", "port": smsc.port}]
            gateway = Relayed(folder / "gateway", hosts, ceiling=2 * row.limit, connections=row.links)
            async with gateway, Feed(gateway.sendsms_port) as feed:
                sender = Sender(feed)
                async with sender.going_on(sender.saturate(smsc, SYSTEM_ID, row.limit)):
                    while (begin := (await smsc.counters(SYSTEM_ID))["first_submit"]) is None:
                        await asyncio.sleep(0.02)
                    await smsc.until(begin + seconds)
                    timeline = await smsc.timeline(SYSTEM_ID)
                await smsc.limit(SYSTEM_ID, None)
                async with asyncio.timeout(_DRAINED_SECONDS):
                    while await stored(gateway.admin_port) != 0:
                        await asyncio.sleep(0.2)
            counters = await smsc.counters(SYSTEM_ID)
    lost = sender.sent - (counters["accepted"] - counters["doubled"])
    return through(row, seconds, begin, timeline, lost, counters["doubled"])


async def laws(rows: Sequence[Row], seconds: float, *, beside: bool) -> bool:
    """Measure each row for so many seconds, `beside` the others or alone; return whether it is as promised."""
    heads = f"{'relay':>7} {'later':>7} {'refused':>8} {'lost':>5} {'doubled':>8}"
    print(f"  {'':34} {'Kannel alone':>13} {'pacing: log':>12} {heads}")
    good = True
    for row in rows:
        others = ["", ""]
        if beside:
            best = max(1, round(_CONSTANTS[row.law] * row.limit))
            for place, (who, throughput) in enumerate((("Kannel", best), ("kannelkit", 2 * row.limit))):
                found = await delivered(row, who, throughput, seconds)
                others[place] = f"{found.accepted / row.limit:.3f}"
        ours = await relayed(row, seconds)
        punishing = row.law is Law.PUNISHING
        well = ours.accepted >= (GOODPUT_PUNISHED if punishing else GOODPUT) and not ours.lost and not ours.doubled
        well &= ours.refused < REFUSED or punishing
        good &= well
        name = f"{row}" + (f", {row.links} connections" if row.links > 1 else "")
        told = f"{ours.accepted:>7.3f} {ours.later:>7.3f} {ours.refused:>8.2%} {ours.lost:>5} {ours.doubled:>8}"
        print(f"{'' if well else '!':1} {name:34} {others[0]:>13} {others[1]:>12} {told}", flush=True)
    return good


# -- kills ---------------------------------------------------------------------------------------------------------


async def kills(rounds: int, seed: int) -> bool:
    """Kill so many times and print the totals; return whether it is as promised."""
    chance = random.Random(seed)
    total = Tally()
    print(f"  {'kills':>6} {'sent':>8} {'unanswered':>11} {'counted':>8} {'lost':>5} {'doubled':>8}")
    while total.rounds < rounds:
        victims = [
            chance.choice((*VICTIMS, ORDERED, BEARERBOX_ORDERED)) for _ in range(min(_BATCH, rounds - total.rounds))
        ]
        with tempfile.TemporaryDirectory(prefix="kannelkit-relay-", ignore_cleanup_errors=True) as name:
            tally = await killed(Path(name), victims, chance.randrange(2**32))
        total = Tally(*(getattr(total, name) + getattr(tally, name) for name in Tally.__slots__))
        told = f"{total.unanswered:>11} {total.counted:>8} {total.lost:>5} {total.doubled:>8}"
        print(f"  {total.rounds:>6} {total.sent:>8} {told}", flush=True)
    return not total.lost and total.doubled <= min(total.counted, total.unanswered)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; return 1 where a promise is not kept."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.bench_relay", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}; all unless named")
    parser.add_argument("--seconds", type=float, default=60.0, help="for each law; a tenth of it for speed")
    parser.add_argument("--laws", default="sliding-window,fixed-window,token-bucket,punishing")
    parser.add_argument("--limits", default="30", help="SMS per second")
    parser.add_argument("--delays", default="0.05", help="seconds")
    parser.add_argument("--connections", default="1")
    parser.add_argument("--alone", action="store_true", help="the relay without the others beside it")
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    wanted = options.parts or PARTS
    if not set(wanted) <= set(PARTS):
        parser.error(f"a part is one of {', '.join(PARTS)}")
    rows = [
        replace(Row(law), law=Law(law), limit=int(limit), delay=float(delay), links=int(connections))
        for law in options.laws.split(",")
        for limit in options.limits.split(",")
        for delay in options.delays.split(",")
        for connections in options.connections.split(",")
    ]
    good = True
    for part in wanted:
        print(f"{part}:", flush=True)
        if part == "speed":
            good &= speed(options.seconds / 10)
        elif part == "laws":
            good &= asyncio.run(laws(rows, options.seconds, beside=not options.alone))
        else:
            good &= asyncio.run(kills(options.kills, options.seed))
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())

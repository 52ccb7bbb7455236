"""What the relay gains, beside Kannel alone and `pacing: log`: `python -m tests.benchmarks.bench_relay [PART...]`.

speed: submits a second through it and the processor's time for them, the memory of fifty accounts, and how much later
a lone message is. table: what it delivers of limits that it does not know, from a ceiling of twice the limit, under the
simulator's laws, many behind one relay, and how it follows limits that fall and rise. kannel: some of that with a real
bearerbox, beside Kannel alone at the best constant throughput and `pacing: log`. full: a limit that Kannel alone does
not reach. kills: the relay, bearerbox and the SMSC are killed, or one of the first two ended in order, at random
moments under load, and every message counted. Fails where a promise is not kept.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import signal
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psutil

from kannelkit.smpp.constants import CommandId
from kannelkit.smpp.pdu import FieldValue, Pdu, encode
from tests.benchmarks import relay_figures, relay_kannel, relay_rows
from tests.benchmarks.bench_simulator import OUR_SERVER, load, server, submits
from tests.benchmarks.laws_rows import Row
from tests.benchmarks.relay_load import Load
from tests.benchmarks.relay_rows import Batch, batches, named, rows
from tests.benchmarks.relay_table import AROUND, measured
from tests.relay.killing import BEARERBOX_ORDERED, ORDERED, VICTIMS, Tally, killed

PARTS = ("speed", "table", "kannel", "full", "kills")
A_SECOND = 10_000
OF_A_CORE = 0.5
MEGABYTES = 40.0
ACCOUNTS = 50
LONE_MEDIAN, LONE_P99 = 0.001, 0.005  # seconds later than without the relay

_SPEED_SECONDS = 6.0
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
    alone, through = ([statistics.quantiles(each, n=100)[at] for at in (49, 98)] for each in (direct, behind))
    later = [after - before for before, after in zip(alone, through, strict=True)]
    print(f"  {count / took:,.0f} submits a second; {A_SECOND:,} take {core:.0%} of a core")
    print(f"  {megabytes:.1f} MB with {ACCOUNTS} accounts")
    for who, (median, high) in (("without the relay", alone), ("with it", through), ("which is later by", later)):
        print(f"  a lone message, {who}: {median * 1000:.2f} ms at the median, {high * 1000:.2f} ms at the 99th")
    quick = count / took >= A_SECOND and core <= OF_A_CORE and megabytes <= MEGABYTES
    return quick and later[0] <= LONE_MEDIAN and later[1] <= LONE_P99


# -- many limits behind one relay ----------------------------------------------------------------------------------


def _plan(options: argparse.Namespace) -> list[Batch]:
    return batches(named(options.only, rows()), options.seconds, options.quick_seconds, options.rate)


def table(options: argparse.Namespace) -> bool:
    """Measure and print; return whether every row is as promised."""
    good = True

    def told(row: relay_rows.Row, found: relay_figures.Figures) -> None:
        nonlocal good
        good &= not found.missed(row)
        _print(options, found.plain(row), found.line(row))

    plan = _plan(options)
    for number, batch in enumerate(plan):
        left = sum(each.seconds + AROUND for each in plan[number:]) / 60
        _say(f"{batch.name}: {len(batch.rows)} limits, {batch.rate:,.0f} SMS a second; about {left:.0f} min left")
        _heading(options, f"\n  {batch.name}, for {batch.seconds:g} s\n{relay_figures.HEAD}")
        try:
            busy = asyncio.run(measured(batch, told, _say, options.seed))
        except (RuntimeError, OSError, TimeoutError, ExceptionGroup) as error:
            good = False
            _print(options, {"batch": batch.name, "failed": repr(error)}, f"! {batch.name}: not measured: {error!r}")
        else:
            _print(options, {"batch": batch.name, "processor": busy}, f"  {busy}")
    return good


# -- beside Kannel alone and `pacing: log` -------------------------------------------------------------------------


def _beside(options: argparse.Namespace) -> list[Row]:
    return [row for row in relay_kannel.ROWS if not options.only or any(text in str(row) for text in options.only)]


def kannel(options: argparse.Namespace) -> bool:
    """Measure and print; return whether the relay is as promised in every row."""
    good = True

    def told(found: relay_kannel.Beside) -> None:
        nonlocal good
        good &= not found.missed()
        _print(options, found.plain(), found.line())

    _heading(options, f"\n  with a real bearerbox, for {options.kannel_seconds:g} s\n{relay_kannel.HEAD}")
    load = Load({})
    try:
        asyncio.run(relay_kannel.Runs(options.kannel_seconds, options.at_once).all_of(_beside(options), told))
    except (RuntimeError, OSError, TimeoutError, ExceptionGroup) as error:
        good = False
        _print(options, {"part": "kannel", "failed": repr(error)}, f"! not measured: {error!r}")
    _print(options, {"part": "kannel", "processor": load.text()}, f"  {load.text()}")
    return good


def full(options: argparse.Namespace) -> bool:
    """Measure and print; return whether the relay delivers what bearerbox can."""
    row = relay_kannel.FULL
    alone, behind = asyncio.run(relay_kannel.full(row))
    kannel_alone = f"alone, without a throughput, {alone.accepted:,.0f} SMS a second, {alone.refused:.1%} refused"
    with_relay = f"{behind.accepted:,.0f}, {behind.refused:.2%}, {behind.lost} lost, {behind.doubled} doubled"
    _print(
        options,
        {"row": str(row), "Kannel": relay_kannel.plain(alone), "relay": relay_kannel.plain(behind)},
        f"  bearerbox before a limit of {row.limit:,}/s: {kannel_alone}; through the relay {with_relay}",
    )
    return behind.accepted >= relay_kannel.FULL_RELAY * row.limit and not behind.lost and not behind.doubled


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
    parser.add_argument("--seconds", type=float, default=600.0, help="for each limit (default %(default)g)")
    parser.add_argument(
        "--quick-seconds",
        type=float,
        default=60.0,
        help=f"for limits of {relay_rows.QUICK:g}/s and more, of which few have room at once (default %(default)g)",
    )
    parser.add_argument(
        "--rate", type=float, default=6000.0, help="SMS per second of limits measured at once (default %(default)g)"
    )
    parser.add_argument(
        "--kannel-seconds", type=float, default=150.0, help="for each gateway of a real Kannel (default %(default)g)"
    )
    parser.add_argument(
        "--at-once", type=int, default=16, help="such gateways at once, those of 30/s (default %(default)s)"
    )
    parser.add_argument(
        "--only", action="append", default=[], metavar="TEXT", help="rows whose name contains it; may come again"
    )
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1, help="for the moments of kills and changes")
    parser.add_argument("--list", action="store_true", help="only list the rows, and how long all takes")
    parser.add_argument("--json", action="store_true", help="table, kannel and full as a JSON object a line")
    options = parser.parse_args(arguments)
    wanted = options.parts or PARTS
    if not set(wanted) <= set(PARTS):
        parser.error(f"a part is one of {', '.join(PARTS)}")
    if options.list:
        plan = _plan(options)
        for batch in plan:
            print(f"{batch.name}: {batch.rate:,.0f} SMS a second, {batch.seconds + AROUND:g} s")
            print(*(f"  {row}" for row in batch.rows), sep="\n")
        print(f"table: about {sum(batch.seconds + AROUND for batch in plan) / 60:.0f} min")
        print(f"kannel: about {relay_kannel.takes(_beside(options), options.kannel_seconds, options.at_once):.0f} min")
        return 0
    run: dict[str, Callable[[argparse.Namespace], bool]] = {
        "speed": lambda _: speed(_SPEED_SECONDS),
        "table": table,
        "kannel": kannel,
        "full": full,
        "kills": lambda options: asyncio.run(kills(options.kills, options.seed)),
    }
    good = True
    for part in wanted:
        _heading(options, f"{part}:")
        good &= run[part](options)
    return 0 if good else 1


def _print(options: argparse.Namespace, values: dict[str, object], line: str) -> None:
    print(json.dumps(values) if options.json else line, flush=True)


def _heading(options: argparse.Namespace, text: str) -> None:
    if not options.json:
        print(text, flush=True)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C: no program that was started is left behind
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)

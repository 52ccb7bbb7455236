"""What the supervisor costs: its share of a core and its memory, on a played gateway and with a real Kannel.

`python -m tests.benchmarks.bench_supervisor [--seconds N]`. Played: a process of its own writes bearerbox's log and
answers with a status.xml, for LINKS accounts of one link each and MESSAGES a second, of which a part is refused;
followed through Watch, Tail and Admin as `kannelkit up` does, at log-level 1, where bearerbox writes of troubles alone,
and at log-level 0, where it dumps each PDU. Real: `kannelkit up` at 100 messages a second; needs Kannel.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import resource
import sys
import tempfile
import time
from pathlib import Path

import aiohttp
import psutil

from kannelkit.gateway.admin import Admin
from kannelkit.host.tail import Tail
from kannelkit.render import Account, Link
from kannelkit.simulator import AccountRules, Behaviour, Simulator
from kannelkit.supervise.watch import Watch
from kannelkit.throttle.controller import AccountRate
from kannelkit.throttle.values import Settings
from tests.gateway.server import listening
from tests.harness.gateway import SYSTEM_ID
from tests.harness.load import load
from tests.harness.supervised import Supervised

LINKS = 1_000
MESSAGES = 5_000  # a second
REFUSED = 0.02  # of them
REAL_MESSAGES = 100  # a second
_TICK = 0.05
_PID = 18484
_PLAYED = "--play"

_STATUS = """\
<?xml version="1.0"?>
<gateway>
<version>Kannel bearerbox version `1.4.5'.</version>
<status>running, uptime 0d 0h 0m {0}s</status>
\t<wdp>
\t</wdp>
\t<sms>
\t\t<received><total>0</total><queued>0</queued></received>
\t\t<sent><total>{1}</total><queued>9000</queued></sent>
\t\t<storesize>14000</storesize>
\t\t</sms>
\t<dlr>
\t\t<received><total>0</total></received>
\t\t<sent><total>0</total></sent>
\t\t<queued>0</queued>
\t\t<storage>spool</storage>
\t</dlr>
<boxes>
</boxes>
<smscs><count>{2}</count>
\t{3}</smscs>
</gateway>
"""
_LINK_STATUS = """<smsc>
\t\t<name>SMPP:smpp.example.net:3700/3700:login</name>
\t\t<admin-id>a{0}-1</admin-id>
\t\t<id>a{0}</id>
\t\t<status>online {1}s</status>
\t\t<failed>0</failed>
\t\t<queued>5</queued>
\t\t<sms>
\t\t\t<received>0</received>
\t\t\t<sent>{2}</sent>
\t\t\t<inbound>0.00,0.00,0.00</inbound>
\t\t\t<outbound>5.00,5.00,5.00</outbound>
\t\t</sms>
\t\t<dlr>
\t\t\t<received>0</received>
\t\t\t<sent>0</sent>
\t\t\t<inbound>0.00,0.00,0.00</inbound>
\t\t\t<outbound>0.00,0.00,0.00</outbound>
\t\t</dlr>
\t</smsc>
"""
# what bearerbox writes of one submit and its answer at log-level 0, without the lines' heads
_DUMP = """\
SMPP[{0}]: throughput (5.00,2.00)
SMPP[{0}]: Sending PDU:
SMPP PDU 0x7fd5ec001100 dump:
  type_name: submit_sm
  command_id: 4 = 0x00000004
  command_status: 0 = 0x00000000
  sequence_number: 4 = 0x00000004
  service_type: NULL
  source_addr_ton: 5 = 0x00000005
  source_addr_npi: 0 = 0x00000000
  source_addr: "sender"
  dest_addr_ton: 2 = 0x00000002
  dest_addr_npi: 1 = 0x00000001
  destination_addr: "79990000000"
  esm_class: 3 = 0x00000003
  protocol_id: 0 = 0x00000000
  priority_flag: 0 = 0x00000000
  schedule_delivery_time: NULL
  validity_period: NULL
  registered_delivery: 0 = 0x00000000
  replace_if_present_flag: 0 = 0x00000000
  data_coding: 0 = 0x00000000
  sm_default_msg_id: 0 = 0x00000000
  sm_length: 10 = 0x0000000a
  short_message: "0123456789"
SMPP PDU dump ends.
SMPP[{0}]: Got PDU:
SMPP PDU 0x7fd5ec001100 dump:
  type_name: submit_sm_resp
  command_id: 2147483652 = 0x80000004
  command_status: 0 = 0x00000000
  sequence_number: 4 = 0x00000004
  message_id: "1"
SMPP PDU dump ends.
"""
# every other link is refused for its speed, the others with a status that Watch counts, so that what it read shows
_REFUSALS = (
    "SMPP[{0}]: SMSC returned error code 0x00000058 (Throttling error) in response to submit_sm PDU.",
    "SMPP[{0}]: SMSC returned error code 0x00000014 (Message Queue Full) in response to submit_sm PDU.",
)


async def play(log: Path, level: int) -> None:
    """Be a bearerbox to look at, and say on which port, until stdin ends."""
    began = time.monotonic()
    heads = [f"STAMP [{_PID}] [{6 + number}] " for number in range(LINKS)]
    dumps = [
        "".join(f"{head}DEBUG: {line}\n" for line in _DUMP.format(f"a{number}").splitlines())
        for number, head in enumerate(heads)
    ]
    refusals = [f"{head}ERROR: {_REFUSALS[number % 2].format(f'a{number}')}\n" for number, head in enumerate(heads)]

    async def status(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        seconds = int(time.monotonic() - began)
        links = "".join(_LINK_STATUS.format(number, seconds, 5 * seconds) for number in range(LINKS))
        body = _STATUS.format(seconds, MESSAGES * seconds, LINKS, links).encode()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        await writer.drain()

    async with listening(status) as port:
        sys.stdout.write(f"{port}\n")
        sys.stdout.flush()
        ended = asyncio.create_task(asyncio.to_thread(sys.stdin.read))
        with log.open("a") as file:
            sent = refused = 0
            while not ended.done():
                await asyncio.sleep(0.02)
                due = int((time.monotonic() - began) * MESSAGES)
                lines = [dumps[number % LINKS] for number in range(sent, due)] if level == 0 else []
                wanted = int(due * REFUSED)
                lines += [refusals[number * 7 % LINKS] for number in range(refused, wanted)]
                sent, refused = due, wanted
                file.write("".join(lines).replace("STAMP", time.strftime("%Y-%m-%d %H:%M:%S")))
                file.flush()


async def played(level: int, seconds: float) -> None:
    """Follow a played gateway and print what that costs this process."""
    with tempfile.TemporaryDirectory(prefix="kannelkit-bench-") as folder:
        log = Path(folder, "bearerbox.log")
        log.touch()
        player = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "tests.benchmarks.bench_supervisor",
            _PLAYED,
            str(log),
            str(level),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        assert player.stdin is not None
        assert player.stdout is not None
        port = int(await player.stdout.readline())
        names = [f"a{number}" for number in range(LINKS)]
        accounts = [
            Account(name, name, 10, 1, 1, "primary", (Link(f"{name}-1", name, "primary", 1, "host", 2775, 10, None),))
            for name in names
        ]
        clock = asyncio.get_running_loop().time
        async with aiohttp.ClientSession() as session:
            rates = {name: AccountRate(name, Settings(ceiling=10)) for name in names}
            watch = Watch(Admin(session, port, ""), accounts, rates)
            tail = Tail(log, from_end=True)
            watch.attach(_PID, [tail])
            await watch.tick()
            ticks = looks = decisions = 0
            last = watch.status
            began, cost = clock(), time.process_time()
            while clock() - began < seconds:
                await watch.tick()
                ticks += 1
                looks += last is not watch.status
                last = watch.status
                for name in list(watch.decisions):
                    decisions += 1
                    del watch.decisions[name]
                    rates[name].abandoned()
                await asyncio.sleep(_TICK)
            spent, cost = clock() - began, time.process_time() - cost
            position = tail.position
            line = position.line if position else 0
            counted = sum(watch.other_refusals.values())
            watch.close()
        player.stdin.close()
        await player.wait()
        peak, now = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, _memory(os.getpid())
        text = log.read_bytes()
        written = text.count(b"0x00000014 (", 0, line)
        sys.stdout.write(
            f"played, log-level {level}: {LINKS:,} links, {MESSAGES:,} messages a second: "
            f"{100 * cost / spent:.1f} % of a core, {now:.0f} MB, at most {peak:.0f} MB\n"
            f"    {spent:.0f} s; looks a second: {ticks / spent:.1f} into the log, {looks / spent:.1f} at the status; "
            f"{decisions} decisions; {line / 1e6:.1f} MB of log read, "
            f"{(len(text) - line) / 1e6:.1f} MB came after the end; "
            f"counted {counted:,} of {written:,} refusals with 0x14\n"
        )


async def real(seconds: float) -> None:
    """Run `kannelkit up` under load and print what it costs."""
    rules = AccountRules(SYSTEM_ID, "secret", None)
    with tempfile.TemporaryDirectory(prefix="kannelkit-bench-") as folder:
        async with (
            Simulator([rules], Behaviour(delay=0.02), port=0) as smsc,
            Supervised(Path(folder), smsc.port, REAL_MESSAGES * 2) as gateway,
        ):
            process = psutil.Process(gateway.pid)
            loading = asyncio.create_task(
                load(gateway.sendsms_port, int(REAL_MESSAGES * (seconds + 4)), speed=REAL_MESSAGES)
            )
            await asyncio.sleep(2)
            before, began = process.cpu_times(), time.monotonic()
            await asyncio.sleep(seconds)
            after, spent = process.cpu_times(), time.monotonic() - began
            cost = after.user + after.system - before.user - before.system
            memory = _memory(process.pid)
            await loading
            accepted = smsc.account(SYSTEM_ID).counters.accepted
        sys.stdout.write(
            f"real: one account, {REAL_MESSAGES} messages a second for {spent:.0f} s ({accepted:,} accepted in all):"
            f" {100 * cost / spent:.1f} % of a core, {memory:.0f} MB\n"
        )


def _memory(pid: int) -> float:
    """Return a process's resident memory in MB."""
    return float(psutil.Process(pid).memory_info().rss / 1024 / 1024)


def main() -> int:
    """Print a line for each of the three."""
    parser = argparse.ArgumentParser(description="What the supervisor costs.")
    parser.add_argument("--seconds", type=float, default=30.0, help="of each measurement (default: 30)")
    parser.add_argument(_PLAYED, nargs=2, metavar=("LOG", "LEVEL"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.play:
        asyncio.run(play(Path(arguments.play[0]), int(arguments.play[1])))
        return 0
    for level in (1, 0):
        asyncio.run(played(level, arguments.seconds))
    asyncio.run(real(arguments.seconds))
    return 0


if __name__ == "__main__":
    sys.exit(main())

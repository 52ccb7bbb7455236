"""Every event of a large debug-level log of bearerbox, by kannelkit and by mtail: lines a second, and what both count.

`python -m tests.benchmarks.bench_lines`; it needs Kannel, and mtail (`make bench` installs both), which has one
regular expression, for the refusals with 0x58. Real bearerboxes write the log: one under load whose SMSC refuses a
part of it, one whose links meet every other trouble. Their lines are multiplied, with other days, smsc-ids, numbers and
threads, and lines are put between them that look like refusals and are none.
"""

from __future__ import annotations

import asyncio
import json
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from kannelkit.demo.ports import free_ports
from kannelkit.host.tail import Tail
from kannelkit.simulator import AccountRules, Behaviour, Simulator
from kannelkit.throttle.lines import THROTTLED, BindRefused, LinkTroubled, SubmitRefused, read_events
from tests.harness.gateway import SYSTEM_ID
from tests.harness.kannel_alone import KannelAlone
from tests.harness.load import load
from tests.throttle.provoked import provoke

LINES = 1_000_000
RUNS = 3
PID = 18484
_SMSC_IDS = 40
_FORGED_EVERY = 5_000  # lines
_ACCEPTED = 100  # messages, while about as many are refused

_REFUSED = b"ERROR: SMPP[bench]: SMSC returned error code 0x00000058 (Throttling error) in response to submit_sm PDU."
_STAMP = b"2026-11-22 15:40:57 "
_FORGED = (
    _STAMP + b"[18485] [6] " + _REFUSED,  # another process
    _STAMP + b"[18484] [6] DEBUG:   short_message: " + _STAMP + b"[18484] [6] " + _REFUSED,
    b"binfo " + _STAMP + b"[18484] [6] " + _REFUSED,
    _STAMP + b"[18484] [6] " + _REFUSED + b" x",
    # of octets that are no UTF-8 mtail makes a buffer without end: minutes, and most of what comes after it is lost
    "ж".encode() * 40 + b"] ERROR: SMPP[" + b"y" * 2_000,
)
_PROGRAM = """\
counter refused by smsc_id
/^\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d \\[PID\\] \\[\\d+\\] ERROR: SMPP\\[(?P<smsc_id>.+)\\]: \
SMSC returned error code 0x00000058 \\([^()]*\\) in response to submit_sm PDU\\.$/ {
  refused[$smsc_id]++
}
"""


async def written(folder: Path) -> list[bytes]:
    """Return the lines of two real bearerboxes at log-level 0, with one process id."""
    rules = AccountRules(SYSTEM_ID, "secret", 30)
    async with Simulator([rules], Behaviour(delay=0.02), port=0) as smsc:
        alone = KannelAlone(folder / "alone", smsc.port, 60)
        alone.values["log_level"] = 0
        async with alone:
            await load(alone.sendsms_port, 2 * _ACCEPTED, speed=100)
            async with asyncio.timeout(60):
                while smsc.account(SYSTEM_ID).counters.accepted < _ACCEPTED:
                    await asyncio.sleep(0.1)
    log = (folder / "alone" / "bearerbox.log").read_bytes()
    (folder / "troubled").mkdir()
    _, troubled = await provoke(folder / "troubled", [b"SMPP[quiet]: Not ACKED", b"Got no responses"])
    return re.sub(rb"(?m)^(.{20})\[\d+\]", rb"\1[%d]" % PID, log + troubled).splitlines(keepends=True)


def multiply(lines: list[bytes], path: Path) -> int:
    """Write LINES lines and return how many octets they have."""
    count = 0
    with path.open("wb") as file:
        for copy in range(LINES):
            day = b"%04d-%02d-%02d" % (2020 + copy // 336, 1 + copy // 28 % 12, 1 + copy % 28)
            threads = b"[%d] " % (100 + copy)
            smsc_id = b"[account-%d]" % (copy % _SMSC_IDS)
            for line in lines:
                if count >= LINES:
                    return file.tell()
                if count % _FORGED_EVERY == 0:
                    line = _FORGED[count // _FORGED_EVERY % len(_FORGED)] + b"\n"
                else:
                    line = day + line[10:].replace(b"[bench]", smsc_id).replace(b'"7900', b'"79%02d' % (copy % 100))
                    line = line.replace(b"[6] ", threads, 1)
                file.write(line)
                count += 1
    raise AssertionError("not reached")


def with_kannelkit(path: Path) -> tuple[float, Counter[str], Counter[str]]:
    """Return the seconds, the refusals with 0x58 by smsc-id, and all events by what they are."""
    refused: Counter[str] = Counter()
    kinds: Counter[str] = Counter()
    began = time.perf_counter()
    with Tail(path, from_end=False) as tail:
        more = True
        while more:
            more = False
            for text in tail.texts():
                more = True
                for event in read_events(text, PID):
                    if isinstance(event, SubmitRefused | BindRefused):
                        kinds[f"{type(event).__name__} 0x{event.command_status:02x}"] += 1
                        if isinstance(event, SubmitRefused) and event.command_status == THROTTLED:
                            refused[event.smsc_id] += 1
                    elif isinstance(event, LinkTroubled):
                        kinds[f"{type(event).__name__} {event.trouble.name}"] += 1
                    else:
                        kinds[type(event).__name__] += 1
    return time.perf_counter() - began, refused, kinds


def with_mtail(path: Path, programs: Path) -> tuple[float, Counter[str]]:
    """Return the seconds and the refusals with 0x58 by smsc-id."""
    command = ["mtail", "--one_shot", "--one_shot_format", "json", "--logs", str(path), "--progs", str(programs)]
    command += ["--address", "127.0.0.1", "--port", str(free_ports(1)[0]), "--logtostderr"]
    began = time.perf_counter()
    done = subprocess.run(command, capture_output=True, check=True)
    seconds = time.perf_counter() - began
    told = done.stdout[done.stdout.index(b"[") :]  # it says something in words first
    metrics, _ = json.JSONDecoder().raw_decode(told.decode())
    values = next(metric["LabelValues"] for metric in metrics if metric["Name"] == "refused")
    return seconds, Counter({value["Labels"][0]: value["Value"]["Value"] for value in values})


def main() -> int:
    """Print the table."""
    if not shutil.which("mtail"):
        sys.stderr.write("mtail is missing: `bash .ci/setup bench` installs it\n")
        return 1
    with tempfile.TemporaryDirectory(prefix="kannelkit-bench-") as made:
        folder = Path(made)
        (folder / "programs").mkdir()
        (folder / "programs" / "refused.mtail").write_text(_PROGRAM.replace("PID", str(PID)))
        log = folder / "bearerbox.log"
        lines = asyncio.run(written(folder))
        octets = multiply(lines, log)
        out = sys.stdout.write
        out(f"{LINES:,} lines, {octets / 1e6:.0f} MB, made of {len(lines):,} that real bearerboxes wrote\n\n")
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        ours = sorted((with_kannelkit(log) for _ in range(RUNS)), key=lambda run: run[0])
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - peak
        theirs = sorted((with_mtail(log, folder / "programs") for _ in range(RUNS)), key=lambda run: run[0])
    out(f"{'':12}{'seconds, each run':>24}{'lines a second':>18}{'0x58':>9}{'all events':>12}\n")
    for name, runs, counted, events in (
        ("kannelkit", [run[0] for run in ours], ours[0][1], ours[0][2]),
        ("mtail", [run[0] for run in theirs], theirs[0][1], theirs[0][1]),
    ):
        seconds = ", ".join(f"{run:.2f}" for run in runs)
        out(f"{name:12}{seconds:>24}{LINES / runs[len(runs) // 2]:>18,.0f}{counted.total():>9,}{events.total():>12,}\n")
    out(f"\nkannelkit is {theirs[RUNS // 2][0] / ours[RUNS // 2][0]:.1f} times as fast (the middle run of each); ")
    out(f"its peak of memory grew by {grown / 1024:.1f} MB\n")
    same = ours[0][1] == theirs[0][1]
    out(f"refusals by smsc-id: {'the same' if same else 'NOT the same'} in both, for {len(theirs[0][1])} smsc-ids\n")
    for kind, count in sorted(ours[0][2].items()):
        out(f"  {kind:32}{count:>9,}\n")
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())

"""`kannelkit generate` for a thousand to ten thousand accounts: how long, how many lines, how much memory, and where.

Run it with python; it prints a table. Each row is one process, from its start to the written file; memory is its peak.
The shares of the stages are from a second process, which does the same by hand. Growth is linear where the lines per
second of a row are those of the row above, but for the start.
"""

from __future__ import annotations

import gc
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ACCOUNTS = (1_000, 3_000, 10_000)
MOST_SECONDS, FOR_LINES = 5.0, 500_000

ACCOUNT = """
  - smsc-id: account-{0}
    provider: smsc.ru
    host: smpp.m.smsc.ru
    smsc-username: login{0}
    smsc-password: pass{1}
    allowed-prefix: ["7", "+7"]
    throughput: 30
"""
STAGES = ("start", "read YAML", "check and fill in", "write lines", "write file")


def spec_text(accounts: int) -> str:
    """Return a spec with so many accounts."""
    entries = "".join(ACCOUNT.format(number, number % 1000) for number in range(accounts))
    return f"core: {{admin-password: a, status-password: b}}\nsmsc:{entries}"


def by_stage(path: Path, begun: float) -> dict[str, float]:
    """Return the seconds that each stage takes, in this process, which was started at `begun` (monotonic)."""
    from kannelkit.host.files import write_whole
    from kannelkit.render import kannel_conf
    from kannelkit.spec.load import load
    from kannelkit.spec.source import compose

    times = [begun, time.monotonic()]
    gc.disable()  # as load does it
    compose(path.read_text(), str(path))
    times.append(time.monotonic())
    gc.enable()
    spec = load(path, {})
    read = times[-1] - times[-2]
    times.append(time.monotonic() - read)  # load reads the YAML once more
    before = time.monotonic()
    text = kannel_conf(spec)
    times.append(times[-1] + time.monotonic() - before)
    before = time.monotonic()
    write_whole(path.with_suffix(".stages"), text, 0o640)
    times.append(times[-1] + time.monotonic() - before)
    return {stage: after - before for stage, before, after in zip(STAGES, times, times[1:], strict=False)}


def measured(folder: Path, accounts: int) -> dict[str, float]:
    """Run the command once and return its seconds, lines and MiB at most."""
    spec, conf = folder / f"{accounts}.yaml", folder / f"{accounts}.conf"
    spec.write_text(spec_text(accounts))
    before = time.monotonic()
    subprocess.run([sys.executable, "-m", "kannelkit", "generate", spec, "-o", conf], check=True, capture_output=True)
    seconds = time.monotonic() - before
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024  # of the largest child so far: sizes rise
    with conf.open() as file:
        return {"seconds": seconds, "lines": sum(1 for _ in file), "MiB": peak}


def main() -> int:
    """Print the table; return 1 where ten thousand accounts take longer than they may."""
    if len(sys.argv) > 1:
        print(json.dumps(by_stage(Path(sys.argv[1]), float(sys.argv[2]))))
        return 0
    print(f"{'accounts':>9} {'seconds':>8} {'lines':>9} {'lines/s':>9} {'MiB':>6}   " + "  ".join(STAGES))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rows = []
        for accounts in ACCOUNTS:
            row = measured(folder, accounts)
            rows.append(row)
            command = [sys.executable, __file__, str(folder / f"{accounts}.yaml"), str(time.monotonic())]
            answer = subprocess.run(command, check=True, capture_output=True)
            stages = json.loads(answer.stdout)
            whole = sum(stages.values())
            shares = "  ".join(f"{stages[stage] / whole:>{len(stage)}.0%}" for stage in STAGES)
            figures = f"{row['lines']:>9} {row['lines'] / row['seconds']:>9.0f} {row['MiB']:>6.0f}"
            print(f"{accounts:>9} {row['seconds']:>8.2f} {figures}   {shares}")
    allowed = MOST_SECONDS * rows[-1]["lines"] / FOR_LINES
    print(f"{FOR_LINES} lines would take {rows[-1]['seconds'] * FOR_LINES / rows[-1]['lines']:.2f} s")
    return int(rows[-1]["seconds"] > allowed)


if __name__ == "__main__":
    sys.exit(main())

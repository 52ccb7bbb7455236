"""Every measurement beside its peer, one after another, or one: `python -m tests.benchmarks [NAME [ARGUMENTS...]]`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

# name -> module; the quick ones first
NAMES = {
    "lint": "bench_lint_start",
    "conf": "bench_conf",
    "generate": "bench_generate",
    "codec": "bench_smpp_codec",
    "simulator": "bench_simulator",
    "lines": "bench_lines",
    "supervisor": "bench_supervisor",
    "laws": "laws",
    "changes": "changes",
    "rates": "rates",
}
HOUSE = Path(__file__).parents[2]


def main(arguments: list[str]) -> int:
    """Run what is named, or everything; return the first exit code that is not 0."""
    name, *rest = arguments or [""]
    if name and name not in NAMES:
        print(f"no such measurement: {name}; one of {', '.join(NAMES)}", file=sys.stderr)
        return 2
    worst = 0
    for each in [name] if name else list(NAMES):
        print(f"\n== {each}", flush=True)
        ended = subprocess.run([sys.executable, "-m", f"tests.benchmarks.{NAMES[each]}", *rest], cwd=HOUSE, check=False)
        worst = worst or ended.returncode
    return worst


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

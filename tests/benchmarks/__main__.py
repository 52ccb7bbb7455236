"""Every measurement beside its peer, one after another, or one: `python -m tests.benchmarks [NAME [ARGUMENTS...]]`.

`--list` tells the names. A NAME with ARGUMENTS `--help` tells what else it takes.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

# name -> modules; the quick ones first
NAMES = {
    "lint": ("bench_lint_start",),
    "conf": ("bench_conf",),
    "generate": ("bench_generate",),
    "codec": ("bench_smpp_codec",),
    "simulator": ("bench_simulator",),
    "lines": ("bench_lines",),
    "scrape": ("bench_scrape",),
    "supervisor": ("bench_supervisor",),
    "failover": ("bench_failover",),
    "laws": ("laws", "laws_kannel"),
    "pacing": ("bench_pacing",),
    "relay": ("bench_relay",),
    "changes": ("changes",),
    "rates": ("rates",),
    "fuzz": ("fuzz_simulator",),
    "fuzz-relay": ("fuzz_relay",),
}
# of the arguments, those that a module in the company of another takes; each has a value
TAKES = {"laws": ("--only", "--seconds")}
HOUSE = Path(__file__).parents[2]


def what(module: str) -> str:
    """Return what a measurement says of itself, in one line."""
    told = ast.get_docstring(ast.parse((Path(__file__).parent / f"{module}.py").read_text())) or ""
    return told.split("\n", 1)[0].split(": `python", 1)[0].rstrip(".")


def taken(module: str, arguments: Sequence[str]) -> list[str]:
    """Return the arguments for a module."""
    if module not in TAKES:
        return list(arguments)
    places = [place for place, word in enumerate(arguments) if word in TAKES[module]]
    return [word for place in places for word in arguments[place : place + 2]]


def main(arguments: list[str]) -> int:
    """Run what is named, or everything; return the first exit code that is not 0."""
    name, *rest = arguments or [""]
    if name in ("-h", "--help", "--list"):
        for each, modules in NAMES.items():
            print(f"{each:12}{'; '.join(what(module) for module in modules)}")
        return 0
    if name and name not in NAMES:
        print(f"no such measurement: {name}; one of {', '.join(NAMES)}", file=sys.stderr)
        return 2
    worst = 0
    for each in [name] if name else list(NAMES):
        for module in NAMES[each]:
            print(f"\n== {module.removeprefix('bench_')}", flush=True)
            command = [sys.executable, "-m", f"tests.benchmarks.{module}", *taken(module, rest)]
            ended = subprocess.run(command, cwd=HOUSE, check=False)
            worst = worst or ended.returncode
    return worst


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)

"""How long `kannelkit lint` of a small spec takes from start to end, beside other linters. Run it with python."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

HOUSE = Path(__file__).parents[2]
RUNS = 15
LINT = (sys.executable, "-m", "kannelkit", "lint", "--no-secrets", "examples/smallest.yaml")
PEERS = (
    ("python -c pass", (sys.executable, "-c", "pass")),
    ("kannelkit lint examples/smallest.yaml", LINT),
    ("kannelkit lint --offline", (*LINT, "--offline")),
    ("yamllint examples/smallest.yaml", ("yamllint", "examples/smallest.yaml")),
    ("mypy --version", ("mypy", "--version")),
)


def seconds(command: tuple[str, ...]) -> list[float]:
    """Return what each run took, the first one, which writes bytecode, left out."""
    environ = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    taken = []
    for _ in range(RUNS + 1):
        began = time.perf_counter()
        subprocess.run(command, cwd=HOUSE, env=environ, capture_output=True, check=False)
        taken.append(time.perf_counter() - began)
    return sorted(taken[1:])


def main() -> None:
    """Print a line for each program that is there."""
    print(f"{'':40} best    median, in seconds, {RUNS} runs")
    for name, command in PEERS:
        program = shutil.which(command[0], path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
        if program is None:
            print(f"{name:40} not installed")
            continue
        taken = seconds((program, *command[1:]))
        print(f"{name:40} {taken[0]:.3f}   {taken[len(taken) // 2]:.3f}")


if __name__ == "__main__":
    main()

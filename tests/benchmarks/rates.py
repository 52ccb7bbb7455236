"""What Kannel delivers alone and supervised, judged by the foreign SMSC: `python -m tests.benchmarks.rates`."""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path

from tests.benchmarks.run import LOAD_SPEED, Result, Scenario, run

_HEAD = (
    f"{'':34} {'accepted/s':>10} {'ratio':>6} {'refused':>8} {'in span':>8} {'share':>7} {'lost':>5}"
    f" {'doubled':>8} {'changes':>8} {'to limit':>9}"
)


@dataclass(frozen=True, slots=True)
class Row:
    """All repetitions of one gateway in one scenario; `ratio` is to the best constant's median."""

    scenario: Scenario
    who: str
    throughput: float
    runs: tuple[Result, ...]

    @property
    def accepted_per_second(self) -> float:
        return statistics.median(run.accepted_per_second for run in self.runs)

    @property
    def median(self) -> Result:
        """Return the run whose rate is the median, the lower one of two."""
        ordered = sorted(self.runs, key=lambda run: run.accepted_per_second)
        return ordered[(len(ordered) - 1) // 2]

    def text(self, best: float | None) -> str:
        """Return the row as a line of the table."""
        name = f"Kannel alone at {self.throughput:g}" if self.who == "alone" else f"kannelkit from {self.throughput:g}"
        one = self.median
        ratio = f"{self.accepted_per_second / best:.3f}" if best else "-"
        reached = f"{one.seconds_to_limit:.1f} s" if one.seconds_to_limit is not None else "never"
        lost = f"{sum(run.lost for run in self.runs)}" + ("" if all(run.complete for run in self.runs) else "?")
        return (
            f"  {name:32} {self.accepted_per_second:10.2f} {ratio:>6} {one.refused:8} {one.refused_in_span:8}"
            f" {one.refused_share:7.1%} {lost:>5} {sum(run.doubled for run in self.runs):8} {one.changes:8}"
            f" {reached:>9}"
        )


def best_constant(rows: Sequence[Row]) -> float | None:
    """Return the highest rate of the rows of Kannel alone, None without one."""
    return max((row.accepted_per_second for row in rows if row.who == "alone"), default=None)


def table(rows: Sequence[Row]) -> str:
    """Return all rows, by scenario."""
    lines = [_HEAD]
    for scenario in dict.fromkeys(row.scenario for row in rows):
        own = [row for row in rows if row.scenario == scenario]
        lines.append(f"{scenario}, one-second sliding window")
        lines += [row.text(best_constant(own)) for row in own]
    return "\n".join(lines)


def as_json(rows: Sequence[Row]) -> str:
    """Return all rows with every run of each."""
    return json.dumps(
        [
            {
                "scenario": asdict(row.scenario),
                "who": row.who,
                "throughput": row.throughput,
                "accepted_per_second": row.accepted_per_second,
                "best_constant": best_constant([other for other in rows if other.scenario == row.scenario]),
                "runs": [asdict(one) for one in row.runs],
            }
            for row in rows
        ],
        indent=1,
    )


def constants(wanted: str, limit: int) -> list[float]:
    """Return the throughputs that a list such as `2x,limit,limit-1,29` names for a limit.

    Raise ValueError for any other word.
    """
    found: list[float] = []
    for word in wanted.split(","):
        if word.endswith("x"):
            found.append(float(word[:-1]) * limit)
        elif word == "limit":
            found.append(limit)
        elif word.startswith(("limit-", "limit+")):
            found.append(limit + int(word[len("limit") :]))
        else:
            found.append(float(word))
    return found


def _numbers(text: str) -> list[int]:
    return [int(word) for word in text.split(",")]


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.rates", description=__doc__)
    parser.add_argument("--limits", type=_numbers, default=[30], help="SMS per second, such as 10,30,100,300")
    parser.add_argument("--delays", type=_numbers, default=[50], help="ms to the answer, such as 5,50,300")
    parser.add_argument("--tls", action="store_true", help="over TLS")
    parser.add_argument("--seconds", type=float, default=60.0, help="the span that is measured")
    parser.add_argument("--messages", type=int, help="default: as many as keep a backlog")
    parser.add_argument("--speed", type=float, default=LOAD_SPEED, help="messages a second through sendsms")
    parser.add_argument("--repeat", type=int, default=1, help="runs of each; the table shows the median")
    parser.add_argument("--only", choices=["alone", "supervised"])
    parser.add_argument("--constants", default="2x,limit", help="Kannel alone at: 2x, limit, limit-1, 29, ...")
    parser.add_argument("--from", dest="ceiling", default="2x", help="kannelkit's ceiling")
    parser.add_argument("--keep", type=Path, help="a folder for the timelines and what kannelkit said")
    parser.add_argument("--json", action="store_true")
    return parser.parse_args(arguments)


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


async def _measure(options: argparse.Namespace) -> list[Row]:
    rows: list[Row] = []
    for limit, delay in product(options.limits, options.delays):
        scenario = Scenario(limit, delay, options.tls)
        wanted: list[tuple[str, float]] = []
        if options.only != "supervised":
            wanted += [("alone", throughput) for throughput in constants(options.constants, limit)]
        if options.only != "alone":
            wanted += [("supervised", throughput) for throughput in constants(options.ceiling, limit)]
        # Round by round, so that what else the machine does meanwhile falls on all of them alike.
        runs: dict[tuple[str, float], list[Result]] = {each: [] for each in wanted}
        for number in range(options.repeat):
            for (who, throughput), done in runs.items():
                one = await run(
                    scenario,
                    who,
                    throughput,
                    seconds=options.seconds,
                    messages=options.messages,
                    speed=options.speed,
                    say=_say,
                    keep=options.keep / str(number) if options.keep else None,
                )
                done.append(one)
        rows += [Row(scenario, who, throughput, tuple(done)) for (who, throughput), done in runs.items()]
    return rows


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; return 1 when a message was lost or doubled."""
    options = _arguments(arguments)
    rows = asyncio.run(_measure(options))
    print(as_json(rows) if options.json else table(rows))
    return 1 if any(one.lost or one.doubled for row in rows for one in row.runs) else 0


if __name__ == "__main__":
    sys.exit(main())

"""How near the pacer comes to a limit that it must find, in simulated time: `python -m tests.benchmarks.bench_pacing`.

Each row is a cold start at twice the limit, or told the limit (`--told`), for ten minutes. A limit of 7.5 is 15 in two
seconds under the laws of windows. Wanted: 98.5 % of the limit and under 0.3 % refused; 90 % where an excess is punished
for 5 s. `--stalls` has the sender, the way there or the way back stand still for 5 to 50 ms every 4 s, and timers 4 ms
late. `--random N` tries N providers made at random instead. It exits with 1 where a row misses that.
"""

from __future__ import annotations

import argparse
import itertools
import random
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

from tests.harness.pacing_model import Bucket, Fixed, Law, Model, Punishing, Sliding, Stalls, Way

_WANTED, _WANTED_PUNISHED, _REFUSED = 0.985, 0.9, 0.003


def _window(limit: float) -> tuple[int, float]:
    seconds = 1.0 if limit == int(limit) else 2.0
    return round(limit * seconds), seconds


LAWS: dict[str, Callable[[float, float], Law]] = {
    "sliding": lambda limit, _: Sliding(*_window(limit)),
    "fixed": lambda limit, edge: Fixed(*_window(limit), edge),
    "bucket, 1 s": lambda limit, _: Bucket(limit, max(1.0, limit)),
    "bucket, 1/3 s": lambda limit, _: Bucket(limit, max(1.0, limit / 3)),
    "bucket, 2 s": lambda limit, _: Bucket(limit, 2 * limit),
    "punishing": lambda limit, _: Punishing(Sliding(*_window(limit))),
}


@dataclass(frozen=True, slots=True)
class Row:
    """One provider, and how the pacer meets it; `edge` is where a fixed second begins."""

    law: str
    limit: float
    delay: float
    told: bool
    connections: int
    edge: float
    seconds: float
    seed: int = 0
    stalls: bool = False


@dataclass(frozen=True, slots=True)
class Figures:
    """What came of it: the share of the limit, the share refused and how many."""

    goodput: float
    share_refused: float
    refused: int

    def good(self, law: str) -> bool:
        """Return whether it is what is wanted."""
        if law == "punishing":
            return self.goodput >= _WANTED_PUNISHED
        return self.goodput >= _WANTED and self.share_refused < _REFUSED


def measure(row: Row) -> Figures:
    """Let the pacer send for so long."""
    late, stalls = (0.004, Stalls()) if row.stalls else (0.001, None)
    way = Way(row.delay, 0.002, row.connections, in_order=row.connections == 1, late=late, stalls=stalls)
    law = LAWS[row.law](row.limit, row.edge)
    outcome = Model(law, row.limit * (1 if row.told else 2), way, seed=row.seed).run(row.seconds)
    return Figures(outcome.per_second() / row.limit, outcome.share_refused, len(outcome.refused))


def rows(arguments: argparse.Namespace) -> Iterator[Row]:
    """Yield what is to be measured."""
    if arguments.random:
        chance = random.Random(arguments.seed)
        for seed in range(arguments.random):
            limit = round(10 ** chance.uniform(0.5, 2.0))
            delay, connections = chance.uniform(0.001, 0.3), chance.choice((1, 4))
            law = chance.choice(list(LAWS))
            edge, stalls = 2 * chance.random(), arguments.stalls
            yield Row(law, limit, delay, False, connections, edge, arguments.seconds, arguments.seed + seed, stalls)
        return
    laws = [law for law in LAWS if law.startswith(arguments.law)]
    for law, limit, delay, connections in itertools.product(laws, arguments.limits, arguments.delays, (1, 4)):
        told, stalls = arguments.told, arguments.stalls
        yield Row(law, limit, delay, told, connections, 0.3, arguments.seconds, stalls=stalls)


def main() -> int:
    """Print a table; return 1 where a row is not what is wanted."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--law", default="", metavar="BEGIN", help="only laws whose names begin so")
    parser.add_argument("--limits", type=float, nargs="+", default=[1, 7.5, 30, 300], help="submits per second")
    parser.add_argument("--delays", type=float, nargs="+", default=[0.001, 0.05, 0.3], help="seconds")
    parser.add_argument("--seconds", type=float, default=600.0, help="of simulated time")
    parser.add_argument("--told", action="store_true", help="the ceiling is the limit")
    parser.add_argument("--stalls", action="store_true", help="something stands still now and then")
    parser.add_argument("--seed", type=int, default=1, help="for --random")
    parser.add_argument("--processes", type=int, default=2, metavar="N", help="so many rows at a time")
    parser.add_argument("--random", type=int, default=0, metavar="N", help="so many providers made at random")
    arguments = parser.parse_args()
    missed = 0
    print(f"{'law':14}{'limit':>8}{'delay ms':>10}{'links':>7}{'of the limit':>14}{'refused':>10}{'':>8}", flush=True)
    with ProcessPoolExecutor(arguments.processes) as pool:
        wanted = list(rows(arguments))
        for row, figures in zip(wanted, pool.map(measure, wanted), strict=True):
            good = figures.good(row.law)
            missed += not good
            print(
                f"{row.law:14}{row.limit:8g}{row.delay * 1000:10.0f}{row.connections:7}{figures.goodput:14.2%}"
                f"{figures.share_refused:10.2%}{figures.refused:8}{'' if good else '  missed'}",
                flush=True,
            )
    print(f"{len(wanted) - missed} of {len(wanted)} as wanted")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())

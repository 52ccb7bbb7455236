"""The table of laws with the real Kannel: `python -m tests.benchmarks.laws_kannel`.

For each provider, side by side: Kannel alone at the best constant throughput, which short runs find; Kannel alone at
twice the limit; kannelkit from a cold start at twice the limit. Then kannelkit under limits that fall and rise.

A row begins with `!`, and says what it misses, where kannelkit delivers less than 97 % of that constant; or has more of
its submits refused than that constant and 1 % in the whole run, or 0.2 % after the first 30 s; or loses a message, or
doubles one while answers come in order. Two runs of one constant differ by a twentieth where bursts touch by chance, so
a row that misses is measured again, both sides of it, and the means of `--runs` runs count (of what is lost and doubled
the sums). The SMSC is `kannelkit simulate`, a process for each gateway.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import os
import signal
import sys
from collections.abc import Coroutine, Sequence
from dataclasses import asdict
from typing import Any

import aiohttp

from tests.benchmarks.laws_figures import Delivered, Followed, mean, missed
from tests.benchmarks.laws_progress import Progress, Room
from tests.benchmarks.laws_rows import CHANGES, ROWS, Change, Row
from tests.benchmarks.laws_run import delivered, followed

_SECONDS, _QUICK = 300.0, 60.0
_SEARCH = 30.0  # seconds of a run that looks for the best constant throughput
_TWICE = 120.0  # seconds of a run of Kannel alone at twice the limit, which soon is as it stays
_AROUND = 20.0  # seconds that a run takes besides: start, drain, stop
_EACH = 30  # SMS per second that count as one gateway
_ALONE = 500  # SMS per second from which on a gateway has the machine to itself
_PER_CORE = 8  # gateways at once
_RUNS = 3  # of a row that misses
_TAKEN = 1000  # SMS per second, about what smsbox takes
_CHANGED = (60.0, 150.0, 300.0)  # the seconds of a run at which a limit falls, rises, and all ends
_CHANGED_QUICK = (30.0, 75.0, 200.0)

_NAME = 44
HEAD = (
    f"{'':{_NAME + 2}}{'Kannel, best constant':^31}{'from twice':^18}  kannelkit from twice the limit\n"
    f"{'':{_NAME + 2}}{'rate':>5} {'accept/s':>8} {'refused':>7} {'later':>7}  {'accept/s':>8} {'refused':>7}"
    f"  {'accept/s':>8} {'ratio':>6} {'refused':>7} {'later':>7} {'lost':>4} {'doubled':>7} {'chgs':>4} {'at limit':>8}"
)


class Table:
    """Runs rows, some at once, and prints each when it is there."""

    def __init__(
        self, seconds: float, changed: tuple[float, float, float], at_once: int, runs: int, *, as_json: bool
    ) -> None:
        self._seconds = seconds
        self._runs = runs
        self._changed = changed
        self._search, self._twice = min(seconds, _SEARCH), min(seconds, _TWICE)
        self._room = Room(at_once)
        self._json = as_json
        self.progress = Progress(at_once)
        self.good = True

    async def rows(self, rows: Sequence[Row], changes: Sequence[Change]) -> None:
        """Run and print all of these."""
        for row in rows:
            searches = len(row.candidates) if len(row.candidates) > 1 else 0
            for seconds in [self._search] * searches + [self._twice] + [self._seconds] * 2:
                self.progress.expect(_takes(row, seconds), self._weight(row.all_links))
        for change in changes:
            self.progress.expect(self._changed[-1] + _AROUND, self._weight(change.high))
        async with self.progress.told():
            async with asyncio.TaskGroup() as group:
                for row in (each for each in rows if each.all_links < _ALONE):
                    group.create_task(self._reported(str(row), self._row(row)))
                for change in changes:
                    group.create_task(self._reported(str(change), self._change(change)))
            for row in (each for each in rows if each.all_links >= _ALONE):
                await self._reported(str(row), self._row(row))

    def _weight(self, limit: float) -> int:
        return self._room.size if limit >= _ALONE else min(self._room.size, math.ceil(limit / _EACH))

    async def _delivered(self, row: Row, who: str, throughput: float, seconds: float) -> Delivered:
        weight = self._weight(row.all_links)
        name = f"{row}: {who} at {throughput:g} for {seconds:g} s"
        async with self._room.place(weight), self.progress.run(name, _takes(row, seconds), weight):
            return await delivered(row, who, throughput, seconds)

    async def _best(self, row: Row) -> Delivered:
        tried = row.candidates
        if len(tried) > 1:
            async with asyncio.TaskGroup() as group:
                runs = [group.create_task(self._delivered(row, "Kannel", each, self._search)) for each in tried]
            tried = (max((run.result() for run in runs), key=lambda run: run.accepted).throughput,)
        return await self._delivered(row, "Kannel", tried[0], self._seconds)

    async def _row(self, row: Row) -> None:
        twice = 2 * row.all_links
        async with asyncio.TaskGroup() as group:
            best = group.create_task(self._best(row))
            alone = group.create_task(self._delivered(row, "Kannel", twice, self._twice))
            own = group.create_task(self._delivered(row, "kannelkit", twice, self._seconds))
        high, constants, own_runs = alone.result(), [best.result()], [own.result()]
        while True:
            constant, kit = mean(constants), mean(own_runs)
            misses = missed(kit, constant, in_order=row.in_order)
            if not misses or len(own_runs) == self._runs:
                break
            for _ in range(2):
                self.progress.expect(_takes(row, self._seconds), self._weight(row.all_links))
            async with asyncio.TaskGroup() as group:
                best = group.create_task(self._delivered(row, "Kannel", constant.throughput, self._seconds))
                own = group.create_task(self._delivered(row, "kannelkit", twice, self._seconds))
            constants.append(best.result())
            own_runs.append(own.result())
        at_limit = kit.reached(constant.accepted)
        runs = {"best": constant, "twice": high, "kannelkit": kit}
        figures: dict[str, object] = {
            "row": str(row),
            "misses": misses,
            "seconds to the limit": at_limit,
            "runs": [[_plain(each) for each in pair] for pair in zip(constants, own_runs, strict=True)],
        }
        self._print(
            {**figures, **{name: _plain(run) for name, run in runs.items()}},
            _line(row, constant, high, kit, at_limit, misses, len(own_runs)),
        )
        self.good &= not misses

    async def _change(self, change: Change) -> None:
        weight = self._weight(change.high)
        async with self._room.place(weight), self.progress.run(str(change), self._changed[-1] + _AROUND, weight):
            run = await followed(change, *self._changed)
        misses = run.missed()
        self._print({"row": str(change), "misses": misses, "kannelkit": asdict(run)}, _change_line(change, run, misses))
        self.good &= not misses

    async def _reported(self, name: str, row: Coroutine[Any, Any, None]) -> None:
        """Run a row; say so where it cannot be measured, and go on with the others."""
        try:
            await row
        except (RuntimeError, OSError, TimeoutError, aiohttp.ClientError, ExceptionGroup) as error:
            self.good = False
            why = "; ".join(f"{type(each).__name__}: {each}" for each in _leaves(error))
            self._print({"row": name, "failed": why}, f"! {name}: not measured: {why}")

    def _print(self, values: dict[str, object], line: str) -> None:
        self.progress.clear()
        print(json.dumps(values) if self._json else line, flush=True)


def _leaves(error: BaseException) -> list[BaseException]:
    """Return the errors in a group of errors, of which none is a group."""
    if isinstance(error, BaseExceptionGroup):
        return [leaf for each in error.exceptions for leaf in _leaves(each)]
    return [error]


def _plain(run: Delivered) -> dict[str, object]:
    return {name: value for name, value in asdict(run).items() if name != "slots"}


def _takes(row: Row, seconds: float) -> float:
    """Return about how many seconds a run takes."""
    return seconds + _AROUND + seconds * row.before / _TAKEN


def _line(
    row: Row, best: Delivered, twice: Delivered, kit: Delivered, at_limit: float | None, misses: list[str], runs: int
) -> str:
    ratio = kit.accepted / best.accepted if best.accepted else math.nan
    words = [*([f"misses: {', '.join(misses)}"] if misses else []), *([kit.note] if kit.note else [])]
    words += [f"means of {runs} runs"] if runs > 1 else []
    return (
        f"{'!' if misses else ' '} {row!s:{_NAME}}"
        f"{best.throughput:5g} {best.accepted:8.2f} {best.refused:7.2%} {best.refused_later:7.2%}"
        f"  {twice.accepted:8.2f} {twice.refused:7.2%}"
        f"  {kit.accepted:8.2f} {ratio:6.3f} {kit.refused:7.2%} {kit.refused_later:7.2%} {kit.lost:4} {kit.doubled:7}"
        f" {kit.changes:4} {'never' if at_limit is None else f'{at_limit:.1f} s':>8}  {'; '.join(words)}"
    ).rstrip()


def _change_line(change: Change, run: Followed, misses: list[str]) -> str:
    fell = "not at all"
    if run.answered is not None:
        fell = f"in {run.answered:.2f} s (links with the new rate back in {run.lowered or 0.0:.2f} s)"
    rose = "not at all" if run.used is None else f"in {run.used:.0f} s"
    missing = f"; misses: {', '.join(misses)}" if misses else ""
    return (
        f"{'!' if misses else ' '} {change!s:{_NAME}} fall answered {fell}, rise used {rose}; "
        f"lost {run.lost}, doubled {run.doubled}, changes {run.changes}{missing}"
    )


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.laws_kannel",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--only", action="append", default=[], metavar="TEXT", help="rows whose name contains it; may come again"
    )
    parser.add_argument("--seconds", type=float, default=_SECONDS, help="of each run (default %(default)g)")
    parser.add_argument("--quick", action="store_true", help=f"runs of {_QUICK:g} s")
    cores = os.cpu_count() or 1
    parser.add_argument(
        "--at-once", type=int, default=_PER_CORE * cores, metavar="N", help="gateways at once (default %(default)s)"
    )
    parser.add_argument(
        "--runs", type=int, default=_RUNS, metavar="N", help="of a row that misses, at the most (default %(default)s)"
    )
    parser.add_argument("--list", action="store_true", help="only list the rows")
    parser.add_argument("--json", action="store_true", help="a JSON object a row instead of the table")
    options = parser.parse_args(arguments)
    if options.at_once < 1 or options.runs < 1 or options.seconds < 10:
        parser.error("--at-once and --runs are 1 at the least, --seconds 10")
    return options


async def _measure(table: Table, rows: Sequence[Row], changes: Sequence[Change]) -> None:
    task = asyncio.current_task()
    assert task is not None

    def end() -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, lambda: None)  # a second Ctrl-C would leave boxes behind
        table.progress.clear()
        print("stopping what runs; takes some seconds", file=sys.stderr, flush=True)
        task.cancel()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, end)
    await table.rows(rows, changes)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; return 1 where a row misses an aim or was not measured, 130 when it was broken off."""
    options = _arguments(arguments)
    wanted = options.only or [""]
    rows = [row for row in ROWS if any(text in str(row) for text in wanted)]
    changes = [change for change in CHANGES if any(text in str(change) for text in wanted)]
    if not rows and not changes:
        print(f"no row's name contains {' or '.join(map(repr, wanted))}; --list shows them", file=sys.stderr)
        return 2
    if options.list:
        print(*rows, *changes, sep="\n")
        return 0
    seconds, changed = (_QUICK, _CHANGED_QUICK) if options.quick else (options.seconds, _CHANGED)
    table = Table(seconds, changed, options.at_once, options.runs, as_json=options.json)
    if not options.json:
        print(HEAD, flush=True)
    try:
        asyncio.run(_measure(table, rows, changes))
    except asyncio.CancelledError:
        return 130
    return 0 if table.good else 1


if __name__ == "__main__":
    sys.exit(main())

"""The order of the tests for several workers: those that wait for a real Kannel are spread over those that compute."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from itertools import groupby
from typing import TypeVar

Test = TypeVar("Test")

# Of each worker's share the last tests are quick ones: these are what another worker takes over in the end.
_QUICK_AT_THE_END = 0.15
# So many of a module's tests stay together, as they may share a fixture; a module of more is mostly one of data.
_TOGETHER = 100


def spread(
    tests: Sequence[Test], workers: int, waits: Callable[[Test], bool], module: Callable[[Test], Hashable]
) -> list[Test]:
    """Return the same tests, so that in each worker's share (an equal, unbroken part) those that wait come evenly.

    The others of a module stay together, in their order, up to a hundred.
    """
    waiting = [test for test in tests if waits(test)]
    others: list[list[Test]] = []
    for _, group in groupby((test for test in tests if not waits(test)), key=module):
        whole = list(group)
        others += [whole[begin : begin + _TOGETHER] for begin in range(0, len(whole), _TOGETHER)]
    made: list[Test] = []
    size = len(tests) / workers
    for worker in range(workers):
        mine = waiting[worker::workers]
        end = len(tests) if worker == workers - 1 else round((worker + 1) * size)
        begin, room = len(made), max(1.0, (1 - _QUICK_AT_THE_END) * (end - len(made)))
        given = 0
        while others and len(made) + len(mine) - given < end:
            if given < len(mine) and len(made) - begin >= room * given / len(mine):
                made.append(mine[given])
                given += 1
            else:
                made += others.pop(0)
        made += mine[given:]
    return [*made, *(test for group in others for test in group)]

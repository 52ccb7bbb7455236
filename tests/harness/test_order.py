"""The order of tests holds what it promises, whatever there is to be ordered."""

from __future__ import annotations

from itertools import groupby, pairwise

from hypothesis import given
from hypothesis import strategies as st

from tests.harness.order import spread

# a test of ours here: its module, its number there, whether it waits
Test = tuple[int, int, bool]


def modules(sizes: list[tuple[int, bool]]) -> list[Test]:
    return [(module, number, waits) for module, (size, waits) in enumerate(sizes) for number in range(size)]


def order(tests: list[Test], workers: int) -> list[Test]:
    return spread(tests, workers, lambda test: test[2], lambda test: test[0])


@given(sizes=st.lists(st.tuples(st.integers(0, 30), st.booleans())), workers=st.integers(1, 9))
def test_every_test_is_there_once_and_modules_that_compute_stay_whole(
    sizes: list[tuple[int, bool]], workers: int
) -> None:
    tests = modules(sizes)
    ordered = order(tests, workers)
    assert sorted(ordered) == tests
    computing = [test for test in ordered if not test[2]]
    assert computing == [test for test in tests if not test[2]]
    runs = [module for module, _ in groupby(ordered, key=lambda test: test[0])]
    whole = [module for module in runs if not sizes[module][1]]
    assert len(whole) == len(set(whole))


def test_each_worker_waits_from_its_first_test_on_and_never_at_its_end() -> None:
    tests = modules([(10, False)] * 300 + [(40, True)])
    ordered = order(tests, 4)
    for worker in range(4):
        share = ordered[worker * 760 : (worker + 1) * 760]
        places = [place for place, test in enumerate(share) if test[2]]
        assert len(places) == 10
        assert places[0] <= 10
        assert places[-1] < 0.85 * 760
        assert all(later - earlier <= 80 for earlier, later in pairwise(places))

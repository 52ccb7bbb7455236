"""Laws of what is told: quick to call down, slow to call up, and no flapping, however often a bind comes and goes."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kannelkit.health.hysteresis import Steady
from kannelkit.health.values import Check, Figure, Report, Status

LEVELS: tuple[Status, ...] = ("ok", "unknown", "warning", "critical")
QUICK, SLOW, SLOWEST = 2.0, 4.0, 60.0
START = 1_000_000.0
_OK: list[Status] = ["ok"]
_BAD: list[Status] = ["critical"]


def told(seen: Iterable[tuple[float, Status]]) -> list[Check]:
    """Return what is told of one check that is seen at these times, in seconds."""
    steady = Steady(QUICK, SLOW, SLOWEST)
    found = []
    for at, status in seen:
        settled = steady.settled(Report(START + at, (Check("sending", status, status, account="a"),)), at)
        found.append(settled.checks[0])
    return found


def every_second(statuses: Sequence[Status], begin: float = 0.0) -> list[tuple[float, Status]]:
    return [(begin + second, status) for second, status in enumerate(statuses)]


def changes(checks: Iterable[Check]) -> int:
    return sum(before.status != after.status for before, after in itertools.pairwise(checks))


statuses = st.sampled_from(LEVELS)
courses = st.lists(st.tuples(st.floats(0.05, 10), statuses), min_size=1, max_size=60).map(
    lambda steps: [(sum(step for step, _ in steps[: number + 1]), status) for number, (_, status) in enumerate(steps)]
)


@given(statuses)
def test_what_is_seen_first_is_told(status: Status) -> None:
    assert told([(0.0, status)])[0].status == status


@given(statuses, statuses)
def test_what_lasts_is_told_within_its_time(before: Status, after: Status) -> None:
    seconds = QUICK if LEVELS.index(after) > LEVELS.index(before) else SLOW
    seen = every_second([before] * 5 + [after] * 10)
    first = 5 + seconds
    assert [check.status for (at, _), check in zip(seen, told(seen), strict=True) if at >= first] == [after] * int(
        15 - first
    )
    assert all(check.status == before for (at, _), check in zip(seen, told(seen), strict=True) if 5 <= at < first)


@given(courses, statuses)
def test_what_lasts_for_long_is_told_whatever_was_before(course: list[tuple[float, Status]], status: Status) -> None:
    begin = course[-1][0]
    seen = [*course, *every_second([status] * 130, begin + 1)]
    assert told(seen)[-1].status == status


@given(courses)
def test_nothing_is_told_that_was_never_as_bad_or_as_good(course: list[tuple[float, Status]]) -> None:
    levels = [LEVELS.index(status) for _, status in course]
    for number, check in enumerate(told(course)):
        assert min(levels[: number + 1]) <= LEVELS.index(check.status) <= max(levels[: number + 1])


@given(courses)
def test_no_answer_changes_up_sooner_than_slow_after_it_was_worse(course: list[tuple[float, Status]]) -> None:
    worse_at = 0.0
    before = None
    for (at, status), check in zip(course, told(course), strict=True):
        if before is not None and LEVELS.index(check.status) < LEVELS.index(before):
            assert at - worse_at >= SLOW - 1e-6 or LEVELS.index(check.status) > 0
        if status != "ok":
            worse_at = at
        before = check.status


@pytest.mark.parametrize("period", [0.25, 0.5, 1.0, 1.5, 2.0, 3.0])
@pytest.mark.parametrize("step", [0.25, 0.5])
@pytest.mark.parametrize("first", ["ok", "critical"])
def test_a_bind_that_comes_and_goes_does_not_make_the_answer_flap(period: float, step: float, first: Status) -> None:
    other: Status = "critical" if first == "ok" else "ok"
    times = [number * step for number in range(int(600 / step))]
    checks = told((at, first if int(at / period) % 2 == 0 else other) for at in times)
    assert changes(checks) <= 1
    assert checks[-1].status == "critical" or period < 2 * step


def test_each_relapse_makes_the_way_up_longer_until_it_is_forgotten() -> None:
    course = (_BAD * 5 + _OK * 70) * 6
    ups = []
    checks = told(every_second(course))
    for second, (before, after) in enumerate(itertools.pairwise(checks)):
        if before.status == "critical" and after.status == "ok":
            ups.append((second + 1) % 75 - 5)
    assert ups == [4, 8, 16, 32, 60, 60]
    assert len(set(ups[:5])) == 5


def test_a_short_absence_is_not_told() -> None:
    assert changes(told(every_second(_OK * 5 + _BAD * 2 + _OK * 20))) == 0


def test_words_go_with_what_is_told_and_figures_with_what_is() -> None:
    steady = Steady(QUICK, SLOW)

    def settle(at: float, status: Status) -> Check:
        check = Check("queue", status, f"{status} at {at:.0f}", figures=(Figure("queue", at),))
        return steady.settled(Report(START + at, (check,)), at).checks[0]

    assert settle(0, "ok").since == START
    held = settle(1, "critical")
    assert (held.status, held.summary, held.figures[0].value, held.since) == ("ok", "ok at 0", 1, START)
    settle(2, "critical")
    down = settle(3, "critical")
    assert (down.status, down.summary, down.since) == ("critical", "critical at 3", START + 3)
    back = settle(4, "ok")
    assert (back.status, back.summary) == ("critical", "critical at 3 (better, for a moment)")
    assert settle(8, "ok").since == START + 8


def test_checks_are_apart_and_those_that_vanish_are_forgotten() -> None:
    steady = Steady(QUICK, SLOW)
    disks = tuple(Check("disk", "ok", "", link=path) for path in ("/a", "/b"))
    steady.settled(Report(0.0, disks), 0.0)
    worse = (disks[0], Check("disk", "critical", "", link="/b"))
    for at in (1.0, 2.0, 3.0):
        settled = steady.settled(Report(at, worse), at)
    assert [check.status for check in settled.checks] == ["ok", "critical"]
    assert steady.settled(Report(4.0, disks[:1]), 4.0).checks[0].status == "ok"
    assert steady.settled(Report(5.0, disks), 5.0).checks[1].status == "ok"

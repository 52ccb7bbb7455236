"""The hour that plots are made of: whole minutes, gaps where nobody looked, and a size that does not grow."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace
from datetime import UTC

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kannelkit.health.page_hour import MINUTES, Hour
from kannelkit.health.page_plot import BOTTOM, LEFT, RIGHT, TOP, plot
from kannelkit.supervise.course import Flow
from kannelkit.supervise.views import AccountView, Overview
from tests.health.pages import account, overview

START = 1_800_000_000.0  # a minute begins


def at(moment: float, *accounts: AccountView) -> Overview:
    return replace(overview(*accounts), at=moment)


def sends(accepted: float, refused: float = 0.0, throughput: float | None = 30, name: str = "one") -> AccountView:
    view = replace(account(name), throughput=throughput)
    return replace(view, accepted=Flow(0, accepted, 0.0), refused=Flow(0, refused, 0.0))


def test_a_minute_is_its_tens_of_seconds_and_each_of_them_what_its_end_said() -> None:
    hour = Hour()
    for second, rate in ((0, 3.0), (9, 20.0), (10, 90.0), (19, 30.0), (59, 40.0), (60, 1.0), (65, 27.5)):
        hour.noted(at(START + second, sends(rate, rate / 10)))
    last, now = hour.minutes("one", START + 66)[-2:]
    assert (last.accepted, last.refused, last.refusals) == (30.0, 3.0, 90)
    assert (now.at, now.accepted, now.refusals) == (START + 60, 27.5, 28)


def test_what_is_looked_at_every_second_is_counted_once() -> None:
    hour = Hour()
    refused = [5 if 20 <= second < 30 else 0 for second in range(600)]
    for second in range(10, 600):
        hour.noted(at(START + second, sends(1.0, sum(refused[second - 9 : second + 1]) / 10)))
    assert sum(minute.refusals for minute in hour.minutes("one", START + 599)) == 50


def test_minutes_without_a_look_are_gaps_and_old_ones_go() -> None:
    hour = Hour()
    hour.noted(at(START, sends(5.0)))
    hour.noted(at(START + 600, sends(6.0)))
    seen = [minute.accepted for minute in hour.minutes("one", START + 600)]
    assert (len(seen), seen[-11], seen[-1], seen.count(None)) == (MINUTES, 5.0, 6.0, MINUTES - 2)
    assert hour.minutes("one", START + 600 + 3600) == ()


def test_who_is_not_known_has_no_hour() -> None:
    hour = Hour()
    hour.noted(at(START, replace(account("one"), accepted=None, refused=None)))
    assert hour.minutes("one", START) == hour.minutes("two", START) == ()
    assert plot(hour, "one", START, UTC) is None


def test_an_account_that_is_gone_is_forgotten() -> None:
    hour = Hour()
    hour.noted(at(START, sends(5.0), sends(5.0, name="two")))
    hour.noted(at(START + 1, sends(5.0, name="two")))
    assert hour.minutes("one", START + 1) == ()


def test_changes_of_rate_and_side_are_kept_for_an_hour() -> None:
    hour = Hour()
    for second, throughput in ((0, 60), (10, 60), (20, 30), (30, None)):
        hour.noted(at(START + second, sends(9.0, throughput=throughput)))
    hour.noted(at(START + 40, replace(sends(9.0, throughput=None), side="backup")))
    changes = [(change.at - START, change.before, change.after) for change in hour.changes("one", START + 60)]
    assert changes == [(20, 60, 30), (30, 30, None), (40, "primary", "backup")]
    assert hour.changes("one", START + 7200) == []


def test_a_learnt_rate_changes_where_that_is_worth_a_mark_and_a_ceiling_is_told_as_it_is() -> None:
    hour = Hour()
    for second, throughput in ((0, 29.874), (10, 30.2), (20, 31.9), (30, 7.512), (40, 7.498), (50, 12.25)):
        hour.noted(at(START + second, replace(sends(9.0, throughput=throughput), ceiling=12.25)))
    changes = [(change.at - START, change.before, change.after) for change in hour.changes("one", START + 60)]
    assert changes == [(20, 30, 32), (30, 32, 7.5), (50, 7.5, 12.25)]
    drawn = plot(hour, "one", START + 59, UTC)
    assert drawn is not None
    assert "limit now 12.25," in drawn.words
    assert [row.limit for row in drawn.rows] == ["12.25"]


def test_an_account_takes_a_few_kilobytes_however_often_its_rate_changes() -> None:
    hour = Hour()
    names = [f"account-{number}" for number in range(50)]
    tracemalloc.start()
    for minute in range(70):
        hour.noted(at(START + 60 * minute, *(sends(9.0, throughput=300 + minute, name=name) for name in names)))
    used = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert used < len(names) * 10_000


RATES = st.floats(0, 5000, allow_nan=False)


@given(
    st.lists(st.tuples(RATES, RATES, st.none() | st.integers(1, 2000) | st.floats(0.1, 2000)), min_size=1, max_size=70)
)
def test_a_plot_stays_in_its_frame(minutes: list[tuple[float, float, float | None]]) -> None:
    hour = Hour()
    for number, (accepted, refused, throughput) in enumerate(minutes):
        hour.noted(at(START + 60 * number, sends(accepted, refused, throughput)))
    drawn = plot(hour, "one", START + 60 * (len(minutes) - 1), UTC)
    assert drawn is not None
    for path in (drawn.accepted, drawn.refused, drawn.limit):
        for part in path.replace("z", "").replace("M", " M").replace("V", " V").replace("H", " H").split(" M")[1:]:
            place, *steps = part.split(" ")
            heights = [float(steps[0]), *(float(step[1:]) for step in steps[1:] if step[0] == "V")]
            sides = [float(place), *(float(step[1:]) for step in steps[1:] if step[0] == "H")]
            assert all(TOP - 2 <= height <= BOTTOM for height in heights)
            assert all(LEFT <= side <= RIGHT + 0.1 for side in sides)
    assert all(TOP <= mark.y <= BOTTOM and LEFT <= mark.x <= RIGHT for mark in drawn.marks)


@pytest.mark.parametrize(
    ("throughputs", "words"),
    [
        ((30,), ""),
        ((30, 20), ", rate changed once"),
        ((30, 20, 10), ", rate changed twice"),
        ((30, 20, 10, 5), ", rate changed 3 times"),
    ],
)
def test_the_words_say_what_is_drawn(throughputs: tuple[int, ...], words: str) -> None:
    hour = Hour()
    for number, throughput in enumerate(throughputs):
        hour.noted(at(START + 60 * number, sends(10.0, 0.5, throughput)))
    drawn = plot(hour, "one", START + 60 * len(throughputs) - 1, UTC)
    assert drawn is not None
    refused = 5 * len(throughputs)  # of each minute ten seconds were seen
    told = f"limit now {throughputs[-1]}, {refused} refused as too fast{words}"
    span = "minute" if len(throughputs) == 1 else f"{len(throughputs)} minutes"
    assert drawn.words == f"Last {span}: at the most 10.0 a second accepted, {told}"
    assert sum(row.refused for row in drawn.rows) == refused


def test_columns_stand_on_each_other() -> None:
    hour = Hour()
    hour.noted(at(START, sends(20.0, 20.0, 40)))
    drawn = plot(hour, "one", START, UTC)
    assert drawn is not None
    half = BOTTOM - (BOTTOM - TOP) * 20 / 50  # 40 with a little room: the scale ends at 50
    assert drawn.accepted == f"M348.7 {BOTTOM}.0V{half}H354.0V{BOTTOM}.0z"
    assert drawn.refused.startswith(f"M348.7 {half}V")

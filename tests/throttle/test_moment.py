"""When a link may be stopped: nothing in flight, and nothing about to be sent."""

from __future__ import annotations

import pytest

from kannelkit.throttle.moment import Moment
from kannelkit.throttle.values import Sample


def _moment(rows: list[tuple[float, int, int, int | None]], links: int = 1) -> Moment:
    moment = Moment(links)
    for at, accepted, waiting, in_flight in rows:
        moment.sampled(Sample(at, accepted, waiting, in_flight, True))
    return moment


_BURST = [(0.0, 0, 500, 0), (0.5, 0, 470, 30), (0.55, 30, 470, 0)]


@pytest.mark.parametrize(
    ("rows", "now", "expected"),
    [
        pytest.param([], 1.0, False, id="nothing known"),
        pytest.param([(0.0, 0, 0, 0)], 0.01, True, id="idle"),
        pytest.param([(0.0, 0, 0, 0)], 0.5, False, id="too old to be believed"),
        pytest.param([(0.0, 0, 0, 3)], 0.01, False, id="in flight"),
        pytest.param(_BURST, 0.56, True, id="a burst was just answered"),
        pytest.param(_BURST[:2], 0.51, False, id="a burst has no answers yet"),
        pytest.param([*_BURST, (0.9, 30, 470, 0)], 0.91, False, id="the next burst may come at any moment"),
        pytest.param(
            [*_BURST[:2], (0.55, 30, 470, 12)], 0.56, True, id="whole burst answered, another account in flight"
        ),
        pytest.param([*_BURST[:2], (0.55, 18, 470, 12)], 0.56, False, id="part of the burst answered"),
        pytest.param(
            [*_BURST[:2], (1.7, 30, 440, 30)], 1.71, False, id="answers so late that the next burst is on its way"
        ),
    ],
)
def test_moments(rows: list[tuple[float, int, int, int | None]], now: float, expected: bool) -> None:
    assert _moment(rows).good(now, 30) is expected


@pytest.mark.parametrize(
    ("now", "in_flight", "expected"),
    [
        pytest.param(0.15, 0, False, id="answered a moment ago"),
        pytest.param(0.3, 0, True, id="nothing in flight: at once"),
        pytest.param(0.3, 12, False, id="in flight"),
        pytest.param(1.94, 0, True, id="the pause goes on"),
        pytest.param(1.98, 0, False, id="the next burst may be on its way"),
        pytest.param(0.3, None, False, id="nobody can say what is in flight: later"),
        pytest.param(1.05, None, True, id="silent for long"),
        pytest.param(1.98, None, False, id="silent for long, but the next burst may be on its way"),
    ],
)
def test_in_a_pause(now: float, in_flight: int | None, expected: bool) -> None:
    moment = _moment([(0.0, 0, 500, 0), (0.06, 30, 500, 0)])
    moment.refused(0.05, pause_until=2.0)
    moment.sampled(Sample(now, 30, 500, in_flight, True))
    assert moment.good(now, 60) is expected


@pytest.mark.parametrize(("now", "expected"), [(0.6, False), (0.75, True)])
def test_of_a_short_pause_the_end_is_used_where_nobody_can_say_what_is_in_flight(now: float, expected: bool) -> None:
    moment = _moment([(0.0, 0, 500, None), (0.06, 30, 500, None)])
    moment.refused(0.05, pause_until=1.0)
    moment.sampled(Sample(now, 30, 500, None, True))
    assert moment.good(now, 60) is expected


@pytest.mark.parametrize(
    ("refused", "expected"),
    [
        pytest.param([(1, 2.0)], False, id="of one link, which says nothing of the others"),
        pytest.param([(1, 2.0), (1, 2.0)], False, id="of one link, twice"),
        pytest.param([(1, 2.0), (2, 0.5)], False, id="of one link, the other one's is over"),
        pytest.param([(1, 2.0), (2, 2.0)], True, id="of both"),
        pytest.param([(1, 0.5), (1, 2.0), (2, 2.0)], True, id="of both, and of one a second time"),
    ],
)
def test_of_several_links_the_pauses_count_together(refused: list[tuple[int, float]], expected: bool) -> None:
    moment = _moment([(0.0, 30, 500, 0)], links=2)
    for thread, pause_until in refused:
        moment.refused(0.05, pause_until, thread)
    moment.sampled(Sample(0.5, 30, 500, 0, True))
    assert moment.good(0.51, 60) is expected


@pytest.mark.parametrize("links", [1, 2])
def test_a_link_that_was_made_anew_pauses_no_more(links: int) -> None:
    moment = _moment([(0.0, 30, 500, 0)], links)
    for thread in range(links):
        moment.refused(0.05, 2.0, thread)
    moment.sampled(Sample(0.4, 30, 500, 0, online=False))
    moment.sampled(Sample(0.5, 30, 500, 0, online=True))
    assert not moment.good(0.51, 60)


def test_where_long_messages_wait_only_a_silent_pause_will_do() -> None:
    moment = _moment([(0.0, 30, 500, None)])
    assert not moment.good(0.01, 30)
    moment.refused(0.05, pause_until=2.0)
    moment.sampled(Sample(1.2, 30, 500, None, True))
    assert moment.good(1.21, 30)


def test_of_several_links_one_is_stopped_after_a_burst_while_another_pauses() -> None:
    # bursts of two links at twice the limit: each is refused in part, so one of them pauses at any time
    moment = _moment([(0.0, 0, 500, 0)], links=2)
    for second in range(5):
        moment.sampled(Sample(second + 0.5, 30 * second, 500, 30, True))
        assert not moment.good(second + 0.51, 60)
        moment.refused(second + 0.52, pause_until=second + 2.0)
        moment.sampled(Sample(second + 0.55, 30 * second + 30, 500, 0, True))
        assert moment.good(second + 0.56, 60)

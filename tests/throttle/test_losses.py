"""Refusals that go on: what a lower rate is worth."""

from __future__ import annotations

import pytest

from kannelkit.throttle.losses import Losses


def _seen(period: float, accepted: int, refused: list[int], seconds: float = 40.0) -> Losses:
    """Return what was seen of bursts of which `accepted` were, one a period, one after another refused in part."""
    losses = Losses(links=1)
    for number in range(int(seconds / period)):
        at = number * period
        losses.sampled(at, number * accepted)
        losses.refused(at, refused[number % len(refused)], number * accepted)
    return losses


@pytest.mark.parametrize(
    ("throughput", "period", "accepted", "refused", "better"),
    [
        pytest.param(31, 3.0, 61, [1], 30, id="a bucket of a second, one too many"),
        pytest.param(45, 4.0, 120, [15], 31, id="a bucket of two seconds"),
        pytest.param(10, 3.0, 15, [7], 6, id="a bucket of two seconds at a small limit"),
        pytest.param(2000, 3.0, 4400, [90], 1910, id="large bursts that touch with their tails"),
        pytest.param(2000, 3.0, 4400, [20], 1940, id="their tails hardly touch"),
        pytest.param(30, 6.0, 177, [29], None, id="whole bursts that touch by chance"),
        pytest.param(60, 13.0, 760, [59], None, id="whole bursts of a rate that nothing proved"),
        pytest.param(30, 1.01, 30, [1], None, id="as much as can be: lines that nobody's refusals wrote"),
        pytest.param(30, 1.01, 30, [500], None, id="many such lines"),
        pytest.param(60, 5.0, 60, [60], 30, id="answers of two bursts together"),
    ],
)
def test_a_rate_is_lowered_only_where_no_less_arrives(
    throughput: int, period: float, accepted: int, refused: list[int], better: int | None
) -> None:
    losses = _seen(period, accepted, refused)
    last = int(40 / period) - 1
    loss = losses.better(throughput, last * period, last * accepted, 1.0)
    assert (loss.throughput if loss else None) == better


def test_of_three_bursts_refused_a_little_one_that_was_refused_more_tells_nothing() -> None:
    losses = _seen(3.0, 61, [1, 1, 2], seconds=9.0)
    loss = losses.better(31, 6.0, 2 * 61, 1.0)
    assert loss is not None
    assert loss.throughput == 30


@pytest.mark.parametrize(
    ("period", "better"), [pytest.param(2.0, None, id="little is missing"), pytest.param(3.0, 30, id="much is")]
)
def test_two_bursts_tell_something_only_where_much_is_missing(period: float, better: int | None) -> None:
    losses = _seen(period, 61, [1], seconds=2 * period + 0.1)
    loss = losses.better(31, 20 * period, 20 * 61, 1.0)
    assert (loss.throughput if loss else None) == better


@pytest.mark.parametrize(
    ("window", "better"),
    [pytest.param(30, 23, id="it holds a burst"), pytest.param(10, None, id="it stretches each burst")],
)
def test_a_fifth_that_is_missing_tells_nothing_where_a_small_window_stretches_bursts(
    window: int, better: int | None
) -> None:
    losses = Losses(links=1, proved=30, window=window)
    accepted = 0
    for second in range(61):
        if second % 4 == 0:
            losses.refused(second, 8, accepted)
        losses.sampled(second, accepted)
        accepted += 29 if second % 4 else 0
    loss = losses.better(30, 60.0, accepted, 1.0)
    assert (loss.throughput if loss else None) == better


def test_a_lower_rate_at_which_less_arrives_is_left_once() -> None:
    losses = _seen(3.0, 61, [1])
    assert losses.better(31, 39.0, 13 * 61, 1.0) is not None
    losses.forget()
    for second in range(21):
        losses.sampled(50.0 + second, 1000 + 15 * second)
    back = losses.worse(30, 70.0, 1300, 1.0)
    assert back is not None
    assert back.throughput == 31
    losses.forget()
    losses = _again(losses)
    assert losses.better(31, 140.0, 5000, 1.0) is None  # it was in vain
    losses.proved(30, 140.0)
    assert losses.worse(30, 140.0, 5000, 1.0) is None


@pytest.mark.parametrize(
    ("per_second", "left_after"),
    [
        pytest.param(19.0, 20, id="plainly less"),
        pytest.param(19.8, 55, id="a little less takes longer to know"),
        pytest.param(20.2, None, id="as much"),
    ],
)
def test_how_much_a_lower_rate_brings_is_known_better_later(per_second: float, left_after: int | None) -> None:
    losses = _seen(3.0, 61, [1])  # some 20.3 a second
    assert losses.better(31, 39.0, 13 * 61, 1.0) is not None
    losses.forget()
    left = None
    for second in range(60):
        accepted = 1000 + round(per_second * second)
        losses.sampled(50.0 + second, accepted)
        if losses.worse(30, 50.0 + second, accepted, 1.0) is not None:
            left = second
            break
    assert left == left_after


@pytest.mark.parametrize(
    ("per_second", "back"),
    [pytest.param(17, False, id="a burst less, perhaps"), pytest.param(15, True, id="plainly less")],
)
def test_what_was_seen_for_some_seconds_only_is_not_known_well(per_second: int, back: bool) -> None:
    losses = _seen(3.0, 61, [1], seconds=9.0)  # some 20.3 a second
    assert losses.better(31, 6.0, 2 * 61, 1.0) is not None
    losses.forget()
    for second in range(21):
        losses.sampled(50.0 + second, 1000 + per_second * second)
    assert (losses.worse(30, 70.0, 1000 + per_second * 20, 1.0) is not None) == back


@pytest.mark.parametrize(
    ("links", "apart", "told"),
    [
        pytest.param(4, 0.2, True, id="another link's burst, in a second that was full"),
        pytest.param(4, 1.5, False, id="all is refused for a while"),
        pytest.param(1, 0.2, False, id="no other link"),
    ],
)
def test_a_burst_refused_whole_right_after_another_links_hides_nothing(links: int, apart: float, told: bool) -> None:
    losses = Losses(links)
    for number in range(6):
        at, accepted = 2.0 * number, 42 * number
        losses.sampled(at, accepted)
        losses.refused(at, 17, accepted)
    losses.refused(10.0 + apart, 11, 5 * 42)
    losses.refused(12.0, 17, 6 * 42)
    assert (losses.better(47, 12.0, 6 * 42, 1.0) is not None) == told


def test_a_second_lower_rate_is_judged_by_the_best_before() -> None:
    losses = _seen(3.0, 61, [1])
    assert losses.better(31, 39.0, 13 * 61, 1.0) is not None
    losses.forget()
    for number in range(14):
        losses.sampled(50.0 + 3 * number, 1000 + 58 * number)
        losses.refused(50.0 + 3 * number, 1, 1000 + 58 * number)
    assert losses.better(30, 89.0, 1000 + 13 * 58, 1.0) is not None
    losses.forget()
    for second in range(21):
        losses.sampled(100.0 + second, 2000 + 18 * second)
    back = losses.worse(29, 120.0, 2000 + 20 * 18, 1.0)
    assert back is not None
    assert back.throughput == 31


def _again(losses: Losses) -> Losses:
    for number in range(14):
        losses.sampled(100.0 + 3 * number, 4000 + 61 * number)
        losses.refused(100.0 + 3 * number, 1, 4000 + 61 * number)
    return losses


@pytest.mark.parametrize(
    ("proved", "refused", "better"),
    [
        pytest.param([], 33, 67, id="no proof"),
        pytest.param([(100, 0.0)], 33, None, id="much is refused of what was proved"),
        pytest.param([(100, 0.0)], 4, 96, id="little is"),
        pytest.param([(90, 0.0)], 33, 67, id="another rate was proved"),
        pytest.param([(120, -30.0), (100, 0.0)], 33, 67, id="another proof contradicted it soon before"),
        pytest.param([(120, -90.0), (100, 0.0)], 33, None, id="the limit fell"),
    ],
)
def test_a_proved_rate_is_left_by_a_little_only(
    proved: list[tuple[int, float]], refused: int, better: int | None
) -> None:
    losses = Losses(1)
    for rate, at in proved:
        losses.proved(rate, at)
    for second in range(10):
        losses.sampled(float(second), 60 * second)
    for at in (1.0, 4.0, 7.0):
        losses.refused(at, refused, round(60 * at))
    found = losses.better(100, 9.0, 540, 1.0)
    assert (found.throughput if found else None) == better


def test_much_that_is_refused_of_a_proved_rate_for_long_is_not_drift() -> None:
    losses = Losses(1)
    losses.proved(50, 0.0)
    for second in range(60):
        losses.sampled(float(second), 30 * second)
        if second % 4 == 0:
            losses.refused(float(second), 15, 30 * second)
        found = losses.better(50, float(second), 30 * second, 1.0)
        if found is not None:
            break
    assert 50 <= second <= 55
    assert found is not None
    assert found.throughput == 35


def test_what_refuses_everything_for_a_while_says_nothing_of_the_rate() -> None:
    losses = _seen(4.0, 60, [20], seconds=12.0)
    assert losses.better(60, 12.0, 180, 1.0) is not None
    losses = _seen(4.0, 60, [20], seconds=12.0)
    losses.refused(10.0, 60, 120)
    losses.refused(12.0, 60, 120)
    assert losses.better(60, 12.0, 180, 1.0) is None


@pytest.mark.parametrize(
    ("bursts", "better"),
    [
        pytest.param([(30, 30), (30, 30), (30, 30)], 90, id="each alone"),
        pytest.param([(30, 30), (60, 60), (30, 30)], 90, id="one, and then the two others"),
        pytest.param([(90, 90), (90, 90), (90, 90)], 90, id="all together"),
        pytest.param([(50, 10), (50, 10), (50, 10)], 170, id="a little is refused"),
        pytest.param([(130, 20), (130, 20), (130, 20)], 160, id="bursts between them that are accepted"),
    ],
)
def test_links_that_send_by_turns_show_what_each_is_accepted(bursts: list[tuple[int, int]], better: int) -> None:
    losses = Losses(links=3)
    total = 0
    for number, (accepted, refused) in enumerate(bursts):
        total += accepted
        losses.sampled(2.0 * number, total)
        losses.refused(2.0 * number, refused, total)
    losses.sampled(6.0, total)
    found = losses.better(180, 6.0, total, 1.0)
    assert (found.throughput if found else None) == better


@pytest.mark.parametrize(
    ("accepted", "better"),
    [
        pytest.param(90, 90, id="what a burst was accepted"),
        pytest.param(20, 60, id="no less than half"),
        pytest.param(118, 112, id="not just a little less"),
        pytest.param(500, None, id="less than half is missing"),
    ],
)
def test_a_rate_that_is_punished_again_and_again_comes_to_what_a_burst_was_accepted(
    accepted: int, better: int | None
) -> None:
    losses = Losses(3)
    total = 0
    for number in range(8):
        total += accepted
        for second, refused in ((0.0, 30), (2.0, 120), (4.0, 120)):
            losses.sampled(6.0 * number + second, total)
            losses.refused(6.0 * number + second, refused, total)
        found = losses.punished(120, 6.0 * number + 5, total, 1.0)
        assert found is None or number >= 5
    assert (found.throughput if found else None) == better


@pytest.mark.parametrize(
    ("accepted", "better"),
    [pytest.param(120, 30, id="back to where it came from"), pytest.param(160, 41, id="not all")],
)
def test_steps_up_that_were_too_many_are_taken_back(accepted: int, better: int) -> None:
    losses = _seen(4.0, accepted, [5], seconds=12.0)
    found = losses.better(50, 8.0, 2 * accepted, 1.0, base=30, trial=True)
    assert (found.throughput if found else None) == better


def test_a_step_on_trial_is_taken_back_for_two_bursts_and_later_only_for_a_loss() -> None:
    losses = _seen(4.0, 150, [9], seconds=8.0)
    assert losses.better(50, 4.1, 152, 1.0, base=30) is None
    back = losses.better(50, 4.1, 152, 1.0, base=30, trial=True)
    assert back is not None


@pytest.mark.parametrize(
    ("refused", "better"), [pytest.param(60, None, id="whole bursts"), pytest.param(40, 51, id="most of each")]
)
def test_whole_bursts_that_touch_take_no_step_back(refused: int, better: int | None) -> None:
    losses = _seen(6.0, 300, [refused], seconds=18.1)
    loss = losses.better(60, 18.1, 900, 1.0, base=22)
    assert (loss.throughput if loss else None) == better

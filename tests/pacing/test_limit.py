"""The limit is found before any provider, kept to, and followed when it changes; in simulated time."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kannelkit.pacing.limit import Learnt, Limit
from tests.harness.pacing_model import Bucket, Changing, Fixed, Law, Model, Punishing, Sliding, Stalls, Way

JITTER = 0.002


def provider(name: str, limit: float, edge: float = 0.3) -> Law:
    """Return a provider whose windows are of two seconds where the limit is not whole."""
    seconds = 1.0 if limit == int(limit) else 2.0
    if name == "sliding":
        return Sliding(round(limit * seconds), seconds)
    if name == "fixed":
        return Fixed(round(limit * seconds), seconds, edge)
    if name == "punishing":
        return Punishing(provider("sliding", limit))
    return Bucket(limit, max(1.0, limit * float(name)))


@pytest.mark.parametrize("delay", [0.001, 0.05])
@pytest.mark.parametrize("limit", [1.0, 7.5, 30.0])
@pytest.mark.parametrize("name", ["sliding", "fixed", "1", "0.333", "2"])
def test_a_limit_is_found_from_twice_as_much(name: str, limit: float, delay: float) -> None:
    outcome = Model(provider(name, limit), 2 * limit, Way(delay, JITTER)).run(600)
    assert outcome.per_second() >= 0.985 * limit
    assert outcome.share_refused < 0.003


@pytest.mark.parametrize("name", ["sliding", "fixed", "1", "0.333", "2"])
@pytest.mark.parametrize("way", [Way(0.3, JITTER), Way(0.3, JITTER, 4, in_order=False, late=0.004, stalls=Stalls())])
def test_a_limit_is_found_where_answers_are_late(name: str, way: Way) -> None:
    outcome = Model(provider(name, 30.0), 60.0, way).run(600)
    assert outcome.per_second() >= 0.985 * 30
    assert outcome.share_refused <= 0.0027


@pytest.mark.parametrize(
    ("limit", "delay", "phase"),
    [(30.0, 0.3, 36), (30.0, 0.3, 38), (30.0, 0.2, 25), (20.0, 0.15, 36), (15.0, 0.3, 8), (10.0, 0.3, 5)],
)
def test_a_fixed_second_is_not_taken_for_two_nor_for_a_bucket(limit: float, delay: float, phase: int) -> None:
    law = provider("fixed", limit, phase / 60)
    outcome = Model(law, 2 * limit, Way(delay, 0.003), seed=phase).run(20)
    assert outcome.per_second(5, 20) >= 0.97 * limit


@pytest.mark.parametrize("name", ["1", "0.333", "2"])
def test_a_low_limit_of_a_bucket_is_found_where_answers_are_late(name: str) -> None:
    outcome = Model(provider(name, 7.5), 15.0, Way(0.3, JITTER)).run(600)
    assert outcome.per_second() >= 0.985 * 7.5
    assert outcome.share_refused < 0.003


@pytest.mark.parametrize("seed", range(26, 31))
def test_a_bucket_of_one_submit_is_not_tried_for_ever(seed: int) -> None:
    outcome = Model(Bucket(2.6, 1.0), 7.092, Way(0.3, JITTER, late=0.002), seed=seed).run(300)
    assert outcome.per_second() >= 0.9 * 2.6
    assert outcome.share_refused < 0.02


@pytest.mark.parametrize(("limit", "ceiling", "delay"), [(1.6, 4.6, 0.01), (1.5, 5.0, 0.05)])
def test_a_low_limit_of_a_bucket_is_no_window_of_one(limit: float, ceiling: float, delay: float) -> None:
    outcome = Model(Bucket(limit, 2 * limit), ceiling, Way(delay, 0.02, late=0.002)).run(300)
    assert outcome.per_second() >= 0.9 * limit


@pytest.mark.parametrize("phase", range(15))
@pytest.mark.parametrize("delay", [0.001, 0.05])
def test_a_cold_start_finds_a_limit_whenever_a_fixed_second_ends(delay: float, phase: int) -> None:
    law = provider("fixed", 30.0, phase / 15)
    outcome = Model(law, 60.0, Way(delay, 0.003), seed=2 * phase).run(20)
    assert outcome.per_second(5, 20) >= 0.97 * 30


@pytest.mark.parametrize("delay", [0.001, 0.05, 0.3])
@pytest.mark.parametrize("name", ["sliding", "fixed"])
def test_what_stands_still_now_and_then_is_no_lower_limit(name: str, delay: float) -> None:
    outcome = Model(provider(name, 30.0), 60.0, Way(delay, JITTER, late=0.004, stalls=Stalls())).run(600)
    assert outcome.per_second() >= 0.985 * 30
    assert outcome.share_refused < 0.003


def test_what_stands_still_is_not_punished() -> None:
    outcome = Model(provider("punishing", 30.0), 60.0, Way(0.05, JITTER, late=0.004, stalls=Stalls())).run(600)
    assert outcome.per_second() >= 0.9 * 30


@pytest.mark.parametrize("limit", [1.0, 7.5, 30.0])
def test_punishments_are_few(limit: float) -> None:
    outcome = Model(provider("punishing", limit), 2 * limit, Way(0.05, JITTER)).run(600)
    assert outcome.per_second() >= 0.9 * limit


@settings(max_examples=30, deadline=None)
@given(
    st.sampled_from(["sliding", "fixed", "1", "0.333", "2", "punishing"]),
    st.sampled_from([1.0, 7.5, 12.0, 30.0, 100.0]),
    st.floats(0.001, 0.3),
    st.floats(0.0, 1.0),
    st.integers(0, 1000),
)
def test_who_is_told_the_limit_is_refused_nothing(
    name: str, limit: float, delay: float, edge: float, seed: int
) -> None:
    outcome = Model(provider(name, limit, edge), limit, Way(delay, JITTER), seed=seed).run(32)
    assert outcome.refused == []
    assert outcome.per_second(2, 32) >= 0.985 * limit - 1 / 30  # it begins gently


@settings(max_examples=30, deadline=None)
@given(
    st.sampled_from(["sliding", "fixed", "1", "0.333", "punishing"]),
    st.integers(2, 80),
    st.floats(1.0, 4.0),
    st.floats(0.001, 0.3),
    st.integers(0, 1000),
)
def test_the_ceiling_is_never_exceeded(name: str, limit: int, times: float, delay: float, seed: int) -> None:
    ceiling = limit * times
    outcome = Model(provider(name, limit), ceiling, Way(delay, JITTER), seed=seed).run(40)
    assert all(believed <= ceiling for _, believed in outcome.believed)
    left = sorted([*outcome.accepted, *outcome.refused])
    most = math.ceil(ceiling) + 1  # the one that is on the edge
    assert all(after - before >= 1.0 for before, after in zip(left, left[most:], strict=False))


@pytest.mark.parametrize(("apart", "seed"), [(0.5, 11), (0.5, 55), (0.6, 4), (0.6, 5), (0.6, 33)])
def test_messages_that_come_singly_before_the_many_tell_no_lower_limit(apart: float, seed: int) -> None:
    chance = random.Random(seed)
    many = 10 * apart
    arrivals = [*sorted(chance.random() * many for _ in range(10)), *[many] * 2000]
    outcome = Model(provider("sliding", 7.5), 15.0, Way(0.05, JITTER), seed=seed).run(200, arrivals)
    assert outcome.per_second(20, 200) >= 0.95 * 7.5
    assert outcome.share_refused < 0.005


@pytest.mark.parametrize("seed", [7, 10, 12, 14])
@pytest.mark.parametrize("jitter", [0.01, 0.02])
@pytest.mark.parametrize("name", ["sliding", "1", "punishing"])
def test_jitter_is_no_lower_limit(name: str, jitter: float, seed: int) -> None:
    way = Way(0.05, jitter, connections=4, in_order=False, late=jitter)
    outcome = Model(provider(name, 1.0), 2.0, way, seed=seed).run(600)
    assert outcome.per_second(20, 600) >= 0.9
    if name != "punishing":
        assert outcome.share_refused <= 0.005


@pytest.mark.parametrize("times", [1.2, 2.0, 4.0, 10.0])
def test_one_submit_in_two_seconds_is_found(times: float) -> None:
    outcome = Model(provider("sliding", 0.5), 0.5 * times, Way(0.05, JITTER)).run(300)
    assert outcome.per_second(20, 300) >= 0.9 * 0.5


@pytest.mark.parametrize(("edge", "seed"), [(0.7, 7), (0.6, 6)])
def test_what_stands_still_at_a_high_limit_does_not_show_a_sixth_of_it(edge: float, seed: int) -> None:
    law = provider("fixed", 3000.0, edge)
    way = Way(0.001, 0.001, late=0.002, stalls=Stalls())
    outcome = Model(law, 6000.0, way, seed=seed).run(20)
    assert min(limit for at, limit in outcome.believed if at > 3) >= 2400


@pytest.mark.parametrize("seed", [2, 4])
def test_refusals_that_many_submits_can_afford_make_no_second_longer(seed: int) -> None:
    way = Way(0.001, 0.001, late=0.002, stalls=Stalls(every=1.0, least=0.01, most=0.02))
    outcome = Model(provider("fixed", 2000.0), 4000.0, way, seed=seed).run(60)
    assert outcome.refused_between(10) >= 20
    assert outcome.limit.rate >= 0.994 * outcome.limit.limit


@settings(max_examples=20, deadline=None)
@given(st.integers(20, 60), st.floats(0.001, 0.1), st.integers(0, 1000))
def test_it_comes_to_rest(limit: int, delay: float, seed: int) -> None:
    outcome = Model(provider("sliding", limit), 2.0 * limit, Way(delay, JITTER), seed=seed).run(60)
    assert outcome.per_second(20, 60) >= 0.98 * limit
    assert outcome.refused_between(20, 60) <= 6  # two trials


@pytest.mark.parametrize("moment", [60.0, 71.3, 88.8])
@pytest.mark.parametrize("delay", [0.001, 0.05])
@pytest.mark.parametrize("name", ["sliding", "1"])
def test_a_fall_is_settled_within_two_seconds(name: str, delay: float, moment: float) -> None:
    law = Changing(provider(name, 60.0), [(moment, 20.0)])
    outcome = Model(law, 120.0, Way(delay, JITTER)).run(moment + 12)
    assert outcome.per_second(moment + 2, moment + 12) >= 0.95 * 20
    assert outcome.refused_between(moment + 2) <= 2


@pytest.mark.parametrize("moment", [60.0, 71.3, 88.8])
@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("name", ["sliding", "fixed", "1"])
def test_a_fall_is_settled_where_answers_are_late(name: str, seed: int, moment: float) -> None:
    law = Changing(provider(name, 60.0), [(moment, 20.0)])
    outcome = Model(law, 120.0, Way(0.3, 0.003), seed=seed).run(moment + 12)
    begins = [moment + tenth / 10 for tenth in range(21)]
    assert any(
        outcome.per_second(begin, begin + 10) >= 0.95 * 20 and outcome.refused_between(begin, begin + 10) <= 0.05 * 200
        for begin in begins
    )


@pytest.mark.parametrize("moment", [60.0, 71.3, 88.8])
@pytest.mark.parametrize("delay", [0.001, 0.05])
@pytest.mark.parametrize("name", ["sliding", "1"])
def test_a_rise_is_used_within_half_a_minute(name: str, delay: float, moment: float) -> None:
    law = Changing(provider(name, 20.0), [(moment, 60.0)])
    outcome = Model(law, 120.0, Way(delay, JITTER)).run(moment + 35)
    assert outcome.per_second(moment + 30, moment + 35) >= 0.95 * 60


@pytest.mark.parametrize(("fall", "rise"), [(66.9, 123.3), (52.7, 110.4), (69.1, 128.3), (62.5, 118.6), (57.3, 111.2)])
def test_a_bucket_that_fell_is_no_window_of_two_seconds_which_would_rise_later(fall: float, rise: float) -> None:
    law = Changing(provider("1", 60.0), [(fall, 20.0), (rise, 60.0)])
    outcome = Model(law, 120.0, Way(0.3, 0.002), seed=1).run(rise + 36)
    assert outcome.per_second(rise + 30, rise + 35) >= 0.95 * 60


def test_what_was_learnt_is_begun_with() -> None:
    limit = Limit(100.0, Learnt(30.0))
    assert limit.limit == 30.0
    assert limit.learnt == Learnt(30.0)
    assert Limit(20.0, Learnt(30.0)).learnt is None


def test_without_a_ceiling_a_refusal_tells_the_limit() -> None:
    limit = Limit()
    assert limit.rate == math.inf
    for number in range(30):
        limit.accepted(limit.sent(number / 100), number / 100 + 0.001)
    limit.refused(limit.sent(0.3), 0.301)
    assert limit.limit == 30.0


def test_several_may_leave_together_once_that_was_accepted() -> None:
    arrivals = [3.0 * rest + part / 1000 for rest in range(20) for part in range(10)]
    outcome = Model(provider("sliding", 30.0), 30.0, Way(0.01, JITTER)).run(65, arrivals)
    assert outcome.limit.allowance > 4
    assert outcome.refused == []


def test_a_small_bucket_keeps_the_allowance_small() -> None:
    arrivals = [3.0 * rest + part / 1000 for rest in range(40) for part in range(10)]
    outcome = Model(Bucket(30.0, 3.0), 30.0, Way(0.01, JITTER)).run(125, arrivals)
    assert outcome.limit.allowance <= 3
    assert outcome.limit.limit >= 29.0


def test_a_submit_whose_answer_is_lost_holds_up_nothing() -> None:
    limit = Limit(10.0)
    for number in range(10):
        limit.accepted(limit.sent(number / 10), number / 10)
    for at in (1.0, 1.1, 1.2):
        limit.refused(limit.sent(at), at)
    probe = limit.sent(3.0)
    assert limit.wait(4.0) > 0.0
    limit.lost(probe)
    assert limit.wait(4.0) == 0.0

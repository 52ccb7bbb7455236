"""The model gives the figures that were measured with the real Kannel: limit 30, over 35 s, after the start."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.harness.kannel_model import Run, simulate
from tests.harness.model_laws import Law, bucket, fixed, punishing, sliding

_SEEDS = range(4)
_BEGIN, _END = 5.0, 40.0


LAWS: dict[str, Callable[[int], Law]] = {
    "sliding": lambda limit: sliding(lambda _: limit),
    "fixed": lambda limit: fixed(lambda _: limit),
    "bucket": lambda limit: bucket(lambda _: limit, limit),
    "punishing": lambda limit: punishing(sliding(lambda _: limit)),
}


def _runs(law: str, limit: int, throughput: int, delay: float, look: float | None, links: int = 1) -> list[Run]:
    return [
        simulate(
            None,
            LAWS[law](limit),
            seconds=_END,
            throughput=throughput,
            delay=delay,
            look=look,
            links=links,
            phase=seed / 4,
            seed=seed,
        )
        for seed in _SEEDS
    ]


def _share(runs: list[Run], limit: int) -> float:
    return sum(run.per_second(_BEGIN, _END) for run in runs) / len(runs) / limit


def _refused(runs: list[Run]) -> float:
    return sum(run.refused_share(_BEGIN, _END) for run in runs) / len(runs)


@pytest.mark.parametrize(
    ("law", "throughput", "delay", "look", "share", "refused"),
    [
        pytest.param("sliding", 60, 0.05, None, (0.47, 0.53), (0.47, 0.53), id="twice a window's limit: half and half"),
        pytest.param("sliding", 30, 0.005, None, (0.98, 1.0), (0.0, 0.005), id="a sliding second, all messages there"),
        pytest.param("sliding", 30, 0.05, 0.002, (0.92, 0.97), (0.01, 0.04), id="a sliding second, messages arrive"),
        pytest.param("fixed", 30, 0.05, None, (0.96, 1.0), (0.0, 0.005), id="a fixed second"),
        pytest.param("bucket", 30, 0.05, 0.002, (0.98, 1.0), (0.0, 0.005), id="a bucket of one second"),
        pytest.param("punishing", 28, 0.05, 0.002, (0.7, 0.85), (0.05, 0.1), id="punished, a little below the limit"),
        pytest.param("punishing", 15, 0.05, 0.002, (0.48, 0.51), (0.0, 0.0), id="punished, at half the limit"),
    ],
)
def test_a_constant_throughput_delivers_what_the_real_one_does(
    law: str,
    throughput: int,
    delay: float,
    look: float | None,
    share: tuple[float, float],
    refused: tuple[float, float],
) -> None:
    runs = _runs(law, 30, throughput, delay, look)
    assert share[0] <= _share(runs, 30) <= share[1]
    assert refused[0] <= _refused(runs) <= refused[1]


def test_two_links_touch_the_shared_limit_now_and_then() -> None:
    runs = _runs("sliding", 31, 31, 0.05, 0.004, links=2)
    assert 0.92 <= _share(runs, 31) <= 0.99
    assert 0.0 < _refused(runs) <= 0.03


def test_the_second_burst_of_a_new_link_comes_early() -> None:
    """A link's first period begins with the link, before its bind."""
    run = simulate(None, sliding(lambda _: 30), seconds=20, throughput=30, delay=0.05, seed=None)
    assert run.accepted[0] == pytest.approx(0.1)
    assert run.refused
    assert max(run.refused) < 1.2  # once
    assert run.refused[0] - run.accepted[0] < 1.0


def test_no_more_submits_than_the_window_are_unanswered() -> None:
    run = simulate(None, lambda _: True, seconds=20, throughput=100, delay=0.5, window=10, seed=None)
    assert run.per_second(5, 20) == pytest.approx(20, rel=0.1)


def test_after_a_refusal_the_link_is_silent_until_two_whole_seconds_of_the_wall_clock_later() -> None:
    run = simulate(None, lambda at: not 10 < at < 11, seconds=20, throughput=5, delay=0.01, phase=0.25, seed=None)
    refused = max(run.refused)
    assert min(at for at in run.accepted if at > refused) == pytest.approx(int(refused + 0.26) + 2 - 0.25, abs=0.01)


def test_an_error_of_another_kind_pauses_nothing() -> None:
    run = simulate(
        None,
        lambda _: True,
        seconds=20,
        throughput=10,
        delay=0.01,
        other_refusals=lambda at: 10 < at < 11,
        seed=None,
    )
    assert not run.refused
    assert run.per_second(12, 20) == pytest.approx(10, rel=0.1)


def test_a_link_that_is_down_sends_nothing_until_it_is_back() -> None:
    run = simulate(None, lambda _: True, seconds=60, throughput=20, links=2, down=(20.0, 40.0), seed=None)
    whole = run.per_second(5, 20)
    assert whole == pytest.approx(20, rel=0.1)
    assert run.per_second(21, 40) == pytest.approx(whole / 2, rel=0.1)
    assert run.per_second(42, 60) == pytest.approx(whole, rel=0.1)


def test_a_closed_bind_comes_back_after_reconnect_delay() -> None:
    run = simulate(None, sliding(lambda _: 10), seconds=60, throughput=20, closes=True, reconnect=10.0, seed=None)
    assert 4 <= len(run.refused) <= 6  # one for each bind
    assert run.per_second(0, 60) == pytest.approx(1, rel=0.2)

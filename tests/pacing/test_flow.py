"""What flows into a bucket is told by refusals and acceptances in turn; no window makes them so."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from kannelkit.pacing.flow import Flow
from tests.harness.pacing_model import Bucket, Fixed, Law, Sliding


def told(law: Law, rate: float, seconds: float) -> list[float]:
    """Return what was told while one sends at a rate before a law."""
    flow = Flow()
    accepted: list[float] = []
    found = []
    for number in range(round(rate * seconds)):
        at = number / rate
        if law.admits(at):
            accepted.append(at)
            continue
        second, two = (sum(at - each < window for each in accepted) for window in (1.0, 2.0))
        flows = flow.told(at, len(accepted), second, two)
        if flows is not None:
            found.append(flows)
    return found


@pytest.mark.parametrize("limit", [20.0, 30.0, 300.0])
@pytest.mark.parametrize("seconds", [0.333, 1.0, 2.0])
def test_a_bucket_that_is_empty_tells_what_flows_into_it(limit: float, seconds: float) -> None:
    found = told(Bucket(limit, limit * seconds), 2 * limit, seconds + 1.5)
    assert found
    assert all(limit <= flows <= 1.4 * limit for flows in found)


@pytest.mark.parametrize("times", [1.3, 2.0, 3.7])
@pytest.mark.parametrize(
    "law",
    [
        lambda: Sliding(20),
        lambda: Sliding(300),
        lambda: Fixed(30, 1.0, 0.3),
        lambda: Fixed(300, 1.0, 0.7),
        lambda: Sliding(15, 2.0),
    ],
)
def test_a_window_is_none(law: Callable[[], Sliding | Fixed], times: float) -> None:
    provider = law()
    assert told(provider, times * provider.number / provider.seconds, 6.0) == []

"""Trials: what the refusals of a beginning cost, and those of a fall."""

from __future__ import annotations

import pytest

from kannelkit.pacing.trials import Trials

_EARNED = 25.0  # seconds at 20 submits a second in which one refusal is earned


@pytest.mark.parametrize(("tried_from", "affordable"), [(0.0, False), (18.0, False), (60.0, True)])
def test_a_fall_to_a_low_limit_owes_nothing_and_a_beginning_there_does(tried_from: float, affordable: bool) -> None:
    trials = Trials()
    if tried_from:
        trials.begin(tried_from, 1.0, 30.0)
    for _ in range(5):
        trials.pay(18.0)
    trials.earn(20.0, _EARNED)
    assert trials.affordable is affordable

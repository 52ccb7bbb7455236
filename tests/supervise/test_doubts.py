"""Refusals that are not believed are told, but not all day."""

from __future__ import annotations

from kannelkit.supervise.doubts import Doubts
from kannelkit.throttle.controller import AccountRate
from kannelkit.throttle.values import Settings


def test_doubts_are_told_once_a_minute_with_how_many_are_new() -> None:
    rates = {"a": AccountRate("a", Settings(30)), "b": AccountRate("b", Settings(30))}
    doubts = Doubts()
    assert doubts.due(rates, 0.0) == {}
    rates["a"].doubted = 5
    assert doubts.due(rates, 1.0) == {"a": 5}
    rates["a"].doubted, rates["b"].doubted = 7, 1
    assert doubts.due(rates, 2.0) == {"b": 1}
    assert doubts.due(rates, 60.9) == {}
    assert doubts.due(rates, 61.0) == {"a": 2}

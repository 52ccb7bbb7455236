"""Providers' laws in simulated time: the simulator's own, with limits that change, and what comes on top of them."""

from __future__ import annotations

from collections.abc import Callable
from math import inf

from kannelkit.simulator import limits

# says of a submit that arrives at that moment whether it is accepted
Law = Callable[[float], bool]


def sliding(limit: Callable[[float], int]) -> Law:
    """Return a law that accepts at most `limit(at)` submits in any second."""
    return _changing(limits.SlidingWindow(0), limit)


def fixed(limit: Callable[[float], int], phase: float = 0.0) -> Law:
    """Return a law that accepts at most `limit(at)` submits in each second of the provider's clock."""
    return _changing(limits.FixedWindow(0, -phase), limit)


def bucket(limit: Callable[[float], int], burst: int) -> Law:
    """Return a law that accepts at most `burst` submits at once and `limit(at)` a second in the long run."""
    return _changing(limits.TokenBucket(0, burst), limit)


def punishing(law: Law, seconds: float = 5.0) -> Law:
    """Return a law that refuses everything for some seconds after an excess over `law`."""
    until = -inf

    def accepts(at: float) -> bool:
        nonlocal until
        if at < until:
            return False
        accepted = law(at)
        if not accepted:
            until = at + seconds
        return accepted

    return accepts


def _changing(law: limits.Limit, limit: Callable[[float], int]) -> Law:
    def accepts(at: float) -> bool:
        law.limit = limit(at)
        return law.admits(at)

    return accepts

"""What an SMSC saw, with the times of it, and the figures that follow: pure."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Timeline:
    """Times of arrival in ms of the SMSC's own monotonic clock, ascending, by what became of the submit_sm."""

    now: float
    accepted: Sequence[float]
    refused: Sequence[float]
    events: Sequence[Mapping[str, Any]] = field(default_factory=tuple)

    def binds(self) -> int:
        """Return how many binds the SMSC answered since its start."""
        return sum(1 for event in self.events if event["event"] == "bind")


@dataclass(frozen=True, slots=True)
class Rates:
    """What was accepted and refused over a span: messages a second, messages, and refused / all submits."""

    accepted_per_second: float
    refused: int
    refused_share: float


def _between(times: Sequence[float], from_ms: float, to_ms: float) -> int:
    return bisect_left(times, to_ms) - bisect_left(times, from_ms)


def measure(timeline: Timeline, from_ms: float, to_ms: float) -> Rates:
    """Return the rates over the half-open span; raise ValueError when it is empty."""
    if to_ms <= from_ms:
        raise ValueError(f"an empty span: {from_ms} to {to_ms} ms")
    accepted = _between(timeline.accepted, from_ms, to_ms)
    refused = _between(timeline.refused, from_ms, to_ms)
    submits = accepted + refused
    return Rates(accepted * 1000 / (to_ms - from_ms), refused, refused / submits if submits else 0.0)


def span(timeline: Timeline, seconds: float, after: float = 5.0) -> tuple[float, float] | None:
    """Return `seconds` from `after` seconds past the first refusal, or past the first acceptance where none
    was refused, in ms; None before anything arrived."""
    first = timeline.refused[:1] or timeline.accepted[:1]
    if not first:
        return None
    begin = first[0] + after * 1000
    return begin, begin + seconds * 1000


def seconds_to_limit(timeline: Timeline, limit: float, over: float = 5.0, share: float = 0.95) -> float | None:
    """Return the seconds from the first arrival to the first accepted message from which on, for `over` seconds,
    at least `share` of the limit was accepted; None when that never was."""
    arrivals = [times[0] for times in (timeline.accepted, timeline.refused) if times]
    for begin in timeline.accepted:
        if begin + over * 1000 > timeline.now:
            break
        if _between(timeline.accepted, begin, begin + over * 1000) >= share * limit * over:
            return (begin - min(arrivals)) / 1000
    return None


def bursts(times: Sequence[float], gap_ms: float = 250.0) -> list[tuple[float, float, int]]:
    """Return each burst's first and last time and its size; a burst ends where `gap_ms` pass without a message."""
    found: list[tuple[float, float, int]] = []
    for time in times:
        if found and time - found[-1][1] < gap_ms:
            first, _, size = found[-1]
            found[-1] = (first, time, size + 1)
        else:
            found.append((time, time, 1))
    return found


def lost(sent: Iterable[str], messages: Mapping[str, Sequence[int]]) -> list[str]:
    """Return the keys that were taken for delivery and that the SMSC never accepted."""
    return sorted(key for key in set(sent) if not messages.get(key, (0, 0))[0])


def doubled(messages: Mapping[str, Sequence[int]]) -> dict[str, int]:
    """Return the keys that the SMSC accepted more than once, with how often."""
    return {key: counts[0] for key, counts in messages.items() if counts[0] > 1}

"""How soon the provider answers, and how often it refuses: over the last minute, in a memory of constant size."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

_SLOT: Final = 5.0  # seconds
_SLOTS: Final = 12
_PARTS: Final = 8  # of an octave: what is told of a delay is at the most 6 % beside it
_LEAST: Final = -14  # 2 ** -14 s is 61 us
_OCTAVES: Final = 22  # up to 256 s, longer than any wait-ack that makes sense
_CLASSES: Final = _PARTS * _OCTAVES
_SHORTEST: Final = math.ldexp(0.5, _LEAST)


@dataclass(frozen=True, slots=True)
class Response:
    """Answers to submits: within how many seconds half of them and 99 of 100 came, and how many of them were refusals
    for speed; the delays are None where there was no answer.
    """

    answers: int
    refused: int
    median: float | None
    most: float | None


class Lately:
    """Counts answers; times and delays are seconds."""

    def __init__(self) -> None:
        self.answers = 0
        """Answers since the start."""
        self.seconds = 0.0
        """Their delays together."""
        self._delays = [[0] * _CLASSES for _ in range(_SLOTS)]
        self._refused = [0] * _SLOTS
        self._slot = 0

    def answered(self, delay: float, now: float, *, refused: bool) -> None:
        """Take note of an answer."""
        slot = int(now / _SLOT)
        if slot != self._slot:
            self._forget(slot)
        self.answers += 1
        self.seconds += delay
        at = slot % _SLOTS
        mantissa, octave = math.frexp(delay or _SHORTEST)
        place = (octave - _LEAST) * _PARTS + int(mantissa * 2 * _PARTS) - _PARTS
        self._delays[at][0 if place < 0 else place if place < _CLASSES else _CLASSES - 1] += 1
        if refused:
            self._refused[at] += 1

    def minute(self, now: float) -> Response:
        """Return what the last minute was like."""
        self._forget(int(now / _SLOT))
        counts = [sum(column) for column in zip(*self._delays, strict=True)]
        answers = sum(counts)
        if not answers:
            return Response(0, 0, None, None)
        return Response(answers, sum(self._refused), _quantile(counts, 0.5), _quantile(counts, 0.99))

    def _forget(self, slot: int) -> None:
        """Begin this slot, with all that lie between the last one and it."""
        for each in range(max(self._slot, slot - _SLOTS) + 1, slot + 1):
            self._delays[each % _SLOTS] = [0] * _CLASSES
            self._refused[each % _SLOTS] = 0
        self._slot = max(self._slot, slot)


def _quantile(counts: list[int], share: float) -> float:
    """Return the middle of the class in which a share of all lies."""
    wanted, seen, place = math.ceil(share * sum(counts)), 0, 0
    for place, count in enumerate(counts):  # noqa: B007 - the last one is used
        seen += count
        if seen >= wanted:
            break
    octave, part = divmod(place, _PARTS)
    return math.ldexp((_PARTS + part + 0.5) / (2 * _PARTS), octave + _LEAST)

"""The figures, from what the simulator counted and nothing else; pure.

Both halves are measured alike. The start is the first submit to arrive, whichever way it is answered. The span that
`accepted_per_second` and `refused_share` are of begins with the first submit that arrives `START_SECONDS` or more after
the start, and ends before the first one that arrives the wanted seconds or more after that. What the start costs is
told apart, and counted from the start on: `seconds_to_limit`, and the `refused` of start and span together. All moments
are the simulator's, to the tenth of a second.

Kannel sends in bursts, about a second apart: a span of fixed edges would hold one burst more or less by chance, which
is a whole second's messages. From one submit to another it holds whole bursts, and with each the wait for the next.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kannelkit.simulator.counters import Counters, Slots

# Kannel alone sends two bursts before its first pause, and kannelkit has to see a refusal before it knows the limit.
START_SECONDS = 2.5
# no submit for so long after the wanted end (Kannel's pause is 2 s at the most): the span ends there
LONGEST_WAIT = 3.0
# at the limit is who has this share of it accepted, and no more than the rest of his submits refused, for so long
_AT_LIMIT_SHARE = 0.95
_AT_LIMIT_SECONDS = 3.0
# what is shown while it runs; Kannel alone sends in one second and pauses in the next
_LATELY = 2.0


@dataclass(frozen=True, slots=True)
class Standing:
    """How a half stands: seconds since its first submit, and SMS per second over the last two seconds."""

    seconds: float
    accepted_per_second: float
    refused_per_second: float


@dataclass(frozen=True, slots=True)
class Half:
    """One half of the demonstration.

    Of the span: `accepted_per_second` (SMS per second) and `refused_share` (of its submits, 0 to 1). From the first
    submit to the end of the span: `refused` submits, `changes` (binds after the first: kannelkit changes a rate by
    re-creating the link), `seconds_to_limit` (None: never) and `each_second`, what was accepted in each second. After
    the drain: `lost`, messages that smsbox took and the simulator never accepted, and `doubled`, acceptances of a
    message that was accepted before.
    """

    accepted_per_second: float
    refused_share: float
    refused: int
    changes: int
    seconds_to_limit: float | None
    each_second: tuple[int, ...]
    lost: int
    doubled: int

    @property
    def whole(self) -> bool:
        """Whether every message that smsbox took was accepted exactly once."""
        return not self.lost and not self.doubled


def half(seconds: int, limit: int, measured: Counters, slots: Slots, taken: int, drained: Counters) -> Half:
    """Return the figures of a span of about `seconds`.

    `measured` and `slots` were read when the span was over, `drained` when the gateway had nothing left of the `taken`
    messages. Raises ValueError where nothing was submitted.
    """
    if measured.first_submit is None:
        raise ValueError("nothing was submitted")
    a_second = round(1 / slots.slot)
    start, begin, end = _edges(seconds, measured.first_submit, slots)
    accepted, refused = _cut(slots.accepted, start, end), _cut(slots.refused, start, end)
    taken_in_span, refused_in_span = sum(accepted[begin - start :]), sum(refused[begin - start :])
    return Half(
        accepted_per_second=taken_in_span / ((end - begin) * slots.slot),
        refused_share=refused_in_span / max(1, taken_in_span + refused_in_span),
        refused=sum(refused),
        changes=max(0, measured.binds - 1),
        seconds_to_limit=seconds_to_limit(accepted, refused, slots.slot, limit),
        each_second=tuple(sum(accepted[each : each + a_second]) for each in range(0, len(accepted), a_second)),
        lost=taken - (drained.accepted - drained.doubled),
        doubled=drained.doubled,
    )


def seconds_to_limit(accepted: Sequence[int], refused: Sequence[int], slot: float, limit: int) -> float | None:
    """Return the seconds to the first slot from which on, for 3 s, 95 % of the limit and of the submits was accepted.

    Both are counts by slots of `slot` seconds, from the first submit on. None where that never was.
    """
    width = round(_AT_LIMIT_SECONDS / slot)
    for begin in range(len(accepted) - width + 1):
        taken, thrown = sum(accepted[begin : begin + width]), sum(refused[begin : begin + width])
        wanted = _AT_LIMIT_SHARE * max(limit * _AT_LIMIT_SECONDS, taken + thrown)
        if accepted[begin] and taken >= wanted:
            return begin * slot
    return None


def standing(seconds: float, now: float, slots: Slots) -> Standing:
    """Return how a half stands at `now` (the simulator's), so many seconds after its first submit."""
    last = int(now / slots.slot) - round(slots.start / slots.slot)
    first = last - round(_LATELY / slots.slot)
    accepted, refused = (sum(_cut(counts, first, last)) / _LATELY for counts in (slots.accepted, slots.refused))
    return Standing(seconds, accepted, refused)


def as_dict(limit: int, alone: Half, supervised: Half) -> Mapping[str, object]:
    """Return the figures as one JSON object; rates and seconds to the hundredth, shares to the ten-thousandth."""
    seconds = supervised.seconds_to_limit
    return {
        "limit": limit,
        "alone": {
            "accepted_per_second": round(alone.accepted_per_second, 2),
            "refused_share": round(alone.refused_share, 4),
        },
        "supervised": {
            "accepted_per_second": round(supervised.accepted_per_second, 2),
            "refused_share": round(supervised.refused_share, 4),
            "changes": supervised.changes,
            "lost": supervised.lost,
            "doubled": supervised.doubled,
            "seconds_to_limit": None if seconds is None else round(seconds, 2),
        },
    }


def is_over(seconds: int, measured: Counters, slots: Slots, now: float) -> bool:
    """Return whether a span of `seconds` is over at `now` (the simulator's), and what it ends with is counted."""
    if measured.first_submit is None:
        return False
    _, _, end = _edges(seconds, measured.first_submit, slots)
    return now >= slots.start + (end + 1) * slots.slot


def _edges(seconds: int, first_submit: float, slots: Slots) -> tuple[int, int, int]:
    """Return the slots of the first submit, of the span's begin and of its end."""
    start = int(first_submit / slots.slot) - round(slots.start / slots.slot)
    begin = _next_submit(slots, start + round(START_SECONDS / slots.slot))
    return start, begin, _next_submit(slots, begin + round(seconds / slots.slot))


def _next_submit(slots: Slots, first: int) -> int:
    """Return the first slot from `first` on with a submit in it; without one, that of LONGEST_WAIT later."""
    last = first + round(LONGEST_WAIT / slots.slot)
    for each in range(first, last):
        if sum(_cut(slots.accepted, each, each + 1)) or sum(_cut(slots.refused, each, each + 1)):
            return each
    return last


def _cut(counts: Sequence[int], first: int, last: int) -> list[int]:
    """Return the slots from `first` on and before `last`; those that the timeline does not have are empty."""
    return [counts[each] if 0 <= each < len(counts) else 0 for each in range(first, last)]

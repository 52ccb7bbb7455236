"""The figures, from what the simulator saw and nothing else; pure.

Both halves are measured alike, over a span of whole seconds that begins at the first submit to arrive (to the tenth
of a second): so the start counts too, with the burst that is refused before kannelkit knows the limit and the pause
that Kannel makes after it. Under a one-second sliding window no such span can hold more than its length times the
limit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kannelkit.simulator.counters import Counters, Slots

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

    Within the span: `accepted_per_second` (SMS per second), `refused_share` (of all submits, 0 to 1), `changes` (binds
    after the first: kannelkit changes a rate by re-creating the link), `seconds_to_limit` (None: never) and
    `each_second`, what was accepted in each of its seconds. After the drain: `lost`, messages that smsbox took and the
    simulator never accepted, and `doubled`, acceptances of a message that was accepted before.
    """

    accepted_per_second: float
    refused_share: float
    changes: int
    seconds_to_limit: float | None
    each_second: tuple[int, ...]
    lost: int
    doubled: int


def half(seconds: int, limit: int, measured: Counters, slots: Slots, taken: int, drained: Counters) -> Half:
    """Return the figures over `seconds` from the first submit.

    `measured` and `slots` were read when the span was over, `drained` when the gateway had nothing left of the `taken`
    messages. Raises ValueError where nothing was submitted.
    """
    if measured.first_submit is None:
        raise ValueError("nothing was submitted")
    first = int(measured.first_submit / slots.slot) - round(slots.start / slots.slot)
    last = first + round(seconds / slots.slot)
    accepted, refused = _cut(slots.accepted, first, last), _cut(slots.refused, first, last)
    submits = sum(accepted) + sum(refused)
    second = round(1 / slots.slot)
    return Half(
        accepted_per_second=sum(accepted) / seconds,
        refused_share=sum(refused) / submits if submits else 0.0,
        changes=max(0, measured.binds - 1),
        seconds_to_limit=seconds_to_limit(accepted, refused, slots.slot, limit),
        each_second=tuple(sum(accepted[begin : begin + second]) for begin in range(0, len(accepted), second)),
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


def _cut(counts: Sequence[int], first: int, last: int) -> list[int]:
    """Return the slots from `first` on and before `last`; those that the timeline does not have are empty."""
    return [counts[each] if 0 <= each < len(counts) else 0 for each in range(first, last)]

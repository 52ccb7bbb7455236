"""Answers of the provider that nobody could be told: bearerbox was gone, and will send the message again."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

from kannelkit.relay.octets import lasting

_KEPT_SECONDS: Final = 60.0  # bearerbox is started again and has sent what it kept
_MOST: Final = 20_000
_MOST_OCTETS: Final = 8 * 1024 * 1024


class Orphans:
    """Answers by the submit that they are for, each to be claimed once; times are seconds of one clock.

    bearerbox keeps a message until it has read the answer, so it sends this one again, octet for octet but for what
    `lasting` leaves out. Answered with what the provider said the first time it is not doubled. Where bearerbox does
    not come back with it (it keeps no store, or sends it by another account meanwhile), the next message that is the
    same octet for octet gets that answer in its place.
    """

    def __init__(self) -> None:
        self._kept: OrderedDict[int, tuple[float, bytes, bytes]] = OrderedDict()  # by turn: until when, submit, answer
        self._turns: dict[bytes, list[int]] = {}
        self._turn = 0
        self._octets = 0

    def __len__(self) -> int:
        return len(self._kept)

    def keep(self, submit: bytes, answer: bytes, now: float) -> bool:
        """Keep an answer for a while; return False where there are too many."""
        octets = len(submit) + len(answer)
        if len(self._kept) >= _MOST or self._octets + octets > _MOST_OCTETS:
            return False
        self._octets += octets
        self._turn += 1
        self._kept[self._turn] = (now + _KEPT_SECONDS, submit, answer)
        self._turns.setdefault(lasting(submit), []).append(self._turn)
        return True

    def claim(self, submit: bytes) -> bytes | None:
        """Return the answer for a submit that has come again, and keep it no longer; None where there is none."""
        turns = self._turns.get(lasting(submit))
        if not turns:
            return None
        _, _, answer = self._kept[turns[0]]
        self._drop(turns[0])
        return answer

    def expire(self, now: float) -> int:
        """Let go of what nobody came for; return how many those were."""
        old = [turn for turn, (until, _, _) in self._kept.items() if until <= now]
        for turn in old:
            self._drop(turn)
        return len(old)

    def _drop(self, turn: int) -> None:
        _, submit, answer = self._kept.pop(turn)
        self._octets -= len(submit) + len(answer)
        what = lasting(submit)
        turns = self._turns[what]
        turns.remove(turn)
        if not turns:
            del self._turns[what]

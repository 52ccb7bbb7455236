"""The answers one connection still owes, each written when it is due: late, together or out of order when asked."""

from __future__ import annotations

import asyncio
import math
import random
from collections import deque
from collections.abc import Callable

from kannelkit.simulator.clock import Clock
from kannelkit.simulator.rules import Behaviour, Order

SHUFFLED_SPAN = 0.02  # seconds for which answers are gathered when they are to leave out of order


def due(arrived: float, behaviour: Behaviour) -> float:
    """Return the moment, in seconds of the same clock, at which the answer to a submit that arrived then leaves."""
    moment = arrived + behaviour.delay
    span = behaviour.coalesce
    if behaviour.order is Order.OUT_OF_ORDER:
        span = max(span, SHUFFLED_SPAN)
    if not span:
        return moment
    together = math.ceil(moment / span) * span
    return together if together >= moment else together + span  # the product may be rounded down


class Answers:
    """Holds answers until they are due; `write` gets those that leave together, `drained` is called when none is left.

    One timer stands for all that wait, so that thousands in flight cost no more than a few.
    """

    def __init__(
        self,
        clock: Clock,
        write: Callable[[list[bytes]], None],
        drained: Callable[[], None],
        shuffle: random.Random,
    ) -> None:
        self._clock = clock
        self._write = write
        self._drained = drained
        self._shuffle = shuffle
        self._shuffled = False
        self._waiting: deque[tuple[float, bytes]] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self.held = False

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, answer: bytes, arrived: float, behaviour: Behaviour) -> None:
        """Take the answer to a submit that arrived at `arrived`."""
        moment = due(arrived, behaviour)
        if self._waiting:
            moment = max(moment, self._waiting[-1][0])  # a delay that was shortened meanwhile overtakes nothing
        self._shuffled = behaviour.order is Order.OUT_OF_ORDER
        self._waiting.append((moment, answer))
        if self._timer is None:
            self._timer = self._clock.call_at(moment, self._leave)

    def hold(self, held: bool) -> None:
        """Let nothing leave while held; what came due meanwhile leaves at the end of it."""
        self.held = held
        if not held and self._waiting and self._timer is None:
            self._leave()

    def drop(self) -> None:
        """Forget all that wait: the connection is gone."""
        self._waiting.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _leave(self) -> None:
        self._timer = None
        if self.held:
            return
        now = self._clock.now() + 0.0005  # what is due within half a millisecond leaves with it
        leaving: list[bytes] = []
        waiting = self._waiting
        while waiting and waiting[0][0] <= now:
            leaving.append(waiting.popleft()[1])
        if self._shuffled:
            self._shuffle.shuffle(leaving)
        if waiting:
            self._timer = self._clock.call_at(waiting[0][0], self._leave)
        if leaving:
            self._write(leaving)
        if not waiting:
            self._drained()

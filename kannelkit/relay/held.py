"""Submits of bearerbox that have not left: in order, urgent ones first, what goes again before what never left."""

from __future__ import annotations

import heapq
import math
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from kannelkit.pacing.limit import Sent
from kannelkit.smpp.constants import CommandStatus


@dataclass(slots=True, eq=False)
class Submit:
    """A request of bearerbox's on its way: its octets, bearerbox's sequence number, when it arrived and as which.

    `left` is when it was sent last, and `sent` that for the limit; `status` what it is answered with where its time is
    over; `doubtful` says that a provider may have it already.
    """

    octets: bytes = field(repr=False)  # it holds the text
    command_id: int
    number: int
    order: int
    arrived: float
    urgent: bool = False
    status: int = CommandStatus.ESME_RTHROTTLED
    tries: int = 0
    left: float = 0.0
    sent: Sent | None = None
    doubtful: bool = False


class _Line:
    """Submits of one urgency."""

    def __init__(self) -> None:
        self.fresh: deque[Submit] = deque()
        self.again: list[tuple[int, Submit]] = []  # a heap: in the order of their arrival
        self.later: list[tuple[float, int, Submit]] = []  # a heap: the next one due first

    def ready(self, now: float) -> bool:
        while self.later and self.later[0][0] <= now:
            _, order, submit = heapq.heappop(self.later)
            heapq.heappush(self.again, (order, submit))
        return bool(self.again or self.fresh)

    def take(self) -> Submit:
        return heapq.heappop(self.again)[1] if self.again else self.fresh.popleft()

    def expire(self, before: float) -> Iterator[Submit]:
        while self.fresh and self.fresh[0].arrived <= before:
            yield self.fresh.popleft()
        old = [submit for _, submit in self.again if submit.arrived <= before]
        old += [submit for _, _, submit in self.later if submit.arrived <= before]
        if old:
            self.again = [each for each in self.again if each[1].arrived > before]
            self.later = [each for each in self.later if each[2].arrived > before]
            heapq.heapify(self.again)
            heapq.heapify(self.later)
            yield from old


class Held:
    """What waits to leave for one account; times are seconds of one clock that does not go back."""

    def __init__(self, most: int, most_octets: int) -> None:
        """`most` submits and `most_octets` of them make it `full`; more is still taken, for it cannot be given back."""
        self._most, self._most_octets = most, most_octets
        self._urgent, self._bulk = _Line(), _Line()
        self._lines = (self._urgent, self._bulk)
        self._count = 0
        self._octets = 0

    def __len__(self) -> int:
        return self._count

    @property
    def full(self) -> bool:
        """Whether no more should be read."""
        return self._count >= self._most or self._octets >= self._most_octets

    @property
    def roomy(self) -> bool:
        """Whether more may be read after it was full."""
        return self._count <= self._most // 2 and self._octets <= self._most_octets // 2

    @property
    def oldest(self) -> float:
        """When the one that waits longest arrived; infinity where none waits."""
        firsts = [line.fresh[0].arrived for line in self._lines if line.fresh]
        firsts += [submit.arrived for line in self._lines for _, submit in line.again]
        firsts += [submit.arrived for line in self._lines for _, _, submit in line.later]
        return min(firsts, default=math.inf)

    def add(self, submit: Submit) -> None:
        """Take one that has just arrived."""
        (self._urgent if submit.urgent else self._bulk).fresh.append(submit)
        self._in(submit)

    def again(self, submit: Submit, not_before: float = -math.inf) -> None:
        """Take one back that has left: first in line in the order of arrival, from the moment `not_before` on."""
        line = self._urgent if submit.urgent else self._bulk
        if not_before == -math.inf:
            heapq.heappush(line.again, (submit.order, submit))
        else:
            heapq.heappush(line.later, (not_before, submit.order, submit))
        self._in(submit)

    def ready(self, now: float) -> bool:
        """Return whether one may leave now."""
        return self._count > 0 and (self._urgent.ready(now) or self._bulk.ready(now))

    def due(self) -> float:
        """Return when the next one may leave that has to wait a while; infinity where none has to."""
        return min((line.later[0][0] for line in self._lines if line.later), default=math.inf)

    def take(self, now: float) -> Submit:
        """Return the next one to leave; only where one is `ready`."""
        submit = (self._urgent if self._urgent.ready(now) else self._bulk).take()
        self._out(submit)
        return submit

    def expire(self, before: float) -> list[Submit]:
        """Return those that arrived before a moment, and hold them no longer."""
        old = [submit for line in self._lines for submit in line.expire(before)]
        for submit in old:
            self._out(submit)
        return old

    def clear(self) -> list[Submit]:
        """Return all, and hold them no longer."""
        return self.expire(math.inf)

    def _in(self, submit: Submit) -> None:
        self._count += 1
        self._octets += len(submit.octets)

    def _out(self, submit: Submit) -> None:
        self._count -= 1
        self._octets -= len(submit.octets)

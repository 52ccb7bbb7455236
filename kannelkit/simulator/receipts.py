"""What an account is owed: receipts for messages that ended, and incoming messages, until each is acknowledged."""

from __future__ import annotations

import asyncio
import heapq
from collections import deque
from typing import TYPE_CHECKING

from kannelkit.simulator import deliversm
from kannelkit.simulator.clock import Clock
from kannelkit.simulator.deliversm import IncomingPart
from kannelkit.simulator.messages import Message
from kannelkit.simulator.rules import Bounds
from kannelkit.smpp.constants import CommandStatus

if TYPE_CHECKING:
    from kannelkit.simulator.account import Account
    from kannelkit.simulator.link import Link

AGAIN_AFTER = 5.0  # seconds until what the client could not take just now is sent again
_TEMPORARY = frozenset({CommandStatus.ESME_RX_T_APPN, CommandStatus.ESME_RMSGQFUL, CommandStatus.ESME_RTHROTTLED})

Owed = Message | IncomingPart


class Receipts:
    """Sends what is owed to an account's receivers and transceivers in turn, a few unacknowledged at a time."""

    def __init__(self, account: Account, clock: Clock, bounds: Bounds) -> None:
        self._account = account
        self._clock = clock
        self._bounds = bounds
        self._scheduled: list[tuple[float, int, Owed]] = []  # a heap, the next one due first
        self._order = 0  # what is due at the same moment leaves in the order of its coming
        self._ready: deque[tuple[float, Owed]] = deque()  # with the moment since which it has been waiting
        self._unacknowledged: dict[tuple[Link, int], tuple[float, Owed]] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._timer_due = 0.0
        self._next = 0

    def __len__(self) -> int:
        return len(self._scheduled) + len(self._ready) + len(self._unacknowledged)

    def schedule(self, owed: Owed, due: float) -> None:
        """Have this leave at `due`; beyond what is kept, the oldest that waits is dropped."""
        if len(self._scheduled) + len(self._ready) >= self._bounds.receipts:
            self._drop(self._ready.popleft()[1] if self._ready else heapq.heappop(self._scheduled)[2])
        self._order += 1
        heapq.heappush(self._scheduled, (due, self._order, owed))
        if self._timer is None or self._timer_due > due:
            self._set_timer()

    def send(self) -> None:
        """Send what is ready to whoever can take it."""
        if not self._ready:
            return
        account = self._account
        window = account.behaviour.receipt_window
        too_old = self._clock.now() - self._bounds.receipt_age
        while self._ready and self._ready[0][0] < too_old:
            self._drop(self._ready.popleft()[1])
        while self._ready and len(self._unacknowledged) < window:
            link = self._receiver()
            if link is None:
                return
            since, owed = self._ready.popleft()
            sequence_number = link.next_sequence_number()
            self._unacknowledged[link, sequence_number] = since, owed
            if isinstance(owed, Message):
                minute = self._clock.minute
                dates = minute(owed.accepted), minute(owed.ended)
                link.send(deliversm.receipt(owed, *dates, account.rules.cost, sequence_number))
                account.counters.receipts_sent += 1
            else:
                link.send(deliversm.incoming(owed, link.iso, sequence_number))
                account.counters.incoming_sent += 1

    def acknowledged(self, link: Link, sequence_number: int, command_status: int) -> None:
        """Take a client's answer: done with it, or send it again later where the fault is temporary."""
        _, owed = self._unacknowledged.pop((link, sequence_number), (0.0, None))
        if owed is None:
            return
        if command_status in _TEMPORARY:
            self.schedule(owed, self._clock.now() + AGAIN_AFTER)
        elif command_status:
            self._drop(owed)
        elif isinstance(owed, Message):
            self._account.counters.receipts_acknowledged += 1
        else:
            self._account.counters.incoming_acknowledged += 1
        self.send()

    def lost(self, link: Link) -> None:
        """Take back what this connection, now gone, has not acknowledged."""
        mine = [key for key in self._unacknowledged if key[0] is link]
        for key in reversed(mine):
            self._ready.appendleft(self._unacknowledged.pop(key))
        self.send()

    def close(self) -> None:
        """Stop: nothing leaves any more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _come_due(self) -> None:
        self._timer = None
        now = self._clock.now() + 0.0005  # what is due within half a millisecond leaves with it
        while self._scheduled and self._scheduled[0][0] <= now:
            due, _, owed = heapq.heappop(self._scheduled)
            if isinstance(owed, Message) and not owed.registered & 0x03:
                self._account.tell(owed)
            else:
                self._ready.append((due, owed))
        if self._scheduled:
            self._set_timer()
        self.send()

    def _drop(self, owed: Owed) -> None:
        if isinstance(owed, Message):
            self._account.counters.receipts_dropped += 1
        else:
            self._account.counters.incoming_dropped += 1

    def _set_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer_due = self._scheduled[0][0]
        self._timer = self._clock.call_at(self._timer_due, self._come_due)

    def _receiver(self) -> Link | None:
        able = [link for link in self._account.links if link.can_receive]
        if not able:
            return None
        self._next += 1
        return able[self._next % len(able)]

"""When submits leave: one limit and its slots, for the accounts that share it."""

from __future__ import annotations

import asyncio
import math
from typing import Final, Protocol

from kannelkit.pacing.delay import Delay
from kannelkit.pacing.limit import Limit, Sent
from kannelkit.pacing.slots import Slots

_LOOK_EVERY: Final = 0.05  # seconds between two looks at what is learnt, while something waits
_AT_ONCE: Final = 200  # submits that leave before others of the event loop have their turn
_CAUGHT_UP: Final = 0.1  # seconds at the most; what a busy machine makes a process wait, and within any second's count
_SAME_RATE: Final = 1e-9


class Sender(Protocol):
    """Who has submits that wait to leave."""

    def ready(self, now: float) -> bool:
        """Return whether one may leave now, were it for this sender alone."""

    def due(self) -> float:
        """Return when one may leave, where none is ready and it is known; infinity otherwise."""

    def waits(self) -> bool:
        """Return whether any waits, ready or not."""

    def send_next(self, now: float, sent: Sent) -> None:
        """Let the next one leave."""

    def flush(self) -> None:
        """Write what left."""


class Pacer:
    """Lets submits of its senders leave at the limit's rate, one sender after the other."""

    def __init__(self, limit: Limit, quiet: float = 0.0) -> None:
        """Let nothing leave for `quiet` seconds: the provider still counts what left before this process began."""
        self.limit = limit
        self.paused = False
        self._by_hand = math.inf
        self._slots = Slots(limit.rate)
        self._allowance = 1.0
        self._senders: list[Sender] = []
        self._ways: dict[int, Delay] = {}  # each sender's, by its id
        self._loop = asyncio.get_running_loop()
        self._next_at = math.inf  # when the next submit should leave, where it is the rate that it waits for
        self._begins = self._loop.time() + quiet
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = math.inf
        self._looked = -math.inf
        self._idle = True
        self._limited = False  # more was there than might leave, since the last look
        self._running = False

    @property
    def rate(self) -> float:
        """Submits per second in force."""
        return min(self.limit.rate, self._by_hand)

    @property
    def by_hand(self) -> float | None:
        """The rate that somebody asked for, None where nobody did."""
        return self._by_hand if self._by_hand < math.inf else None

    def hold_to(self, rate: float | None) -> None:
        """Let no more than `rate` submits per second leave, whatever is learnt; None: as many as are learnt."""
        self._by_hand = math.inf if rate is None else rate
        self.kick()

    def pause(self, paused: bool) -> None:
        """Let nothing leave until it is called again."""
        self.paused = paused
        self.kick()

    def join(self, sender: Sender) -> None:
        """Have submits of a sender leave from now on."""
        self._senders.append(sender)
        self._ways[id(sender)] = Delay()

    def leave(self, sender: Sender) -> None:
        """Have nothing of a sender leave any more."""
        if sender in self._senders:
            self._senders.remove(sender)
            del self._ways[id(sender)]

    def kick(self) -> None:
        """Let leave what may: to be called when something arrived, was answered, or has room again."""
        if not self._running:
            self._running = True
            try:
                self._run()
            finally:
                self._running = False

    def stop(self) -> None:
        """Let nothing leave any more."""
        self._senders.clear()
        if self._timer is not None:
            self._timer.cancel()

    def _run(self) -> None:
        now = self._loop.time()
        if self.paused or not any(sender.waits() for sender in self._senders):
            self._idle = True
            return
        self._look(now)
        senders, slots, limit = self._senders, self._slots, self.limit
        # what should have left while this process did not get its turn is caught up
        caught_up = now - min(_CAUGHT_UP, max(0.0, now - self._next_at))
        self._next_at = math.inf
        moved: dict[int, Sender] = {}
        left = 0
        while True:
            sender = next((each for each in senders if each.ready(now)), None)
            if sender is None:
                wait = min((each.due() for each in senders), default=math.inf) - now
                break
            wait = max(slots.wait(now), limit.wait(now), self._begins - now)
            if wait > 0.0:
                self._limited, self._next_at = True, now + wait
                break
            if left >= _AT_ONCE:
                break
            sender.send_next(now, limit.sent(now, self._ways[id(sender)]))
            slots.take(caught_up)
            left += 1
            moved[id(sender)] = sender
            if len(senders) > 1:  # who was served is the last to be served again
                senders.remove(sender)
                senders.append(sender)
        for sender in moved.values():
            sender.flush()
        if any(each.waits() for each in senders):
            self._wake(now, min(max(0.0, wait), _LOOK_EVERY))
        else:
            self._idle = True

    def _look(self, now: float) -> None:
        """Have the limit look whether it may be more, and go on at the rate that it says."""
        if self._idle:
            self.limit.look(now, False)  # nothing waited meanwhile
            self._idle, self._looked = False, now
        elif now - self._looked >= _LOOK_EVERY:
            # a rate by hand is no proof of what the provider takes
            self.limit.look(now, self._limited and self._by_hand > self.limit.rate)
            self._looked, self._limited = now, False
        rate = self.rate
        if rate != self._slots.rate and not math.isclose(rate, self._slots.rate, rel_tol=_SAME_RATE):
            self._slots.pace(rate, now)
        allowance = self.limit.allowance
        if allowance != self._allowance:
            self._slots.allow(allowance)
            self._allowance = allowance

    def _wake(self, now: float, wait: float) -> None:
        at = now + wait
        if self._timer is not None:
            if now < self._timer_at <= at:
                return
            self._timer.cancel()
        self._timer_at = at
        self._timer = self._loop.call_at(at, self._woken)

    def _woken(self) -> None:
        self._timer, self._timer_at = None, math.inf
        self.kick()

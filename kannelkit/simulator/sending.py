"""The order in which an account's messages are sent on to subscribers: at once, or so many SMS a second.

SMSC.ru sends a single message before any mass mailing that waits, over the same connection. How it tells the two apart
is not documented. Here a message is single while fewer than `MAILING` others of its sender wait, or where its
priority_flag is above 0.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from kannelkit.simulator.clock import Clock
from kannelkit.simulator.messages import Message

MAILING = 10  # messages of one sender that wait are a mailing


class Sending:
    """Hands messages to `send`, single ones first; `rate` is in SMS a second, None: at once."""

    def __init__(self, clock: Clock, rate: int | None, send: Callable[[Message, float], None]) -> None:
        self._clock = clock
        self._rate = rate
        self._send = send
        self._single: deque[Message] = deque()
        self._mailing: deque[Message] = deque()
        self._of_sender: dict[bytes, int] = {}
        self._next = 0.0  # when the next one may be sent
        self._timer: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        return len(self._single) + len(self._mailing)

    def add(self, message: Message, now: float) -> None:
        """Take a message that is to be sent."""
        if self._rate is None:
            self._send(message, now)
            return
        waiting = self._of_sender.get(message.sender, 0)
        single = message.priority > 0 or waiting < MAILING
        (self._single if single else self._mailing).append(message)
        self._of_sender[message.sender] = waiting + 1
        if self._timer is None:
            self._next = max(self._next, now)  # while nothing waited, nothing was saved up
            self._set_timer()

    def change(self, rate: int | None) -> None:
        """Go on at another rate."""
        self._rate = rate
        self._next = 0.0
        self.close()
        if self:
            self._set_timer()

    def close(self) -> None:
        """Send nothing any more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _set_timer(self) -> None:
        self._timer = self._clock.call_at(max(self._next, self._clock.now()), self._come_due)

    def _come_due(self) -> None:
        self._timer = None
        now = self._clock.now()
        # what is due within half a millisecond leaves with it
        while self and (self._rate is None or self._next <= now + 0.0005):
            message = (self._single or self._mailing).popleft()
            left = self._of_sender[message.sender] - 1
            if left:
                self._of_sender[message.sender] = left
            else:
                del self._of_sender[message.sender]
            if self._rate is not None:
                # a timer that comes late is made up for, but not for longer than a second
                self._next = max(self._next, now - 1) + message.parts / self._rate
            self._send(message, now)
        if self:
            self._set_timer()

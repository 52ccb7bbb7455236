"""When one link has nothing in flight, so that it can be stopped and no message is sent twice.

The moments between an account's bursts (throttle.moment) are not enough to change a link at any time: messages may
trickle, several accounts may share the count of what is unanswered, and an account may have nothing to send.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from kannelkit.errors import GatewayError
from kannelkit.gateway.status import GatewayStatus
from kannelkit.supervise.links import Observer

_LOOK_EVERY = 0.02
# no moment for a stop within this time: one has to be made
_MOMENT_SECONDS = 5.0
# a link that has nothing and was answered nothing for this long has nothing in flight: providers answer sooner
_IDLE_SECONDS = 3.0
_DRAIN_SECONDS = 60.0


class Rest:
    """Waits for links to be at rest. `observer.moment` may be asked for the accounts in `watched`."""

    def __init__(self, observer: Observer, note: Callable[[str, str], None], watched: frozenset[str]) -> None:
        self._observer = observer
        self._note = note
        self._watched = watched

    async def moment(self, name: str, account: str) -> bool:
        """Wait for a moment at which a link can be stopped with nothing in flight; return whether one came."""
        clock = asyncio.get_running_loop().time
        deadline = clock() + _MOMENT_SECONDS
        idle = _Idle(name)
        while True:
            status = await self._observer.look()
            if account in self._watched and self._observer.moment(account) and not _contradicted(status, name):
                return True
            if idle.seconds(status, clock()) >= _IDLE_SECONDS:
                return True
            if clock() >= deadline:
                return False
            await asyncio.sleep(_LOOK_EVERY)

    async def drained(self, name: str, account: str, *, give_up: bool) -> None:
        """Wait until a link that takes no new messages has sent those it has.

        Raises GatewayError where that takes too long, or with `give_up` says so.
        """
        clock = asyncio.get_running_loop().time
        deadline = clock() + _DRAIN_SECONDS
        idle = _Idle(name)
        while True:
            status = await self._observer.look()
            queued = sum(link.queued for link in status.links_of(name))
            # the whole gateway's count, so that zero says it of this link, too
            if not queued and status.in_flight is not None and status.in_flight <= 0:
                return
            if idle.seconds(status, clock()) >= _IDLE_SECONDS:
                return
            if clock() >= deadline:
                if give_up:
                    self._note(account, f"{name} is not at rest after {_DRAIN_SECONDS:.0f} s: stopped all the same")
                    return
                raise GatewayError(
                    f"{name} has not sent what it has after {_DRAIN_SECONDS:.0f} s: {queued} messages wait for it"
                )
            await asyncio.sleep(_LOOK_EVERY)


class _Idle:
    """For how long a link has had nothing, as far as a status can tell."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._own: object = None
        self._others: object = None
        self._since = self._others_moved = 0.0

    def seconds(self, status: GatewayStatus, now: float) -> float:
        """Return for how long, at `now`, no message waited for the link and none was answered; `status` is new."""
        links = status.links_of(self._name)
        own = tuple((link.state, link.sms_sent, link.failed) for link in links)
        others = tuple((link.queued, link.sms_sent) for link in status.links if link.admin_id != self._name)
        if own != self._own or any(link.queued for link in links):
            self._own, self._since = own, now
        if others != self._others:
            self._others, self._others_moved = others, now
        if (status.in_flight or 0) > 0 and self._others_moved <= self._since:
            return 0.0  # no other link does anything: what is unanswered may be this one's
        return now - self._since


def _contradicted(status: GatewayStatus, name: str) -> bool:
    """Return whether something is unanswered that may be this link's, although its bursts look answered.

    Bursts are told apart only while messages wait for the link, and follow each other a second apart: where nothing
    waits, or where no other link could have what is unanswered, the count of all that is unanswered decides.
    """
    if status.in_flight is None or status.in_flight <= 0:
        return False
    waiting = any(link.queued for link in status.links_of(name))
    return not waiting or not any(link.online for link in status.links if link.admin_id != name)

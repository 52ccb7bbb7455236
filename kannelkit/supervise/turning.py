"""Brings an account's messages to its other host: the links of one side stop, all at once, then the other's start.

What becomes of a link that is told to stop while its SMSC is not itself, as the source has it and a real bearerbox does
(gw/smsc/smsc_smpp.c, io_thread and shutdown_cb; gw/smscconn.c, smscconn_usable): from that moment it takes no message.
One that waits to connect is dead at once. One whose SMSC does not answer sends an unbind and waits 30 s for the end of
it, and keeps what is in its queue so long; it shows as online, and never binds again. One in the middle of a connect
that nobody answers is dead when the kernel gives up, after two minutes; should the connect succeed before, it sends its
bind and closes the connection with the next breath. So the other side need not wait for any of these for long.

All that was routed to a silent link is in its queue, though. Where the kernel allows it, the link's connection is ended
for it: then Kannel ends the link at once and puts its messages back (gwlib/conn.c, conn_wait).
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass

from kannelkit.errors import GatewayError
from kannelkit.gateway.admin import Admin
from kannelkit.gateway.status import GatewayStatus
from kannelkit.render.links import Account
from kannelkit.supervise.links import Observer

_LOOK_EVERY = 0.02
# a moment with nothing in flight is waited for so long where nothing is pressing
_MOMENT_SECONDS = 10.0
# an SMSC that works answers the unbind within this; what does not is in nobody's way
_ENDS_SECONDS = 3.0
_ENDS_SECONDS_PRESSED = 1.0
# and one whose connection was cut is dead within milliseconds
_CUT_SECONDS = 1.0
# a link that was stopped without an answer to its unbind is dead after 30 s
_LINGERS_SECONDS = 40.0
_REPEAT_START = 1.0
_STARTS = 5
# what is accepted within this time counts into one window of the provider
_WINDOW = 1.0

Cut = Callable[[Account, Collection[str]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Turned:
    """How a turn went: submits without an answer when the links stopped, None where that cannot be told; and for how
    many seconds the account had no link at all on its way.
    """

    unanswered: int | None
    away: float


class Turning:
    """Stops and starts the links of one gateway's accounts; `ending` are those that were stopped and are not dead yet.

    `alone` is whether all that is in flight is one account's; `cut` ends bearerbox's connections for these links, where
    it can and where they are nobody else's.
    """

    def __init__(self, admin: Admin, observer: Observer, alone: Callable[[], bool], cut: Cut) -> None:
        self.ending: set[str] = set()
        self._admin = admin
        self._observer = observer
        self._alone = alone
        self._cut = cut

    def seen(self, status: GatewayStatus) -> None:
        """Take note of which links have ended."""
        self.ending = {name for name in self.ending if not _dead(status, name)}

    async def turn(self, account: Account, tell: Callable[[str], None], *, pressed: bool) -> Turned:
        """Stop the links that stand by for this account and start those that carry its messages.

        With `pressed` no quiet moment is waited for. Raises GatewayError while bearerbox is silent; done again, it goes
        on where it was.
        """
        clock = asyncio.get_running_loop().time
        if not pressed:
            tell(f"{account.smsc_id}: waiting for a moment at which no answer is due")
        status = await (self._observer.look() if pressed else self._moment(account.smsc_id))
        stopping = [name for name in account.standby_ids if not _dead(status, name)]
        for name in stopping:
            await self._admin.stop_link(name)
            self.ending.add(name)
        began = clock()
        if stopping:
            tell(f"{account.smsc_id}: stopping {', '.join(stopping)}")
        unanswered = await self._ended(stopping, status, _ENDS_SECONDS_PRESSED if pressed else _ENDS_SECONDS)
        if ending := self.ending.intersection(stopping):
            await self._cut(account, ending)
            await self._ended(stopping, status, _CUT_SECONDS)
        tell(f"{account.smsc_id}: starting {', '.join(account.sending_ids)}")
        await asyncio.sleep(max(0.0, self._observer.last_answer(account.smsc_id) + _WINDOW - clock()))
        await self._start(account)
        # where bearerbox holds nothing at all, nothing is this account's
        return Turned(unanswered if unanswered == 0 or self._alone() else None, clock() - began)

    async def _ended(self, stopping: Collection[str], before: GatewayStatus, seconds: float) -> int:
        """Wait until links that were stopped are dead, so long at most; return how many submits had no answer."""
        clock = asyncio.get_running_loop().time
        deadline = clock() + seconds
        while stopping and clock() < deadline:
            status = await self._observer.look()
            self.seen(status)
            if not self.ending.intersection(stopping):
                answered = _sent(status, stopping) - _sent(before, stopping)
                return max(0, _in_flight(before) - answered)
            before = status  # a link sends once more before it unbinds, and then reads what is answered
            await asyncio.sleep(_LOOK_EVERY)
        return _in_flight(before)

    async def _moment(self, account: str) -> GatewayStatus:
        """Wait for a moment at which nothing of the account is unanswered, for a while; return what is seen then."""
        clock = asyncio.get_running_loop().time
        deadline = clock() + _MOMENT_SECONDS
        while True:
            status = await self._observer.look()
            if self._observer.moment(account) or clock() >= deadline:
                return status
            await asyncio.sleep(_LOOK_EVERY)

    async def _start(self, account: Account) -> None:
        """Start the links until each has begun; one that is dead again, its bind refused, is the revival's."""
        clock = asyncio.get_running_loop().time
        deadline = clock() + _LINGERS_SECONDS
        asked: dict[str, float] = {}
        tries = dict.fromkeys(account.sending_ids, 0)
        waiting = set(account.sending_ids)
        while waiting and clock() < deadline:
            status = await self._observer.look()
            self.seen(status)
            for name in sorted(waiting):
                if name in self.ending:  # looks alive, and is not
                    continue
                if not _dead(status, name) or tries[name] >= _STARTS:
                    waiting.discard(name)
                elif clock() - asked.get(name, float("-inf")) >= _REPEAT_START:
                    with contextlib.suppress(GatewayError):  # asked again while it is dead
                        await self._admin.start_link(name)
                    asked[name], tries[name] = clock(), tries[name] + 1
            if waiting:
                await asyncio.sleep(_LOOK_EVERY)


def _in_flight(status: GatewayStatus) -> int:
    return max(0, status.in_flight or 0)


def _sent(status: GatewayStatus, names: Collection[str]) -> int:
    return sum(link.sms_sent for link in status.links if link.admin_id in names)


def _dead(status: GatewayStatus, name: str) -> bool:
    return all(link.state == "dead" for link in status.links_of(name))

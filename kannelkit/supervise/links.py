"""Brings an account to a throughput by re-creating its links, one at a time, at a moment that loses nothing.

Kannel reads `throughput` only when a link is created. Stopped and started, a link takes its new value from the file;
its messages wait meanwhile, because the account's parking link is still a route for them.

Kannel's graceful restart would start the new link before it ends the old one, but it holds the list of all links until
the old one has ended: at least 2 s, 30 s where the provider leaves the unbind unanswered, and no message of any account
is routed meanwhile (gw/bb_smscconn.c, smsc2_graceful_restart). A change of rate must disturb its own account only.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from kannelkit.errors import GatewayError
from kannelkit.gateway.admin import Admin
from kannelkit.gateway.status import GatewayStatus

# looked at this often while a moment is waited for or a link is away
_LOOK_EVERY = 0.02
# no moment within this time: the change is given up, and decided anew from what is seen then
_MOMENT_SECONDS = 30.0
# a link is dead within milliseconds of its stop, unless the provider closes without answering (30 s)
_SLOW_SECONDS = 3.0
_DEAD_SECONDS = 45.0
_ONLINE_SECONDS = 15.0
_REPEAT_START = 1.0
# what is accepted within this time counts into one window of the provider
_WINDOW = 1.0


@dataclass(frozen=True, slots=True)
class Brought:
    """How a change went: the longest time (seconds) a link was away, and whether one was slow to die."""

    away: float
    slow: bool
    online: bool


@dataclass(frozen=True, slots=True)
class Patience:
    """How many seconds a started link may be dead, and how long on its way, before it counts as not back."""

    dead: float = _DEAD_SECONDS
    connecting: float = _ONLINE_SECONDS


PATIENT = Patience()
# a link that waits to connect ends at once, one in the middle of it when that fails
_DOWN_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Move:
    """One link on its way to another share of its unit's throughput, in SMS per second; None is no limit."""

    account: str
    name: str
    before: int | None
    after: int


class Rates(Protocol):
    """What brings a unit's links to their shares, whichever way."""

    async def bring(self, moves: Sequence[Move], lenders: Collection[str] = ()) -> Brought:
        """Bring each link to its share, so that they never add up to more than before or after.

        No message waits for a link of these `lenders` in the end that another link could send. Raises GatewayError
        when none was changed.
        """


class Observer(Protocol):
    """What follows the gateway's counters."""

    async def look(self) -> GatewayStatus:
        """Read the counters now and take note of them."""

    def moment(self, account: str) -> bool:
        """Return whether a link of the account may be stopped now."""

    def last_answer(self, account: str) -> float:
        """Return when (loop time) the provider last answered a submit of the account."""


class Links:
    """Commands single links through bearerbox's admin port, and waits until what was commanded has happened.

    `tell` is given the account and what a person should know meanwhile. A bearerbox that is silent is waited for while
    it is `alive`.
    """

    def __init__(
        self,
        admin: Admin,
        observer: Observer,
        tell: Callable[[str, str], None],
        alive: Callable[[], bool] = lambda: True,
    ) -> None:
        self._admin = admin
        self._observer = observer
        self._tell = tell
        self._alive = alive

    async def moment(self, account: str) -> None:
        """Wait until a link of the account may be stopped. Raises GatewayError where no such moment comes."""
        clock = asyncio.get_running_loop().time
        deadline = clock() + _MOMENT_SECONDS
        while True:
            await self._observer.look()
            if self._observer.moment(account):
                return
            if clock() >= deadline:
                raise GatewayError(
                    f"{account}: no moment without an unanswered submit in {_MOMENT_SECONDS:.0f} s",
                    "does the provider take longer than 0.8 s to answer, or does another account never rest?",
                )
            await asyncio.sleep(_LOOK_EVERY)

    async def recreate(self, account: str, name: str, patience: Patience = PATIENT) -> Brought:
        """Stop a link now and start it anew. Raises GatewayError where it does not end."""
        clock = asyncio.get_running_loop().time
        stopped = clock()
        slow = await self.stop(account, name)
        # a new link sends a second's allowance at once: not into a window that is still full
        await asyncio.sleep(max(0.0, self._observer.last_answer(account) + _WINDOW - clock()))
        online = await self.start(account, name, patience)
        return Brought(clock() - stopped, slow, online)

    async def stop(self, account: str, name: str) -> bool:
        """Stop a link and wait until it is dead; return whether that took long. Raises GatewayError."""
        clock = asyncio.get_running_loop().time
        began = clock()
        slow = False
        await self._admin.stop_link(name)
        while True:
            status = await self._look()
            if status is not None and _dead(status, name):
                return slow
            if not slow and clock() - began >= _SLOW_SECONDS:
                slow = True
                self._tell(
                    account,
                    f"{name} does not end its bind: the provider closed or ignored the unbind; "
                    "Kannel waits up to 30 s, its messages wait with it",
                )
            if clock() - began >= _DEAD_SECONDS:
                # started now it would be refused, and taken for changed because it is still online
                raise GatewayError(f"{name} has not ended {_DEAD_SECONDS:.0f} s after its stop")
            await asyncio.sleep(_LOOK_EVERY)

    async def is_dead(self, name: str) -> bool:
        """Return whether a link is there and does nothing until it is started."""
        status = await self._look()
        return status is not None and _dead(status, name)

    async def renew_down(self, name: str, seconds: float) -> bool:
        """Make a link anew that is not online, and wait for no bind; return whether it ended in so many seconds.

        One that is dead stays so: whoever starts it gives it what is in the file then. Raises GatewayError.
        """
        clock = asyncio.get_running_loop().time
        deadline = clock() + seconds
        stopped = False
        while True:
            status = await self._look()
            if status is not None and _dead(status, name):
                if stopped:
                    await self._admin.start_link(name)
                return True
            if not stopped:
                await self._admin.stop_link(name)
                stopped = True
            if clock() >= deadline:
                return False
            await asyncio.sleep(_LOOK_EVERY)

    async def start(self, account: str, name: str, patience: Patience = PATIENT) -> bool:
        """Start a link and wait until it is online; return whether it is."""
        with contextlib.suppress(GatewayError):  # asked again while the link is dead
            await self._admin.start_link(name)
        return await self.online(account, name, patience)

    async def online(self, account: str, name: str, patience: Patience = PATIENT) -> bool:
        """Wait until a link is online; return whether it is. One that is dead is started, every second."""
        clock = asyncio.get_running_loop().time
        began = asked = clock()
        dead = True
        while clock() - began < (patience.dead if dead else patience.connecting):
            status = await self._look()
            if status is not None:
                links = status.links_of(name)
                if links and all(link.online for link in links):
                    return True
                dead = _dead(status, name)
            if dead and clock() - asked >= _REPEAT_START:
                asked = clock()
                with contextlib.suppress(GatewayError):
                    await self._admin.start_link(name)
            await asyncio.sleep(_LOOK_EVERY)
        self._tell(account, f"{name} is not online {clock() - began:.0f} s after its start")
        return False

    async def _look(self) -> GatewayStatus | None:
        """Read the counters while a link is away; None where bearerbox is silent, no reason to leave it away."""
        try:
            return await self._observer.look()
        except GatewayError:
            if not self._alive():
                raise
            return None


class Recreation:
    """Brings links to their shares by re-creating them, one after the other; the file holds the new shares by then.

    `tell` is given what a person should know meanwhile. `stale` are the links, with their accounts, that run on with
    the share they had, because they could not be stopped: to be made anew (`renew`) once they are online.
    """

    def __init__(self, admin: Admin, observer: Observer, tell: Callable[[str, str], None]) -> None:
        self.stale: dict[str, str] = {}
        self._links = Links(admin, observer, tell)
        self._observer = observer
        self._tell = tell

    async def bring(self, moves: Sequence[Move], lenders: Collection[str] = ()) -> Brought:
        """Re-create the links whose shares change, those that get less first; see Rates.bring."""
        changing = [move for move in moves if move.before != move.after or move.name in self.stale]
        status = await self._observer.look()
        online = {link.admin_id for link in status.links if link.online}
        # a link that is down is in nobody's way, and has to wait for nothing
        changing.sort(key=lambda move: (_gain(move), move.name in online))
        away, slow, back, changed = 0.0, False, True, False
        for move in changing:
            if move.name not in online:
                await self._down(move)
                changed = True
                continue
            try:
                await self._links.moment(move.account)
            except GatewayError:
                if not changed:
                    raise
                # some links run at the new rate already: the others follow, if at a worse moment
                self._tell(move.account, f"no quiet moment to re-create {move.name}: done without one")
            try:
                brought = await self._links.recreate(move.account, move.name)
            except GatewayError as error:
                if not changed:
                    raise
                self._tell(move.account, error.message)
                self.stale[move.name] = move.account
                continue
            self.stale.pop(move.name, None)
            changed = True
            slow |= brought.slow
            back &= brought.online
            away = max(away, brought.away)
        for move in moves:
            if move.name in lenders and await self._keeps_from_others(move, moves):
                with contextlib.suppress(GatewayError):
                    await self._links.moment(move.account)
                    await self._links.recreate(move.account, move.name)
        return Brought(away, slow, back)

    async def _keeps_from_others(self, lender: Move, moves: Sequence[Move]) -> bool:
        """Return whether messages wait for a lender that another link of its account would send.

        A link that is stopped leaves its queue to those of its account that are online, and Kannel moves a message only
        then (gw/bb_smscconn.c, smsc2_rout): so the queue of the last link that was made anew may lie with the lender.
        """
        links = {link.admin_id: link for link in (await self._observer.look()).links if link.online}
        others = {move.name for move in moves if move.account == lender.account and move.after > lender.after}
        return lender.name in links and links[lender.name].queued > lender.after and bool(others & links.keys())

    async def renew(self, name: str) -> None:
        """Make a stale link anew at a good moment. Raises GatewayError where there is none, or it does not end."""
        account = self.stale[name]
        await self._links.moment(account)
        await self._links.recreate(account, name)
        self.stale.pop(name, None)

    async def _down(self, move: Move) -> None:
        """Have a link that is down take its share from the file, or take note that it does not."""
        if move.name in self.stale and await self._links.is_dead(move.name):
            await self._links.start(move.account, move.name)  # by a change that was cut off between stop and start
            self.stale.pop(move.name, None)
            return
        try:
            renewed = await self._links.renew_down(move.name, _DOWN_SECONDS)
        except GatewayError as error:
            self._tell(move.account, f"{move.name} is down and cannot be made anew: {error.message}")
            renewed = False
        if renewed:
            self.stale.pop(move.name, None)
        else:
            self.stale[move.name] = move.account


def _gain(move: Move) -> int:
    """Return the order of a move: what gets less goes first, so that the shares never add up to too much."""
    return 1 if move.before is not None and move.after > move.before else 0


def _dead(status: GatewayStatus, name: str) -> bool:
    return all(link.state == "dead" for link in status.links_of(name))

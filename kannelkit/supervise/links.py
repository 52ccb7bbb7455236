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
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from kannelkit.errors import GatewayError
from kannelkit.gateway.admin import Admin
from kannelkit.gateway.status import GatewayStatus
from kannelkit.render.links import Account

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


class Rates(Protocol):
    """What brings an account to a throughput, whichever way."""

    async def bring(self, account: Account, throughput: int) -> Brought:
        """Bring the account to `throughput` SMS per second over all its links.

        Raises GatewayError when it was not done; the account then runs as before.
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
    """Brings an account to a throughput by re-creating its links.

    `begin` puts the configuration with an account's new throughput in place, whole and checked, or raises; `give_up`
    puts the account's old one back. `tell` is given what a person should know meanwhile.
    """

    def __init__(
        self,
        admin: Admin,
        observer: Observer,
        begin: Callable[[str, int], None],
        give_up: Callable[[str], None],
        tell: Callable[[str, str], None],
    ) -> None:
        self._links = Links(admin, observer, tell)
        self._begin = begin
        self._give_up = give_up
        self._tell = tell

    async def bring(self, account: Account, throughput: int) -> Brought:
        """Re-create the account's links at `throughput`, one by one; see Rates.bring."""
        self._begin(account.smsc_id, throughput)
        try:
            return await self._bring(account)
        except GatewayError:
            # whatever was stopped and is started later takes its rate from the file
            self._give_up(account.smsc_id)
            raise

    async def _bring(self, account: Account) -> Brought:
        away, slow, online = 0.0, False, True
        for number, name in enumerate(account.primary_ids):
            try:
                await self._links.moment(account.smsc_id)
            except GatewayError:
                if number == 0:
                    raise
                # some links run at the new rate already: the others follow, if at a worse moment
                self._tell(account.smsc_id, f"no quiet moment to re-create {name}: done without one")
            brought = await self._links.recreate(account.smsc_id, name)
            slow |= brought.slow
            online &= brought.online
            away = max(away, brought.away)
        return Brought(away, slow, online)


def _dead(status: GatewayStatus, name: str) -> bool:
    return all(link.state == "dead" for link in status.links_of(name))

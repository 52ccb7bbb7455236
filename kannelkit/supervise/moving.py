"""An account's move from one host to the other: kept, written, carried out on its links, told; and finished if cut off.

First it is kept that the account is to be on its other side, then the file says so, then links stop and start. Whoever
comes next, this kannelkit or another, finds by that what is still to be done; a bearerbox that starts meanwhile reads
it in the file.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from kannelkit.errors import KannelkitError
from kannelkit.failover.side import AccountSide
from kannelkit.failover.values import Move, Side, other
from kannelkit.supervise.changes import Changes
from kannelkit.supervise.memory import KeptSide
from kannelkit.supervise.places import place
from kannelkit.supervise.running import Running
from kannelkit.supervise.turning import Turned, Turning


@dataclass(slots=True)
class Followed:
    """One account with two hosts; `since` is when its side came into force, in seconds since the epoch.

    It is not `settled` while links are still to be stopped or started, and nothing is begun `not_before` (loop time).
    """

    side: AccountSide
    since: float
    settled: bool
    not_before: float = float("-inf")
    told: str = ""
    move: asyncio.Task[None] | None = None
    probes: set[asyncio.Task[None]] = field(default_factory=set)

    @property
    def moving(self) -> bool:
        """Whether it is on its way this moment."""
        return self.move is not None and not self.move.done()

    def kept(self, *, settled: bool) -> KeptSide:
        """Return what is to outlive a restart."""
        return KeptSide(self.side.side, self.since, self.side.failed_returns, settled, self.side.by_hand)


class Moving:
    """Moves accounts; `refused` returns in words why an account's binds were refused of late, or None."""

    def __init__(
        self, running: Running, changes: Changes, turning: Turning, refused: Callable[[str], str | None]
    ) -> None:
        self._running = running
        self._changes = changes
        self._turning = turning
        self._refused = refused

    async def move(
        self, name: str, followed: Followed, move: Move, tell: Callable[[str], None], *, by_hand: bool = False
    ) -> None:
        """Bring an account to a side. Raises KannelkitError where it stays where it was, or is to be finished."""
        memory, conf = self._running.memory, self._running.configuration.conf
        async with self._changes.quiet(name):
            pressed = not move.home and not (by_hand and followed.side.unusable is None)
            refused = None if move.home or by_hand else self._refused(name)
            why = move.why if refused is None else f"{move.why}, {refused}"
            former, since = followed.kept(settled=True), time.time()
            memory.side(name, replace(former, side=move.to, since=since, settled=False, by_hand=by_hand))
            try:
                conf.turn(name, move.to)
            except KannelkitError:
                memory.side(name, former)
                raise
            followed.side.moved(move.to, asyncio.get_running_loop().time(), by_hand=by_hand)
            followed.since, followed.settled, followed.told = since, False, ""
            turned = await self._bring(name, followed, tell, pressed=pressed)
        self._tell(name, followed, why, turned)

    async def finish(self, name: str, followed: Followed) -> None:
        """Do what is left of a move that was cut off: by an end, or by a bearerbox that fell silent.

        Raises KannelkitError where it is still to be done.
        """
        async with self._changes.quiet(name):
            self._running.configuration.conf.turn(name, followed.side.side)
            turned = await self._bring(name, followed, lambda text: None, pressed=True)
        # what had no answer when it was begun, nobody counted
        self._tell(name, followed, "a move that was cut off is finished", replace(turned, unanswered=None))

    async def _bring(self, name: str, followed: Followed, tell: Callable[[str], None], *, pressed: bool) -> Turned:
        """Have the links run as the file says."""
        running = self._running
        account = next(each for each in running.configuration.conf.accounts if each.smsc_id == name)
        running.watch.now_as([account])
        turned = await self._turning.turn(account, tell, pressed=pressed)
        rate = running.watch.rates[account.unit]
        if rate.throughput is not None:  # its new links' first bursts say nothing of the limit
            rate.changed(rate.throughput, asyncio.get_running_loop().time())
        running.memory.side(name, followed.kept(settled=True))
        followed.settled = True
        return turned

    def _tell(self, name: str, followed: Followed, why: str, turned: Turned) -> None:
        to = followed.side.side
        before: Side = other(to)
        host = place(self._running.configuration.spec, self._running.watch.accounts[name], to)
        match turned.unanswered:
            case None:
                doubled = "what had no answer, if anything, is sent again"
            case 0:
                doubled = "nothing was unanswered"
            case count:
                doubled = f"{count} unanswered, sent again: they may arrive twice"
        data = {
            "from": before,
            "to": to,
            "why": why,
            "unanswered": turned.unanswered,
            "by_hand": followed.side.by_hand,
            "away_ms": round(turned.away * 1000),
        }
        self._running.tell("failover", f"{name}: {before} -> {to} ({host}): {why}; {doubled}", name, **data)

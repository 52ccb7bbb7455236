"""Changes of rate and of shares: what the controllers and balances decide, carried out."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from kannelkit.errors import GatewayError, HostError, KannelkitError
from kannelkit.render import Account
from kannelkit.supervise.doubts import Doubts
from kannelkit.supervise.links import Brought, Move, Recreation
from kannelkit.supervise.running import Running
from kannelkit.throttle.shares import allot
from kannelkit.throttle.values import Decision


class Changes:
    """Acts on a gateway's links one change a unit at a time; a unit is an account-group, or an account of its own.

    Call `act` some twenty times a second; `hold` keeps everything still for as long as something else changes links,
    `quiet` what belongs to one account. `paused` are the units whose rates stay as they are.
    """

    def __init__(self, running: Running) -> None:
        self.paused: frozenset[str] = running.memory.paused()
        self._running = running
        self._watch = running.watch
        self._doubts = Doubts()
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._held = False
        self.follow()

    def follow(self) -> None:
        """Act for the accounts of the configuration that the gateway runs with now."""
        running = self._running
        self._one_change = {unit: asyncio.Lock() for unit in running.configuration.rates}
        self._recreation = Recreation(running.admin, self._watch, running.note)
        for unit in running.configuration.rates:
            self._balanced(unit)

    async def change(self, unit: str, throughput: int) -> Brought:
        """Bring a unit to a throughput now, whatever its controller thinks.

        Raises KeyError for a unit that is not there, GatewayError where it was not done.
        """
        rate = self._watch.rates[unit]
        memory = self._running.memory
        lenders = self._watch.balances[unit].lenders
        async with self._alone(unit):
            memory.learn(unit, rate.learnt_with(throughput), time.time(), settled=False)
            try:
                brought = await self._bring(unit, throughput, lenders)
            except KannelkitError:
                memory.learn(unit, rate.learnt, time.time())
                raise
            rate.changed(throughput, asyncio.get_running_loop().time(), slow=brought.slow)
            memory.learn(unit, rate.learnt, time.time())
            return brought

    def pause(self, unit: str) -> None:
        """Leave a unit's rate as it is until `resume`, over restarts too. Raises KeyError, HostError."""
        _ = self._watch.rates[unit]
        self._running.memory.pause(unit, paused=True)
        self.paused |= {unit}

    def resume(self, unit: str) -> None:
        """Adapt a unit's rate again. Raises KeyError, HostError."""
        _ = self._watch.rates[unit]
        self._running.memory.pause(unit, paused=False)
        self.paused -= {unit}

    def act(self, now: float) -> None:
        """Begin what was decided since the last call."""
        self._gather()
        for unit, decision in list(self._watch.decisions.items()):
            if self._held or unit in self.paused:
                del self._watch.decisions[unit]
                self._watch.rates[unit].abandoned()  # to be decided anew from what is seen later
            elif unit not in self._tasks:
                del self._watch.decisions[unit]
                self._tasks[unit] = asyncio.create_task(self._carry_out(decision))
        for unit, lenders in list(self._watch.lenders.items()):
            del self._watch.lenders[unit]  # said again as long as it holds
            if not self._held and unit not in self._tasks:
                self._tasks[unit] = asyncio.create_task(self._lend(unit, lenders))
        if not self._held:
            self._renew()
        for name, refusals in self._doubts.due(self._watch.rates, now).items():
            self._running.tell(
                "note",
                f"{name}: {refusals} refusals in the log, but no such messages wait for another try: not believed",
                name,
                doubted=refusals,
            )

    def leave(self) -> None:
        """Begin nothing of what was decided since the last call: no link may be changed now."""
        self._gather()
        for unit in list(self._watch.decisions):
            del self._watch.decisions[unit]
            self._watch.rates[unit].abandoned()
        self._watch.lenders.clear()

    def again(self, unit: str, why: str = "a change of rate was cut off") -> None:
        """Bring a unit's links to what the file says: they may run at something else, for the reason given."""
        throughput = self._watch.rates[unit].throughput
        if throughput is not None:
            self._tasks[unit] = asyncio.create_task(self._finish(unit, throughput, why))

    @asynccontextmanager
    async def hold(self) -> AsyncIterator[None]:
        """Wait for the changes under way, and begin none until this is left."""
        self._held = True
        try:
            await asyncio.gather(*self._tasks.values(), return_exceptions=True)
            for one in self._one_change.values():  # whoever keeps an account quiet is waited for
                async with one:
                    pass
            yield
        finally:
            self._held = False

    @asynccontextmanager
    async def quiet(self, account: str) -> AsyncIterator[None]:
        """Wait for the change under way at an account's unit, and let none begin until this is left.

        Raises GatewayError while the whole configuration is being changed.
        """
        async with self._alone(self._watch.accounts[account].unit):
            yield

    def busy(self, account: str) -> bool:
        """Return whether somebody changes the links of an account's unit now, or those of everybody."""
        return self._held or self._one_change[self._watch.accounts[account].unit].locked()

    async def cancel(self) -> None:
        """Break off what is under way."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._tasks.clear()

    @asynccontextmanager
    async def _alone(self, unit: str) -> AsyncIterator[None]:
        if self._held:
            raise GatewayError("the configuration is being changed", "try again when that is done")
        async with self._one_change[unit]:
            yield

    def _gather(self) -> None:
        for name, task in list(self._tasks.items()):
            if task.done():
                del self._tasks[name]
                if not task.cancelled() and (error := task.exception()) is not None:
                    if name in self._watch.rates:
                        self._watch.rates[name].abandoned()
                    self._running.note(
                        name, f"a change failed for a reason of kannelkit's own, please report it: {error!r}"
                    )

    # -- rates and shares --------------------------------------------------------------------------------------

    async def _bring(self, unit: str, throughput: int, lenders: frozenset[int]) -> Brought:
        """Have a unit's links run at a throughput, of which lenders take no more than they must."""
        conf = self._running.configuration.conf
        before = _sending(self._watch.units[unit])
        shares = allot(throughput, len(before), lenders)
        conf.begin(unit, throughput, shares if lenders else ())
        moves = [Move(account, name, had, share) for (account, name, had), share in zip(before, shares, strict=True)]
        try:
            brought = await self._recreation.bring(moves, {moves[place].name for place in lenders})
        except GatewayError:
            # whatever was stopped and is started later takes its share from the file
            conf.give_up(unit)
            raise
        conf.accept(unit)
        self._watch.now_as(account for account in conf.accounts if account.unit == unit)
        self._running.memory.share(unit, shares if lenders else ())
        self._watch.balances[unit].changed(lenders, asyncio.get_running_loop().time())
        return brought

    async def _carry_out(self, decision: Decision) -> None:
        began = asyncio.get_running_loop().time()
        try:
            brought = await self.change(decision.account, decision.after)
        except KannelkitError as error:
            self._watch.rates[decision.account].abandoned()
            self._running.note(decision.account, f"throughput stays at {decision.before}: {error.args[0]}")
            return
        except asyncio.CancelledError:
            # or it would wait for the end of this change for ever
            self._watch.rates[decision.account].abandoned()
            raise
        back = f"links back in {brought.away * 1000:.0f} ms" if brought.online else "links not back yet"
        self._running.tell(
            "rate",
            f"{decision}, {back}",
            decision.account,
            direction=decision.kind,
            before=decision.before,
            after=decision.after,
            refused=decision.refused,
            submits=decision.submits,
            accepted=decision.accepted,
            seconds=round(decision.seconds, 1),
            links_away_ms=round(brought.away * 1000),
            took_ms=round((asyncio.get_running_loop().time() - began) * 1000),
            slow=brought.slow,
        )

    async def _lend(self, unit: str, lenders: frozenset[int]) -> None:
        """Share a unit's throughput out anew."""
        rate, links = self._watch.rates[unit], _sending(self._watch.units[unit])
        throughput = rate.throughput
        if throughput is None or lenders == self._watch.balances[unit].lenders:
            return
        names = ", ".join(name for place, (_, name, _) in enumerate(links) if place in lenders)
        try:
            async with self._alone(unit):
                self._running.memory.learn(unit, rate.learnt_with(throughput), time.time(), settled=False)
                brought = await self._bring(unit, throughput, lenders)
                rate.changed(throughput, asyncio.get_running_loop().time(), slow=brought.slow)
        except KannelkitError as error:
            self._watch.balances[unit].put_off(asyncio.get_running_loop().time())
            self._running.note(unit, f"its links keep their shares: {error.args[0]}")
            return
        finally:
            self._settle(unit)
        shares = self._running.configuration.conf.shares(unit)
        why = f"of no use now are {names}" if names else "every link is of use again"
        self._running.tell(
            "shares",
            f"{unit}: {why}: shares {' + '.join(str(share) for share in shares)} of throughput {throughput}",
            unit,
            lenders=sorted(name for place, (_, name, _) in enumerate(links) if place in lenders),
            shares=list(shares),
        )

    def _settle(self, unit: str) -> None:
        """Keep that a unit's links run at what is known of it."""
        try:
            self._running.memory.learn(unit, self._watch.rates[unit].learnt, time.time())
        except HostError as error:
            self._running.say("warning", f"the rate of {unit} is not kept: {error.args[0]}")

    def _balanced(self, unit: str) -> None:
        """Take over which links lend from the shares in force."""
        links = _sending(self._watch.units[unit])
        shares = [share for _, _, share in links if share is not None]
        if len(links) > 1 and shares and max(shares) - min(shares) > 1:
            lenders = frozenset(place for place, share in enumerate(shares) if share == 1)
            self._watch.balances[unit].changed(lenders, asyncio.get_running_loop().time())

    async def _finish(self, unit: str, throughput: int, why: str) -> None:
        for _, name, _ in _sending(self._watch.units[unit]):
            self._recreation.stale.setdefault(name, self._account_of(name))
        try:
            await self.change(unit, throughput)
        except KannelkitError as error:
            self._running.note(unit, f"its links may not run at throughput {throughput}: {error.args[0]}")
            return
        self._running.note(unit, f"{why}: its links were made anew at {throughput} SMS per second")

    def _account_of(self, link: str) -> str:
        return next(name for name, account in self._watch.accounts.items() if link in account.sending_ids)

    # -- links that run with another share than the file's ---------------------------------------------------------

    def _renew(self) -> None:
        status = self._watch.status
        if status is None:
            return
        for name, account in list(self._recreation.stale.items()):
            of = self._watch.accounts.get(account)
            links = status.links_of(name)
            if of is None or name not in of.sending_ids or all(link.state == "dead" for link in links):
                del self._recreation.stale[name]  # its next start takes its share from the file
            elif of.unit not in self._tasks and links[0].online:
                self._tasks[of.unit] = asyncio.create_task(self._renew_one(of.unit, name))

    async def _renew_one(self, unit: str, name: str) -> None:
        try:
            async with self._alone(unit):
                await self._recreation.renew(name)
        except KannelkitError as error:
            self._running.note(unit, f"{name} runs on with its former share: {error.args[0]}")


def _sending(accounts: Sequence[Account]) -> list[tuple[str, str, int | None]]:
    """Return account, name and share of each link that carries a unit's messages, in the order of its shares."""
    return [(account.smsc_id, link.admin_id, link.throughput) for account in accounts for link in account.sending]

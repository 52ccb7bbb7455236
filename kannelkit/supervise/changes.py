"""Changes of rate and starts of dead links: what the controllers and the revival decide, carried out."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from kannelkit.errors import GatewayError, KannelkitError
from kannelkit.supervise.doubts import Doubts
from kannelkit.supervise.links import Brought, Recreation
from kannelkit.supervise.revive import Revival
from kannelkit.supervise.running import Running
from kannelkit.throttle.values import Decision


class Changes:
    """Acts on a gateway's links one change an account at a time.

    Call `act` some twenty times a second; `hold` keeps everything still for as long as something else changes links.
    """

    def __init__(self, running: Running) -> None:
        self._running = running
        self._watch = running.watch
        self._doubts = Doubts()
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._held = False
        self.follow()

    def follow(self) -> None:
        """Act for the accounts of the configuration that the gateway runs with now."""
        running = self._running
        configuration = running.configuration
        conf = configuration.conf
        self._one_change = {account.smsc_id: asyncio.Lock() for account in configuration.accounts}
        self._revival = Revival(configuration.accounts)
        self._recreation = Recreation(running.admin, self._watch, conf.begin, conf.give_up, running.note)

    async def change(self, account: str, throughput: int) -> Brought:
        """Bring an account to a throughput now, whatever the controller thinks. Raises GatewayError, KeyError."""
        rate = self._watch.rates[account]
        if self._held:
            raise GatewayError("the configuration is being changed", "try again when that is done")
        memory = self._running.memory
        async with self._one_change[account]:
            memory.learn(account, rate.learnt_with(throughput), time.time(), settled=False)
            try:
                brought = await self._recreation.bring(self._watch.accounts[account], throughput)
            except KannelkitError:
                memory.learn(account, rate.learnt, time.time())
                raise
            self._running.configuration.conf.accept(account)
            rate.changed(throughput, asyncio.get_running_loop().time(), slow=brought.slow)
            memory.learn(account, rate.learnt, time.time())
            return brought

    def act(self, now: float) -> None:
        """Begin what was decided since the last call."""
        for name, decision in list(self._watch.decisions.items()):
            if self._held:
                del self._watch.decisions[name]
                self._watch.rates[name].abandoned()  # to be decided anew from what is seen later
            elif name not in self._tasks:
                del self._watch.decisions[name]
                self._tasks[name] = asyncio.create_task(self._carry_out(decision))
        for name, task in list(self._tasks.items()):
            if task.done():
                del self._tasks[name]
                if not task.cancelled() and (error := task.exception()) is not None:
                    self._watch.rates[name].abandoned()
                    self._running.note(
                        name, f"a change failed for a reason of kannelkit's own, please report it: {error!r}"
                    )
        if not self._held:
            self._revive(now)
        for name, refusals in self._doubts.due(self._watch.rates, now).items():
            self._running.note(
                name, f"{refusals} refusals in the log, but no such messages wait for another try: not believed"
            )

    def again(self, name: str) -> None:
        """An earlier change of rate was cut off: bring the account to what the file says."""
        throughput = self._watch.rates[name].throughput
        if throughput is not None:
            self._tasks[name] = asyncio.create_task(self._finish(name, throughput))

    @asynccontextmanager
    async def hold(self) -> AsyncIterator[None]:
        """Wait for the changes under way, and begin none until this is left."""
        self._held = True
        try:
            await asyncio.gather(*self._tasks.values(), return_exceptions=True)
            yield
        finally:
            self._held = False

    async def cancel(self) -> None:
        """Break off what is under way."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._tasks.clear()

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

    async def _finish(self, name: str, throughput: int) -> None:
        try:
            await self.change(name, throughput)
        except KannelkitError as error:
            self._running.note(name, f"its links may not run at throughput {throughput}: {error.args[0]}")
            return
        self._running.note(name, f"a change of rate was cut off: finished, throughput {throughput}")

    def _revive(self, now: float) -> None:
        if self._watch.status is None:
            return
        for account, name in self._revival.due(self._watch.status, now, self._tasks):
            if account not in self._tasks:
                self._tasks[account] = asyncio.create_task(self._start_dead(account, name))

    async def _start_dead(self, account: str, name: str) -> None:
        try:
            await self._running.admin.start_link(name)
        except KannelkitError as error:
            self._running.note(account, f"{name} is dead and cannot be started: {error.args[0]}")
            return
        self._running.note(account, f"{name} was dead (was its bind refused? see the log): started again")

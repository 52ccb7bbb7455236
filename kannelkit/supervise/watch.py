"""Follows bearerbox: refusals from its logs, counts from its status, and what the controllers make of both."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Mapping

from kannelkit.gateway.admin import Admin
from kannelkit.gateway.status import GatewayStatus
from kannelkit.host.tail import Tail
from kannelkit.render.links import Account
from kannelkit.supervise.counts import Counts
from kannelkit.throttle.controller import AccountRate
from kannelkit.throttle.lines import SubmitRefused, pause_end, read_events
from kannelkit.throttle.moment import Moment
from kannelkit.throttle.values import Decision

# seconds between two readings of the counters: ordinarily, and while refusals are followed
_LOOK_EVERY = 0.25
_LOOK_OFTEN = 0.05
# a large gateway's status takes long to make: at the most this share of the time is spent on it
_SHARE = 0.1


class Watch:
    """One bearerbox as its accounts' controllers see it.

    Call `tick` some twenty times a second. Decisions wait in `decisions` until they are taken out.
    """

    def __init__(self, admin: Admin, accounts: Iterable[Account], rates: Mapping[str, AccountRate]) -> None:
        self.accounts = {account.smsc_id: account for account in accounts}
        self.rates = dict(rates)
        self.decisions: dict[str, Decision] = {}
        self.status: GatewayStatus | None = None
        self.other_refusals: dict[int, int] = {}
        self._admin = admin
        self._counts = Counts(self.accounts.values())
        self._moments = {name: Moment(account.connections) for name, account in self.accounts.items()}
        self._answered: dict[str, tuple[int, float]] = {}
        self._tails: list[Tail] = []
        self._pid = 0
        self._look_at = 0.0

    def attach(self, pid: int, tails: list[Tail]) -> None:
        """Follow the bearerbox with this process id and these logs from now on; every link's count begins anew."""
        for tail in self._tails:
            tail.close()
        self._pid, self._tails = pid, tails
        self._counts.forget()
        now = asyncio.get_running_loop().time()
        for rate in self.rates.values():
            rate.begun(now)

    def follow(self, accounts: Iterable[Account], rates: Mapping[str, AccountRate]) -> None:
        """Follow these accounts from now on; of those that were followed before, what was seen of them stays."""
        former = self.accounts
        self.accounts = {account.smsc_id: account for account in accounts}
        self.rates = dict(rates)
        self.decisions.clear()
        self._counts.follow(self.accounts.values())
        for name, account in self.accounts.items():
            if name not in former or former[name].connections != account.connections:
                self._moments[name] = Moment(account.connections)
        for name in self._moments.keys() - self.accounts.keys():
            del self._moments[name]
            self._answered.pop(name, None)

    def follow_logs(self, tails: Iterable[Tail]) -> None:
        """Follow these logs, too."""
        self._tails.extend(tails)

    async def tick(self) -> None:
        """Read what the logs say, and the counters when it is time. Raises GatewayError where bearerbox is silent."""
        self.read_logs()
        now = asyncio.get_running_loop().time()
        if now >= self._look_at:
            await self.look()

    def read_logs(self) -> None:
        """Take note of the refusals that were logged since the last call."""
        now, wall = asyncio.get_running_loop().time(), time.time()
        for tail in self._tails:
            for text in tail.texts():
                for event in read_events(text, self._pid):
                    if isinstance(event, SubmitRefused):
                        self._refused(event, now, wall)

    def _refused(self, refusal: SubmitRefused, now: float, wall: float) -> None:
        if refusal.throttled and refusal.smsc_id in self.rates:
            self.rates[refusal.smsc_id].refused(now)
            until = now + pause_end(refusal.second, wall) - wall
            self._moments[refusal.smsc_id].refused(now, until)
            self._answered[refusal.smsc_id] = (self._answered.get(refusal.smsc_id, (0, 0))[0], now)
            self._look_at = min(self._look_at, now + _LOOK_OFTEN)
        else:
            status = refusal.command_status
            self.other_refusals[status] = self.other_refusals.get(status, 0) + 1

    async def look(self) -> GatewayStatus:
        """Read the counters now, let the controllers see them, and return them. Raises GatewayError."""
        clock = asyncio.get_running_loop().time
        began = clock()
        self._look_at = began + _LOOK_EVERY  # also after a failure
        status = await self._admin.status()
        now = clock()
        self.read_logs()  # a refusal that is counted as answered must be known as one
        for name, sample in self._counts.samples(status, now).items():
            before, at = self._answered.get(name, (0, float("-inf")))
            self._answered[name] = (sample.accepted, now if sample.accepted > before else at)
            self._moments[name].sampled(sample)
            decision = self.rates[name].sampled(sample)
            if decision is not None:
                self.decisions[name] = decision
        often = any(rate.busy for rate in self.rates.values())
        self._look_at = now + max(_LOOK_OFTEN if often else _LOOK_EVERY, (now - began) / _SHARE)
        self.status = status
        return status

    def moment(self, account: str) -> bool:
        """Return whether a link of the account may be stopped now without leaving a submit unanswered."""
        now = asyncio.get_running_loop().time()
        return self._moments[account].good(now, self.rates[account].throughput)

    def last_answer(self, account: str) -> float:
        """Return when (loop time) an answer to one of the account's submits was last seen."""
        return self._answered.get(account, (0, float("-inf")))[1]

    def close(self) -> None:
        """Give back what is open."""
        for tail in self._tails:
            tail.close()

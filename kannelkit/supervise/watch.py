"""Follows bearerbox: refusals from its logs, counts from its status, and what the controllers make of both."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from kannelkit.gateway.admin import Admin
from kannelkit.gateway.status import GatewayStatus
from kannelkit.host.tail import Tail
from kannelkit.render.links import Account
from kannelkit.supervise.counts import Counts, joined, link_samples
from kannelkit.throttle.controller import AccountRate
from kannelkit.throttle.lines import BindRefused, LinkTroubled, Panicked, SubmitRefused, pause_end, read_events
from kannelkit.throttle.moment import Moment
from kannelkit.throttle.shares import Balance
from kannelkit.throttle.values import Decision, Sample

# seconds between two readings of the counters: ordinarily, and while refusals are followed
_LOOK_EVERY = 0.25
_LOOK_OFTEN = 0.05
# a large gateway's status takes long to make: at the most this share of the time is spent on it
_SHARE = 0.1
# events that nobody takes out are no reason to grow
_MOST_TROUBLES = 1000

# What befell a link or a message besides "too fast".
Trouble = SubmitRefused | BindRefused | LinkTroubled | Panicked


@dataclass(slots=True)
class Answers:
    """What an account's provider answered: submits accepted, refused as too fast and refused otherwise, as totals that
    never fall, and when (loop time) anything was last.
    """

    accepted: int = 0
    refused: int = 0
    other: int = 0
    last: float = float("-inf")


class Watch:
    """One bearerbox as the controllers of its accounts' rates see it.

    Rates, decisions and balances go by unit: accounts that share a rate, mostly one. Call `tick` some twenty times a
    second. Decisions wait in `decisions`, and in `lenders` which of a unit's links should lend their shares, until they
    are taken out.
    """

    def __init__(self, admin: Admin, accounts: Iterable[Account], rates: Mapping[str, AccountRate]) -> None:
        self.accounts = {account.smsc_id: account for account in accounts}
        self.units = _units(self.accounts.values())
        self.rates = dict(rates)
        self.decisions: dict[str, Decision] = {}
        self.balances = {unit: Balance(_links(accounts)) for unit, accounts in self.units.items()}
        self.lenders: dict[str, frozenset[int]] = {}
        self.samples: Mapping[str, Sample] = {}
        self.status: GatewayStatus | None = None
        self.other_refusals: dict[int, int] = {}
        self._admin = admin
        self._counts = Counts(self.accounts.values())
        self._moments = {name: Moment(account.connections) for name, account in self.accounts.items()}
        self._answers = {name: Answers() for name in self.accounts}
        self._troubles: deque[Trouble] = deque(maxlen=_MOST_TROUBLES)
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
        former, former_units = self.accounts, self.units
        self.accounts = {account.smsc_id: account for account in accounts}
        self.units = _units(self.accounts.values())
        self.rates = dict(rates)
        self.decisions.clear()
        self.lenders.clear()
        self._counts.follow(self.accounts.values())
        for name, account in self.accounts.items():
            self._answers.setdefault(name, Answers())
            if name not in former or former[name].connections != account.connections:
                self._moments[name] = Moment(account.connections)
        for name in self._moments.keys() - self.accounts.keys():
            del self._moments[name]
            del self._answers[name]
        for unit, of in self.units.items():
            if unit not in self.balances or _names(former_units[unit]) != _names(of):
                self.balances[unit] = Balance(_links(of))
        for unit in self.balances.keys() - self.units.keys():
            del self.balances[unit]

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
                    else:
                        self._troubles.append(event)

    def _refused(self, refusal: SubmitRefused, now: float, wall: float) -> None:
        account = self.accounts.get(refusal.smsc_id)
        if account is not None:
            answers = self._answers[account.smsc_id]
            answers.last = now
            if refusal.throttled:
                answers.refused += 1
            else:
                answers.other += 1
        if refusal.throttled and account is not None and not account.relayed:
            self.rates[account.unit].refused(now)
            until = now + pause_end(refusal.second, wall) - wall
            self._moments[account.smsc_id].refused(now, until, refusal.thread)
            self._look_at = min(self._look_at, now + _LOOK_OFTEN)
        else:
            status = refusal.command_status
            self.other_refusals[status] = self.other_refusals.get(status, 0) + 1
            self._troubles.append(refusal)

    def take_troubles(self) -> list[Trouble]:
        """Return what the logs told of links and messages since the last call, "too fast" apart."""
        troubles = list(self._troubles)
        self._troubles.clear()
        return troubles

    async def look(self) -> GatewayStatus:
        """Read the counters now, let the controllers see them, and return them. Raises GatewayError."""
        clock = asyncio.get_running_loop().time
        began = clock()
        self._look_at = began + _LOOK_EVERY  # also after a failure
        status = await self._admin.status()
        now = clock()
        self.read_logs()  # a refusal that is counted as answered must be known as one
        self.samples = self._counts.samples(status, now)
        for name, sample in self.samples.items():
            answers = self._answers[name]
            if sample.accepted > answers.accepted:
                answers.accepted, answers.last = sample.accepted, now
            self._moments[name].sampled(sample)
        for unit, accounts in self.units.items():
            if not any(account.relayed for account in accounts):
                self._decide(unit, accounts, status, now)
        often = any(rate.busy for rate in self.rates.values())
        self._look_at = now + max(_LOOK_OFTEN if often else _LOOK_EVERY, (now - began) / _SHARE)
        self.status = status
        return status

    def _decide(self, unit: str, accounts: Sequence[Account], status: GatewayStatus, now: float) -> None:
        links = link_samples(accounts, status)
        balance = self.balances[unit]
        own = [link for place, link in enumerate(links) if place not in balance.lenders]
        decision = self.rates[unit].sampled(joined(accounts, self.samples, own, status.sms_queued_out))
        lowers = decision is not None and decision.kind == "lower"
        if lowers and len(accounts) == 1 and balance.explains(links):  # accounts of a group have one limit
            # each link may have a limit of its own: with even shares it is seen whether that was it
            self.rates[unit].abandoned()
            balance.refuted(now)
            self.lenders[unit] = frozenset()
            return
        if decision is not None:
            self.decisions[unit] = decision
        shares = [link.throughput for account in accounts for link in account.sending]
        lenders = balance.sampled(now, [share or 0 for share in shares], links)
        if lenders is not None:
            self.lenders[unit] = lenders

    def moment(self, account: str) -> bool:
        """Return whether a link of the account may be stopped now without leaving a submit unanswered."""
        now = asyncio.get_running_loop().time()
        return self._moments[account].good(now, self.accounts[account].throughput)

    def last_answer(self, account: str) -> float:
        """Return when (loop time) an answer to one of the account's submits was last seen."""
        found = self._answers.get(account)
        return float("-inf") if found is None else found.last

    def answers(self, account: str) -> Answers:
        """Return what the account's provider has answered so far. Raises KeyError."""
        return self._answers[account]

    def now_as(self, accounts: Iterable[Account]) -> None:
        """Take note that the links of these accounts run with other shares, or on another side."""
        for account in accounts:
            self.accounts[account.smsc_id] = account
        self.units = _units(self.accounts.values())
        self._counts.follow(self.accounts.values())

    def close(self) -> None:
        """Give back what is open."""
        for tail in self._tails:
            tail.close()


def _units(accounts: Iterable[Account]) -> dict[str, tuple[Account, ...]]:
    units: dict[str, tuple[Account, ...]] = {}
    for account in accounts:
        units[account.unit] = (*units.get(account.unit, ()), account)
    return units


def _links(accounts: Iterable[Account]) -> int:
    return sum(account.connections for account in accounts)


def _names(accounts: Iterable[Account]) -> list[tuple[str, int]]:
    return [(account.smsc_id, account.connections) for account in accounts]

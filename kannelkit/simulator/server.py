"""The pretend SMSC as a whole: its ports, its accounts, who may bind, and what can be read and changed meanwhile."""

from __future__ import annotations

import asyncio
import random
import ssl
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from kannelkit.errors import HostError
from kannelkit.providers.channels import Channel
from kannelkit.simulator.account import Account
from kannelkit.simulator.clock import Clock
from kannelkit.simulator.limits import Law
from kannelkit.simulator.link import Link
from kannelkit.simulator.outcomes import Outcome, OutcomeRule, Outcomes
from kannelkit.simulator.ports import Port
from kannelkit.simulator.rules import AccountRules, Behaviour, Bounds, Order, SecondBind, allowed_connections
from kannelkit.smpp.constants import CommandStatus
from kannelkit.smpp.pdu import Pdu

if TYPE_CHECKING:
    from kannelkit.simulator.control import Control
    from kannelkit.simulator.deliversm import Incoming
    from kannelkit.simulator.messages import Message

_REFUSED_BY = {
    SecondBind.BIND_FAILED: CommandStatus.ESME_RBINDFAIL,
    SecondBind.ALREADY_BOUND: CommandStatus.ESME_RALYBND,
}


class Simulator:
    """An SMSC that takes binds, answers submits within each account's limit, and sends delivery receipts.

    `async with Simulator([AccountRules("test", "test")]) as smsc:` listens until the block ends. A port of 0 is a free
    one, of None none; afterwards `port`, `tls_port` and `control_port` say which it is. All moments it tells are
    seconds since its start. Everything runs on the event loop that starts it, and its methods are to be called there.
    """

    def __init__(
        self,
        accounts: Iterable[AccountRules] = (AccountRules("test", "test"),),
        behaviour: Behaviour | None = None,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        tls_port: int | None = None,
        certificate: Path | None = None,
        control_port: int | None = None,
        seed: int | None = None,
        bounds: Bounds | None = None,
        outcomes: Iterable[OutcomeRule | str] = (),
    ) -> None:
        """`certificate`: a PEM file with key and certificate, for `tls_port`; `seed`: makes chance repeatable."""
        self.bounds = bounds or Bounds()
        self.port, self.tls_port, self.control_port = port, tls_port, control_port
        self.behaviour = behaviour or Behaviour()
        self.shuffle = random.Random(seed)  # noqa: S311 - the order of answers is no secret
        self._chance = random.Random(seed)  # noqa: S311 - nor is which submit is rejected
        # for choices that do not depend on the order in which messages come
        self._salt = random.Random(seed).randbytes(16)  # noqa: S311 - nor is what becomes of a number
        self.outcomes: list[OutcomeRule] = []
        self.change_outcomes(outcomes)
        self.statuses: Callable[[Account, Message], None] | None = None
        """Called for a message that ended and whose submit had no registered_delivery."""
        self.incomings: Callable[[Account, Incoming], None] | None = None
        """Called for an incoming message of an account that wants none by SMPP."""
        self.unknown_logins = 0
        self.accounts: dict[str, Account] = {}
        self.clock: Clock
        self.rules = tuple(accounts)  # as they are at the start
        self.host = host
        self._certificate = certificate
        self._ports: list[Port] = []
        self._links: dict[Link, None] = {}  # the oldest first
        self._control: Control | None = None
        self._message_id = 0
        if len({rules.login for rules in self.rules}) < len(self.rules):
            raise ValueError("two accounts have the same login")
        if tls_port is not None and certificate is None:
            raise ValueError("a TLS port needs a certificate")

    async def start(self) -> None:
        """Listen on every port; raises HostError where one is taken or the certificate cannot be used."""
        loop = asyncio.get_running_loop()
        self.clock = Clock(loop)
        self.accounts = {rules.login: Account(rules, self) for rules in self.rules}
        try:
            self.port = await self._listen(self.port, None)
            if self.tls_port is not None:
                self.tls_port = await self._listen(self.tls_port, self._tls())
            if self.control_port is not None:
                from kannelkit.simulator.control import Control  # aiohttp is imported only where it is used

                self._control = Control(self)
                self.control_port = await self._control.start(self.control_port)
        except (HostError, asyncio.CancelledError):
            await self.stop()
            raise

    async def stop(self) -> None:
        """Close every connection and stop listening; the counters can still be read."""
        for port in self._ports:
            port.close()
        self.drop_connections()
        for account in self.accounts.values():
            account.close()
        if self._control is not None:
            await self._control.stop()
            self._control = None
        for port in self._ports:
            await port.wait_closed()
        self._ports.clear()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    # what can be read and changed while it runs

    def counters(self) -> dict[str, object]:
        """Return the totals of every account by login, and what belongs to none, as plain values."""
        return {
            "seconds": self.clock.now(),
            "connections": len(self._links),
            "unknown_logins": self.unknown_logins,
            "accounts": {login: account.as_dict() for login, account in self.accounts.items()},
        }

    def account(self, login: str) -> Account:
        """Return an account's state; raises KeyError for an unknown login."""
        return self.accounts[login]

    def change_limit(
        self, login: str, limit: float | None, law: Law | None = None, burst: int | None = None
    ) -> AccountRules:
        """Change an account's limit (SMS per second; None: no limit) from now on, and its law and burst where given.

        Raises KeyError for an unknown login and ValueError for a limit that cannot be.
        """
        account = self.accounts[login]
        rules = replace(account.rules, limit=limit, law=law or account.rules.law, burst=burst or account.rules.burst)
        account.follow(rules)
        return rules

    def change_account(self, login: str, changes: Mapping[str, object]) -> AccountRules:
        """Change rules of an account, and its limit, by the names they are written with (`bind-status`) from now on.

        Connections that are there stay. Raises KeyError for an unknown login and ValueError for a wrong rule or value.
        """
        account = self.accounts[login]
        account.follow(account.rules.changed(changes))
        return account.rules

    def change_behaviour(self, changes: Mapping[str, object]) -> Behaviour:
        """Change fields of the behaviour by name from now on; raises ValueError for a wrong name or value."""
        self.behaviour = self.behaviour.changed(changes)
        for link in list(self._links):
            link.behaviour_changed()
        for account in self.accounts.values():
            account.behaviour_changed()
        return self.behaviour

    def change_outcomes(self, rules: Iterable[OutcomeRule | str]) -> list[OutcomeRule]:
        """Let messages that are sent from now on end as these rules say, and the others be delivered.

        Raises ValueError for a text that is no rule, and changes nothing then.
        """
        self.outcomes = [OutcomeRule.parse(rule) if isinstance(rule, str) else rule for rule in rules]
        self._choice = Outcomes(self.outcomes, self._salt, self.bounds.numbers)
        return self.outcomes

    def drop_connections(self) -> None:
        """Cut every connection off, without the answers that it is owed."""
        for link in list(self._links):
            link.abort()

    def refuse_connections(self) -> None:
        """Cut every connection off and refuse new ones, as a host on which no SMSC runs; the control port stays."""
        for port in self._ports:
            port.refuse()
        self.drop_connections()

    async def listen(self) -> None:
        """Take connections again after `refuse_connections`; raises HostError where that cannot be."""
        for port in self._ports:
            await port.listen()

    def reset(self) -> None:
        """Set the totals of every account to nothing; messages of before count as doubled no more."""
        self.unknown_logins = 0
        for account in self.accounts.values():
            account.reset()

    # what links ask

    @property
    def answers_at_once(self) -> bool:
        """Whether an answer leaves as soon as it is there."""
        behaviour = self.behaviour
        return not behaviour.delay and not behaviour.coalesce and behaviour.order is Order.IN_ORDER

    def rejects(self) -> int:
        """Return 0, or the status that the next submit is rejected with by chance."""
        behaviour = self.behaviour
        return behaviour.reject_status if self._chance.random() < behaviour.reject_share else 0

    def outcome(self, login: str, source: str, destination: str, channel: Channel) -> Outcome:
        """Return how a message ends that an account sends now."""
        return self._choice.choose(login, source, destination, channel)

    def next_message_id(self) -> int:
        """Return a number that no message had before."""
        self._message_id += 1
        return self._message_id

    def admit(self, link: Link) -> bool:
        """Take up a new connection and return True; where all are taken, in place of the oldest that has not bound."""
        if len(self._links) >= self.bounds.connections:
            idler = next((each for each in self._links if each.account is None), None)
            if idler is None:
                return False
            self.forget(idler)
            idler.abort()
        self._links[link] = None
        return True

    def forget(self, link: Link) -> None:
        """Let go of a connection that is gone."""
        self._links.pop(link, None)

    def bind(self, link: Link, received: Pdu) -> tuple[int, Account | None]:
        """Return the status for a bind, and the account it is for where it succeeds; may close older connections.

        A wrong login is answered like a wrong password: providers do not tell strangers which logins there are.
        """
        account = self.accounts.get(received.octets("system_id").decode("latin-1"))
        if account is None:
            self.unknown_logins += 1
            return CommandStatus.ESME_RINVPASWD, None
        rules = account.rules
        if received.octets("password").decode("latin-1") != rules.password:
            status = int(CommandStatus.ESME_RINVPASWD)
        elif not rules.allows(link.address):
            status = CommandStatus.ESME_RBINDFAIL  # the provider documents the check, not the status
        else:
            status = rules.bind_status
        allowed = allowed_connections(received.octets("system_type").decode("latin-1"), rules)
        if not status and len(account.links) >= allowed and rules.second_bind is not SecondBind.CLOSE_OLDER:
            status = _REFUSED_BY[rules.second_bind]
        if status:
            account.counters.binds_refused += 1
            return status, None
        for older in account.links[: max(0, len(account.links) - allowed + 1)]:
            account.counters.closed_by_newer += 1
            older.close()
        account.take(link)
        return CommandStatus.ESME_ROK, account

    # ports

    async def _listen(self, number: int, tls: ssl.SSLContext | None) -> int:
        port = Port(self.host, number, lambda: Link(self), tls)
        await port.listen()
        self._ports.append(port)
        return port.number

    def _tls(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        try:
            context.load_cert_chain(str(self._certificate))
        except (OSError, ssl.SSLError) as error:
            raise HostError(
                f"cannot use the certificate {self._certificate}: {error}",
                "a PEM file with key and certificate is made by `kannelkit make-dummy-cert FILE`",
            ) from None
        return context

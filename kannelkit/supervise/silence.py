"""Whether a host leaves messages without an answer, where bearerbox does not tell whose the ones in flight are.

What bearerbox has sent and not been answered, it counts for all its links together. The kernel counts the octets of
each connection: a message is longer than a PDU that only asks whether the link is alive. So a host to which a message
went, and from which nothing has come since, is silent, as long as bearerbox waits for answers at all.

Several accounts may have connections to the same host, and which connection is whose cannot be seen. Their host counts
as silent when it is silent to all of them.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from kannelkit.conf.values import TRUE
from kannelkit.gateway.status import GatewayStatus
from kannelkit.host.connections import Connection, connections
from kannelkit.host.processes import ProcessId
from kannelkit.render import Account
from kannelkit.supervise.revive import Links
from kannelkit.supervise.running import Running

# octets: enquire_link and its answer have 16, an answer to a deliver_sm 17, a submit_sm 50 and more (SMPP 3.4, 4.4.1);
# TLS adds some thirty to what is written at once
_MESSAGE, _MESSAGE_IN_TLS = 40, 64
# Kannel answers what it is sent at once: what leaves within so many seconds of that is no message
_SETTLES = 0.5
_LOOK_EVERY = 1.0
# asking about thousands of connections takes long: at the most this share of the time is spent on it
_SHARE = 0.02
_RESOLVE_EVERY = 60.0
_MOST_ADDRESSES = 32

Peer = tuple[str, int]


Asked = Callable[[ProcessId, Collection[Peer]], Sequence[Connection] | None]


class Silence:
    """Follows the connections of one bearerbox, which `ask` returns; call `look` whenever its status was read."""

    def __init__(self, running: Running, ask: Asked = connections) -> None:
        self._running = running
        self._ask = ask
        self._traffic = Traffic()
        self._pid = 0
        self._look_at = 0.0
        self._found: dict[str, dict[str, None]] = {}
        self._resolve_at: dict[str, float] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._accounts: dict[Peer, list[Account]] = {}
        self._in_flight = 0
        self._links: Links = {}

    def look(self, status: GatewayStatus, links: Links, now: float) -> None:
        """Take note of a status, and of what the kernel has counted, when it is time."""
        self._in_flight, self._links = status.in_flight or 0, links
        process = self._running.bearerbox.process
        if process is None or now < self._look_at:
            return
        if process.pid != self._pid:
            self._pid, self._traffic = process.pid, Traffic()
        least: dict[Peer, int] = {}
        self._accounts = {}
        over_tls = self._over_tls()
        for account in self._running.watch.accounts.values():
            self._resolve(account, now)
            message = _MESSAGE_IN_TLS if account.smsc_id in over_tls else _MESSAGE
            for peer in self._peers(account):
                least[peer] = max(least.get(peer, 0), message)
                self._accounts.setdefault(peer, []).append(account)
        clock = asyncio.get_running_loop().time
        began = clock()
        found = self._ask(process, least)
        if found is None:
            self._traffic = Traffic()
        else:
            self._traffic.seen(found, least, now)
        self._look_at = now + max(_LOOK_EVERY, (clock() - began) / _SHARE)

    def unanswered(self, account: Account, now: float) -> bool:
        """Return whether a message went to the account's host and nothing has come from there since."""
        if self._in_flight <= 0:
            return False
        peers = self._peers(account)
        sent = self._traffic.sent(peers)
        if sent <= max(self._traffic.heard(peers, anything=False) + _SETTLES, self._last_answer(account)):
            return False
        sharers = {each.smsc_id: each for peer in peers for each in self._accounts.get(peer, ())}
        if sent <= self._traffic.heard(peers, anything=len(sharers) > 1) + _SETTLES:
            return False
        return not any(sent <= max(self._last_answer(each), self._bound(each, now)) for each in sharers.values())

    async def cancel(self) -> None:
        """Break off what is under way."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _last_answer(self, account: Account) -> float:
        """Return when an answer to one of the account's submits was last seen."""
        watch = self._running.watch
        return watch.answers(account.smsc_id).last if account.smsc_id in watch.accounts else _NEVER

    def _bound(self, account: Account, now: float) -> float:
        """Return when a link of the account was bound last, of those that are: what it sent for that was answered."""
        links = (link for name in account.sending_ids for link in self._links.get(name, ()))
        return max((now - (link.seconds or 0) for link in links if link.online), default=_NEVER)

    def _over_tls(self) -> frozenset[str]:
        accounts = self._running.configuration.spec.smpp_accounts
        return frozenset(each.smsc_id for each in accounts if (each.group.get("use-ssl") or "").lower() in TRUE)

    def _peers(self, account: Account) -> frozenset[Peer]:
        """Return the addresses that the links of the side in force may be connected to."""
        return frozenset(
            (address, link.port) for link in account.sending[:1] for address in self._found.get(link.host, ())
        )

    def _resolve(self, account: Account, now: float) -> None:
        """Have the address of the host in force found, again and again: it may be one of several in turn."""
        host = account.sending[0].host
        if now < self._resolve_at.get(host, 0.0):
            return
        self._resolve_at[host] = now + _RESOLVE_EVERY
        try:
            self._found[host] = {str(ipaddress.IPv4Address(host)): None}
        except ValueError:
            task = asyncio.create_task(self._ask_for(host))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _ask_for(self, host: str) -> None:
        loop = asyncio.get_running_loop()
        try:
            found = await loop.getaddrinfo(host, None, family=socket.AF_INET, type=socket.SOCK_STREAM)
        except (OSError, ValueError):  # a ValueError is a name that can be none
            return
        known = self._found.setdefault(host, {})
        for *_, address in found:
            known.pop(str(address[0]), None)
            known[str(address[0])] = None  # the newest last
        for old in list(known)[:-_MOST_ADDRESSES]:
            del known[old]


class Traffic:
    """When messages last went to each peer and came from it, by the octets of its connections. Times are seconds."""

    def __init__(self) -> None:
        self._before: dict[int, tuple[int, int]] | None = None
        self._sent: dict[Peer, float] = {}
        self._heard: dict[Peer, float] = {}
        self._anything: dict[Peer, float] = {}

    def seen(self, found: Iterable[Connection], least: Mapping[Peer, int], now: float) -> None:
        """Take note of all connections that there are at `now`; so many octets are a message."""
        before, self._before = self._before, {}
        for each in found:
            self._before[each.inode] = each.sent, each.received
            if before is None:
                continue  # what went before anybody looked
            sent, received = before.get(each.inode, (0, 0))
            peer = each.peer
            if each.sent - sent >= least[peer]:
                self._sent[peer] = max(self._sent.get(peer, _NEVER), now - each.sent_ago)
            if each.received - received >= least[peer]:
                self._heard[peer] = max(self._heard.get(peer, _NEVER), now - each.received_ago)
            if each.received > received:
                self._anything[peer] = max(self._anything.get(peer, _NEVER), now - each.received_ago)

    def sent(self, peers: Iterable[Peer]) -> float:
        """Return when a message last went to one of these."""
        return max((self._sent.get(peer, _NEVER) for peer in peers), default=_NEVER)

    def heard(self, peers: Iterable[Peer], *, anything: bool) -> float:
        """Return when a message last came from one of these, or with `anything`, whatever it was."""
        heard = self._anything if anything else self._heard
        return max((heard.get(peer, _NEVER) for peer in peers), default=_NEVER)


_NEVER = float("-inf")

"""Links that should be bound and are not: started again ever more rarely, and why their binds are refused told once.

A link whose bind was refused for its password, its system_id or its system_type is dead for good in Kannel. One whose
bind was answered with "already bound" shows as online, and every message on it is rejected, which is the end of the
message (gw/smsc/smsc_smpp.c, handle_pdu): it is stopped at the first of them, so that the others wait. A link would
send what waits in one burst; so before it is started again, kannelkit tries a bind itself. That closes nobody's: the
SMSC has shown that it refuses a bind too many.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

from kannelkit.errors import KannelkitError
from kannelkit.failover.refusals import Reasons, bind_refusal, sentence
from kannelkit.gateway.status import LinkStatus
from kannelkit.host.bind import try_bind
from kannelkit.render import Account, Side
from kannelkit.smpp.constants import CommandStatus
from kannelkit.supervise.changes import Changes
from kannelkit.supervise.places import login, place
from kannelkit.supervise.revive import Links, Revival
from kannelkit.supervise.running import Running
from kannelkit.throttle.lines import BindRefused, Cause, Event, SubmitRefused

# a refusal of a bind explains an absence for so long, seconds
_EXPLAINS = 120.0


class DeadLinks:
    """Acts on the dead links of one gateway, one task an account."""

    def __init__(self, running: Running, changes: Changes) -> None:
        self._running = running
        self._changes = changes
        self._revival = Revival()
        self._reasons = Reasons()
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._doubted: dict[str, str] = {}  # link -> account, of those that only looked bound

    def heard(self, events: Iterable[Event], busy: Callable[[str], bool]) -> None:
        """Take note of what bearerbox's logs told of links; accounts that are `busy` are not touched."""
        for event in events:
            if isinstance(event, BindRefused) and event.smsc_id in self._running.watch.accounts:
                self._refused(event.smsc_id, event.command_status)
            elif isinstance(event, SubmitRefused) and event.cause is Cause.NOT_BOUND:
                account = self._running.watch.accounts.get(event.smsc_id)
                if account is not None and not busy(account.smsc_id):
                    self._tasks[account.smsc_id] = asyncio.create_task(self._stop_unbound(account))

    def act(self, links: Links, now: float, busy: Callable[[str], bool]) -> None:
        """Start the links whose time has come."""
        for name, link in self._revival.due(self._running.watch.accounts.values(), links, now, busy):
            if not busy(name):  # by an earlier link of this list
                self._tasks[name] = asyncio.create_task(self._start(name, link))

    def busy(self, account: str) -> bool:
        """Return whether one of the account's links is being started or stopped here."""
        task = self._tasks.get(account)
        return task is not None and not task.done()

    def doubts(self, account: str) -> bool:
        """Return whether a bind of the account may be one that only looks so."""
        return account in self._doubted.values()

    async def refuses(self, account: Account, side: Side) -> str | None:
        """Try a bind at a host; return in words why no link is to be started for it, None where one may be."""
        spec = self._running.configuration.spec
        status = await try_bind(place(spec, account, side), login(spec, account))
        if status is None:
            return "a bind has no answer"
        return sentence(status) if status == CommandStatus.ESME_RALYBND else None

    def why(self, account: str) -> str | None:
        """Return in words why a bind of the account was refused, None where none was of late."""
        status = self._reasons.last(account, asyncio.get_running_loop().time() - _EXPLAINS)
        return None if status is None else f"bind refused, 0x{status:02x}: {bind_refusal(status).why}"

    async def cancel(self) -> None:
        """Break off what is under way."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _refused(self, account: str, status: int, link: str | None = None) -> None:
        if self._reasons.news(account, status, asyncio.get_running_loop().time()):
            text = f"{link or account}: {sentence(status)}"
            self._running.tell("bind-refused", text, account, link=link, status=status)

    async def _start(self, account: str, link: str) -> None:
        wait = self._revival.wait(link)
        of = self._running.watch.accounts[account]
        if link in self._doubted and (why := await self.refuses(of, of.side)):
            self._running.note(account, f"{link} stays down, {why}; tried again in {wait:.0f} s")
            return
        self._doubted.pop(link, None)
        try:
            await self._running.admin.start_link(link)
        except KannelkitError as error:
            self._running.note(account, f"{link} is dead and cannot be started: {error.args[0]}")
            return
        self._running.note(account, f"{link} was dead: started again; should that be in vain, the next in {wait:.0f} s")

    async def _stop_unbound(self, account: Account) -> None:
        name, running = account.smsc_id, self._running
        try:
            async with self._changes.quiet(name):
                status = await running.watch.look()
                for link in unbound([link for link in status.links if link.admin_id in account.sending_ids]):
                    await running.admin.stop_link(link)
                    self._doubted[link] = name
                    self._refused(name, int(CommandStatus.ESME_RALYBND), link)
                    running.note(name, f"{link} looked bound, and each message on it was rejected: stopped")
        except KannelkitError as error:
            running.note(name, f"a link on which each message is rejected is not stopped: {error.args[0]}")


def unbound(links: Iterable[LinkStatus]) -> list[str]:
    """Return which of an account's links only look bound, when the SMSC said that one is not.

    Those on which messages failed (gw/bb_smscconn.c, bb_smscconn_send_failed, counts them by link) and none was taken;
    where that is no one, the newest.
    """
    online = [link for link in links if link.online]
    found = [link for link in online if link.failed and not link.sms_sent]
    return [link.admin_id for link in found or sorted(online, key=lambda link: link.seconds or 0)[:1]]

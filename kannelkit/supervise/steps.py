"""Carries out a plan's steps on a running gateway, one after the other, each watched until its links are back."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from typing import Any, Protocol

from kannelkit.errors import GatewayError
from kannelkit.gateway.admin import Admin
from kannelkit.gateway.status import GatewayStatus
from kannelkit.plan.groups import Values, groups, links
from kannelkit.plan.values import Add, Box, Plan, Recreate, Remove, Reroute, Restart, Step
from kannelkit.supervise.asrun import AsRun, closed
from kannelkit.supervise.links import Links, Observer, Patience
from kannelkit.supervise.rest import Rest

_LOOK_EVERY = 0.02
# a bind that is refused three times is refused
_PATIENCE = Patience(dead=3.0, connecting=15.0)
# a link that was not online before is not waited for
_NO_PATIENCE = Patience(dead=0.0, connecting=0.0)
_THERE_SECONDS = 5.0
_DRAIN_SECONDS = 60.0


class Boxes(Protocol):
    """The gateway's boxes, which are stopped and started with what is in the file then."""

    def alive(self) -> bool:
        """Return whether bearerbox's process is there."""

    async def stop(self, name: Box) -> None:
        """Stop a box in order."""

    async def start(self, name: Box, core: Values) -> None:
        """Start a box with what is in the file now, whose group core is `core`; return when it works with the others.

        Raises GatewayError.
        """


class Steps:
    """Brings a gateway from one configuration to another; `as_run` is what it runs with at any moment.

    `write` puts a text in place as the gateway's file, checked, or raises. `tell` is given each step as it begins;
    `observer.moment` may be asked for the accounts in `watched`. `bound` are the links that have to be online in the
    end, unless told otherwise those that are at the beginning. With `hurried`, a link is re-created without a quiet
    moment where none comes, and one that does not come back does not keep the others: it is for taking a change back.
    With `discard`, messages that wait for an account that is removed and cannot be sent are given up.
    """

    def __init__(
        self,
        as_run: AsRun,
        admin: Admin,
        observer: Observer,
        boxes: Boxes,
        write: Callable[[str], None],
        note: Callable[[str, str], None],
        tell: Callable[[Step], None],
        *,
        watched: frozenset[str],
        bound: frozenset[str] | None = None,
        hurried: bool = False,
        discard: bool = False,
    ) -> None:
        self.as_run = as_run
        self._admin = admin
        self._observer = observer
        self._boxes = boxes
        self._write = write
        self._note = note
        self._tell = tell
        self._rest = Rest(observer, note, watched)
        self.bound = bound
        self._away: list[str] = []
        self._hurried = hurried
        self._discard = discard
        self._links = Links(admin, observer, note, boxes.alive)
        self._to_open: dict[str, tuple[Values, ...]] = {}
        self._closed: set[str] = set()
        self._known: frozenset[str] = frozenset()

    async def carry_out(self, plan: Plan) -> None:
        """Take the plan's steps in their order. Raises GatewayError or HostError at the first that fails, or, hurried,
        at the end; `as_run` then says what the gateway runs with.
        """
        self._known = self.as_run.accounts()
        if self.bound is None:
            self.bound = frozenset(link.admin_id for link in (await self._look()).links if link.online)
        staying = AsRun(plan.wanted).accounts()
        for stage in plan.stages:
            wanted = links(groups(stage.text))
            for step in stage.steps:
                self._tell(step)
                if not isinstance(step, Add):
                    await self._taken(self._open())
                match step:
                    case Add(link, account):
                        await self._taken(self._add(link, account, wanted[link]))
                    case Recreate(link, account):
                        await self._taken(self._recreate(link, account, wanted[link]))
                    case Remove(link, account):
                        await self._taken(self._remove(link, account, goes=account not in staying))
                    case Reroute(names):
                        await self._taken(self._reroute({name: wanted[name] for name in names}))
                    case Restart(boxes):
                        await self._taken(self._restart(boxes, stage.text))
            await self._taken(self._open())
        if self._away:
            raise GatewayError("; ".join(self._away))

    async def _taken(self, step: Coroutine[Any, Any, None]) -> None:
        """Take a step; when a change is taken back, what cannot be keeps nothing else from it."""
        try:
            await step
        except GatewayError as error:
            if not self._hurried:
                raise
            self._away.append(error.message)

    async def _recreate(self, name: str, account: str, to: tuple[Values, ...]) -> None:
        before = self.as_run.link(name)
        state = await self._state(name)
        self._put(name, to)  # first: what is written between a moment and the stop would take the moment away
        if state == "online" and not await self._rest.moment(name, account):
            try:
                await self._make_moment(name, account, before)
            except GatewayError:
                self._put(name, before)
                raise
            self._put(name, to)
        patience = _PATIENCE if self._has_to_bind(name, to) else _NO_PATIENCE
        brought = await self._links.recreate(account, name, patience)
        if patience is _PATIENCE and not brought.online:
            await self._not_back(name, to)

    async def _add(self, name: str, account: str, to: tuple[Values, ...]) -> None:
        """Add a link; one of a new account takes messages only when it is known to be online."""
        if account in self._known:
            self._put(name, to)
        else:
            self._put(name, closed(to))
            self._to_open[name] = to
        await self._admin.add_link(name)
        await self._there(name)
        has_to = self._has_to_bind(name, to) if self._hurried else not _never_binds(to)
        if has_to and not await self._links.online(account, name, _PATIENCE):
            await self._not_back(name, to)

    async def _open(self) -> None:
        if self._to_open:
            opened, self._to_open = self._to_open, {}
            await self._reroute(opened)

    async def _reroute(self, to: dict[str, tuple[Values, ...]]) -> None:
        """Have links take other messages; the file says of all others what they run with, so that none is touched."""
        before = await self._look()
        for name, each in to.items():
            self.as_run.put(name, each)
        self._write(self.as_run.text)
        await self._admin.graceful_restart()
        after = await self._look()
        away = [
            link.admin_id
            for link in before.links
            if link.online and not any(other.online for other in after.links_of(link.admin_id))
        ]
        for name in away:  # a link may lose its bind at any time, for a reason of its own
            if not await self._links.online(name, name, _PATIENCE):
                raise GatewayError(f"{name} is not online after the reload")

    async def _remove(self, name: str, account: str, *, goes: bool) -> None:
        state = await self._state(name)
        if state is None:
            self._put(name, ())
            return
        if goes and account not in self._closed:
            await self._close(account)
        if state == "online":
            if goes:
                await self._rest.drained(name, account, give_up=self._hurried or self._discard)
            elif not await self._rest.moment(name, account):
                await self._make_moment(name, account, self.as_run.link(name))
        if state != "dead":
            await self._links.stop(account, name)
        await self._admin.remove_link(name)
        await self._gone(name)
        self._put(name, ())

    async def _close(self, account: str) -> None:
        """Keep new messages from an account that goes, when none wait for it: bearerbox would discard those.

        Raises GatewayError where some wait for too long, and are not to be discarded.
        """
        links_of = {name: self.as_run.link(name) for name in self.as_run.names_of(account)}
        if any(each != closed(each) for each in links_of.values()):  # else it never took any
            await self._sent(account, tuple(links_of))
            await self._reroute({name: closed(each) for name, each in links_of.items()})
        self._closed.add(account)

    async def _sent(self, account: str, names: tuple[str, ...]) -> None:
        """Wait until no message waits for an account, or for any other one: bearerbox does not say for whom."""
        clock = asyncio.get_running_loop().time
        deadline = clock() + _DRAIN_SECONDS
        while True:
            status = await self._look()
            waiting = status.sms_queued_out + sum(link.queued for name in names for link in status.links_of(name))
            if waiting <= 0:
                return
            if clock() >= deadline:
                if self._discard:
                    self._note(account, f"up to {waiting} messages that wait for it are discarded")
                    return
                raise GatewayError(
                    f"{account}: {waiting} messages wait after {_DRAIN_SECONDS:.0f} s, and bearerbox would discard "
                    "those for this account",
                    "wait until they are sent, or give them up with --discard",
                )
            await asyncio.sleep(_LOOK_EVERY)

    async def _restart(self, boxes: tuple[Box, ...], text: str) -> None:
        if "bearerbox" in boxes:
            for account in sorted(self.as_run.accounts() - AsRun(text).accounts()):
                await self._close(account)
        if "smsbox" in boxes:
            await self._boxes.stop("smsbox")
        if "bearerbox" in boxes:
            await self._quiet([link.admin_id for link in (await self._look()).links if link.online])
            await self._boxes.stop("bearerbox")
            self.as_run.take(text)
        else:
            self.as_run.take_boxes(text)
        self._write(self.as_run.text)
        for box in boxes:
            if box != "wapbox":  # nobody but its own operator runs it
                await self._boxes.start(box, self.as_run.core)
        if "bearerbox" in boxes:
            for name in sorted(self.bound or ()):
                to = self.as_run.link(name)
                if to and not _never_binds(to) and not await self._links.online(name, name, _PATIENCE):
                    await self._not_back(name, to)

    async def _quiet(self, online: list[str]) -> None:
        """Stop every link with nothing in flight: what is unanswered when bearerbox ends is sent again by the next."""
        accounts: dict[str, list[str]] = {}
        for name in online:
            accounts.setdefault(self.as_run.account_of(name), []).append(name)

        async def stop(account: str, names: list[str]) -> None:
            for name in names:
                if not await self._rest.moment(name, account):
                    await self._make_moment(name, account, self.as_run.link(name))
                await self._links.stop(account, name)

        tasks = [asyncio.create_task(stop(account, names)) for account, names in accounts.items()]
        try:
            await asyncio.gather(*tasks)
        finally:  # one that fails ends them all
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    # -- waiting

    async def _make_moment(self, name: str, account: str, groups_of: tuple[Values, ...]) -> None:
        """Keep new messages from a link, which then wait for its account, until what it has is sent and answered."""
        self._note(account, f"{name} is never at rest: it takes no new messages until it is")
        await self._reroute({name: closed(groups_of)})
        try:
            await self._rest.drained(name, account, give_up=self._hurried or self._discard)
        except GatewayError:
            await self._reroute({name: groups_of})
            raise

    async def _look(self) -> GatewayStatus:
        return await self._observer.look()

    async def _state(self, name: str) -> str | None:
        found = (await self._look()).links_of(name)
        return min((link.state for link in found), key=lambda state: state != "online", default=None)

    async def _there(self, name: str) -> None:
        await self._until(name, lambda state: state is not None, "is not there after it was added: see bearerbox's log")

    async def _gone(self, name: str) -> None:
        await self._until(name, lambda state: state is None, "is still there after it was removed")

    async def _until(self, name: str, holds: Callable[[str | None], bool], otherwise: str) -> None:
        clock = asyncio.get_running_loop().time
        deadline = clock() + _THERE_SECONDS
        while True:
            with contextlib.suppress(GatewayError):
                if holds(await self._state(name)):
                    return
            if clock() >= deadline:
                raise GatewayError(f"{name} {otherwise}")
            await asyncio.sleep(_LOOK_EVERY)

    def _has_to_bind(self, name: str, to: tuple[Values, ...]) -> bool:
        return name in (self.bound or ()) and not _never_binds(to)

    async def _not_back(self, name: str, to: tuple[Values, ...]) -> None:
        """Raise GatewayError over a link that is not online, or keep that until the end."""
        state = await self._state(name)
        where = f"{to[0].get('host', '')}:{to[0].get('port', '')}"
        said = f"{name}: {where} refused its bind"
        if state != "dead":
            said = f"{name} did not come online at {where} within {_PATIENCE.connecting:.0f} s: {state}"
        if not self._hurried:
            raise GatewayError(said, "bearerbox's log says what happened to it")
        self._away.append(said)

    def _put(self, name: str, to: tuple[Values, ...]) -> None:
        self.as_run.put(name, to)
        self._write(self.as_run.text)


def _never_binds(to: tuple[Values, ...]) -> bool:
    """Return whether a link only keeps messages waiting, or stands by until it is started."""
    first = to[0]
    parks = (first.get("host"), first.get("port")) == ("127.0.0.1", "1")
    return parks or first.get("dead-start", "").lower() in ("true", "yes", "on", "1")

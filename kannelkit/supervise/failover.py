"""Which of its provider's two hosts each account uses: what `kannelkit.failover` decides, observed and carried out."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections.abc import Awaitable, Callable, Collection, Coroutine, Iterable, Mapping
from typing import Any

from kannelkit.errors import GatewayError, HostError, KannelkitError
from kannelkit.failover.side import AccountSide
from kannelkit.failover.values import Move, Probe, Seen, Settings, Side, other
from kannelkit.gateway.status import GatewayStatus
from kannelkit.host.cut import cut
from kannelkit.host.reach import Address, reach
from kannelkit.render import Account
from kannelkit.supervise.changes import Changes
from kannelkit.supervise.configuration import Configuration
from kannelkit.supervise.control import Tell
from kannelkit.supervise.deadlinks import DeadLinks
from kannelkit.supervise.memory import KeptSide
from kannelkit.supervise.moving import Followed, Moving
from kannelkit.supervise.places import place
from kannelkit.supervise.revive import Links, named
from kannelkit.supervise.running import Running
from kannelkit.supervise.silence import Silence
from kannelkit.supervise.turning import Turning
from kannelkit.throttle.lines import Event

# what could not be begun is tried again after so many seconds, what is to be finished sooner
_TRY_AGAIN = 5.0
_FINISH = 1.0
# a new bearerbox shows links that are to stay down as something else for a moment
_STARTED = 3.0
Reach = Callable[[Address], Awaitable[str | None]]
_SIDES: Mapping[str, Side] = {"primary": "primary", "backup": "backup"}


class Failover:
    """Sees to it that every account uses a host that is of use, and that links which should be bound are.

    Call `act` some twenty times a second, before rates are changed, `heard` with what the logs told of links since, and
    `unheard` when bearerbox did not answer. `reach` says in words why a host takes no connection, None where it does.
    """

    def __init__(self, running: Running, changes: Changes, reach: Reach = reach) -> None:
        self._running = running
        self._reach = reach
        self._changes = changes
        self._watch = running.watch
        self._turning = Turning(running.admin, running.watch, self._alone, self._cut)
        self._dead_links = DeadLinks(running, changes)
        self._moving = Moving(running, changes, self._turning, self._dead_links.why)
        self._silence = Silence(running)
        self._followed: dict[str, Followed] = {}
        self._configuration: Configuration | None = None
        self._pid = 0
        self._compare_at = float("inf")
        self._status: GatewayStatus | None = None

    def heard(self, events: Iterable[Event], *, may_act: bool = True) -> None:
        """Take note of what bearerbox's logs told of links; no link is touched unless that may be done now."""
        self._dead_links.heard(events, self._busy if may_act else lambda name: True)

    def unheard(self) -> None:
        """bearerbox does not answer: nothing that it showed before says how the links are now."""
        for followed in self._followed.values():
            followed.side.blind()

    def act(self, now: float) -> None:
        """Take note of what bearerbox showed last, and begin what follows from it."""
        self._follow(now)
        self._put_off()
        status = self._watch.status
        if status is None or status is self._status:
            return
        self._status = status
        self._turning.seen(status)
        links = named(status)
        alone = self._alone()
        if self._followed and not alone:
            self._silence.look(status, links, now)
        if now >= self._compare_at:
            self._compare_at = float("inf")
            self._compare(links)
        for name, followed in self._followed.items():
            self._see(name, followed, links, now, alone=alone)
            self._decide(name, followed, now)
        self._dead_links.act(links, now, self._busy)

    async def by_hand(self, name: str, to: str | None, tell: Tell, force: bool = False) -> Mapping[str, object]:
        """Move an account to a side, or without `to` only say which it is on, since when and why.

        It stays there until it is moved by hand again, or until that side is of no use. A host that does not take a
        connection is not gone to, but with `force`. Raises GatewayError, KeyError.
        """
        account = self._watch.accounts[name]
        followed = self._followed.get(name)
        if not account.standby_ids:
            raise GatewayError(f"{name} has no second host", "write backup-host at the account, and kannelkit apply")
        if followed is None:
            self._running.boxes.changeable_or_raise()
            raise GatewayError(f"the links of {name} have not been seen yet", "try again in a moment")
        if to is None:
            return self._said(name, followed)
        side = _SIDES.get(to)
        if side is None:
            raise GatewayError(f"there is no side {to!r}", "primary or backup")

        def step(text: str) -> None:
            tell({"event": "step", "text": text})

        self._movable_or_raise(name, followed, side)
        if not force:
            host = place(self._running.configuration.spec, account, side)
            step(f"{name}: does the {side}, {host}, take a connection?")
            if (found := await self._reach(host)) is not None:
                hint = f"nothing was changed: {name} would be without any host; --force moves it all the same"
                raise GatewayError(f"the {side}, {host}, does not answer: {found}", hint)
            self._movable_or_raise(name, followed, side)
        work = self._task(name, self._moving.move(name, followed, Move(side, "by hand"), step, by_hand=True))
        followed.move = work
        await work
        return self._said(name, followed)

    def _movable_or_raise(self, name: str, followed: Followed, side: Side) -> None:
        account = self._watch.accounts[name]
        if followed.moving:
            raise GatewayError(f"{name} is being moved this moment", "look where it is then")
        if side == account.side:
            raise GatewayError(f"{name} is on its {side} already", "without --to it is said since when, and why")
        if ending := self._turning.ending.intersection(account.on(side).sending_ids):
            raise GatewayError(
                f"the provider has not ended an earlier bind: {', '.join(sorted(ending))}", "try again in half a minute"
            )
        self._running.boxes.changeable_or_raise()

    async def cancel(self) -> None:
        """Break off what is under way; a move that was begun is finished by the next kannelkit."""
        tasks: list[asyncio.Task[None]] = []
        for followed in self._followed.values():
            tasks += [*followed.probes, *([followed.move] if followed.move else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._dead_links.cancel()
        await self._silence.cancel()

    # -- observing ---------------------------------------------------------------------------------------------

    def _follow(self, now: float) -> None:
        """Follow the accounts of the configuration and the bearerbox that run now."""
        running = self._running
        if running.configuration is not self._configuration:
            self._configuration = running.configuration
            try:
                kept = running.memory.sides()
            except HostError as error:
                running.say("warning", f"how long accounts have been on their sides is not known: {error.args[0]}")
                kept = {}
            for name in self._followed.keys() - self._watch.accounts.keys():
                self._forget(name)
            for name, account in self._watch.accounts.items():
                if name in kept and kept[name].side != account.side:  # it had no second host for a while
                    with contextlib.suppress(HostError):  # told when something is learnt
                        running.memory.side(name, KeptSide(account.side, time.time()))
                if not account.standby_ids:
                    self._forget(name)
                elif name in self._followed:
                    self._followed[name].side.adapt(self._settings())
                else:
                    self._followed[name] = self._begin(account, kept.get(name), now)
        pid = running.bearerbox.process.pid if running.bearerbox.process is not None else 0
        if pid != self._pid:
            self._pid, self._compare_at = pid, now + _STARTED
            self._turning.ending.clear()
            for followed in self._followed.values():
                followed.side.begin()

    def _settings(self) -> Settings:
        wanted = self._running.configuration.spec.supervisor
        return Settings(wanted.failover_after, wanted.failover_back_after)

    def _begin(self, account: Account, kept: KeptSide | None, now: float) -> Followed:
        if kept is None or kept.side != account.side:
            return Followed(AccountSide(self._settings(), now, account.side), time.time(), settled=True)
        side = AccountSide(
            self._settings(),
            now,
            kept.side,
            lasted=time.time() - kept.since,
            failed_returns=kept.failed_returns,
            by_hand=kept.by_hand,
        )
        return Followed(side, kept.since, kept.settled)

    def _forget(self, name: str) -> None:
        followed = self._followed.pop(name, None)
        if followed is not None:
            for probe in followed.probes:
                probe.cancel()

    def _compare(self, links: Links) -> None:
        """See, when a bearerbox is followed anew, that no link runs which only stands by: somebody was cut off."""
        for name, followed in self._followed.items():
            for link in self._watch.accounts[name].standby_ids:
                runs = any(one.state != "dead" for one in links.get(link, ()))
                if runs and not followed.moving and link not in self._turning.ending:
                    followed.settled = False

    def _see(self, name: str, followed: Followed, links: Links, now: float, *, alone: bool) -> None:
        account = self._watch.accounts[name]
        own = [one for link in account.sending_ids for one in links.get(link, ())]
        online = dict.fromkeys(account.sending_ids, False) | {one.admin_id: one.online for one in own}
        if followed.moving or (self._busy(name) and not all(online.values())):
            followed.side.blind()  # links are made anew; while a moment for that is waited for, they are as ever
            return
        answers = self._watch.answers(name)
        signs = answers.accepted + answers.refused + answers.other
        signs += sum(one.sms_received + one.dlr_received for one in own)
        queued = any(one.queued for one in own if one.online)
        in_flight = self._status.in_flight if self._status is not None and alone else None
        unanswered = not alone and self._silence.unanswered(account, now)
        followed.side.seen(Seen(now, online, signs, queued, in_flight, unanswered))

    def _alone(self) -> bool:
        """Return whether all that is in flight is one account's."""
        if self._status is None or len(self._watch.accounts) != 1:
            return False
        (account,) = self._watch.accounts.values()
        return {link.admin_id for link in self._status.links} <= {link.admin_id for link in account.links}

    def _busy(self, name: str) -> bool:
        """Return whether somebody acts on the account's links now."""
        followed = self._followed.get(name)
        moving = followed is not None and followed.moving
        return moving or self._dead_links.busy(name) or self._changes.busy(name)

    # -- deciding and moving -----------------------------------------------------------------------------------

    def _decide(self, name: str, followed: Followed, now: float) -> None:
        if followed.moving:
            return
        if not followed.settled:
            if now >= followed.not_before:
                followed.not_before = now + _FINISH
                followed.move = self._task(name, self._finish(name, followed))
            return
        decision = followed.side.decide(now)
        if isinstance(decision, Probe):
            task = self._task(name, self._probe(name, followed, decision.side))
            followed.probes.add(task)
            task.add_done_callback(followed.probes.discard)
        elif isinstance(decision, Move) and now >= followed.not_before:
            to = self._watch.accounts[name].on(decision.to)
            if ending := self._turning.ending.intersection(to.sending_ids):  # they could not be started yet
                names = ", ".join(sorted(ending))
                self._tell_once(name, followed, f"it goes to the {decision.to} when Kannel has ended {names}")
            else:
                followed.move = self._task(name, self._carry_out(name, followed, decision))

    def _put_off(self) -> None:
        """Have no rate changed while a host may be gone: a quiet moment would be waited for, and a move with it."""
        for unit in list(self._watch.decisions):
            names = [account.smsc_id for account in self._watch.units[unit]]
            if any(name in self._followed and self._followed[name].side.doubtful for name in names):
                del self._watch.decisions[unit]
                self._watch.rates[unit].abandoned()  # to be decided anew from what is seen later

    async def _cut(self, account: Account, names: Collection[str]) -> None:
        """End the connections of links that do not end themselves, unless they could be those of others."""
        process, status = self._running.bearerbox.process, self._status
        ours = [link for link in account.links if link.admin_id in names]
        if process is None or status is None or not ours:
            return
        dead = {link.admin_id for link in status.links if link.state == "dead"}
        place_of = (ours[0].host, ours[0].port)
        shared = [
            link.admin_id
            for each in self._watch.accounts.values()
            for link in each.links
            if (link.host, link.port) == place_of and link.admin_id not in names and link.admin_id not in dead
        ]
        if shared:
            return
        loop = asyncio.get_running_loop()
        try:
            found = await loop.getaddrinfo(*place_of, family=socket.AF_INET, type=socket.SOCK_STREAM)
        except OSError:
            return
        peers = {(str(address[0]), int(address[1])) for *_, address in found}
        if await asyncio.to_thread(cut, process, peers, len(ours)):
            self._running.note(
                account.smsc_id, f"{', '.join(sorted(names))}: did not end, connection cut: its messages go on at once"
            )

    async def _probe(self, name: str, followed: Followed, side: Side) -> None:
        account = self._watch.accounts[name]
        status = self._watch.status
        bound = status is not None and any(link.online for link in status.links if link.admin_id in account.sending_ids)
        if self._dead_links.doubts(name) and not bound:  # no bind of ours is there to be closed
            found = await self._dead_links.refuses(account, side)
        else:
            found = await self._reach(place(self._running.configuration.spec, account, side))
        followed.side.probed(side, asyncio.get_running_loop().time(), found is None)
        if found is not None and side != followed.side.side and (why := followed.side.unusable):
            text = f"the {followed.side.side} is of no use ({why}), and the {side}: {found}"
            self._tell_once(name, followed, text, of=f"{side}: {found}")

    async def _carry_out(self, name: str, followed: Followed, move: Move) -> None:
        try:
            await self._moving.move(name, followed, move, lambda text: None)
        except KannelkitError as error:
            followed.not_before = asyncio.get_running_loop().time() + _TRY_AGAIN
            self._tell_once(name, followed, f"it is not moved to the {move.to}: {error.message}")

    async def _finish(self, name: str, followed: Followed) -> None:
        try:
            await self._moving.finish(name, followed)
        except KannelkitError as error:
            self._tell_once(name, followed, f"its move to the {followed.side.side} is not finished: {error.message}")

    def _task(self, name: str, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Begin something whose failure for a reason of our own is told and ends nothing."""

        def ended(task: asyncio.Task[None]) -> None:
            error = None if task.cancelled() else task.exception()
            if error is not None and not isinstance(error, KannelkitError):
                self._running.note(
                    name, f"a failover failed for a reason of kannelkit's own, please report it: {error!r}"
                )

        task = asyncio.create_task(work)
        task.add_done_callback(ended)
        return task

    # -- telling -----------------------------------------------------------------------------------------------

    def _tell_once(self, name: str, followed: Followed, text: str, of: str = "") -> None:
        """Tell something unless it was told last; `of` is what stays the same of a text that counts seconds."""
        if (of or text) != followed.told:
            followed.told = of or text
            self._running.note(name, text)

    def _said(self, name: str, followed: Followed) -> Mapping[str, object]:
        """Return where an account is, since when and why, and what would bring it away from there."""
        account, side = self._watch.accounts[name], followed.side
        try:
            newest = self._running.memory.newest("failover").get(name)
        except HostError:
            newest = None
        why = newest.data.get("why") if newest is not None and newest.data.get("to") == side.side else None
        goes_home = side.side == "backup" and not side.by_hand
        spec = self._running.configuration.spec
        return {
            "account": name,
            "side": side.side,
            "host": str(place(spec, account, side.side)),
            "other": other(side.side),
            "other_host": str(place(spec, account, other(side.side))),
            "since": followed.since if newest is not None else None,
            "why": why,
            "by_hand": side.by_hand,
            "settled": followed.settled,
            "failed_returns": side.failed_returns,
            "unusable": side.unusable,
            "back_after": side.back_wait if goes_home else None,
            "after": side.settings.after,
        }

"""What other commands ask of the kannelkit that supervises a gateway, answered."""

from __future__ import annotations

import asyncio
import os
import shlex
import time
from collections import Counter
from collections.abc import Callable, Collection, Coroutine, Iterable, Mapping
from pathlib import Path
from typing import Any

from kannelkit.errors import GatewayError
from kannelkit.smpp.constants import status_name
from kannelkit.supervise.applying import Applying, Asked
from kannelkit.supervise.asking import plain, plain_overview
from kannelkit.supervise.changes import Changes
from kannelkit.supervise.commands import watched
from kannelkit.supervise.control import Tell
from kannelkit.supervise.course import Course, Curve
from kannelkit.supervise.journal import Journal
from kannelkit.supervise.overview import Readings, Traffic, overview
from kannelkit.supervise.paced import Paced
from kannelkit.supervise.readings import process_of, turn
from kannelkit.supervise.running import Running
from kannelkit.supervise.views import OtherRefusals, Overview
from kannelkit.throttle.controller import AccountRate
from kannelkit.throttle.lines import Event as LogEvent
from kannelkit.throttle.lines import SubmitRefused

Answer = Mapping[str, object]
Move = Callable[[str, str | None, Tell, bool], Coroutine[Any, Any, Mapping[str, object]]]

_EVENTS = 20
# a status that is older says nothing of now
_SILENT_SECONDS = 10.0


class Requests:
    """Answers requests to the control socket (see Control), and keeps in mind what `state` tells.

    `sampled` is to be called after every tick of the watch, `heard` with what the log told of besides. `move` brings an
    account to a side by hand, and where its last argument is true, also to a host that does not answer; `path` is the
    spec file that the gateway is supervised from.
    """

    def __init__(
        self,
        running: Running,
        changes: Changes,
        applying: Applying,
        journal: Journal,
        path: Path,
        move: Move,
    ) -> None:
        self._path = path
        self._running = running
        self._changes = changes
        self._applying = applying
        self._journal = journal
        self._move = move
        self._paced = Paced(running, changes)
        self._course = Course()
        self._other: dict[str, Counter[int]] = {}
        self._status: object = None
        self._status_at = float("-inf")
        self._kinds: Mapping[str, Callable[[Mapping[str, Any], Tell], Coroutine[Any, Any, Answer]]] = {
            "plan": self._plan,
            "apply": self._apply,
            "state": self._state,
            "pause": self._pause,
            "resume": self._resume,
            "rate": self._rate,
            "failover": self._failover,
        }

    def sampled(self, now: float) -> None:
        """Take note of the watch's totals at `now` (loop time)."""
        watch = self._running.watch
        if watch.status is None or watch.status is self._status:
            return  # nothing was read since
        self._status, self._status_at = watch.status, now
        answers = {name: watch.answers(name) for name in watch.accounts}
        self._course.sampled(now, {name: (each.accepted, each.refused) for name, each in answers.items()})

    def heard(self, events: Iterable[LogEvent]) -> None:
        """Take note of refusals that are not about speed."""
        for event in events:
            if isinstance(event, SubmitRefused) and event.smsc_id in self._running.watch.accounts:
                self._other.setdefault(event.smsc_id, Counter())[event.command_status] += 1

    async def answer(self, request: Mapping[str, Any], tell: Tell) -> Answer:
        """Do what is asked for and return the last event of the answer. Raises KannelkitError where it cannot be done.

        A request names the spec that the gateway runs from: it may lie in another gateway's state-dir.
        """
        if request.get("spec") != os.path.realpath(self._path):
            raise GatewayError(f"the gateway runs from {self._path}", "name that file, and write changes into it")
        kind = self._kinds.get(str(request.get("do")))
        if kind is None:
            raise GatewayError("the kannelkit that supervises knows no such request", "are both the same version?")
        return {"event": "done", **await kind(request, tell)}

    def overview(self, curves: Collection[str] | None = None) -> Overview:
        """Return how the gateway stands, from what is known without asking anybody.

        With the curves of these accounts, None for all: those of a thousand accounts are a megabyte.
        """
        running, watch = self._running, self._running.watch
        now = asyncio.get_running_loop().time()
        fresh = now - self._status_at < _SILENT_SECONDS and running.bearerbox.running
        processes = {
            box.name: process_of(box.process)
            for box in (running.bearerbox, running.smsbox, running.relay)
            if box.process is not None and box.running
        }
        moves = {name: self._journal.newest("failover", name) for name in watch.accounts}
        rates = {unit: self._journal.newest("rate", unit) for unit in watch.rates}
        readings = Readings(
            at=time.time(),
            spec=shlex.quote(str(self._path)),
            watched=watched(running.configuration.spec),
            status=watch.status if fresh else None,
            refused=not running.bearerbox.running,
            supervisor=os.getpid(),
            processes=processes,
            throughputs={unit: rate.throughput for unit, rate in watch.rates.items() if rate.throughput is not None},
            unsettled=running.memory.unsettled(),
            paused=self._changes.paused,
            changes={unit: event for unit, event in rates.items() if event is not None},
            turns={name: turn(kept, moves.get(name)) for name, kept in running.memory.sides().items()},
            traffic={name: self._traffic(name, now, curve=curves is None or name in curves) for name in watch.accounts},
            events=self._journal.recent(_EVENTS),
            relays=running.relay.states,
        )
        return overview(tuple(watch.accounts.values()), readings)

    def _traffic(self, account: str, now: float, *, curve: bool) -> Traffic:
        accepted = self._course.accepted(account, now)
        others = sorted(self._other.get(account, Counter()).items())
        return Traffic(
            accepted_per_second=accepted.ten_seconds if accepted else None,
            accepted=accepted,
            refused=self._course.refused(account, now),
            other_refusals=tuple(OtherRefusals(status, status_name(status), count) for status, count in others),
            curve=self._course.curve(account, now) if curve else Curve(),
            minute=self._course.minute(account, now),
        )

    # -- one for each request ----------------------------------------------------------------------------------

    async def _plan(self, request: Mapping[str, Any], tell: Tell) -> Answer:
        planned = await self._applying.planned()
        return {"plan": plain(planned.plan)}

    async def _apply(self, request: Mapping[str, Any], tell: Tell) -> Answer:
        digest = request.get("digest")
        flags = {name: request.get(name) is True for name in ("agreed", "discard", "force")}
        return await self._applying.apply(Asked(digest if isinstance(digest, str) else None, **flags), tell)

    async def _state(self, request: Mapping[str, Any], tell: Tell) -> Answer:
        curves = request.get("curves")
        return {"state": plain_overview(self.overview(curves if isinstance(curves, list) else None))}

    async def _pause(self, request: Mapping[str, Any], tell: Tell) -> Answer:
        return {"units": [await self._switched(unit, paused=True) for unit in self._units(request)]}

    async def _resume(self, request: Mapping[str, Any], tell: Tell) -> Answer:
        return {"units": [await self._switched(unit, paused=False) for unit in self._units(request)]}

    async def _rate(self, request: Mapping[str, Any], tell: Tell) -> Answer:
        unit, wanted = self._unit(request), request.get("throughput")
        if not isinstance(wanted, int | float) or isinstance(wanted, bool):
            raise GatewayError("a rate is a number of SMS per second", "are both the same version?")
        if unit in self._running.configuration.relayed:
            return await self._paced.hold(unit, wanted)
        if not isinstance(wanted, int):
            raise GatewayError(f"{wanted:g} is no whole number", FRACTIONS)
        rate = self._running.watch.rates[unit]
        _within(rate, wanted)
        self._running.boxes.changeable_or_raise()
        before = rate.throughput
        if request.get("pause") is True:
            self._set_paused(unit, paused=True)
        done: dict[str, object] = {"unit": unit, "before": before, "after": wanted, "links_away_ms": 0, "online": True}
        if before != wanted or unit in self._running.memory.unsettled():
            tell({"event": "step", "text": f"{unit}: waiting for a moment at which no answer is due"})
            brought = await self._changes.change(unit, wanted)
            done |= {"links_away_ms": round(brought.away * 1000), "online": brought.online}
            self._running.tell(
                "rate",
                f"{unit}: by hand: throughput {'unlimited' if before is None else before} -> {wanted}",
                unit,
                direction="by-hand",
                before=before,
                after=wanted,
                links_away_ms=round(brought.away * 1000),
                slow=brought.slow,
            )
        return {**done, "paused": unit in self._changes.paused}

    async def _failover(self, request: Mapping[str, Any], tell: Tell) -> Answer:
        account, to = request.get("account"), request.get("to")
        if not isinstance(account, str) or account not in self._running.watch.accounts:
            raise GatewayError(f"the gateway runs without an account {account!r}", _NOT_APPLIED)
        side, force = None if to is None else str(to), request.get("force") is True
        if self._running.watch.accounts[account].relayed:
            return await self._paced.move(account, side, tell, force=force)
        return await self._move(account, side, tell, force)

    # -- units -------------------------------------------------------------------------------------------------

    def _units(self, request: Mapping[str, Any]) -> list[str]:
        """Return the units that a request is about: that of `account`, or every one with `all`."""
        return sorted(self._running.watch.rates) if request.get("all") is True else [self._unit(request)]

    def _unit(self, request: Mapping[str, Any]) -> str:
        watch, name = self._running.watch, request.get("account")
        if isinstance(name, str):
            if name in watch.accounts:
                return watch.accounts[name].unit
            if name in watch.rates:
                return name
        raise GatewayError(f"the gateway runs without an account {name!r}", _NOT_APPLIED)

    async def _switched(self, unit: str, *, paused: bool) -> Answer:
        if unit in self._running.configuration.relayed:
            return await self._paced.switch(unit, paused=paused)
        return self._set_paused(unit, paused=paused)

    def _set_paused(self, unit: str, *, paused: bool) -> Answer:
        throughput = self._running.watch.rates[unit].throughput
        changed = (unit in self._changes.paused) != paused
        if changed:
            rate = "no limit" if throughput is None else f"{throughput} SMS per second"
            if paused:
                self._changes.pause(unit)
                self._running.tell("paused", f"{unit}: adaptation paused at {rate}", unit, throughput=throughput)
            else:
                self._changes.resume(unit)
                self._running.tell("resumed", f"{unit}: adapted again, from {rate} on", unit, throughput=throughput)
        accounts = sorted(name for name, each in self._running.watch.accounts.items() if each.unit == unit)
        return {"unit": unit, "accounts": accounts, "paused": paused, "changed": changed, "throughput": throughput}


FRACTIONS = "Kannel sends a second's messages in one burst, and rounds a fraction up; with pacing: relay it is held"
_NOT_APPLIED = "kannelkit status shows those it has; kannelkit apply brings it to what the spec says now"


def _within(rate: AccountRate, wanted: int) -> None:
    """Raise GatewayError where a throughput is not within the bounds of the spec that runs."""
    floor, ceiling = rate.settings.floor, rate.settings.ceiling
    if wanted < floor:
        raise GatewayError(
            f"{wanted} is below the floor, {floor} SMS per second", "the spec sets it: supervisor.rate.floor"
        )
    if ceiling is not None and wanted > ceiling:
        raise GatewayError(f"{wanted} is above the ceiling, {ceiling} SMS per second", "the spec sets it: throughput")

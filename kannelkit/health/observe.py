"""Looks at a gateway: every source has a time limit of its own, and none can hang, crash or fool the whole."""

from __future__ import annotations

import asyncio
import dataclasses
import os
import socket
import sqlite3
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

import psutil

from kannelkit.errors import KannelkitError
from kannelkit.gateway.status import GatewayStatus
from kannelkit.health import logs, others, sources
from kannelkit.health.asker import Asker
from kannelkit.health.bounded import Bounded, Late
from kannelkit.health.kept import Kept, StateDir
from kannelkit.health.machine import clock_set
from kannelkit.health.observed import BoxSeen, Host, Observed, Silence, Traffic, Troubles
from kannelkit.host.reach import reach
from kannelkit.render import Account, Side, accounts
from kannelkit.spec import Spec
from kannelkit.supervise.asking import ask, overview_of
from kannelkit.supervise.commands import named
from kannelkit.supervise.overview import Readings, overview
from kannelkit.supervise.overview import Traffic as Counted
from kannelkit.supervise.places import place
from kannelkit.supervise.relayasked import Said, said
from kannelkit.supervise.relaysettings import folder, relay_accounts
from kannelkit.supervise.running import logs_of
from kannelkit.supervise.views import AccountView, Overview

WINDOW = 300.0  # seconds of logs that are looked at
# what can go wrong with a file, a process, an answer or a database that somebody else writes
_FAULTS = (
    KannelkitError,
    OSError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    ArithmeticError,
    RecursionError,
    psutil.Error,
    sqlite3.Error,
)
# how old what is slow or dear to look at may be, in seconds, where somebody looks again and again
_AGES: Mapping[str, float] = {
    "supervisor": 2.0,
    "access log": 10.0,
    "bearerbox's log": 5.0,
    "certificates": 60.0,
    "disks": 5.0,
    "logs": 5.0,
    "store": 15.0,
    "hosts": 60.0,
}
_MOST_HOSTS = 50  # asked at once
# seconds that whoever asks for a status may need besides, to say that it hangs
_TOLD_LATE = 0.5
_STAYS = 0.3  # seconds for which a connection is watched once it is there (host/reach.py)

T = TypeVar("T")


class Observer:
    """Looks at one gateway, again and again; of every source that fails or hangs it says so, and goes on without it.

    Not for several threads at once.
    """

    def __init__(self) -> None:
        self._state_dir = StateDir()
        self._asker = Asker()
        self._kept: tuple[Spec, Kept] | None = None
        self._clocks: tuple[float, float] | None = None
        self._under_way: dict[str, Bounded[Any]] = {}
        self._seen: dict[str, tuple[float, Any]] = {}
        self._unseen: list[str] = []
        self._asked_hosts: list[tuple[Account, Side]] = []

    @property
    def kept(self) -> Kept | None:
        """What the last look found in the state-dir, or one before it where that one hung; None before anything."""
        return None if self._kept is None else self._kept[1]

    def observe(self, spec: Spec, seconds: float = 1.0) -> Observed:
        """Return what is seen of a spec's gateway; takes three times `seconds` and a little at the most.

        Where nothing hangs it takes as long as bearerbox does, or the slowest host: well under a second. Whoever looks
        every second, with `seconds` as they are, tells of a bearerbox that hangs within 5 s (see hysteresis).
        """
        self._unseen = []
        clocks = time.time(), time.clock_gettime(time.CLOCK_BOOTTIME)
        looked = self._start("state-dir", lambda: self._state_dir.look(spec))
        kept = self._result("state-dir", time.monotonic() + seconds, looked)
        if kept is None and self._kept is not None and self._kept[0] is spec:
            kept = self._kept[1]  # what was so a moment ago is better than nothing
        if kept is None:
            kept = _nothing_kept(spec)
        else:
            self._kept = spec, kept
        seen = self._look(kept, time.monotonic() + seconds)
        before, self._clocks = self._clocks, clocks
        return dataclasses.replace(
            seen,
            hosts=self._hosts(kept, seen.overview, seconds, told=seen.status is not None),
            clock_set=None if before is None else clock_set(before, clocks),
            unapplied=kept.unapplied,
            started=kept.started,
            unseen=tuple(self._unseen),
        )

    def _look(self, kept: Kept, until: float) -> Observed:
        spec, bearerbox = kept.spec, kept.processes.get("bearerbox")
        now = time.time()
        boxes = self._start("boxes", lambda: _boxes(kept))
        stopped = bearerbox is not None and sources.state(bearerbox) == "T"
        status = self._start(
            "status.xml", lambda: self._asker.ask(kept, max(0.2, until - time.monotonic() - 0.1)), not stopped
        )
        supervisor = self._start("supervisor", lambda: _state(spec), bool(kept.readings.supervisor))
        relay = self._start("relay", lambda: asyncio.run(said(folder(spec), relay_accounts(spec))), _relay_runs(kept))
        access = self._start("access log", lambda: _traffic(spec), spec.files.access_log is not None)
        told = self._start("bearerbox's log", lambda: _troubles(kept), bearerbox is not None)
        certificates = self._start("certificates", lambda: sources.certificates(spec))
        disks = self._start("disks", lambda: sources.places(spec, bearerbox))
        files = self._start("logs", lambda: sources.logs(spec))
        store = self._start("store", lambda: sources.store(spec, now))

        answer = self._result("status.xml", until + _TOLD_LATE, status)
        if stopped:
            answer = Silence("silent", 0.0, "it is stopped by a signal")
        silence = self._asker.silence(answer)
        status_seen = answer if isinstance(answer, GatewayStatus) else None
        counted = self._result("supervisor", until, supervisor) or {}
        readings = dataclasses.replace(
            kept.readings,
            at=now,
            spec=named(spec.path),
            status=status_seen,
            refused=silence is not None and silence.kind == "refused" and bearerbox is None,
            traffic=counted,
            relays=(self._result("relay", until, relay, told_elsewhere=True) or Said()).states,
        )
        return Observed(
            overview(kept.accounts, readings),
            now,
            WINDOW,
            silence,
            status_seen,
            boxes=self._result("boxes", until, boxes) or {},
            troubles=self._result("bearerbox's log", until, told),
            traffic=self._result("access log", until, access),
            certificates=self._result("certificates", until, certificates) or (),
            places=self._result("disks", until, disks) or (),
            logs=self._result("logs", until, files) or (),
            store=self._result("store", until, store),
            others=others.found(spec, status_seen),
        )

    def _hosts(self, kept: Kept, seen: Overview, seconds: float, *, told: bool) -> tuple[Host, ...]:
        # while no link can be told from another, every host would be tried for nothing
        hosts = _hosts_without_link(seen, kept.accounts) if told else []
        if hosts != self._asked_hosts:
            self._asked_hosts = hosts
            self._seen.pop("hosts", None)
        reached = self._start("hosts", lambda: _reached(kept.spec, hosts, seconds), bool(hosts))
        return self._result("hosts", time.monotonic() + seconds, reached) or ()

    # -- sources

    def _start(self, name: str, work: Callable[[], T], wanted: bool = True) -> Bounded[T] | None:
        """Begin to look at a source, unless it hangs since the last time, or what was seen is new enough."""
        if not wanted:
            self._seen.pop(name, None)
            return None
        at, _ = self._seen.get(name, (float("-inf"), None))
        if time.monotonic() - at < _AGES.get(name, 0.0):
            return None
        under_way = self._under_way.get(name)
        if under_way is None or not under_way.running:
            under_way = self._under_way[name] = Bounded(work)
        return under_way

    def _result(self, name: str, until: float, started: Bounded[T] | None, *, told_elsewhere: bool = False) -> T | None:
        """Return what was seen, None where nothing was: then the reason is among the unseen, or `told_elsewhere`."""
        if started is None:
            found: T | None = self._seen.get(name, (0.0, None))[1]
            return found
        try:
            result = started.result(until)
        except Late:
            why = "no answer in time"
        except KannelkitError as error:
            why = error.message.partition("\n")[0]
        except _FAULTS as error:
            why = type(error).__name__
        else:
            self._seen[name] = time.monotonic(), result
            return result
        if not told_elsewhere:
            self._unseen.append(f"{name}: {why}")
        self._seen.pop(name, None)
        return None


def _nothing_kept(spec: Spec) -> Kept:
    return Kept(spec, accounts(spec), Readings(at=0.0), readable=False)


def _boxes(kept: Kept) -> Mapping[str, BoxSeen]:
    found = {name: sources.box(process) for name, process in kept.processes.items()}
    return {name: box for name, box in found.items() if box is not None}


def _relay_runs(kept: Kept) -> bool:
    """Return whether there is a relay to be asked, and its accounts are known with what was made for them."""
    return "relay" in kept.processes and not kept.spec.to_make()


def _state(spec: Spec) -> Mapping[str, Counted]:
    """Return what the supervisor counted of each account."""
    request = {"spec": os.path.realpath(spec.path), "do": "state", "curves": []}
    answer = asyncio.run(ask(spec.state_dir, request, lambda event: None))
    return {account.smsc_id: _counted(account) for account in overview_of(answer["state"]).accounts}


def _counted(account: AccountView) -> Counted:
    return Counted(
        account.accepted_per_second, account.accepted, account.refused, account.other_refusals, minute=account.minute
    )


def _traffic(spec: Spec) -> Mapping[str, Traffic] | None:
    block = sources.end_of(spec.files.access_log)
    return None if block is None else logs.traffic(block, _local_now(), WINDOW)


def _troubles(kept: Kept) -> Mapping[str, Troubles] | None:
    blocks = [block for path in logs_of(kept.spec) if (block := sources.end_of(path)) is not None]
    if not blocks:
        return None
    return logs.troubles(blocks, kept.processes["bearerbox"].pid, logs.stamp(_local_now(), WINDOW))


def _local_now() -> datetime:
    return datetime.now()  # noqa: DTZ005 - Kannel's logs are in local time and name no zone


def _hosts_without_link(seen: Overview, of: Sequence[Account]) -> list[tuple[Account, Side]]:
    """Return the hosts, by account and side, of which no link says already that they can be reached."""
    found: list[tuple[Account, Side]] = []
    for account, view in zip(of, seen.accounts, strict=True):
        roles = {link.role for link in account.links}
        sides: tuple[Side, ...] = ("primary", "backup")
        for side in sides:
            if side in roles and not any(link.role == side and link.state == "online" for link in view.links):
                found.append((account, side))
    return found[:_MOST_HOSTS]


def _reached(spec: Spec, hosts: Sequence[tuple[Account, Side]], seconds: float) -> tuple[Host, ...]:
    return asyncio.run(_reached_all(spec, hosts, seconds))


async def _reached_all(spec: Spec, hosts: Sequence[tuple[Account, Side]], seconds: float) -> tuple[Host, ...]:
    return tuple(await asyncio.gather(*(_reach(spec, account, side, seconds) for account, side in hosts)))


async def _reach(spec: Spec, account: Account, side: Side, seconds: float) -> Host:
    address = place(spec, account, side)
    begun = time.monotonic()
    # a name server that hangs would hold the event loop's own threads, which the process waits for at its end
    name = Bounded(lambda: socket.getaddrinfo(address.host, None, socket.AF_INET, socket.SOCK_STREAM))
    while name.running and time.monotonic() - begun < seconds:
        await asyncio.sleep(0.005)
    try:
        found = str(name.result(0.0)[0][4][0])
    except Late:
        return Host(account.smsc_id, side, str(address), seconds, "the name server does not answer")
    except (OSError, ValueError):
        return Host(account.smsc_id, side, str(address), 0.0, "the name is not known")
    resolved = time.monotonic() - begun
    trouble = await reach(dataclasses.replace(address, host=found), max(0.2, seconds - resolved - 2 * _STAYS))
    took = time.monotonic() - begun
    return Host(account.smsc_id, side, str(address), took if trouble else max(resolved, took - _STAYS), trouble or "")

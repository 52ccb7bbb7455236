"""Reads how a gateway stands, once, and changes nothing: no folder, no file, no password is made."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import time
from collections.abc import Mapping, Sequence
from typing import Any

from kannelkit.conf.masking import is_secret
from kannelkit.errors import GatewayError, HostError
from kannelkit.gateway.admin import Admin
from kannelkit.gateway.status import GatewayStatus
from kannelkit.host import processes
from kannelkit.host.processes import ProcessId
from kannelkit.host.secrets import kept
from kannelkit.plan.groups import Key, groups
from kannelkit.render import Account, InForce, Side, accounts, kannel_conf
from kannelkit.spec import Spec
from kannelkit.supervise.commands import named, watched
from kannelkit.supervise.counts import Counts
from kannelkit.supervise.kept import kept as kept_spec
from kannelkit.supervise.lock import holder
from kannelkit.supervise.memory import Event, KeptSide, Memory
from kannelkit.supervise.overview import BoxProcess, Readings, Traffic, Turn, overview
from kannelkit.supervise.relayasked import said
from kannelkit.supervise.relaysettings import folder, relay_accounts
from kannelkit.supervise.views import Overview

# a bearerbox that is well answers within milliseconds; one that stops links may be busy for longer
_ANSWER_SECONDS = 2.0
# Kannel sends a second's allowance in one burst: a whole second holds one of them
_BETWEEN = 1.0


async def look(spec: Spec, most_events: int = 10, *, missing: Sequence[str] = ()) -> Overview:
    """Return how the gateway of a spec stands now; takes about a second, three where bearerbox is silent.

    A gateway that runs is shown with what it runs with, which may not be what the spec says by now. What cannot be read
    is told in the overview's problems; raises nothing for it. `missing` are environment variables that the spec names
    for secrets and that are not set here: a gateway that kannelkit runs needs none of them, for what it runs with is
    kept.
    """
    import aiohttp  # which `health` does without: it takes only other parts of this module

    readings, sides = _from_state_dir(spec, most_events)
    troubles = list(readings.troubles)
    asked = spec.path
    if readings.processes:
        try:
            running = kept_spec(spec.state_dir)
            if running is not None:
                if not same(running, spec, secrets=not missing):
                    troubles.append("the spec has changes that do not run yet: kannelkit plan shows them")
                spec, missing = running, ()
        except HostError as error:
            troubles.append(error.message)
    of = _in_force(spec, readings.throughputs, sides)
    status: GatewayStatus | None = None
    traffic: Mapping[str, Traffic] = {}
    refused = False
    try:
        password = _in_file(spec) if missing else None
        password = password or _admin_password(spec)
        if password is None:
            # without its password bearerbox cannot run; whatever listens there is not this gateway
            refused = True
        else:
            async with aiohttp.ClientSession() as session:
                admin = Admin(session, spec.admin_port, password, spec.admin_host, status_timeout=_ANSWER_SECONDS)
                status, traffic = await _twice(admin, of)
    except GatewayError as error:
        refused = await _nobody_listens(spec)
        if not refused and "bearerbox" not in (readings.processes or {}):
            troubles.append(error.message)
            if missing:
                troubles.append(f"its password may be in a variable that is not set here: {', '.join(missing)}")
    except HostError as error:
        troubles.append(error.message)
    relays: Mapping[str, Mapping[str, Any]] = {}
    if "relay" in readings.processes:
        with contextlib.suppress(GatewayError):  # which the overview says
            relays = (await said(folder(spec), relay_accounts(spec))).states
    readings = dataclasses.replace(
        readings,
        at=time.time(),
        relays=relays,
        spec=named(asked),
        watched=watched(spec),
        status=status,
        traffic=traffic,
        refused=refused,
        troubles=tuple(troubles),
    )
    return overview(of, readings)


def _in_force(spec: Spec, throughputs: Mapping[str, int], sides: Mapping[str, Side]) -> tuple[Account, ...]:
    """Return the accounts at what was learnt, within the spec's bounds, and on the sides that are kept."""
    bounded = {}
    for account in accounts(spec):
        learnt = throughputs.get(account.unit)
        if learnt is not None and not account.relayed:
            most = learnt if account.ceiling is None else min(learnt, int(account.ceiling))
            bounded[account.unit] = max(account.floor, most)
    return accounts(spec, InForce(throughputs=bounded, sides=sides))


def same(running: Spec, spec: Spec, *, secrets: bool) -> bool:
    """Return whether two specs stand for the same kannel.conf; without `secrets`, passwords apart."""
    made = kept(spec.state_dir)
    if any(name not in made for name in spec.to_make()):
        return False
    texts = kannel_conf(running), kannel_conf(spec, made=made)
    return texts[0] == texts[1] if secrets else _open(texts[0]) == _open(texts[1])


def _open(text: str) -> list[tuple[Key, dict[str, str]]]:
    """Return what is no secret in a kannel.conf."""
    return [
        (key, {name: value for name, value in values.items() if not is_secret(key.group, name)})
        for key, values in groups(text).items()
    ]


def _admin_password(spec: Spec) -> str | None:
    if "core.admin-password" not in spec.to_make():
        return spec.admin_password
    made = kept(spec.state_dir)
    return spec.with_made(made).admin_password if "core.admin-password" in made else None


def _in_file(spec: Spec) -> str | None:
    """Return the admin-password in the file that the boxes run from, None where it cannot be read."""
    try:
        text = spec.files.kannel_conf.read_bytes().decode("utf-8", "surrogateescape")
    except OSError:
        return None
    return groups(text).get(Key("core", "", 0), {}).get("admin-password")


async def _nobody_listens(spec: Spec) -> bool:
    # by connecting: to try the port as a server would could be in the way of a bearerbox that starts this moment
    try:
        async with asyncio.timeout(_ANSWER_SECONDS):
            _, writer = await asyncio.open_connection(spec.admin_host, spec.admin_port)
    except ConnectionRefusedError:
        return True
    except OSError:  # TimeoutError is one, too
        return False
    writer.close()
    return False


async def _twice(admin: Admin, of: Sequence[Account]) -> tuple[GatewayStatus, Mapping[str, Traffic]]:
    """Return the status, and what each account's provider took per second between it and a second one."""
    clock = asyncio.get_running_loop().time
    counts = Counts(of)
    status = await admin.status()
    before = counts.samples(status, clock())
    await asyncio.sleep(_BETWEEN)
    try:
        later = await admin.status()
    except GatewayError:
        return status, {}
    after = counts.samples(later, clock())
    traffic = {}
    for name, sample in after.items():
        first = before[name]
        traffic[name] = Traffic((sample.accepted - first.accepted) / (sample.at - first.at))
    return later, traffic


def _from_state_dir(spec: Spec, most_events: int) -> tuple[Readings, Mapping[str, Side]]:
    readings = Readings(at=0.0)
    sides: Mapping[str, KeptSide] = {}
    troubles: list[str] = []
    pid: int | None = None
    try:
        pid = holder(spec.state_dir / "lock")
    except HostError as error:
        pid = 0
        troubles.append(error.message)
    path = spec.state_dir / "state.db"
    try:
        if path.exists():
            memory = Memory(path, read_only=True)
            try:
                sides = memory.sides()
                moves = memory.newest("failover")
                readings = Readings(
                    at=0.0,
                    processes=_running(memory),
                    throughputs={name: learnt.throughput for name, learnt in memory.learnt().items()},
                    unsettled=memory.unsettled(),
                    paused=memory.paused(),
                    changes=memory.newest("rate"),
                    turns={name: turn(kept, moves.get(name)) for name, kept in sides.items()},
                    events=memory.events(most_events),
                )
            finally:
                memory.close()
    except OSError as error:
        troubles.append(f"{path}: {error.strerror}")
    except HostError as error:
        troubles.append(error.message)
    readings = dataclasses.replace(readings, supervisor=pid, troubles=troubles)
    return readings, {name: kept.side for name, kept in sides.items()}


def turn(kept: KeptSide, moved: Event | None) -> Turn:
    """Return since when an account is on its side, and why: what the newest event of a failover says, if it fits."""
    why = "" if moved is None or moved.data.get("to") != kept.side else str(moved.data.get("why", ""))
    return Turn(kept.since, why, kept.by_hand)


def process_of(process: ProcessId) -> BoxProcess:
    """Return a process with the time of its start on the wall clock."""
    booted = time.time() - time.clock_gettime(time.CLOCK_BOOTTIME)  # what a process's start time counts from
    return BoxProcess(process.pid, booted + process.started)


def _running(memory: Memory) -> dict[str, BoxProcess]:
    return {name: process_of(process) for name, process in memory.boxes().items() if processes.alive(process)}

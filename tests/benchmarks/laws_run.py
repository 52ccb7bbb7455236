"""One gateway before one provider: traffic, a span of time, the drain, the figures."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from kannelkit.supervise.memory import Memory
from tests.benchmarks.laws_figures import (
    LEARNT,
    SLOT,
    Delivered,
    Followed,
    RateChange,
    answered,
    longest_gap,
    rates,
    reached,
    share,
)
from tests.benchmarks.laws_rows import Change, Row, Traffic
from tests.benchmarks.laws_smsc import Slots, Smsc
from tests.harness.gateway import SYSTEM_ID, stored
from tests.harness.kannel_alone import KannelAlone
from tests.harness.load import Feed, message
from tests.harness.supervised import Supervised
from tests.relay.relayed import Relayed

_BEGIN_SECONDS = 30.0
_DRAIN_SECONDS = 600.0
_WAITING = 10.0  # so many seconds' worth of messages wait at the least, and twice as many at the most
_EVERY = 0.5  # seconds between two looks at what waits
_BURST_EVERY = 20.0  # seconds between two bursts, each of _WAITING seconds' worth
_TRICKLE = 2 / 3  # of the limit
_NEIGHBOUR = "beside"
_NEIGHBOUR_LIMIT = 30
_NEIGHBOUR_RATE = 15  # so that its two first bursts, less than a second apart, are within its limit
_NEIGHBOUR_SILENT = 2.0  # seconds; its bursts are one apart
_LOOK_EVERY = 0.02
_EVENTS = 100_000
_BEGUN = 10.0  # seconds after which a gateway sends as it goes on
_HELD_SECONDS, _HELD_MORE = 2, 10  # a relay's bearerbox leaves so much unanswered, of what the ceiling allows

Gateway = KannelAlone | Supervised | Relayed


class Sender:
    """Keeps a series of messages coming to a gateway."""

    def __init__(self, feed: Feed, series: int = 0) -> None:
        self.sent = 0
        self._feed = feed
        self._series = series
        self._sending = asyncio.Lock()

    @asynccontextmanager
    async def going_on(self, traffic: Coroutine[None, None, None]) -> AsyncIterator[None]:
        """Let traffic of this sender go on meanwhile; at the end no request is under way."""
        async with asyncio.TaskGroup() as group:
            task = group.create_task(traffic)
            yield
            async with self._sending:
                task.cancel()

    async def saturate(self, smsc: Smsc, login: str, limit: float) -> None:
        """Keep messages waiting: enough for a limit in SMS per second, and so few that no store grows large."""
        worth = int(limit * _WAITING)
        while True:
            if self.sent - int((await smsc.counters(login))["accepted"]) < worth:
                await self.send(worth)
            await asyncio.sleep(_EVERY)

    async def trickle(self, rate: float) -> None:
        """Send `rate` messages a second, one by one."""
        clock = asyncio.get_running_loop().time
        begin = clock()
        while True:
            await self.send(1)
            await asyncio.sleep(max(0.0, begin + self.sent / rate - clock()))

    async def burst(self, size: int) -> None:
        """Send `size` messages at once, again and again."""
        while True:
            await self.send(size)
            await asyncio.sleep(_BURST_EVERY)

    async def send(self, count: int) -> None:
        """Send so many messages more."""
        async with self._sending:
            await self._feed.send(self.sent, count, series=self._series)
            self.sent += count


async def delivered(row: Row, who: str, throughput: float, seconds: float) -> Delivered:
    """Run `who` ("Kannel", "kannelkit" or "relay") from `throughput` for `seconds` from its first submit.

    After that the limit is lifted, what is left is sent, and every message is accounted for.
    """
    with_neighbour = row.neighbour and who == "kannelkit"
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(_folder()))
        smsc = await stack.enter_async_context(_smsc(folder, row))
        gateway = _gateway(folder / "gateway", smsc.port, row, who, throughput)
        await stack.enter_async_context(_running(gateway))
        sender, beside = [
            Sender(await stack.enter_async_context(Feed(gateway.sendsms_port)), series) for series in (0, 1)
        ]
        if row.before:
            await smsc.away(True)
            await sender.send(int(seconds * row.before))
            await smsc.away(False)
        async with AsyncExitStack() as traffic:
            await traffic.enter_async_context(sender.going_on(_traffic(sender, smsc, row)))
            if with_neighbour:
                coming = beside.saturate(smsc, _NEIGHBOUR, _NEIGHBOUR_RATE)
                await traffic.enter_async_context(beside.going_on(coming))
            begin = await _first_submit(smsc)
            await smsc.until(begin + seconds)
            timeline = await smsc.timeline(SYSTEM_ID)
            if row.before and not await stored(gateway.admin_port):
                raise RuntimeError(f"{sender.sent} messages were too few for {seconds:g} s")
            note, disturbed = await _undisturbed(smsc, begin, seconds) if with_neighbour else ("", False)
        started = await smsc.began()
        counters = await _drained(gateway, smsc)
        changed = [at for each in _changes(gateway, started + begin) if 0 <= (at := each.back) < seconds]
    first, last, learnt = (_place(timeline, moment) for moment in (begin, begin + seconds, begin + LEARNT))
    accepted, refused = timeline.accepted[first:last], timeline.refused[first:last]
    return Delivered(
        throughput=throughput,
        accepted=sum(accepted) / seconds,
        refused=share(accepted, refused),
        refused_later=share(timeline.accepted[learnt:last], timeline.refused[learnt:last]),
        binds=counters["binds"],
        lost=sender.sent - (counters["accepted"] - counters["doubled"]),
        doubled=counters["doubled"],
        changes=len(changed),
        slots=tuple(accepted),
        note=note,
        disturbed=disturbed,
    )


async def followed(change: Change, falls: float, rises: float, ends: float) -> Followed:
    """Run kannelkit under a limit that falls, rises and ends at these seconds from its first submit.

    A rise is used when as much is accepted as was before the fall, which is what Kannel can do at that limit.
    """
    row = Row(change.name, change.law, change.high, delay=change.delay)
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(_folder()))
        smsc = await stack.enter_async_context(_smsc(folder, row))
        gateway = _gateway(folder / "gateway", smsc.port, row, "kannelkit", change.high)
        await stack.enter_async_context(_running(gateway))
        sender = Sender(await stack.enter_async_context(Feed(gateway.sendsms_port)))
        moments = []
        async with sender.going_on(_traffic(sender, smsc, row)):
            begin = await _first_submit(smsc)
            for seconds, limit in ((falls, change.low), (rises, change.high)):
                await smsc.until(begin + seconds)
                await smsc.limit(SYSTEM_ID, limit)
                moments.append(await smsc.now())
            await smsc.until(begin + ends)
            timeline = await smsc.timeline(SYSTEM_ID)
        started = await smsc.began()
        counters = await _drained(gateway, smsc)
        changes = _changes(gateway, started)
    fall, rise = moments
    before = timeline.accepted[_place(timeline, begin + _BEGUN) : _place(timeline, fall)]
    stopped, lowered = answered(timeline.refused, fall, change.low, changes)
    return Followed(
        answered=stopped,
        lowered=lowered,
        used=reached(timeline.accepted[_place(timeline, rise) :], sum(before) / (len(before) * SLOT)),
        lost=sender.sent - (counters["accepted"] - counters["doubled"]),
        doubled=counters["doubled"],
        changes=len(changes),
    )


def _folder() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="kannelkit-laws-", ignore_cleanup_errors=True)


def _smsc(folder: Path, row: Row) -> Smsc:
    rules = [f"law={row.law}", f"binds={row.links}"]
    if row.burst:
        rules.append(f"burst={row.burst}")
    if row.per_connection:
        rules.append("limit-per=connection")
    accounts = [f"{SYSTEM_ID}:secret@{row.limit},{','.join(rules)}"]
    if row.neighbour:
        accounts.append(f"{_NEIGHBOUR}:secret@{_NEIGHBOUR_LIMIT}")
    options = ["--delay", f"{row.delay:g}", "--order", "in-order" if row.in_order else "out-of-order"]
    return Smsc(folder / "smsc", accounts, [*options, "--reject-share", f"{row.rejected:g}", "--receipt-delay", "3600"])


def _gateway(folder: Path, port: int, row: Row, who: str, throughput: float) -> Gateway:
    if who == "Kannel":
        return KannelAlone(folder, port, throughput, links=row.links, max_pending_submits=row.window)
    if who == "relay":
        window = min(row.window, int(_HELD_SECONDS * throughput) + _HELD_MORE)
        hosts = [{"host": "127.0.0.1", "port": port}]
        return Relayed(folder, hosts, window=window, ceiling=throughput, connections=row.links)
    account: dict[str, Any] = {"connections": row.links} if row.links > 1 else {}
    spec: dict[str, Any] = {}
    if row.neighbour:
        one = {"smsc": "smpp", "host": "127.0.0.1", "port": port, "smsc-password": "secret", "transceiver-mode": True}
        one["reconnect-delay"] = 1
        names = ((SYSTEM_ID, throughput, message(0)[0][:4]), (_NEIGHBOUR, _NEIGHBOUR_RATE, message(0, 1)[0][:4]))
        spec["smsc"] = [
            {"smsc-id": name, "smsc-username": name, "throughput": rate, "allowed-prefix": prefix, **one}
            for name, rate, prefix in names
        ]
    return Supervised(folder, port, int(throughput), max_pending_submits=row.window, account=account, spec=spec)


@asynccontextmanager
async def _running(gateway: Gateway) -> AsyncIterator[None]:
    """Run a gateway; one whose start is broken off is stopped, too."""
    try:
        await gateway.start()
        yield
    finally:
        await gateway.stop()


def _traffic(sender: Sender, smsc: Smsc, row: Row) -> Coroutine[None, None, None]:
    if row.traffic is Traffic.TRICKLES:
        return sender.trickle(_TRICKLE * row.all_links)
    if row.before:
        return asyncio.sleep(0)
    if row.traffic is Traffic.BURSTS:
        return sender.burst(int(row.all_links * _WAITING))
    return sender.saturate(smsc, SYSTEM_ID, row.all_links)


async def _first_submit(smsc: Smsc) -> float:
    async with asyncio.timeout(_BEGIN_SECONDS):
        while (first := (await smsc.counters(SYSTEM_ID))["first_submit"]) is None:
            await asyncio.sleep(_LOOK_EVERY)
    return float(first)


async def _undisturbed(smsc: Smsc, begin: float, seconds: float) -> tuple[str, bool]:
    """Return how the account beside it stands, and whether it was disturbed."""
    timeline = await smsc.timeline(_NEIGHBOUR)
    counters = await smsc.counters(_NEIGHBOUR)
    place = _place(timeline, begin)
    accepted = timeline.accepted[place : place + round(seconds / SLOT)]
    silent = longest_gap(accepted)
    disturbed = silent > _NEIGHBOUR_SILENT or counters["refused"] > 0 or counters["binds"] > 1
    note = f"beside: {sum(accepted) / seconds:.2f}/s, {counters['refused']} refused, {counters['binds']} binds"
    return f"{note}, silent for {silent:.1f} s at the most", disturbed


async def _drained(gateway: Gateway, smsc: Smsc) -> dict[str, Any]:
    """Lift the limit and return the totals when bearerbox keeps no message any more, or after long enough.

    What is missing then counts as lost.
    """
    await smsc.limit(SYSTEM_ID, None)
    await smsc.behave(reject_share="0")
    with suppress(TimeoutError):
        async with asyncio.timeout(_DRAIN_SECONDS):
            while await stored(gateway.admin_port) != 0 or (await smsc.counters(SYSTEM_ID))["unanswered"]:
                await asyncio.sleep(_EVERY)
    return await smsc.counters(SYSTEM_ID)


def _changes(gateway: Gateway, begin: float) -> list[RateChange]:
    """Return kannelkit's changes of rate, in seconds from `begin` (epoch)."""
    if not isinstance(gateway, Supervised):
        return []
    memory = Memory(gateway.folder / "state" / "state.db", read_only=True)
    try:
        return rates([event.as_dict() for event in memory.events(_EVENTS)], SYSTEM_ID, begin)
    finally:
        memory.close()


def _place(timeline: Slots, moment: float) -> int:
    return round((moment - timeline.start) / timeline.slot)

"""Rates of accounts that the relay paces, set and held by hand: at once, and over restarts of the relay."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping

from kannelkit.errors import GatewayError
from kannelkit.supervise.changes import Changes
from kannelkit.supervise.running import Running
from kannelkit.throttle.values import Learnt


class Paced:
    """Commands the relay; what somebody holds a unit to is kept where learnt rates of other units are."""

    def __init__(self, running: Running, changes: Changes) -> None:
        self._running = running
        self._changes = changes

    async def hold(self, unit: str, wanted: int) -> Mapping[str, object]:
        """Have no more than so many SMS per second leave, until `switch` lets go. Raises GatewayError, HostError."""
        ceiling = next(account.ceiling for account in self._running.configuration.accounts if account.unit == unit)
        if wanted < 1:
            raise GatewayError(f"{wanted} is no rate", "1 is the least; kannelkit pause stays at the rate in force")
        if ceiling is not None and wanted > ceiling:
            raise GatewayError(
                f"{wanted} is above the ceiling, {ceiling} SMS per second", "the spec sets it: throughput"
            )
        before = self._rate(unit)
        await self._held(unit, wanted)
        self._running.tell(
            "rate",
            f"{unit}: by hand: no more than {wanted} SMS per second",
            unit,
            direction="by-hand",
            before=before,
            after=wanted,
        )
        return {"unit": unit, "before": before, "after": wanted, "links_away_ms": 0, "online": True, "paused": True}

    async def switch(self, unit: str, *, paused: bool) -> Mapping[str, object]:
        """Have the rate go no higher than it is, or let it again. Raises GatewayError, HostError."""
        rate = self._rate(unit)
        changed = (unit in self._changes.paused) != paused
        said = "no limit" if rate is None else f"{rate} SMS per second"
        if changed and paused:
            await self._held(unit, rate)
            self._running.tell("paused", f"{unit}: paused: no more than {said}", unit, throughput=rate)
        elif changed:
            await self._running.relay.hold(self._accounts(unit)[0], None)
            self._running.memory.learn(unit, None, time.time())
            self._changes.resume(unit)
            self._running.tell("resumed", f"{unit}: adapted again, from {said} on", unit, throughput=rate)
        names = self._accounts(unit)
        return {"unit": unit, "accounts": names, "paused": paused, "changed": changed, "throughput": rate}

    async def _held(self, unit: str, rate: int | None) -> None:
        await self._running.relay.hold(self._accounts(unit)[0], rate)
        if rate is not None:
            self._running.memory.learn(unit, Learnt(rate, 0), time.time())
        self._changes.pause(unit)

    def _rate(self, unit: str) -> int | None:
        """Return the whole rate that holds the unit no lower than it is, None where there is no limit."""
        state = self._running.relay.states.get(self._accounts(unit)[0])
        if state is None:
            raise GatewayError("the relay does not answer", "it is started again by itself: try again in a moment")
        rate = state.get("rate")
        return None if not isinstance(rate, int | float) else max(1, math.ceil(rate))

    def _accounts(self, unit: str) -> list[str]:
        return sorted(name for name, each in self._running.watch.accounts.items() if each.unit == unit)

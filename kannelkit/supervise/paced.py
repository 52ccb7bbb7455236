"""What somebody asks of accounts that the relay paces: a rate, held over restarts of the relay, or the other host."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from typing import Any

from kannelkit.errors import GatewayError
from kannelkit.failover.values import other
from kannelkit.spec.numbers import LEAST_RATE
from kannelkit.supervise.changes import Changes
from kannelkit.supervise.control import Tell
from kannelkit.supervise.relaysettings import Settings
from kannelkit.supervise.running import Running
from kannelkit.throttle.values import Learnt


class Paced:
    """Commands the relay; what somebody holds a unit to is kept where learnt rates of other units are."""

    def __init__(self, running: Running, changes: Changes) -> None:
        self._running = running
        self._changes = changes

    async def hold(self, unit: str, wanted: float) -> Mapping[str, object]:
        """Have no more than so many SMS per second leave, until `switch` lets go. Raises GatewayError, HostError."""
        ceiling = next(account.ceiling for account in self._running.configuration.accounts if account.unit == unit)
        if not LEAST_RATE <= wanted < math.inf:  # nor is it no number at all
            least = f"{LEAST_RATE} SMS per second is the least; kannelkit pause stays at the rate in force"
            raise GatewayError(f"{wanted:g} is no rate", least)
        if ceiling is not None and wanted > ceiling:
            raise GatewayError(
                f"{wanted:g} is above the ceiling, {ceiling} SMS per second", "the spec sets it: throughput"
            )
        before = self._rate(unit)
        await self._held(unit, wanted)
        self._running.tell(
            "rate",
            f"{unit}: by hand: no more than {wanted:g} SMS per second",
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
        said = _said(rate)
        if changed and paused:
            await self._held(unit, rate)
            self._running.tell("paused", f"{unit}: paused: no more than {said}", unit, throughput=rate)
        elif changed:
            await self._running.relay.hold(self._accounts(unit)[0], None)
            self._running.memory.hold(unit, None)
            self._running.memory.learn(unit, None, time.time())
            self._changes.resume(unit)
            rate = self._rate(unit)  # at once what was learnt, which it was kept below
            said = _said(rate)
            self._running.tell("resumed", f"{unit}: adapted again, from {said} on", unit, throughput=rate)
        names = self._accounts(unit)
        return {"unit": unit, "accounts": names, "paused": paused, "changed": changed, "throughput": rate}

    async def move(self, name: str, to: str | None, tell: Tell, *, force: bool) -> Mapping[str, object]:
        """Have an account use its other host, or without `to` only say which it uses, since when and why.

        A host that does not take a connection is not gone to, but with `force`. Raises GatewayError.
        """
        relay = self._running.relay
        state = relay.states.get(name)
        if state is None:
            raise GatewayError("the relay does not answer", _AGAIN)
        if state.get("other_host") is None:
            raise GatewayError(f"{name} has no second host", "write backup-host at the account, and kannelkit apply")
        if to is not None:
            if to == state.get("side"):
                raise GatewayError(f"{name} is on its {to} already", "without --to it is said since when, and why")
            first = "" if force else f"where the {to} takes a connection, "
            tell({"event": "step", "text": f"{name}: {first}nothing leaves until every answer is there"})
            await relay.move(name, to, force=force)
            state = relay.states.get(name, state)
        return placed(name, state, relay.accounts[name])

    async def _held(self, unit: str, rate: float | None) -> None:
        await self._running.relay.hold(self._accounts(unit)[0], rate)
        self._running.memory.hold(unit, rate)
        if rate is not None:  # where it begins, should bearerbox pace it again
            self._running.memory.learn(unit, Learnt(max(1, int(rate)), 0), time.time())
        self._changes.pause(unit)

    def _rate(self, unit: str) -> float | None:
        """Return the rate in force, no lower than it is, None where there is no limit."""
        state = self._running.relay.states.get(self._accounts(unit)[0])
        if state is None:
            raise GatewayError("the relay does not answer", _AGAIN)
        rate = state.get("rate")
        return None if not isinstance(rate, int | float) else max(LEAST_RATE, math.ceil(rate * 1000) / 1000)

    def _accounts(self, unit: str) -> list[str]:
        return sorted(name for name, each in self._running.watch.accounts.items() if each.unit == unit)


def _said(rate: float | None) -> str:
    return "no limit" if rate is None else f"{rate:.10g} SMS per second"


def placed(name: str, state: Mapping[str, Any], settings: Settings) -> Mapping[str, object]:
    """Return where the relay says that an account is, since when and why, and what would bring it away from there.

    Raises GatewayError where it says something else.
    """
    try:
        useless = state["useless_for"]
        goes_home = state["side"] == "backup" and not state["side_by_hand"]
        return {
            "account": name,
            "side": state["side"],
            "host": state["host"],
            "other": other(state["side"]),
            "other_host": state["other_host"],
            "since": state["side_since"],
            "why": state["side_why"] or None,
            "by_hand": state["side_by_hand"],
            "settled": not state["moving"],
            "failed_returns": state["failed_returns"],
            "unusable": None if useless is None else f"no provider bound for {useless:.0f} s",
            "back_after": state["back_wait"] if goes_home else None,
            "after": settings["after"],
        }
    except (KeyError, TypeError, ValueError) as error:
        raise GatewayError("the relay's answer cannot be read", "are both of the same version?") from error


_AGAIN = "it is started again by itself: try again in a moment"

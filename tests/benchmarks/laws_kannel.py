"""A law's row with the real Kannel: alone at a constant throughput, and supervised from twice the limit.

The SMSC is kannelkit's simulator, which knows every law.
"""

from __future__ import annotations

import asyncio
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from kannelkit.simulator import AccountRules, Behaviour, Law, Order, Simulator
from kannelkit.simulator.account import Account
from tests.harness.gateway import SYSTEM_ID, stored
from tests.harness.kannel_alone import KannelAlone
from tests.harness.load import load
from tests.harness.supervised import Supervised

_SPEED = 500.0  # messages a second through sendsms
_MORE = 1.1  # so many times what can be accepted are sent, to keep a backlog
_BEGIN_SECONDS = 30.0
_DRAIN_SECONDS = 180.0


@dataclass(frozen=True, slots=True)
class Provider:
    """How the simulator counts: a law, a limit in SMS per second, a bucket's burst, a delay in seconds, the links."""

    law: Law
    limit: int
    burst: int | None = None
    delay: float = 0.05
    links: int = 1
    disorder: bool = False


@dataclass(frozen=True, slots=True)
class Delivered:
    """What one gateway delivered from its first submit on; shares are of the submits."""

    who: str
    throughput: int
    accepted_per_second: float
    refused: float
    refused_later: float
    binds: int
    lost: int
    doubled: int

    def __str__(self) -> str:
        return (
            f"  {self.who:10} {self.throughput:5} {self.accepted_per_second:9.2f} {self.refused:8.2%}"
            f" {self.refused_later:8.2%} {self.binds:6} {self.lost:5} {self.doubled:8}"
        )


HEAD = f"  {'':10} {'from':>5} {'accept/s':>9} {'refused':>8} {'later':>8} {'binds':>6} {'lost':>5} {'doubled':>8}"


async def delivered(provider: Provider, who: str, throughput: int, seconds: float, learnt: float) -> Delivered:
    """Run `who` ("Kannel" or "kannelkit") for `seconds` from its first submit; `learnt` seconds begin the later share.

    After that the limit is lifted, what is left is sent, and every message is accounted for.
    """
    rules = AccountRules(
        SYSTEM_ID, "secret", provider.limit, provider.law, provider.burst, binds=max(1, provider.links)
    )
    behaviour = Behaviour(
        delay=provider.delay, order=Order.OUT_OF_ORDER if provider.disorder else Order.IN_ORDER, receipt_delay=3600
    )
    with tempfile.TemporaryDirectory(prefix="kannelkit-laws-", ignore_cleanup_errors=True) as made:
        async with Simulator([rules], behaviour) as smsc:
            account = smsc.account(SYSTEM_ID)
            gateway: KannelAlone | Supervised
            if who == "Kannel":
                gateway = KannelAlone(Path(made), smsc.port, throughput)
            else:
                links = {"connections": provider.links} if provider.links > 1 else {}
                gateway = Supervised(Path(made), smsc.port, throughput, account=links)
            async with gateway:
                count = int(provider.limit * (seconds + 10) * _MORE)
                loading = asyncio.create_task(load(gateway.sendsms_port, count, speed=_SPEED))
                begin = await _first_submit(account)
                await asyncio.sleep(seconds)
                accepted, refused = account.timeline.between(begin, begin + seconds)
                later = account.timeline.between(begin + learnt, begin + seconds)
                sent = await loading
                smsc.change_limit(SYSTEM_ID, None)
                await _drained(gateway, account)
                counters = account.counters
        return Delivered(
            who,
            throughput,
            accepted / seconds,
            refused / max(1, accepted + refused),
            later[1] / max(1, sum(later)),
            counters.binds,
            len(sent.accepted) - (counters.accepted - counters.doubled),
            counters.doubled,
        )


async def _first_submit(account: Account) -> float:
    async with asyncio.timeout(_BEGIN_SECONDS):
        while (first := account.counters.first_submit) is None:
            await asyncio.sleep(0.02)
    return first


async def _drained(gateway: KannelAlone | Supervised, account: Account) -> None:
    """Wait until bearerbox keeps no message any more, or long enough: what is missing then counts as lost."""
    with suppress(TimeoutError):
        async with asyncio.timeout(_DRAIN_SECONDS):
            while await stored(gateway.admin_port) != 0 or account.counters.unanswered:
                await asyncio.sleep(0.2)

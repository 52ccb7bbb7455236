"""The relay, bearerbox or the SMSC is killed at random moments under load, and every message counted at the SMSC."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass
from pathlib import Path

from kannelkit.simulator import AccountRules, Behaviour, Simulator
from tests.harness.gateway import SYSTEM_ID, emptied
from tests.harness.load import Feed
from tests.harness.waiting import until
from tests.relay.relayed import Relayed

VICTIMS = ("the relay", "bearerbox", "the SMSC")
# with SIGTERM, and started again
ORDERED = "the relay, in order"
BEARERBOX_ORDERED = "bearerbox, in order"
_LIMIT = 200  # messages a second
_WAITING = 400  # messages that wait at the least when something is killed
_DELAY = 0.05
_DRAINED_SECONDS = 120.0


@dataclass(slots=True)
class Tally:
    """What was killed how often, what the SMSC had not answered at those moments, and what came of it."""

    rounds: int = 0
    sent: int = 0
    unanswered: int = 0
    counted: int = 0
    lost: int = 0
    doubled: int = 0


async def killed(folder: Path, victims: list[str], seed: int) -> Tally:
    """Kill each victim in turn while messages flow; return what the SMSC and the relay counted."""
    chance = random.Random(seed)
    tally = Tally()
    rules = AccountRules(SYSTEM_ID, "secret", limit=_LIMIT)
    async with Simulator([rules], Behaviour(delay=_DELAY)) as smsc:
        account = smsc.account(SYSTEM_ID)
        hosts = [{"host": "127.0.0.1", "port": smsc.port}]
        async with Relayed(folder, hosts, ceiling=_LIMIT) as gateway:
            for victim in victims:
                tally.rounds += 1
                waiting = tally.sent - (account.counters.accepted - account.counters.doubled)
                if waiting < _WAITING:
                    async with Feed(gateway.sendsms_port) as feed:
                        await feed.send(tally.sent, 2 * _WAITING)
                    tally.sent += 2 * _WAITING
                await _flows(smsc, tally.sent)
                await asyncio.sleep(chance.random())
                tally.unanswered += sum(link.waiting for link in account.links)
                await _kill(victim, gateway, smsc)
                await _flows(smsc, tally.sent)
            await emptied(gateway.admin_port, _DRAINED_SECONDS)
            tally.counted = (await gateway.state())["maybe_doubled"]
        tally.lost = tally.sent - (account.counters.accepted - account.counters.doubled)
        tally.doubled = account.counters.doubled
    return tally


async def _kill(victim: str, gateway: Relayed, smsc: Simulator) -> None:
    if victim == "the relay":
        await gateway.kill_relay()
        await gateway.start_relay()
    elif victim == ORDERED:
        assert await gateway.restart_relay() == 0
    elif victim in ("bearerbox", BEARERBOX_ORDERED):
        await gateway.boxes.end(killed=victim != BEARERBOX_ORDERED)
        await gateway.boxes.again()
    else:
        smsc.refuse_connections()  # what a client sees of a killed process
        await smsc.listen()


async def _flows(smsc: Simulator, sent: int) -> None:
    """Wait until messages are accepted, or all of them were: a busy machine may have been slow to get here."""
    counters = smsc.account(SYSTEM_ID).counters
    before = counters.accepted
    await until(lambda: counters.accepted >= before + 20 or counters.accepted - counters.doubled >= sent)

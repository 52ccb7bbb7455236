"""What befalls the first host, with messages under way: the second one is used, then the first again; none is lost."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from kannelkit.supervise.memory import Event
from tests.harness.load import Sent, load
from tests.harness.node_smsc import NodeSmsc
from tests.harness.timeline import lost
from tests.integration.applied import Applied, Load, account, judge, smscs
from tests.integration.operated import PATIENCE, drained
from tests.integration.two_hosts import Gateway, arrivals, hosts, judged

pytestmark = pytest.mark.kannel


@dataclass(frozen=True, slots=True)
class Trouble:
    """What happens to the first host, how it ends, and why the account leaves it (a pattern)."""

    begin: Callable[[NodeSmsc], Awaitable[None]]
    end: Callable[[NodeSmsc], Awaitable[None]]
    why: str


async def falls_silent(smsc: NodeSmsc) -> None:
    await smsc.change(silent=True)


async def speaks_again(smsc: NodeSmsc) -> None:
    await smsc.change(silent=False)


async def refuses_binds(smsc: NodeSmsc) -> None:
    await smsc.change(bind_status=0x0D)
    await smsc.close_binds()


async def takes_binds(smsc: NodeSmsc) -> None:
    await smsc.change(bind_status=0)


async def closes_binds(smsc: NodeSmsc) -> None:
    await smsc.change(close_binds_after=2000)


async def leaves_binds(smsc: NodeSmsc) -> None:
    await smsc.change(close_binds_after=0)


def at_least(seconds: int) -> str:
    """Return a pattern: a machine that has much else to do looks later than it would, never earlier."""
    return rf"([{seconds}-9]|\d{{2}}) s"


TROUBLES = [
    pytest.param(
        Trouble(falls_silent, speaks_again, f"no answer for {at_least(4)} while messages are on their way"),
        id="falls silent",
    ),
    pytest.param(
        Trouble(refuses_binds, takes_binds, f"no link online for {at_least(2)}, bind refused, 0x0d: bind failed"),
        id="refuses binds",
    ),
    pytest.param(
        Trouble(closes_binds, leaves_binds, f"each bind is closed again, the last after {at_least(2)}"),
        id="closes binds",
    ),
]


@pytest.mark.parametrize("trouble", TROUBLES)
async def test_a_host_of_no_use_is_left_and_used_again(tmp_path: Path, trouble: Trouble) -> None:
    async with hosts() as (primary, backup), Gateway(tmp_path, primary, backup) as gateway:
        await gateway.saying("ready: 1 of 1 links online")
        sending = asyncio.create_task(load(gateway.sendsms_port, 300, speed=40))
        await arriving(primary)
        await trouble.begin(primary)
        await arriving(backup)
        await gateway.saying("bench: primary -> backup")
        assert gateway.standing_by() == ["bench-1"]
        await trouble.end(primary)
        await gateway.saying("bench: backup -> primary")
        assert gateway.standing_by() == ["bench-backup-1"], gateway.said()
        sent = await sending
        await drained(gateway)
        later = await load(gateway.sendsms_port, 20, speed=100, series=1)
        await drained(gateway)
        assert [between(move) for move in gateway.moves()] == ["primary -> backup", "backup -> primary"]
        assert re.fullmatch(trouble.why, str(gateway.moves()[0].data["why"]))
        assert (await primary.messages()).keys() >= set(later.accepted)
        await nothing_lost(gateway, primary, backup, sent, later)


async def test_a_silent_host_is_left_for_one_message_a_second_while_other_accounts_go_on(tmp_path: Path) -> None:
    """Neither a queue nor bearerbox's counts tell whose messages have no answer, and its own patience is a minute."""
    async with hosts() as (primary, backup), smscs(1, allow_binds=2) as (other,):
        second = {"backup-host": "127.0.0.1", "backup-port": backup.port}
        accounts = [
            account("quiet", primary, "7900", **second, **{"max-pending-submits": 300}),
            account("busy", other, "7901"),
            account("idle", other, "7902", **second),
        ]
        failover = {"after": 2, "back-after": 3600}
        async with Applied(tmp_path, accounts, supervisor={"failover": failover}) as gateway:
            await gateway.saying("ready: 3 of 3 links online")
            async with (
                Load(gateway.sendsms_port, ["7900"], 1) as quiet,
                Load(gateway.sendsms_port, ["7901"], 30) as busy,
            ):
                await arriving(primary)
                await primary.change(silent=True)
                await gateway.saying(r"quiet: primary -> backup .*: no answer for \d+ s while messages are on the")
                await arriving(backup)
                await busy.stop()
                judged_quiet = await judge(gateway, quiet, primary, backup)
                assert (judged_quiet.lost, lost(busy.accepted, await other.messages())) == ([], [])
            assert "idle" not in gateway.said()


async def arriving(smsc: NodeSmsc) -> None:
    """Wait until the SMSC takes messages."""
    before = (await smsc.counters())["accepted"]
    async with asyncio.timeout(PATIENCE):
        while (await smsc.counters())["accepted"] == before:
            await asyncio.sleep(0.05)


def between(move: Event) -> str:
    return f"{move.data['from']} -> {move.data['to']}"


async def nothing_lost(gateway: Gateway, primary: NodeSmsc, backup: NodeSmsc, *sent: Sent) -> None:
    """See that every message arrived, and that no more arrived twice than kannelkit or the SMSC left unanswered."""
    never, doubled = judged(await arrivals(primary, backup), *sent)
    told = sum(int(str(move.data["unanswered"])) for move in gateway.moves())
    events = [*(await primary.timeline()).events, *(await backup.timeline()).events]
    cut = sum(event.get("unanswered", 0) for event in events)
    assert [one.failed for one in sent] == [{} for _ in sent]
    assert never == 0
    assert doubled <= told + cut

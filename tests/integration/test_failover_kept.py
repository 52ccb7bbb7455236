"""The side in force outlives kannelkit and bearerbox; a move by hand; a host that is gone; a bind that is none."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from kannelkit.host import processes
from kannelkit.supervise.memory import KeptSide, Memory
from tests.harness.load import load
from tests.harness.node_smsc import NodeSmsc
from tests.integration.operated import drained, until, until_answered
from tests.integration.two_hosts import Gateway, arrivals, hosts, judged

pytestmark = pytest.mark.kannel


async def kannelkit(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "kannelkit", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


async def test_a_host_that_is_gone_and_a_kannelkit_that_is_killed_meanwhile(tmp_path: Path) -> None:
    async with hosts() as (primary, backup), Gateway(tmp_path, primary, backup) as gateway:
        await gateway.saying("ready: 1 of 1 links online")
        sent = await load(gateway.sendsms_port, 20, speed=100)
        await drained(gateway)
        before = await arrivals(primary)
        await primary.stop()
        waiting = await load(gateway.sendsms_port, 40, speed=100, series=1)
        await gateway.saying(r"bench: primary -> backup .*: no link online for \d+ s; nothing was unanswered")
        await gateway.end(signal.SIGKILL)
        unsupervised = await load(gateway.sendsms_port, 40, speed=100, series=2)
        await gateway.start()
        await gateway.saying("ready: 1 of 1 links online", times=2)
        assert gateway.standing_by() == ["bench-1"]
        refused = await kannelkit("failover", gateway.path, "bench", "--to", "primary")
        assert refused.returncode == 1
        assert f"the primary, 127.0.0.1:{primary.port}, does not answer: Connection refused" in refused.stderr
        async with NodeSmsc(port=primary.port) as returned:
            await gateway.saying("bench: backup -> primary .*: the primary has answered for")
            await drained(gateway)
            home = await load(gateway.sendsms_port, 20, speed=100, series=3)
            await drained(gateway)
            assert (await arrivals(returned)).keys() == set(home.accepted)
            after = before + await arrivals(backup, returned)
        assert judged(after, sent, waiting, unsupervised, home) == (0, 0)
        assert len(after) == 120


async def test_by_hand_there_and_back_and_a_bearerbox_that_dies_between(tmp_path: Path) -> None:
    async with hosts(allow_binds=2) as (primary, backup), Gateway(tmp_path, primary, backup, connections=2) as gateway:
        await gateway.saying("ready: 2 of 2 links online")
        sending = asyncio.create_task(load(gateway.sendsms_port, 150, speed=50))
        moved = await kannelkit("failover", gateway.path, "bench", "--to", "backup")
        assert moved.returncode == 0, moved.stderr
        assert "bench: stopping bench-1, bench-2" in moved.stderr
        assert f"bench: on the backup, 127.0.0.1:{backup.port} since" in moved.stdout
        again = await kannelkit("failover", gateway.path, "bench", "--to", "backup")
        assert (again.returncode, again.stdout) == (1, "")
        assert "bench is on its backup already" in again.stderr
        sent = await sending
        await drained(gateway)
        processes.kill(gateway.boxes()["bearerbox"])
        await gateway.saying("bearerbox started", times=2)
        await until_answered(gateway)
        assert gateway.standing_by() == ["bench-1", "bench-2"]
        later = await load(gateway.sendsms_port, 40, speed=100, series=1)
        await drained(gateway)
        assert (await backup.messages()).keys() >= set(later.accepted)
        said = json.loads((await kannelkit("failover", gateway.path, "bench", "--json")).stdout)
        assert (said["side"], said["why"], said["by_hand"]) == ("backup", "by hand", True)
        assert (await kannelkit("failover", gateway.path, "bench", "--to", "primary")).returncode == 0
        home = await load(gateway.sendsms_port, 40, speed=100, series=2)
        await drained(gateway)
        assert (await primary.messages()).keys() >= set(home.accepted)
        told = sum(int(str(move.data["unanswered"])) for move in gateway.moves())
        lost, doubled = judged(await arrivals(primary, backup), sent, later, home)
        assert lost == 0
        assert doubled <= told
        events = [*(await primary.timeline()).events, *(await backup.timeline()).events]
        assert not any(event["event"] == "closed older" for event in events)


async def test_a_move_that_was_cut_off_is_finished_by_the_next_kannelkit(tmp_path: Path) -> None:
    """Killed when the wish was kept and nothing was done yet."""
    async with hosts() as (primary, backup), Gateway(tmp_path, primary, backup) as gateway:
        await gateway.saying("ready: 1 of 1 links online")
        await gateway.end(signal.SIGKILL)
        memory = Memory(gateway.state / "state.db")
        memory.side("bench", KeptSide("backup", time.time(), settled=False, by_hand=True))
        memory.close()
        await gateway.start()
        await gateway.saying("bench: primary -> backup .*: a move that was cut off is finished")
        sent = await load(gateway.sendsms_port, 40, speed=100)
        await drained(gateway)
        assert gateway.standing_by() == ["bench-1"]
        assert (await backup.messages()).keys() == set(sent.accepted)
        assert judged(await arrivals(primary, backup), sent) == (0, 0)
        await until(lambda: _kept(gateway) == ("backup", True))


def _kept(gateway: Gateway) -> tuple[str, bool]:
    memory = Memory(gateway.state / "state.db", read_only=True)
    try:
        kept = memory.sides()["bench"]
        return kept.side, kept.settled
    finally:
        memory.close()


async def test_a_link_that_only_looks_bound_is_stopped_before_it_loses_more(tmp_path: Path) -> None:
    """The login's one bind is somebody else's: Kannel takes "already bound" for success."""
    async with hosts(allow_binds=0) as (primary, backup):
        for smsc in (primary, backup):
            await smsc.change(already_bound=True)
        async with Gateway(tmp_path, primary, backup) as gateway:
            await gateway.saying("ready: 1 of 1 links online")
            first = await load(gateway.sendsms_port, 1, speed=100)
            await gateway.saying("bench-1: bind refused, 0x05: already bound: somebody else is bound with this login")
            later = await load(gateway.sendsms_port, 40, speed=100, series=1)
            await gateway.saying("bench-1 stays down, bind refused, 0x05")
            await primary.change(allow_binds=1)
            await drained(gateway)
            arrived = await arrivals(primary, backup)
            assert judged(arrived, first, later) == (1, 0)  # the one by which it was found out
            assert arrived.keys() == set(later.accepted)

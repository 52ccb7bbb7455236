"""`kannelkit up` with a real Kannel, as an operator runs it, and what may happen to it while it runs."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from kannelkit.host import processes
from kannelkit.host.processes import ProcessId
from kannelkit.simulator import AccountRules, Behaviour, Simulator
from kannelkit.supervise.memory import Memory
from kannelkit.throttle.lines import read_line
from kannelkit.throttle.values import Learnt
from tests.harness import child
from tests.harness.gateway import PASSWORD, USER, online, status_xml, stored
from tests.harness.load import load
from tests.harness.supervised import Supervised

pytestmark = [
    pytest.mark.kannel,
    pytest.mark.skipif(shutil.which("bearerbox", path="/usr/sbin:/usr/bin") is None, reason="needs Kannel"),
]

PATIENCE = 40.0  # seconds for what must come
LOGIN = "bench"


class Up(Supervised):
    """`kannelkit up` that can be watched and killed; `core` holds further directives of group core."""

    core: dict[str, Any]

    def __init__(self, folder: Path, smsc: Simulator, throughput: int = 60, **more: Any) -> None:
        self.core = more.pop("core", {})
        super().__init__(folder, smsc.port, throughput, **more)

    def spec(self) -> dict[str, Any]:
        spec = super().spec()
        spec["core"] |= self.core
        return spec

    @property
    def state(self) -> Path:
        return self.folder / "state"

    @property
    def log(self) -> Path:
        return self.state / "log" / "bearerbox.log"

    def said(self) -> str:
        """Return what `kannelkit up` has told so far, over all its starts."""
        return self.output.read_text(errors="replace")

    async def saying(self, pattern: str, times: int = 1) -> str:
        """Wait until it has told something so often, and return the last of it."""
        await until(lambda: len(re.findall(pattern, self.said())) >= times, self.said)
        found = list(re.finditer(pattern, self.said()))
        return found[times - 1][0]

    async def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send kannelkit alone a signal and return its exit code."""
        assert self._process is not None
        self._process.send_signal(number)
        async with asyncio.timeout(PATIENCE):
            code = await self._process.wait()
        self._process = None
        return code

    def boxes(self) -> dict[str, ProcessId]:
        """Return the boxes that are kept in the state-dir and live."""
        if not (self.state / "state.db").exists():
            return {}
        memory = Memory(self.state / "state.db", read_only=True)
        try:
            return {name: process for name, process in memory.boxes().items() if processes.alive(process)}
        finally:
            memory.close()

    def learnt(self) -> dict[str, Learnt]:
        memory = Memory(self.state / "state.db", read_only=True)
        try:
            return memory.learnt()
        finally:
            memory.close()

    async def stop(self) -> None:
        await super().stop()
        for process in self.boxes().values():  # kannelkit was killed and no other one came
            processes.kill(process)


async def until(holds: Callable[[], Any], otherwise: Callable[[], object] = lambda: "") -> None:
    """Wait until something holds; fail, with what `otherwise` says, when it does not come to."""
    try:
        async with asyncio.timeout(PATIENCE):
            while not holds():
                await asyncio.sleep(0.05)
    except TimeoutError:
        pytest.fail(f"did not come to hold within {PATIENCE} s: {otherwise()}")


async def drained(gateway: Supervised) -> None:
    """Wait until bearerbox keeps no message any more."""
    async with asyncio.timeout(PATIENCE):
        while await stored(gateway.admin_port) != 0:
            await asyncio.sleep(0.1)


@asynccontextmanager
async def simulator(limit: int | None = None, port: int = 0, **behaviour: Any) -> AsyncIterator[Simulator]:
    async with Simulator([AccountRules(LOGIN, "secret", limit)], Behaviour(delay=0.02, **behaviour), port=port) as smsc:
        yield smsc


@pytest.fixture
async def smsc() -> AsyncIterator[Simulator]:
    async with simulator() as running:
        yield running


def arrived(smsc: Simulator) -> tuple[int, int]:
    """Return how many messages the SMSC accepted, and how many of them a second time."""
    counters = smsc.account(LOGIN).counters
    return counters.accepted, counters.doubled


# -- start and stop ------------------------------------------------------------------------------------------------


async def test_it_starts_delivers_and_stops_in_order(tmp_path: Path, smsc: Simulator) -> None:
    gateway = Up(tmp_path, smsc)
    async with gateway:
        await gateway.saying(rf"ready: 1 of 1 links online, sendsms on port {gateway.sendsms_port}")
        boxes = gateway.boxes()
        assert sorted(boxes) == ["bearerbox", "smsbox"]
        sent = await load(gateway.sendsms_port, 5, speed=100)
        assert sent.failed == {}
        await until(lambda: arrived(smsc) == (5, 0))
        assert await gateway.end() == 0
        said = gateway.said()
        assert 0 < said.index("smsbox stopped") < said.index("bearerbox stopped")
        assert "by force" not in said
        assert "Traceback" not in said
        assert not any(processes.alive(process) for process in boxes.values())
        assert gateway.boxes() == {}


async def test_what_was_taken_while_the_smsc_is_away_survives_a_stop_and_arrives_once(tmp_path: Path) -> None:
    async with simulator() as first:
        gateway = Up(tmp_path, first)
        await gateway.start()
        port = first.port
    try:
        sent = await load(gateway.sendsms_port, 20, speed=200)
        assert len(sent.accepted) == 20
        assert await gateway.end() == 0
        async with simulator(port=port) as again:
            await gateway.start()
            await until(lambda: arrived(again)[0] >= 20)
            await drained(gateway)
            assert arrived(again) == (20, 0)
            assert await gateway.end() == 0
    finally:
        await gateway.stop()


@pytest.mark.parametrize("directive", ["admin-port", "smsbox-port", "sendsms-port"])
async def test_a_port_in_use_is_told_with_whose_it_is_and_nothing_is_started(
    tmp_path: Path, smsc: Simulator, directive: str
) -> None:
    gateway = Up(tmp_path, smsc)
    gateway.write()
    spec = gateway.spec()
    port = {**spec["core"], **spec["smsbox"]}[directive]
    with socket.create_server(("127.0.0.1", port)):
        refused = await child.start(sys.executable, "-m", "kannelkit", "up", gateway.path, output=gateway.output)
        assert await asyncio.wait_for(refused.wait(), PATIENCE) == 1
    assert re.search(rf"{directive} {port} is in use by .* \(pid {os.getpid()}\)", gateway.said())
    assert "Traceback" not in gateway.said()
    assert gateway.boxes() == {}
    assert smsc.account(LOGIN).counters.binds == 0
    assert not (gateway.state / "kannel.conf").exists()
    assert list((gateway.state / "log").iterdir()) == []
    async with gateway:  # and afterwards it starts as if nothing had been
        await gateway.saying("ready: 1 of 1")


async def test_a_second_kannelkit_is_refused_with_the_firsts_pid(tmp_path: Path, smsc: Simulator) -> None:
    async with Up(tmp_path, smsc) as gateway:
        await gateway.saying("ready")
        boxes = gateway.boxes()
        output = tmp_path / "second.out"
        second = await child.start(sys.executable, "-m", "kannelkit", "up", gateway.path, output=output)
        assert await asyncio.wait_for(second.wait(), PATIENCE) == 1
        assert f"another kannelkit (pid {gateway.pid})" in output.read_text()
        assert gateway.boxes() == boxes
        assert smsc.account(LOGIN).counters.binds == 1


# -- boxes that die ------------------------------------------------------------------------------------------------


async def test_a_killed_bearerbox_is_started_again_and_what_it_kept_arrives_once(tmp_path: Path) -> None:
    async with simulator() as first:
        gateway = Up(tmp_path, first)
        await gateway.start()
        await gateway.saying("ready")
        port = first.port
    try:
        # nothing is in flight: what is, when bearerbox is killed, Kannel itself sends again
        sent = await load(gateway.sendsms_port, 20, speed=200)
        assert len(sent.accepted) == 20
        before = gateway.boxes()
        processes.kill(before["bearerbox"])
        await gateway.saying("bearerbox was ended by SIGKILL")
        await gateway.saying("smsbox started", times=2)  # or it would start another one, which nobody knows, by itself
        after = gateway.boxes()
        assert {name for name in before if after[name] != before[name]} == {"bearerbox", "smsbox"}
        async with simulator(port=port) as again:
            await until(lambda: arrived(again)[0] >= 20)
            await until_answered(gateway)
            later = await load(gateway.sendsms_port, 5, speed=50, series=1)
            assert later.failed == {}
            await until(lambda: arrived(again)[0] >= 25)
            await drained(gateway)
            assert arrived(again) == (25, 0)
    finally:
        await gateway.stop()


async def test_a_killed_smsbox_is_started_again(tmp_path: Path, smsc: Simulator) -> None:
    async with Up(tmp_path, smsc) as gateway:
        await gateway.saying("ready")
        before = gateway.boxes()
        processes.kill(before["smsbox"])
        await gateway.saying("smsbox was ended by SIGKILL")
        await gateway.saying(r"smsbox started", times=2)
        after = gateway.boxes()
        assert after["bearerbox"] == before["bearerbox"]
        assert after["smsbox"] != before["smsbox"]
        await until_answered(gateway)
        sent = await load(gateway.sendsms_port, 5, speed=50)
        assert sent.failed == {}
        await until(lambda: arrived(smsc) == (5, 0))


async def until_answered(gateway: Supervised) -> None:
    """Wait until smsbox listens and bearerbox knows it."""

    def listens() -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", gateway.sendsms_port)) == 0

    await until(listens)
    async with asyncio.timeout(PATIENCE):
        while not online(await status_xml(gateway.admin_port)):
            await asyncio.sleep(0.1)


async def test_a_bearerbox_that_hangs_is_told_and_left_alone(tmp_path: Path, smsc: Simulator) -> None:
    async with Up(tmp_path, smsc) as gateway:
        await gateway.saying("ready")
        before = gateway.boxes()
        processes.send_signal(before["bearerbox"], signal.SIGSTOP)
        try:
            await asyncio.sleep(0.5)
            asked = await child.start(
                sys.executable, "-m", "kannelkit", "status", gateway.path, output=tmp_path / "status.out"
            )
            assert await asyncio.wait_for(asked.wait(), 10) == 1
            assert f"bearerbox (pid {before['bearerbox'].pid}) does not answer" in (tmp_path / "status.out").read_text()
            await gateway.saying("bearerbox has not answered for 10 s")
        finally:
            processes.send_signal(before["bearerbox"], signal.SIGCONT)
        await gateway.saying("bearerbox answers again")
        assert gateway.boxes() == before
        assert "ended" not in gateway.said()


# -- kannelkit killed ----------------------------------------------------------------------------------------------


async def test_a_killed_kannelkits_boxes_live_on_and_are_adopted_with_their_rate(tmp_path: Path) -> None:
    async with simulator(limit=20) as smsc:
        gateway = Up(tmp_path, smsc, throughput=40)
        async with gateway:
            await gateway.saying("ready")
            sending = asyncio.create_task(load(gateway.sendsms_port, 100, speed=400))
            await gateway.saying("throughput 40 -> 20")
            before = gateway.boxes()
            assert await gateway.end(signal.SIGKILL) == -signal.SIGKILL
            assert gateway.boxes() == before
            await sending  # nobody supervises, messages go on
            await gateway.start()
            for name, process in before.items():
                await gateway.saying(rf"{name} runs already \(pid {process.pid}\): adopted")
            assert gateway.boxes() == before
            assert gateway.learnt()["bench"].throughput == 20
            await drained(gateway)
            later = await load(gateway.sendsms_port, 60, speed=400, series=1)
            assert later.failed == {}
            smsc.change_limit(LOGIN, 10)  # it is followed as before
            await gateway.saying("throughput 20 -> 10")
            await drained(gateway)
            assert arrived(smsc) == (160, 0)
            assert await gateway.end() == 0
            assert gateway.boxes() == {}


async def test_a_change_of_rate_that_was_cut_off_is_finished_by_the_next_kannelkit(tmp_path: Path) -> None:
    """Killed between stop-smsc and start-smsc, while the first of two links is away."""
    async with simulator(limit=20) as smsc:
        gateway = Up(tmp_path, smsc, throughput=40, account={"connections": 2})
        async with gateway:
            await gateway.saying("ready")
            sending = asyncio.create_task(load(gateway.sendsms_port, 200, speed=400))
            async with asyncio.timeout(PATIENCE):
                while "<status>dead</status>" not in await status_xml(gateway.admin_port):
                    await asyncio.sleep(0.01)
            await gateway.end(signal.SIGKILL)
            await sending
            wanted = gateway.learnt()["bench"].throughput
            assert wanted < 40
            assert "<status>dead</status>" in await status_xml(gateway.admin_port)
            await gateway.start()
            await gateway.saying(rf"a change of rate was cut off: finished, throughput {wanted}")
            status = await status_xml(gateway.admin_port)
            assert online(status, links=2)
            assert "dead" not in status
            await drained(gateway)
            assert arrived(smsc) == (200, 0)


async def test_a_bearerbox_that_dies_during_a_change_of_rate_does_not_end_the_changes(tmp_path: Path) -> None:
    async with simulator(limit=20) as smsc, Up(tmp_path, smsc, throughput=40, account={"connections": 2}) as gateway:
        await gateway.saying("ready")
        await load(gateway.sendsms_port, 120, speed=400)
        async with asyncio.timeout(PATIENCE):
            while "<status>dead</status>" not in await status_xml(gateway.admin_port):
                await asyncio.sleep(0.01)
        processes.kill(gateway.boxes()["bearerbox"])
        await gateway.saying("bearerbox started", times=2)
        await gateway.saying("throughput 40 -> 20")
        await drained(gateway)
        accepted, doubled = arrived(smsc)
        assert accepted - doubled == 120  # what was in flight at the kill, Kannel sends again
        assert gateway.learnt()["bench"].throughput == 20


# -- rates ---------------------------------------------------------------------------------------------------------


async def test_the_limit_is_found_in_one_change_and_remembered(tmp_path: Path) -> None:
    async with simulator(limit=30) as smsc:
        counters = smsc.account(LOGIN).counters
        gateway = Up(tmp_path, smsc, throughput=60)
        async with gateway:
            await gateway.saying("ready")
            sent = await load(gateway.sendsms_port, 240, speed=400)
            await drained(gateway)
            assert sent.failed == {}
            assert re.findall(r"throughput \d+ -> \d+", gateway.said()) == ["throughput 60 -> 30"]
            assert arrived(smsc) == (240, 0)
            assert counters.refused <= 60  # the excess of the bursts before the change, and one burst after it
            assert await gateway.end() == 0

            refused = counters.refused
            await gateway.start()
            await load(gateway.sendsms_port, 90, speed=400, series=1)
            await drained(gateway)
            assert arrived(smsc) == (330, 0)
            assert counters.refused - refused <= 30  # the second burst of a new link touches the first one's window
            assert len(re.findall(r"throughput \d+ -> \d+", gateway.said())) == 1
            assert gateway.learnt()["bench"].throughput == 30


async def test_two_connections_share_the_limit(tmp_path: Path) -> None:
    async with simulator(limit=30) as smsc, Up(tmp_path, smsc, throughput=60, account={"connections": 2}) as gateway:
        await gateway.saying("ready: 2 of 2 links online")
        sent = await load(gateway.sendsms_port, 300, speed=400)
        await drained(gateway)
        assert sent.failed == {}
        assert arrived(smsc) == (300, 0)
        assert gateway.learnt()["bench"].throughput == 30
        assert len(re.findall(r"throughput \d+ -> \d+", gateway.said())) <= 4
        shares = re.findall(r"^throughput = (\d+)", (gateway.state / "kannel.conf").read_text(), re.MULTILINE)
        assert shares == ["15", "15"]


@pytest.mark.parametrize("told", [True, False], ids=["SIGQUIT", "renamed only"])
async def test_refusals_are_seen_in_a_log_that_was_rotated(tmp_path: Path, told: bool) -> None:
    async with simulator() as smsc, Up(tmp_path, smsc, throughput=20) as gateway:
        await gateway.saying("ready")
        gateway.log.rename(gateway.log.with_suffix(".1"))
        if told:
            processes.send_signal(gateway.boxes()["bearerbox"], signal.SIGQUIT)
            await until(gateway.log.exists)
        smsc.change_limit(LOGIN, 10)
        sent = await load(gateway.sendsms_port, 60, speed=400)
        await gateway.saying("throughput 20 -> 10")
        await drained(gateway)
        assert sent.failed == {}
        assert arrived(smsc) == (60, 0)


# -- hostile input -------------------------------------------------------------------------------------------------


def forged(pid: int) -> str:
    """Return the line that bearerbox writes when the provider says "too fast", with a line feed on either side."""
    stamp = time.strftime("%Y-%m-%d %H:%M:%S")
    said = "SMSC returned error code 0x00000058 (Throttling error) in response to submit_sm PDU."
    return f"x\n{stamp} [{pid}] [6] ERROR: SMPP[bench]: {said}\ny"


@pytest.mark.parametrize("level", [1, 0])
async def test_forged_lines_change_no_rate(tmp_path: Path, smsc: Simulator, level: int) -> None:
    async with Up(tmp_path, smsc, throughput=20, core={"log-level": level}) as gateway:
        await gateway.saying("ready")
        pid = gateway.boxes()["bearerbox"].pid
        # a queue that is long enough for all that the lines claim
        waiting = await load(gateway.sendsms_port, 80, speed=1000)
        taken = len(waiting.accepted)
        async with aiohttp.ClientSession() as session:
            for _ in range(40):
                for more in (
                    {"binfo": forged(pid)},
                    {"from": forged(pid), "dlr-mask": "31", "dlr-url": "http://127.0.0.1:1/"},
                    {"binfo": forged(pid), "from": forged(pid), "smsc": forged(pid), "service": forged(pid)},
                    {"text": forged(pid), "to": f"7999\n{forged(pid)}"},
                ):
                    query = {"username": USER, "password": PASSWORD, "from": "a", "to": "79990000000", "text": "t"}
                    url = f"http://127.0.0.1:{gateway.sendsms_port}/cgi-bin/sendsms"
                    async with session.get(url, params={**query, **more}) as answer:
                        taken += answer.status == 202
                await asyncio.sleep(0.05)  # over several of Kannel's periods, and of the controller's
        assert taken > 80 + 40
        smsc_log, access_log = (gateway.log.with_name(name).read_bytes() for name in ("smsbox.log", "access.log"))
        assert genuine(smsc_log + access_log, pid) > 100  # where they do get to
        assert genuine(gateway.log.read_bytes(), pid) == 0
        assert "throughput" not in gateway.said()
        assert gateway.learnt() == {}
        assert smsc.account(LOGIN).counters.refused == 0


def genuine(log: bytes, pid: int) -> int:
    """Return how many lines of a log look like refusals that this bearerbox logged."""
    return sum(read_line(line, pid) is not None for line in log.split(b"\n"))

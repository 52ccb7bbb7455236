"""`kannelkit up` with a real Kannel, as an operator runs it: start, stop, and boxes that die or hang."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
import socket
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from kannelkit.host import processes
from kannelkit.simulator import Simulator
from tests.harness import child
from tests.harness.load import load
from tests.integration.operated import LOGIN, PATIENCE, Up, arrived, drained, simulator, until, until_answered

pytestmark = pytest.mark.kannel


@pytest.fixture
async def smsc() -> AsyncIterator[Simulator]:
    async with simulator() as running:
        yield running


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


async def test_a_service_manager_hears_that_it_is_ready_that_it_goes_on_and_that_it_stops(
    tmp_path: Path, smsc: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.setblocking(False)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        monkeypatch.setenv("WATCHDOG_USEC", "1000000")
        heard: list[bytes] = []

        def hears(word: bytes, times: int = 1) -> bool:
            with contextlib.suppress(BlockingIOError):
                while True:
                    heard.append(manager.recv(4096))
            return heard.count(word) >= times

        gateway = Up(tmp_path, smsc)
        async with gateway:
            await until(lambda: hears(b"READY=1"))
            await until(lambda: hears(b"WATCHDOG=1", times=4))
            assert await gateway.end() == 0
            assert hears(b"STOPPING=1")


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
            assert await asyncio.wait_for(asked.wait(), PATIENCE) == 1
            assert f"bearerbox (pid {before['bearerbox'].pid}) does not answer" in (tmp_path / "status.out").read_text()
            await gateway.saying("bearerbox has not answered for 10 s")
        finally:
            processes.send_signal(before["bearerbox"], signal.SIGCONT)
        await gateway.saying("bearerbox answers again")
        assert gateway.boxes() == before
        assert "ended" not in gateway.said()

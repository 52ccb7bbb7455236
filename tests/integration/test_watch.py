"""`kannelkit watch` with a real Kannel that run_kannel_box or somebody else started."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from kannelkit.host import processes
from kannelkit.host.processes import ProcessId
from kannelkit.simulator import AccountRules, Simulator
from tests.harness.load import load
from tests.integration.attached import Watched, other_user
from tests.integration.operated import LOGIN, arrived, drained, simulator, until, until_answered

pytestmark = pytest.mark.kannel


def throughputs(conf: Path) -> set[str]:
    return set(re.findall(r"^throughput = (\d+)$", conf.read_text(), re.MULTILINE))


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that another user reaches; pytest's own are closed to others."""
    with tempfile.TemporaryDirectory(dir="/var/tmp") as name:
        os.chmod(name, 0o755)
        yield Path(name)


async def test_debians_way_limit_found_box_killed_and_left_running(folder: Path) -> None:
    """Kannel is started after kannelkit, by run_kannel_box, which starts a box again that ended; all as user kannel."""
    async with simulator(limit=30) as smsc:
        gateway = Watched(folder, smsc, wrapped=True, user=other_user(), throughput=60, sms_resend_freq=2)
        async with gateway:
            os.chmod(gateway.conf, 0o604)
            await gateway.start()
            await gateway.saying("bearerbox is not running: waiting")
            await gateway.kannel()
            await gateway.saying(r"bearerbox runs \(pid \d+\): attached, 1 of 1 links online")
            await gateway.saying(rf"ready: 1 of 1 links online, sendsms on port {gateway.sendsms_port}")
            before: dict[str, ProcessId] = {name: gateway.box(name) for name in ("bearerbox", "smsbox")}
            await until(lambda: gateway.boxes() == before)

            sent = await load(gateway.sendsms_port, 150, speed=400)
            await gateway.saying("throughput 60 -> 30")
            await drained(gateway)
            assert sent.failed == {}
            assert arrived(smsc) == (150, 0)
            assert throughputs(gateway.conf) == {"30"}
            assert gateway.conf.stat().st_mode & 0o777 == 0o604
            assert gateway.conf.owner() == (other_user() or Path("/proc/self").owner())

            kill_boxes(gateway)
            await gateway.saying(rf"bearerbox \(pid {before['bearerbox'].pid}\) ended")
            await gateway.saying(r"bearerbox runs \(pid \d+\): attached", times=2)
            await gateway.saying(r"smsbox runs \(pid \d+\): attached", times=2)
            await until_answered(gateway)
            refused = smsc.account(LOGIN).counters.refused
            again = await load(gateway.sendsms_port, 60, speed=400, series=1)
            await drained(gateway)
            assert again.failed == {}
            assert arrived(smsc) == (210, 0)
            assert smsc.account(LOGIN).counters.refused - refused <= 30  # the second burst of a new link
            after = {name: gateway.box(name) for name in before}
            assert after["bearerbox"] != before["bearerbox"]
            assert gateway.boxes() == after

            assert await gateway.end() == 0
            assert {name: gateway.box(name) for name in after} == after
            assert throughputs(gateway.conf) == {"30"}
            assert "Traceback" not in gateway.said()


async def test_systemds_way_edited_file_and_changes_of_the_spec(tmp_path: Path) -> None:
    """Nothing tells the boxes' processes but their ports; kannel.conf is a symbolic link."""
    async with simulator(limit=40) as smsc:
        gateway = Watched(tmp_path, smsc, wrapped=False, throughput=80, sms_resend_freq=2)
        async with gateway:
            elsewhere = tmp_path / "elsewhere" / "kannel.conf"
            elsewhere.parent.mkdir()
            gateway.conf.rename(elsewhere)
            gateway.conf.symlink_to(elsewhere)
            await gateway.kannel()
            await gateway.start()
            await gateway.saying("ready: 1 of 1 links online")
            bearerbox = gateway.box("bearerbox")

            whole = gateway.conf.read_text()
            edited = whole + "\n# somebody is thinking about this\n"
            gateway.conf.write_text(edited)
            await gateway.saying("kannel.conf was changed by somebody else")
            await load(gateway.sendsms_port, 80, speed=400)
            await asyncio.sleep(3)  # a refusal proves a limit within two seconds
            assert "->" not in gateway.said()
            assert gateway.conf.read_text() == edited
            assert await gateway.run("apply", gateway.path, "--yes") == 1
            gateway.conf.write_text(whole)
            await gateway.saying("is as it was: rates are changed again")
            await load(gateway.sendsms_port, 120, speed=400, series=1)
            await gateway.saying(r"throughput \d+ -> 40")
            await drained(gateway)
            assert arrived(smsc) == (200, 0)
            assert gateway.conf.is_symlink()
            assert throughputs(gateway.conf) == {"40"}

            gateway.core = {"sms-resend-freq": 7}
            gateway.write()
            assert await gateway.run("apply", gateway.path, "--yes") == 1
            why = "this takes a restart of bearerbox and smsbox, which something else runs: core: sms-resend-freq"
            assert why in gateway.said()
            assert gateway.box("bearerbox") == bearerbox
            gateway.core = {}
            gateway.users.append({"username": "second", "password": "x"})
            gateway.write()
            assert await gateway.run("apply", gateway.path, "--yes") == 1
            assert (
                "this takes a restart of smsbox, which something else runs: create sendsms-user second"
                in gateway.said()
            )
            await gateway.generate(elsewhere)
            await gateway.smsbox_anew()
            await gateway.saying("smsbox was started with what .* stands for now: it is in force")
            assert throughputs(gateway.conf) == {"40"}
            gateway.account["reconnect-delay"] = 2
            gateway.write()
            assert await gateway.run("apply", gateway.path, "--yes") == 0
            assert "reconnect-delay = 2" in gateway.conf.read_text()
            assert gateway.conf.is_symlink()
            assert gateway.box("bearerbox") == bearerbox

            gateway.core = {"sms-resend-freq": 7}
            gateway.write()
            await gateway.generate(elsewhere)
            await gateway.ended()
            await gateway.saying(rf"bearerbox \(pid {bearerbox.pid}\) ended")
            await gateway.kannel()
            await gateway.saying("Kannel was started with what .* stands for now: it is in force")
            await gateway.saying("its links were made anew at 40 SMS per second")
            assert throughputs(gateway.conf) == {"40"}
            bearerbox = gateway.box("bearerbox")
            assert await gateway.run("apply", gateway.path) == 0
            assert gateway.said().count("no changes: the gateway runs as the spec says") == 2  # the first while edited

            assert await gateway.end() == 0
            assert gateway.box("bearerbox") == bearerbox
            assert "Traceback" not in gateway.said()


async def test_the_side_in_force_outlives_restarts_of_kannel_and_a_file_that_says_another(tmp_path: Path) -> None:
    async with simulator() as first, simulator() as second:
        backup = {"backup-host": "127.0.0.1", "backup-port": second.port}
        gateway = Watched(tmp_path, first, wrapped=True, throughput=40, account=backup)
        async with gateway:
            await gateway.kannel()
            await gateway.start()
            await gateway.saying("ready: 1 of 1 links online")
            assert await gateway.run("failover", gateway.path, "bench", "--to", "backup") == 0
            kill_boxes(gateway)
            await gateway.saying(r"bearerbox runs \(pid \d+\): attached, . of 1 links online", times=2)
            await until_answered(gateway)
            sent = await load(gateway.sendsms_port, 20, speed=100)
            await drained(gateway)
            assert (arrived(first), arrived(second)) == ((0, 0), (20, 0))

            assert await gateway.end(signal.SIGKILL) == -signal.SIGKILL
            await gateway.generate()  # with the first host's links up
            kill_boxes(gateway)
            await gateway.start()
            await gateway.saying("primary -> backup .*cut off.*finished")
            await until_answered(gateway)
            again = await load(gateway.sendsms_port, 20, speed=100, series=1)
            await drained(gateway)
            assert sent.failed == again.failed == {}
            assert (arrived(first), arrived(second)) == ((0, 0), (40, 0))


async def test_a_change_of_the_spec_that_is_cut_off_is_taken_back(tmp_path: Path) -> None:
    """By the end of kannelkit: the next one takes it back. By the end of bearerbox: its next start is as before."""
    async with Simulator([AccountRules(LOGIN, "secret", None, binds=9)]) as smsc:
        gateway = Watched(tmp_path, smsc, wrapped=True, throughput=40, account={"connections": 9})
        async with gateway:
            await gateway.kannel()
            await gateway.start()
            await gateway.saying("ready: 9 of 9 links online")
            before = gateway.conf.read_text()
            gateway.account["reconnect-delay"] = 2
            gateway.write()
            applying = asyncio.create_task(gateway.run("apply", gateway.path))
            await gateway.saying(r"\d bench-2: binding anew")
            assert await gateway.end(signal.SIGKILL) == -signal.SIGKILL
            assert await applying == 1
            assert gateway.conf.read_text() != before
            await gateway.start()
            await gateway.saying("everything is as it was before")
            assert gateway.conf.read_text() == before

            applying = asyncio.create_task(gateway.run("apply", gateway.path))
            await gateway.saying(r"\d bench-2: binding anew", times=2)
            kill_boxes(gateway)
            assert await applying == 1
            await gateway.saying(r"bearerbox runs \(pid \d+\): attached", times=3)
            await gateway.saying("9 of 9 links online", times=3)
            assert gateway.conf.read_text() == before
            assert "Traceback" not in gateway.said()


async def test_a_port_that_somebody_else_has_is_not_waited_for_in_silence(tmp_path: Path) -> None:
    async with simulator() as smsc, Watched(tmp_path, smsc, wrapped=False) as gateway:
        with socket.create_server(("127.0.0.1", gateway.admin_port)):
            await gateway.start()
            await gateway.saying(rf"admin-port {gateway.admin_port} is in use by .* \(pid {os.getpid()}\)")
            assert await gateway.end() == 0


def kill_boxes(gateway: Watched) -> None:
    """Kill both: a smsbox that lost its bearerbox would come back only after 10 s."""
    for name in ("bearerbox", "smsbox"):
        processes.kill(gateway.box(name))

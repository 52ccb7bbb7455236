"""Every other check over a real gateway and its providers: something befalls it, and is over again."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import aiohttp
import psutil
import pytest

from kannelkit.gateway.admin import Admin
from kannelkit.render.units import rotated
from kannelkit.simulator import Simulator
from kannelkit.spec import load as load_spec
from tests.harness.gateway import ADMIN_PASSWORD, PASSWORD, USER
from tests.harness.load import load
from tests.integration.looked_at import LookedAt
from tests.integration.operated import LOGIN, PATIENCE, drained, simulator

pytestmark = pytest.mark.kannel

# so small that what takes hours at other times is seen at once
THRESHOLDS = {
    "queue": {"warning": 20},
    "oldest-minutes": {"warning": 0.03},
    "receipts-minutes": {"warning": 0.02},
}
NUMBER_IS_NONE = 0x0B  # ESME_RINVDSTADR: given up at once
WRONG_PASSWORD = 0x0E
RECEIPTS = 20


class Gateway(LookedAt):
    """An account with two hosts."""

    def __init__(self, folder: Path, first: Simulator, second: Simulator) -> None:
        super().__init__(
            folder,
            first,
            account={"backup-host": "127.0.0.1", "backup-port": second.port},
            spec={
                "supervisor": {"failover": {"after": 2, "back-after": 3}},
                "health": {"thresholds": THRESHOLDS},
            },
        )
        self._rotations = 0

    async def logs_begin_anew(self) -> None:
        """Rotate the logs: what they told of the last five minutes is over."""
        self._rotations += 1
        for log in rotated(load_spec(self.path, {})):
            log.rename(log.with_name(f"{log.name}.{self._rotations}"))
        assert (await self.command("reopen-logs", str(self.path)))[0] == 0


@asynccontextmanager
async def running(folder: Path) -> AsyncIterator[tuple[Gateway, Simulator, Simulator]]:
    async with simulator() as first, simulator() as second, Gateway(folder, first, second) as gateway:
        await gateway.well()
        yield gateway, first, second
        await gateway.well()


async def test_whatever_befalls_a_gateway_is_told_and_so_is_its_end(tmp_path: Path) -> None:
    """Two gateways at once: most of it is waiting."""
    async with asyncio.TaskGroup() as both:
        both.create_task(what_befalls_hosts_and_messages(tmp_path / "one"))
        both.create_task(what_befalls_kannelkit_and_the_boxes(tmp_path / "other"))


async def what_befalls_hosts_and_messages(folder: Path) -> None:
    async with running(folder) as (gateway, first, second):
        await hosts_go(gateway, first, second)
        await receipts_stay_away(gateway, first)
        await messages_are_refused_for_good(gateway, first)
        await links_break(gateway, first, second)
        await binds_are_refused(gateway, first, second)


async def hosts_go(gateway: Gateway, first: Simulator, second: Simulator) -> None:
    """First one, so that the other takes over; then both, so that messages wait."""
    first.refuse_connections()
    assert "on its backup host" in (await gateway.until("backup", "warning")).summary
    assert (await gateway.until("hosts", "warning")).link == f"127.0.0.1:{first.port}"
    second.refuse_connections()
    await gateway.until("hosts", "critical")
    await load(gateway.sendsms_port, 30, speed=200)
    assert "30 messages waiting" in (await gateway.until("queue", "warning")).summary
    await gateway.until("oldest", "warning")
    assert "30 messages waiting" in gateway.last.of("drain")[0].summary
    for smsc in (first, second):
        await smsc.listen()
    for id in ("hosts", "queue", "oldest", "drain", "backup", "sending"):
        await gateway.until(id, "ok")
    await gateway.logs_begin_anew()


async def receipts_stay_away(gateway: Gateway, smsc: Simulator) -> None:
    smsc.change_behaviour({"receipt_delay": 5})
    query = {"username": USER, "password": PASSWORD, "to": "79991234567", "text": "x", "dlr-mask": "3"}
    async with aiohttp.ClientSession() as session:
        for number in range(RECEIPTS):
            url = f"http://127.0.0.1:{gateway.sendsms_port}/cgi-bin/sendsms"
            async with session.get(url, params={**query, "from": str(number)}) as answer:
                assert answer.status == 202
    await drained(gateway)
    assert f"{RECEIPTS} messages sent" in (await gateway.until("receipts", "warning")).summary
    await gateway.until("receipts", "ok")


async def messages_are_refused_for_good(gateway: Gateway, smsc: Simulator) -> None:
    smsc.change_behaviour({"reject_share": 1, "reject_status": NUMBER_IS_NONE})
    await load(gateway.sendsms_port, 3, speed=200, series=1)
    await drained(gateway)
    assert "3 REJECTED Send SMS" in (await gateway.until("lost", "warning")).summary
    assert "ESME_RINVDSTADR" in (await gateway.until("other-refusals", "warning")).summary
    smsc.change_behaviour({"reject_share": 0})
    await gateway.logs_begin_anew()
    await gateway.until("other-refusals", "ok")
    await gateway.until("lost", "ok")


async def links_break(gateway: Gateway, *smscs: Simulator) -> None:
    for times in ("1 time ", "2 times ", "3 times "):
        await gateway.until("sending", "ok")
        for smsc in smscs:  # of either host: where the first one is slow to come back, the other takes over
            smsc.drop_connections()
        async with asyncio.timeout(PATIENCE):
            while times not in (check := (await gateway.look()).of("flapping")[0]).summary:
                pass
    assert check.status == "warning"
    for id in ("links", "backup"):
        await gateway.until(id, "ok")
    await gateway.logs_begin_anew()
    await gateway.until("flapping", "ok")


async def binds_are_refused(gateway: Gateway, *smscs: Simulator) -> None:
    for smsc in smscs:
        smsc.change_account(LOGIN, {"bind-status": WRONG_PASSWORD})
        smsc.drop_connections()
    assert "ESME_RINVPASWD" in (await gateway.until("binds", "critical")).summary
    assert "bench-1" in (await gateway.until("links", "critical")).summary
    for smsc in smscs:
        smsc.change_account(LOGIN, {"bind-status": 0})
    async with aiohttp.ClientSession() as session:  # kannelkit would try by itself, ever more rarely
        await Admin(session, gateway.admin_port, ADMIN_PASSWORD).start_link("bench-1")
    for id in ("links", "backup"):
        await gateway.until(id, "ok")
    await gateway.logs_begin_anew()
    await gateway.until("binds", "ok")


async def what_befalls_kannelkit_and_the_boxes(folder: Path) -> None:
    async with running(folder) as (gateway, first, _):
        await somebody_pauses(gateway)
        await the_spec_changes(gateway)
        await descriptors_run_out(gateway)
        await memory_is_more_than_it_may_be(gateway)
        await kannelkit_goes_and_the_provider_refuses(gateway, first)


async def somebody_pauses(gateway: Gateway) -> None:
    for command, status in (("pause", "warning"), ("resume", "ok")):
        assert (await gateway.command(command, str(gateway.path), LOGIN))[0] == 0
        await gateway.until("rate-control", status)  # type: ignore[arg-type] # one of the words


async def the_spec_changes(gateway: Gateway) -> None:
    text = gateway.path.read_text()
    gateway.path.write_text(text.replace("throughput: 60", "throughput: 50"))
    await gateway.until("spec", "warning")
    gateway.path.write_text(text)
    await gateway.until("spec", "ok")


async def descriptors_run_out(gateway: Gateway) -> None:
    smsbox = psutil.Process(gateway.boxes()["smsbox"].pid)
    soft, hard = smsbox.rlimit(psutil.RLIMIT_NOFILE)
    smsbox.rlimit(psutil.RLIMIT_NOFILE, (60, hard))
    async with AsyncExitStack() as clients:
        for _ in range(30):
            _, writer = await asyncio.open_connection("127.0.0.1", gateway.sendsms_port)
            clients.callback(writer.close)
        assert "smsbox has" in (await gateway.until("descriptors", "warning", "critical")).summary
    smsbox.rlimit(psutil.RLIMIT_NOFILE, (soft, hard))
    await gateway.until("descriptors", "ok")


async def memory_is_more_than_it_may_be(gateway: Gateway) -> None:
    """A box does not grow at will, so that the bound is what changes."""
    for bound, code in (("1", 1), ("1000", 0)):
        found, line = await gateway.plugin("--check", "memory", "-w", f"memory-megabytes={bound}")
        assert found == code, line


async def kannelkit_goes_and_the_provider_refuses(gateway: Gateway, smsc: Simulator) -> None:
    """Without a supervisor what was refused is read in the logs, and nobody adapts the rate."""
    process = psutil.Process(gateway.pid)
    assert await gateway.end(signal.SIGKILL) == -signal.SIGKILL
    assert not process.is_running()
    await gateway.until("supervisor", "warning")
    smsc.change_limit(LOGIN, 5)
    await load(gateway.sendsms_port, 60, speed=200, series=2)
    assert "refused as too fast" in (await gateway.until("refusals", "critical")).summary
    smsc.change_limit(LOGIN, None)
    await drained(gateway)
    await gateway.logs_begin_anew()
    await gateway.until("refusals", "ok")
    boxes = gateway.boxes()
    await gateway.start()
    await gateway.until("supervisor", "ok")
    assert gateway.boxes() == boxes

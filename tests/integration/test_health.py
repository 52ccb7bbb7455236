"""What befalls a real gateway changes the answer of a check, and its end changes it back."""

from __future__ import annotations

import asyncio
import itertools
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import aiohttp
import pytest
import yaml

from kannelkit.certs.dummy import dummy_certificate
from kannelkit.health.checks import report
from kannelkit.health.hysteresis import Steady
from kannelkit.health.observe import Observer
from kannelkit.health.values import sending
from kannelkit.host.processes import ProcessId, wait_gone
from kannelkit.spec import load as load_spec
from tests.harness.gateway import ADMIN_PASSWORD
from tests.harness.load import load
from tests.harness.node_smsc import NodeSmsc
from tests.harness.ports import free_ports
from tests.integration.looked_at import SECONDS, LookedAt
from tests.integration.operated import PATIENCE

pytestmark = pytest.mark.kannel

LOGIN = "bench"


class Gateway(LookedAt):
    """One account over TLS."""

    def __init__(self, folder: Path, smsc: NodeSmsc, pem: Path) -> None:
        super().__init__(folder, cast("Any", smsc), 60, tls_pem=pem)  # of a simulator it asks the port alone


def certificate(path: Path, *, expired: bool = False) -> Path:
    begins = datetime.now(UTC) - timedelta(days=800 if expired else 0)
    path.write_bytes(dummy_certificate(["127.0.0.1"], 400, begins))
    path.chmod(0o600)
    return path


@contextmanager
def stopped(pid: int) -> Iterator[None]:
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


async def test_what_befalls_a_gateway_changes_the_answer_and_its_end_changes_it_back(tmp_path: Path) -> None:
    pem = certificate(tmp_path / "kannel.pem")
    (port,) = free_ports(1)
    async with NodeSmsc(tls_pem=pem, port=port) as smsc, Gateway(tmp_path / "gateway", smsc, pem) as gateway:
        await gateway.well()
        code, line = await gateway.plugin()
        assert (code, line.split(" | ")[0]) == (0, "KANNEL OK - 1 account sending, 0 messages waiting")
        await bearerbox_hangs(gateway)
        await bearerbox_is_busy(gateway)
        await bind_comes_and_goes(gateway, smsc)
        await smsc_goes(gateway, smsc)
        await certificate_expires(gateway, pem)
        await password_is_another(gateway, tmp_path / "elsewhere.yaml")
        await logs_go(gateway)
        for name in ("smsbox", "bearerbox"):
            await box_is_killed(gateway, name)
        await gateway.well()


async def bearerbox_hangs(gateway: Gateway) -> None:
    with stopped(gateway.boxes()["bearerbox"].pid):
        check = await gateway.until("bearerbox", "critical")
        assert "is stopped by a signal" in check.summary
        assert not sending(gateway.last, LOGIN)
        assert (await gateway.plugin())[0] == 2
    await gateway.until("bearerbox", "ok")
    assert sending(gateway.last, LOGIN)


async def bearerbox_is_busy(gateway: Gateway) -> None:
    """Wrong passwords hold the administration port, each a second longer than the one before, while messages go on."""
    for series in range(1, 6):  # again where a busy machine looked too late
        sent = asyncio.create_task(load(gateway.sendsms_port, 300, speed=60, series=series))
        async with aiohttp.ClientSession(f"http://127.0.0.1:{gateway.admin_port}") as session:
            wrong = [asyncio.create_task(denied(session)) for _ in range(3)]
            await asyncio.sleep(0.3)
            found = await gateway.look()
            await asyncio.gather(*wrong)
        (check,) = found.of("bearerbox")
        await gateway.until("bearerbox", "ok")
        await sent
        if check.status != "ok":
            break
    assert check.status == "warning"
    assert "is busy: " in check.summary
    assert sending(found, LOGIN)


async def denied(session: aiohttp.ClientSession) -> None:
    async with session.get("/status.xml?password=wrong") as answer:
        assert b"Denied" in await answer.read()


async def bind_comes_and_goes(gateway: Gateway, smsc: NodeSmsc) -> None:
    """What is seen flaps; what is told does not."""
    spec, observer, steady = load_spec(gateway.path, {}), Observer(), Steady()
    seen: list[bool] = []
    told: list[bool] = []

    async def look() -> None:
        found = report(await asyncio.to_thread(observer.observe, spec, SECONDS), spec.health_thresholds)
        seen.append(sending(found, LOGIN))
        told.append(sending(steady.settled(found, 0.3 * len(seen)), LOGIN))  # three a second, however long one takes

    await look()
    for _ in range(5):
        await smsc.close_binds()
        for _ in range(3):
            await look()
            await asyncio.sleep(0.2)
    assert changes(seen) >= 2
    assert changes(told) <= 1
    await gateway.until("sending", "ok")
    deadline = time.monotonic() + PATIENCE
    while not told[-1]:
        await look()
        assert time.monotonic() < deadline
        await asyncio.sleep(0.1)


def changes(answers: list[bool]) -> int:
    return sum(before != after for before, after in itertools.pairwise(answers))


async def smsc_goes(gateway: Gateway, smsc: NodeSmsc) -> None:
    await smsc.stop()
    check = await gateway.until("sending", "critical")
    assert "bench-1 re-connecting" in check.summary
    assert "Connection refused" in gateway.last.of("hosts")[0].summary
    assert gateway.last.of("links")[0].link == "bench-1"
    await smsc.start()
    await gateway.until("sending", "ok")
    assert gateway.last.of("links")[0].status == "ok"
    assert gateway.last.of("hosts") == ()


async def certificate_expires(gateway: Gateway, pem: Path) -> None:
    octets = pem.read_bytes()
    certificate(pem, expired=True)
    assert "expired 400 days ago" in (await gateway.until("certificates", "critical")).summary
    pem.write_bytes(octets)
    await gateway.until("certificates", "ok")


async def password_is_another(gateway: Gateway, path: Path) -> None:
    """Somebody looks from outside, with a state-dir of his own, and does not know the password any more."""
    spec: dict[str, Any] = gateway.spec()
    spec["state-dir"] = str(gateway.folder / "elsewhere")
    for password, status in ((ADMIN_PASSWORD, "ok"), ("another", "unknown"), (ADMIN_PASSWORD, "ok")):
        spec["core"]["admin-password"] = password
        path.write_text(yaml.safe_dump(spec))
        check = await gateway.until("bearerbox", status, path=path)  # type: ignore[arg-type] # one of the words
    assert "bearerbox runs" in check.summary


async def logs_go(gateway: Gateway) -> None:
    folder = gateway.log.parent
    away = folder.with_name("away")
    folder.rename(away)
    assert str(gateway.log) in (await gateway.until("logs", "critical")).summary
    away.rename(folder)
    await gateway.until("logs", "ok")


async def box_is_killed(gateway: Gateway, name: str) -> None:
    """The supervisor is held, so that the box stays away until it was seen, and hangs itself meanwhile."""
    process: ProcessId = gateway.boxes()[name]
    with stopped(gateway.pid):
        os.kill(process.pid, signal.SIGKILL)
        assert await wait_gone(process, PATIENCE)
        check = await gateway.until(name, "critical")
        assert "is not running" in check.summary
        assert sending(gateway.last, LOGIN) == (name == "smsbox")
        assert "supervisor: no answer in time" in gateway.last.of("sources")[0].summary
    await gateway.until(name, "ok")
    assert gateway.boxes()[name] != process
    await gateway.until("sending", "ok")


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A folder on a file system of two megabytes."""
    folder = tmp_path / "gateway" / "state" / "log"
    folder.mkdir(parents=True)
    if os.geteuid() != 0:
        pytest.skip("only root may mount a file system")
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m", "kannelkit-test", folder], capture_output=True, text=True, check=False
    )
    if done.returncode:
        pytest.skip(f"no file system can be mounted here: {done.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


async def test_a_disk_that_fills_up_is_told(tmp_path: Path, small: Path) -> None:
    pem = certificate(tmp_path / "kannel.pem")
    async with NodeSmsc(tls_pem=pem) as smsc, Gateway(tmp_path / "gateway", smsc, pem) as gateway:
        await gateway.well()
        with (small / "ballast").open("wb", buffering=0) as ballast, suppress(OSError):
            while ballast.write(bytes(100_000)):
                pass
        check = next(check for check in (await gateway.look()).of("disk") if check.link == str(small))
        assert (check.status, "0 % of its space free" in check.summary) == ("critical", True)
        assert (await gateway.plugin("--check", "disk"))[0] == 2
        (small / "ballast").unlink()
        await gateway.well()

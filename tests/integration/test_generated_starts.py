"""A generated file, run: both boxes start with it, the parking link holds messages, received ones get no reply."""

from __future__ import annotations

import asyncio
import contextlib
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import aiohttp
import pytest

from kannelkit.errors import GatewayError
from kannelkit.gateway.admin import Admin
from kannelkit.gateway.sendsms import Message, SendSms
from kannelkit.gateway.status import GatewayStatus
from kannelkit.host.secrets import keep
from kannelkit.render import kannel_conf
from kannelkit.spec import Spec, load
from tests.harness.child import start, stop
from tests.harness.ports import free_ports

pytestmark = pytest.mark.kannel

SMALLEST = Path(__file__).parents[2] / "examples/smallest.yaml"
FAKESMSC = "/usr/lib/kannel/test/fakesmsc"
CLOSED_PORT = 1  # nothing listens there; no test reaches a provider


def spec_of(folder: Path, text: str) -> Spec:
    """Return the spec in the text with ports that are free, and with passwords made."""
    admin, smsbox, sendsms, health = free_ports(4)
    ports = (
        f"core: {{admin-port: {admin}, smsbox-port: {smsbox}}}\nsmsbox: {{sendsms-port: {sendsms}}}\n"
        f"health: {{listen: '127.0.0.1:{health}'}}\n"
    )
    (folder / "spec.yaml").write_text(text + ports)
    spec = load(folder / "spec.yaml", {"SMSCRU_PASSWORD": "secret"})
    for needed in spec.folders():
        needed.mkdir(parents=True, exist_ok=True)
    return spec.with_made(keep(spec.state_dir, spec.to_make()))


@contextlib.asynccontextmanager
async def running(spec: Spec, text: str) -> AsyncIterator[Admin]:
    """Run both boxes with the text as their kannel.conf, and stop them by pid."""
    conf = spec.files.kannel_conf
    conf.write_text(text)
    output = spec.state_dir / "output"
    boxes: list[Process] = []
    async with aiohttp.ClientSession() as session:
        admin = Admin(session, spec.admin_port, spec.admin_password)
        try:
            boxes.append(await start("/usr/sbin/bearerbox", "-v", "4", conf, output=output))
            await until(admin, lambda status: status.state == "running")
            boxes.append(await start("/usr/sbin/smsbox", "-v", "4", conf, output=output))
            await until(admin, lambda status: len(status.boxes) == 1)
            yield admin
        finally:
            for box in reversed(boxes):
                await stop(box, 20.0)


async def until(admin: Admin, wanted: Callable[[GatewayStatus], bool], seconds: float = 60.0) -> GatewayStatus:
    """Return the first status that is as wanted; raises TimeoutError when none is."""
    async with asyncio.timeout(seconds):
        while True:
            with contextlib.suppress(GatewayError):  # bearerbox does not answer yet
                status = await admin.status()
                if wanted(status):
                    return status
            await asyncio.sleep(0.1)


def states(status: GatewayStatus) -> dict[str, str]:
    return {link.admin_id: link.state for link in status.links}


async def test_the_smallest_example_starts(tmp_path: Path) -> None:
    backup = f"    backup-host: 127.0.0.1\n    backup-port: {CLOSED_PORT}\n"
    text = f"{SMALLEST.read_text()}    host: 127.0.0.1\n    port: {CLOSED_PORT}\n{backup}"
    spec = spec_of(tmp_path, text)
    async with running(spec, kannel_conf(spec)) as admin:
        status = await until(admin, lambda status: "connecting" not in states(status).values())
        assert states(status) == {
            "smsc.ru-1": "re-connecting",
            "smsc.ru-backup-1": "dead",
            "smsc.ru-park": "re-connecting",
        }
        assert status.dlr_storage == "spool"
        assert status.store_size == 0
    assert "starting" in log_of(spec.files.bearerbox_log)
    assert "Connected to bearerbox" in log_of(spec.files.smsbox_log)
    assert "Log begins" in log_of(spec.files.access_log)
    printed = (spec.state_dir / "output").read_text()
    assert "secret" not in printed + log_of(spec.files.bearerbox_log)


def log_of(path: Path | None) -> str:
    assert path is not None
    return path.read_text()


ONE_ACCOUNT = f"""
sendsms-user:
  - {{username: app, password: app}}
smsc:
  - smsc-id: a
    provider: smsc.ru
    host: 127.0.0.1
    port: {CLOSED_PORT}
    smsc-username: u
    smsc-password: p
"""


def without_parking(text: str) -> str:
    return "\n\n".join(group for group in text.split("\n\n") if "smsc-admin-id = a-park" not in group)


@pytest.mark.parametrize(("parked", "kept"), [(True, 1), (False, 0)])
async def test_the_parking_link_keeps_messages_while_the_only_link_is_stopped(
    tmp_path: Path, parked: bool, kept: int
) -> None:
    spec = spec_of(tmp_path, ONE_ACCOUNT)
    text = kannel_conf(spec)
    async with running(spec, text if parked else without_parking(text)) as admin, aiohttp.ClientSession() as session:
        sendsms = SendSms(session, spec.sendsms_port, "app", "app")
        await sendsms.send(Message("79990000000", "waits", sender="test"))
        await until(admin, lambda status: status.store_size == 1)
        await admin.stop_link("a-1")
        await until(admin, lambda status: states(status)["a-1"] == "dead")
        await asyncio.sleep(6)  # the router looks again within sms-resend-freq, which is 5 s
        status = await until(admin, lambda status: status.store_size == kept)
        assert status.store_size == kept
    assert ("DISCARDED SMS" in log_of(spec.files.access_log)) == (not parked)


async def test_a_received_message_is_not_answered(tmp_path: Path) -> None:
    (port,) = free_ports(1)
    fake = f"  - {{smsc-id: f, smsc: fake, port: {port}, connect-allow-ip: 127.0.0.1}}\n"
    spec = spec_of(tmp_path, ONE_ACCOUNT + fake)
    async with running(spec, kannel_conf(spec)) as admin:
        phone = await start(FAKESMSC, "-r", str(port), "-m", "1", "123 456 text hello", output=tmp_path / "phone")
        try:
            await until(admin, lambda status: status.sms_received_total == 1)
            async with asyncio.timeout(60):
                while "No reply sent" not in log_of(spec.files.smsbox_log):
                    await asyncio.sleep(0.1)
            assert (await admin.status()).store_size == 0
        finally:
            await stop(phone, 5.0)
    assert "Receive SMS" in log_of(spec.files.access_log)

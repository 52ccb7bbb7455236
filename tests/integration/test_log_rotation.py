"""Tail on the log of a real bearerbox that is rotated in every way an operator may have set up."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import aiohttp
import pytest

from kannelkit.errors import GatewayError
from kannelkit.gateway.admin import Admin
from kannelkit.host.tail import Tail
from tests.harness.ports import free_ports

pytestmark = [
    pytest.mark.kannel,
    pytest.mark.skipif(shutil.which("bearerbox", path="/usr/sbin:/usr/bin") is None, reason="needs Kannel"),
]

CONFIGURATION = """
group = core
admin-port = {admin}
admin-interface = 127.0.0.1
admin-password = secret
smsbox-port = {smsbox}
smsbox-interface = 127.0.0.1
log-file = {folder}/bearerbox.log
log-level = 0

group = smsbox
bearerbox-host = 127.0.0.1
sendsms-port = 1

group = smsc
smsc = smpp
smsc-id = park
host = 127.0.0.1
port = 1
smsc-username = a
smsc-password = b
system-type = ""
transceiver-mode = true
reconnect-delay = 86400
"""


@pytest.fixture
def bearerbox(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    admin, smsbox = free_ports(2)
    path = tmp_path / "kannel.conf"
    path.write_text(CONFIGURATION.format(admin=admin, smsbox=smsbox, folder=tmp_path))
    child = subprocess.Popen(["/usr/sbin/bearerbox", path], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    yield child, admin
    if child.poll() is None:
        child.terminate()
    try:
        child.wait(8)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


@pytest.mark.parametrize("number", [signal.SIGQUIT, signal.SIGHUP])
@pytest.mark.parametrize("create", [True, False], ids=["create", "nocreate"])
async def test_every_line_of_a_rotated_log_is_read_once(
    tmp_path: Path, bearerbox: tuple[subprocess.Popen[bytes], int], number: signal.Signals, create: bool
) -> None:
    child, port = bearerbox
    path = tmp_path / "bearerbox.log"
    lines: list[bytes] = []
    with Tail(path, from_end=False) as tail:
        async with aiohttp.ClientSession() as session:
            admin = Admin(session, port, "secret")

            async def make_lines() -> None:
                """At level 0 bearerbox logs each request."""
                for _ in range(20):
                    await admin.status()
                    lines.extend(tail.read())

            async with asyncio.timeout(20):
                while True:
                    with suppress(GatewayError):  # it has not begun to listen
                        await make_lines()
                        break
                    await asyncio.sleep(0.05)
            for rotation in range(3):
                size = path.stat().st_size
                path.rename(tmp_path / f"bearerbox.log.{rotation}")
                if create:
                    os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o640))
                await make_lines()
                assert (tmp_path / f"bearerbox.log.{rotation}").stat().st_size > size  # it goes on in there
                child.send_signal(number)
                async with asyncio.timeout(10):
                    while not (path.exists() and path.stat().st_size):
                        await make_lines()
                        await asyncio.sleep(0.05)
                await make_lines()
        child.terminate()
        child.wait(20)
        lines.extend(tail.read())
    files = [tmp_path / f"bearerbox.log.{rotation}" for rotation in range(3)]
    written = b"".join(file.read_bytes() for file in [*files, path])
    assert lines == written.splitlines()
    assert len(lines) > 200

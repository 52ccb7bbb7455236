"""Tail on the log of a real bearerbox that is rotated in every way an operator may have set up."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import aiohttp
import pytest

from kannelkit.gateway.admin import Admin
from kannelkit.host.tail import Tail
from tests.harness.kannel import CORE, SMSBOX, Kannel

pytestmark = pytest.mark.kannel

PARKED = """
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


@pytest.mark.parametrize("number", [signal.SIGQUIT, signal.SIGHUP])
@pytest.mark.parametrize("create", [True, False], ids=["create", "nocreate"])
async def test_every_line_of_a_rotated_log_is_read_once(tmp_path: Path, number: signal.Signals, create: bool) -> None:
    path = tmp_path / "bearerbox.log"
    lines: list[bytes] = []
    kannel = Kannel(tmp_path, CORE + SMSBOX + PARKED, smsbox=False, log_level=0)
    with Tail(path, from_end=False) as tail:
        async with kannel, aiohttp.ClientSession() as session:
            admin = Admin(session, kannel.admin_port, kannel.admin_password)

            async def make_lines() -> None:
                """At level 0 bearerbox logs each request."""
                for _ in range(20):
                    await admin.status()
                    lines.extend(tail.read())

            await make_lines()
            for rotation in range(3):
                size = path.stat().st_size
                path.rename(tmp_path / f"bearerbox.log.{rotation}")
                if create:
                    os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o640))
                await make_lines()
                assert (tmp_path / f"bearerbox.log.{rotation}").stat().st_size > size  # it goes on in there
                kannel.bearerbox.send_signal(number)
                async with asyncio.timeout(60):
                    while not (path.exists() and path.stat().st_size):
                        await make_lines()
                        await asyncio.sleep(0.05)
                await make_lines()
        lines.extend(tail.read())
    files = [tmp_path / f"bearerbox.log.{rotation}" for rotation in range(3)]
    written = b"".join(file.read_bytes() for file in [*files, path])
    assert lines == written.splitlines()
    assert len(lines) > 200

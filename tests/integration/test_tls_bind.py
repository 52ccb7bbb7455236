"""A real bearerbox binds over TLS with a file that make-dummy-cert made."""

from __future__ import annotations

import asyncio
import ssl
import struct
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import click.testing
import pytest

from kannelkit.certs.dummy import dummy_certificate
from kannelkit.cli.make_dummy_cert import command
from kannelkit.gateway.admin import Admin
from kannelkit.simulator.rules import AccountRules
from kannelkit.simulator.server import Simulator
from tests.harness.kannel import CORE, SMSBOX, Kannel

pytestmark = pytest.mark.kannel

LINK = """
group = smsc
smsc = smpp
smsc-id = acc
host = 127.0.0.1
port = {port}
use-ssl = true
ssl-client-certkey-file = {certificate}
smsc-username = login
smsc-password = password
system-type = ISO
transceiver-mode = true
reconnect-delay = 1
"""


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    path = tmp_path / "kannel.pem"
    result = click.testing.CliRunner().invoke(command, [str(path)])
    assert result.exit_code == 0
    return path


@pytest.fixture
def providers_certificate(tmp_path: Path) -> Path:
    path = tmp_path / "provider.pem"
    path.write_bytes(dummy_certificate(["127.0.0.1"], 1, datetime.now(UTC)))
    return path


def bearerbox(folder: Path, certificate: Path, port: int) -> Kannel:
    """Return a bearerbox with one TLS link to 127.0.0.1 `port`."""
    return Kannel(folder, CORE + SMSBOX + LINK, smsbox=False, port=port, certificate=certificate)


async def test_it_shows_that_certificate_to_a_provider_that_wants_exactly_it(
    tmp_path: Path, certificate: Path, providers_certificate: Path
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(providers_certificate)
    context.verify_mode = ssl.CERT_REQUIRED  # the handshake fails without a certificate, and with any other one
    context.load_verify_locations(certificate)
    bound: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readexactly(16)
        length, command_id, _, _ = struct.unpack(">4I", head)
        assert command_id == 0x00000009  # bind_transceiver
        bound.set_result(await reader.readexactly(length - 16))
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    async with server, bearerbox(tmp_path, certificate, server.sockets[0].getsockname()[1]), asyncio.timeout(60):
        assert (await bound).startswith(b"login\0password\0ISO\0")


async def test_it_is_online_at_the_simulator(tmp_path: Path, certificate: Path, providers_certificate: Path) -> None:
    accounts = [AccountRules("login", "password")]
    async with Simulator(accounts, tls_port=0, certificate=providers_certificate) as smsc:
        assert smsc.tls_port
        async with (
            bearerbox(tmp_path, certificate, smsc.tls_port) as kannel,
            aiohttp.ClientSession() as session,
            asyncio.timeout(60),
        ):
            admin = Admin(session, kannel.admin_port, kannel.admin_password)
            while not (status := await admin.status()).links[0].online:
                await asyncio.sleep(0.05)
        assert status.links[0].name.startswith("SSMPP:127.0.0.1:")

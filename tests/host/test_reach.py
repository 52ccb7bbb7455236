"""What takes a connection, what refuses it, and what only seems to take it."""

from __future__ import annotations

import asyncio
import dataclasses
import os
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from kannelkit.host.reach import Address, ipv4_addresses, ipv6_addresses, reach, unverified, visit
from tests.certs.authority import signed
from tests.harness.pem import write_pem
from tests.harness.ports import closed_port

PATIENCE = 60.0  # seconds for what comes; a busy machine may take its time
Behaviour = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def waits(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Wait for a bind, as an SMSC does."""
    await reader.read()
    writer.close()


async def closes(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.close()


async def speaks(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Say something first, as an SMSC with outbind may."""
    writer.write(b"\0")
    await reader.read()
    writer.close()


@asynccontextmanager
async def server(behaviour: Behaviour, pem: Path | None = None) -> AsyncIterator[int]:
    tls = None
    if pem is not None:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(pem)
    running = await asyncio.start_server(behaviour, "127.0.0.1", 0, ssl=tls)
    async with running:
        yield running.sockets[0].getsockname()[1]


@pytest.mark.parametrize(
    ("behaviour", "answer", "stays"),
    [(waits, None, 0.3), (speaks, None, PATIENCE), (closes, "the connection is closed at once", PATIENCE)],
)
async def test_a_host_that_listens(behaviour: Behaviour, answer: str | None, stays: float) -> None:
    async with server(behaviour) as port:
        assert await reach(Address("127.0.0.1", port), PATIENCE, stays=stays) == answer
        assert await reach(Address("127.0.0.1", port, source="127.0.0.1"), PATIENCE, stays=stays) == answer
        assert await reach(Address("127.0.0.1", port, source="*"), PATIENCE, stays=stays) == answer


async def test_tls_is_tried_where_the_link_uses_it(tmp_path: Path) -> None:
    pem = write_pem(tmp_path / "smsc.pem")
    async with server(waits, pem) as port:
        assert await reach(Address("127.0.0.1", port, tls=True), PATIENCE) is None
        assert await reach(Address("127.0.0.1", port, tls=True, certificate=pem), PATIENCE) is None
        assert await reach(Address("127.0.0.1", port, tls=True, certificate=tmp_path / "none.pem"), PATIENCE) is None
    async with server(speaks) as port:
        answer = await reach(Address("127.0.0.1", port, tls=True), 1.0)
        assert answer is not None
        assert answer.startswith("no ")


async def test_nobody_listens() -> None:
    with closed_port() as port:
        assert await reach(Address("127.0.0.1", port)) == "Connection refused"


async def test_a_queue_that_is_full_is_no_connection() -> None:
    """As with a host that drops what it is sent."""
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        port = full.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)):
            assert await reach(Address("127.0.0.1", port), seconds=0.3) == "no connection within 0.3 s"


@pytest.mark.parametrize("host", ["no-such-host.invalid", "a" * 300, "\u0000", ""])
async def test_a_name_that_is_none(host: str) -> None:
    assert await reach(Address(host, 1)) is not None


async def test_a_visit_tells_what_was_seen(tmp_path: Path) -> None:
    pem = write_pem(tmp_path / "smsc.pem")
    async with server(waits, pem) as port:
        seen = await visit(Address("127.0.0.1", port, tls=True), PATIENCE)
        assert (seen.trouble, seen.why, seen.source) == (None, "", "127.0.0.1")
        assert seen.tls.startswith("TLSv1.")
        assert ssl.DER_cert_to_PEM_cert(seen.certificate) in pem.read_text()
    async with server(speaks) as port:
        assert (await visit(Address("127.0.0.1", port))).trouble is None
        assert (await visit(Address("127.0.0.1", port, source="192.0.2.1"))).trouble == "source"
    async with server(closes) as port:
        assert (await visit(Address("127.0.0.1", port), stays=PATIENCE)).trouble == "closed"
    with closed_port() as port:
        assert (await visit(Address("127.0.0.1", port))).trouble == "refused"


async def test_a_host_that_wants_a_certificate_says_so(tmp_path: Path) -> None:
    """With TLS 1.3 the alert comes when the handshake seems to be over."""
    pem = write_pem(tmp_path / "smsc.pem")
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(pem)
    tls.verify_mode = ssl.CERT_REQUIRED
    tls.load_verify_locations(pem)

    def serve(listener: socket.socket) -> None:  # asyncio's own server would close without the alert
        for _ in range(2):
            connection, _ = listener.accept()
            with suppress(OSError), tls.wrap_socket(connection, server_side=True) as secured:
                secured.recv(1)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        serving = threading.Thread(target=serve, args=(listener,))
        serving.start()
        address = Address("127.0.0.1", listener.getsockname()[1], tls=True)
        without = await visit(address, PATIENCE, stays=PATIENCE)
        with_it = await visit(dataclasses.replace(address, certificate=pem), PATIENCE)
        await asyncio.to_thread(serving.join)
    assert without.trouble == "tls"
    assert "certificate required" in without.why
    assert with_it.trouble is None


async def test_who_checks_takes_what_he_trusts(tmp_path: Path) -> None:
    pem = write_pem(tmp_path / "smsc.pem")
    async with server(waits, pem) as port:
        address = Address("127.0.0.1", port, tls=True)
        assert await unverified(address, pem, PATIENCE) is None
        assert await unverified(address, seconds=PATIENCE) == "self-signed certificate"
    with closed_port() as port, pytest.raises(ConnectionRefusedError):
        await unverified(Address("127.0.0.1", port, tls=True), pem, PATIENCE)


def test_the_terminal_is_not_asked_for_a_passphrase(tmp_path: Path) -> None:
    """OpenSSL would, at the terminal that it runs in."""
    pem = tmp_path / "locked.pem"
    locked = signed("client", None)
    pem.write_bytes(locked.locked_key_pem(b"word") + locked.pem)
    program = "import asyncio, sys; from pathlib import Path; from kannelkit.host.reach import Address, reach; "
    program += "asyncio.run(reach(Address('127.0.0.1', 1, tls=True, certificate=Path(sys.argv[1]))))"
    ran = ["setsid", "--ctty", sys.executable, "-c", program, str(pem)]
    master, slave = os.openpty()
    try:
        assert subprocess.run(ran, stdin=slave, stdout=slave, stderr=slave, timeout=60, check=False).returncode == 0
        os.set_blocking(master, False)
        with pytest.raises(BlockingIOError):
            os.read(master, 100)
    finally:
        os.close(master)
        os.close(slave)


def test_addresses_of_a_host() -> None:
    assert ipv4_addresses("127.0.0.1") == ("127.0.0.1",)
    assert ipv6_addresses("::1") == ("::1",)
    with pytest.raises(socket.gaierror):
        ipv4_addresses("no-such-host.invalid")

"""doctor beside a real gateway, and in front of hosts of every kind: good ones, closed ones, hostile ones."""

from __future__ import annotations

import asyncio
import itertools
import json
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from kannelkit.certs.dummy import dummy_certificate
from kannelkit.doctor.examine import Binds, Request, examine
from kannelkit.doctor.values import Result
from kannelkit.simulator import AccountRules, Behaviour, Simulator
from kannelkit.spec.load import parse
from tests.harness.ports import free_ports
from tests.integration.operated import LOGIN, Up, simulator

NETWORK = frozenset({"dns", "connect", "tls", "bind"})
PASSWORD = "pa55word"


@asynccontextmanager
async def smsc(pem: Path | None = None, **rules: Any) -> AsyncIterator[Simulator]:
    accounts = [AccountRules("login", PASSWORD, **rules)]
    tls = {"tls_port": 0, "certificate": pem} if pem else {}
    async with Simulator(accounts, Behaviour(), **tls) as found:  # type: ignore[arg-type] # by name as they are declared
        yield found


def provider(folder: Path, days: int = 30) -> Path:
    """Return the certificate of a provider; it ends after so many days, or ended before."""
    path = folder / f"provider{days}.pem"
    path.touch(mode=0o600)
    path.write_bytes(dummy_certificate(["127.0.0.1"], days + 40, datetime.now(UTC) - timedelta(days=40), key="ec-p256"))
    return path


async def tried(
    folder: Path, *accounts: str, binds: Binds = "auto", seconds: float = 6, more: str = ""
) -> list[Result]:
    """Return what the network's steps say of accounts, each written as a YAML flow mapping without login."""
    admin, boxes, sendsms = free_ports(3)
    listed = "".join(
        f"  - {{smsc-id: acc{number}, smsc-username: login, smsc-password: {PASSWORD}, {each}}}\n"
        for number, each in enumerate(accounts)
    )
    text = f"core: {{admin-port: {admin}, smsbox-port: {boxes}{more}}}\nsmsbox: {{sendsms-port: {sendsms}}}\nsmsc:\n"
    spec = parse(text + listed, folder / "gateway.yaml", {}, "gateway.yaml")
    found = [each async for each in examine(Request(spec, (), (), "gateway.yaml", binds, NETWORK, seconds))]
    assert PASSWORD not in repr(found)
    return found


def told(results: Sequence[Result], step: str) -> list[tuple[str, str]]:
    return [(result.status, result.summary) for result in results if result.step == step]


async def test_a_host_as_it_should_be(tmp_path: Path) -> None:
    async with smsc() as found:
        results = await tried(tmp_path, f"host: localhost, port: {found.port}")
        assert [result.status for result in results] == ["ok"] * 4
        assert "bound as transmitter" in results[-1].summary
        assert "SMPP 3.4" in results[-1].summary
        assert found.account("login").links == []


async def test_tls_with_certificates_of_every_kind(tmp_path: Path) -> None:
    good, expired = provider(tmp_path), provider(tmp_path, days=-1)
    for pem, words in ((good, "Kannel does not check"), (expired, "expired")):
        async with smsc(pem) as found:
            results = await tried(tmp_path, f"host: 127.0.0.1, port: {found.tls_port}, use-ssl: true")
        ((status, summary),) = told(results, "tls")
        assert status == "ok"
        assert "TLSv1." in summary
        assert words in summary
        assert told(results, "bind")[0][0] == "ok"


@pytest.mark.parametrize(("trusted", "status"), [("own", "ok"), ("other", "failed")])
async def test_kannel_checks_where_it_is_told_whom_to_trust(trusted: str, status: str, tmp_path: Path) -> None:
    pem, other = provider(tmp_path), provider(tmp_path, days=20)
    authorities = pem if trusted == "own" else other
    async with smsc(pem) as found:
        account = f"host: 127.0.0.1, port: {found.tls_port}, use-ssl: true"
        results = await tried(tmp_path, account, more=f", ssl-trusted-ca-file: {authorities}")
    assert told(results, "tls")[0][0] == status


async def test_tls_on_the_wrong_port_either_way(tmp_path: Path) -> None:
    async with smsc(provider(tmp_path)) as found:
        to_plain = f"provider: smsc.ru, host: 127.0.0.1, port: {found.port}, use-ssl: true"
        to_tls = f"provider: smsc.ru, host: 127.0.0.1, port: {found.tls_port}"
        results = await tried(tmp_path, f"{to_plain}, backup-host: 127.0.0.1", f"{to_tls}, backup-host: 127.0.0.1")
    tls = next(result for result in results if result.step == "tls")
    assert (tls.status, "3443" in tls.details[0]) == ("failed", True)
    bind = [result for result in results if result.step == "bind"]
    assert bind[0].status == "skipped"
    assert bind[2].status == "failed"
    assert "this port speaks TLS" in bind[2].advice


@pytest.mark.parametrize(
    ("rules", "words"),
    [({}, "wrong password"), ({"bind_status": 0x0D}, "0x0d"), ({"bind_status": 0x05}, "already bound")],
)
async def test_a_bind_that_is_refused(rules: dict[str, int], words: str, tmp_path: Path) -> None:
    async with Simulator([AccountRules("login", PASSWORD if rules else "other", **rules)], Behaviour()) as found:  # type: ignore[arg-type] # by name as they are declared
        results = await tried(tmp_path, f"provider: smsc.ru, host: 127.0.0.1, port: {found.port}")
    bind = next(result for result in results if result.step == "bind")
    assert bind.status == "failed"
    assert words in bind.summary
    assert bind.advice
    assert bool(bind.details) == ("already" not in words)


async def test_an_account_that_only_receives_binds_as_a_receiver(tmp_path: Path) -> None:
    async with smsc() as found:
        results = await tried(tmp_path, f"host: 127.0.0.1, port: 0, receive-port: {found.port}")
    assert "bound as receiver" in told(results, "bind")[0][1]


async def test_no_bind_is_no_bind(tmp_path: Path) -> None:
    async with smsc() as found:
        results = await tried(tmp_path, f"host: 127.0.0.1, port: {found.port}", binds="never")
        assert told(results, "bind")[0][0] == "skipped"
        assert found.account("login").counters.binds == 0


CONNECTS = """
import socket, sys
with socket.create_connection(("127.0.0.1", int(sys.argv[1]))):
    print(flush=True)
    sys.stdin.read()
"""


async def test_a_login_that_another_program_uses_is_left_alone(tmp_path: Path) -> None:
    """As an older gateway on this machine does, which this spec is to take the place of."""
    async with smsc() as found:
        other = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            CONNECTS,
            str(found.port),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        assert other.stdout is not None
        await other.stdout.readline()
        account = f"host: 127.0.0.1, port: {found.port}"
        ((status, summary),) = told(await tried(tmp_path, account), "bind")
        assert (status, f"(pid {other.pid})" in summary) == ("skipped", True)
        assert told(await tried(tmp_path, account, binds="always"), "bind")[0][0] == "ok"
        await other.communicate(b"")


# -- hosts that are none

Peer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()
    writer.close()


async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while True:
            writer.write(b"220 mail.test ESMTP\r\n" * 100)
            await writer.drain()
    except ConnectionError:
        writer.close()


async def closes(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.close()


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while octets := await reader.read(4096):
        writer.write(octets)
    writer.close()


async def alert(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"\x15\x03\x01\x00\x02\x02\x28")
    await reader.read()
    writer.close()


PEERS: Sequence[Peer] = (silent, endless, closes, echo, alert)


async def test_hostile_hosts_hang_and_crash_nothing(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        accounts = []
        for behaviour, tls in itertools.product(PEERS, (False, True)):
            server = await stack.enter_async_context(await asyncio.start_server(behaviour, "127.0.0.1", 0))
            port = server.sockets[0].getsockname()[1]
            accounts.append(f"host: 127.0.0.1, port: {port}{', use-ssl: true' if tls else ''}")
        with socket.socket() as closed, socket.socket() as full:
            closed.bind(("127.0.0.1", 0))
            full.bind(("127.0.0.1", 0))
            full.listen(0)
            with socket.create_connection(full.getsockname()):
                for each in (closed, full):
                    accounts.append(f"host: 127.0.0.1, port: {each.getsockname()[1]}")
                accounts.append("host: no-such-host.invalid, port: 1")
                async with asyncio.timeout(60):
                    results = await tried(tmp_path, *accounts, seconds=3)
    binds = [result for result in results if result.step == "bind"]
    assert len(binds) == len(accounts)
    assert {result.status for result in binds} <= {"failed", "skipped"}
    assert {result.status for result in results if result.step == "tls"} <= {"failed", "skipped"}


async def test_time_is_bounded_however_many_accounts_there_are(tmp_path: Path) -> None:
    async with await asyncio.start_server(silent, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        accounts = [f"host: 127.0.0.1, port: {port}, our-host: 127.0.0.{number}" for number in range(1, 120)]
        async with asyncio.timeout(60):
            results = await tried(tmp_path, *accounts, seconds=3)
    binds = [result for result in results if result.step == "bind"]
    assert len(binds) == len(accounts)
    assert any("no time was left" in result.summary for result in binds)


# -- beside a gateway that runs


async def doctor(path: Path, *arguments: str) -> tuple[int, list[dict[str, Any]]]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "kannelkit",
        "doctor",
        str(path),
        "--json",
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        stdin=asyncio.subprocess.DEVNULL,
    )
    output, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, json.loads(output)["results"]


@pytest.mark.kannel
async def test_a_gateway_that_runs_is_not_disturbed(tmp_path: Path) -> None:
    async with simulator() as found, AsyncExitStack() as stack:
        gateway = Up(tmp_path, found)
        stack.push_async_callback(gateway.stop)
        await gateway.start()
        code, results = await doctor(gateway.path)
        by_step = {each["step"]: each for each in results}
        # lint has something against the one password that is used twice
        assert [each["step"] for each in results if each["status"] == "failed"] == ["spec"]
        assert code == 1
        assert "1 of 1 links online" in by_step["gateway"]["summary"]
        assert "the gateway's own" in by_step["ports"]["summary"]
        assert by_step["bind"]["status"] == "skipped"
        assert found.account(LOGIN).counters.closed_by_newer == 0

        code, results = await doctor(gateway.path, "--only", "bind", "--bind")
        assert (code, [each["status"] for each in results]) == (0, ["ok"])
        assert found.account(LOGIN).counters.closed_by_newer >= 1

"""`kannelkit up` and providers over TLS: where a certificate is not good nothing is sent, and what to do is told."""

from __future__ import annotations

import asyncio
import ipaddress
import sys
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from kannelkit.certs.dummy import dummy_certificate
from kannelkit.simulator import AccountRules, Simulator
from tests.certs.authority import signed
from tests.harness.load import load
from tests.integration.operated import LOGIN, Up, arrived, drained, until
from tests.relay.test_tls import NOW, served

pytestmark = pytest.mark.kannel

HERE: list[x509.GeneralName] = [x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]


async def kannelkit(*arguments: str | Path) -> str:
    """Return what a command prints."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "kannelkit", *map(str, arguments)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    told, _ = await process.communicate()
    return told.decode()


def link(name: str, smsc: Simulator) -> dict[str, Any]:
    """Return an account that leads to a simulator's TLS port."""
    return {
        "smsc-id": name,
        "host": "127.0.0.1",
        "port": smsc.tls_port,
        "use-ssl": True,
        "smsc-username": LOGIN,
        "smsc-password": "secret",
        "throughput": 50,
        "pacing": "relay",
    }


async def simulated(stack: AsyncExitStack, certificate: Path) -> Simulator:
    rules = [AccountRules(LOGIN, "secret", limit=None)]
    return await stack.enter_async_context(Simulator(rules, tls_port=0, certificate=certificate))


async def test_what_is_not_the_provider_is_sent_nothing_and_why_is_told_with_what_to_do(tmp_path: Path) -> None:
    ours = signed("an authority", None, authority=True, begins=NOW)
    other = signed("somebody else", None, authority=True, begins=NOW)
    authorities = tmp_path / "authorities.pem"
    authorities.write_bytes(ours.pem)
    async with AsyncExitStack() as stack:
        good = await simulated(stack, served(tmp_path / "good.pem", ours, HERE))
        misnamed = await simulated(stack, served(tmp_path / "misnamed.pem", ours, [x509.DNSName("smpp.example")]))
        unknown = await simulated(stack, served(tmp_path / "unknown.pem", other, HERE))
        links = [link("good", good), link("misnamed", misnamed), link("unknown", unknown)]
        gateway = await stack.enter_async_context(
            Up(tmp_path, good, spec={"smsc": links}, core={"ssl-trusted-ca-file": str(authorities)})
        )
        words = {
            "misnamed": "the certificate is not for the name 127.0.0.1, and nothing is sent: kannelkit doctor shows",
            "unknown": f"the certificate is signed by nobody that {authorities} trusts, and nothing is sent: where it",
        }
        log = gateway.state / "relay/relay.log"
        await until(lambda: all(each in log.read_text() for each in words.values()), gateway.said)
        await until(lambda: all(each in gateway.said() for each in words.values()), gateway.said)
        history, status = await kannelkit("history", gateway.path), ""
        while (
            "problem: unknown" not in status or "problem: misnamed" not in status or "good-1      online" not in status
        ):
            status = await kannelkit("status", gateway.path)  # which looks at bearerbox and the relay once a second
        for account, each in words.items():
            assert each in history
            assert any(line.startswith(f"problem: {account}") and each in line for line in status.splitlines())
        doctor = await kannelkit("doctor", gateway.path, "--only", "tls")
        assert f"127.0.0.1:{misnamed.tls_port}" in doctor
        assert "it is for smpp.example, not for 127.0.0.1, and the relay refuses it" in doctor
        assert misnamed.account(LOGIN).counters.binds == unknown.account(LOGIN).counters.binds == 0
        sent = await load(gateway.sendsms_port, 5, speed=100)
        assert sent.failed == {}
        await until(lambda: arrived(good) == (5, 0))


async def test_without_authorities_any_certificate_is_taken_as_kannel_takes_it(tmp_path: Path) -> None:
    certificate = tmp_path / "smsc.pem"
    certificate.touch(mode=0o600)
    certificate.write_bytes(dummy_certificate(["smpp.example"], 1, datetime.now(UTC), key="ec-p256"))
    async with AsyncExitStack() as stack:
        smsc = await simulated(stack, certificate)
        gateway = await stack.enter_async_context(Up(tmp_path, smsc, spec={"smsc": [link("any", smsc)]}))
        await load(gateway.sendsms_port, 5, speed=100)
        await drained(gateway)
        assert arrived(smsc) == (5, 0)

"""Whose certificate the relay takes, and what it says where it takes none."""

from __future__ import annotations

import ipaddress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from kannelkit.relay.settings import Verify
from kannelkit.simulator import AccountRules, Simulator
from tests.certs.authority import Signed, ec_key, signed
from tests.relay.running import NAME, PASSWORD, account, bound, running
from tests.simulator.esme import Esme

RULES = AccountRules("test", "test", limit=None)
NOW = datetime.now(UTC)


def served(path: Path, by: Signed, names: list[x509.GeneralName], begins: datetime = NOW) -> Path:
    """Write what a provider shows: a key, and a certificate for these names."""
    key = ec_key()
    certificate = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([]))
        .issuer_name(by.certificate.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins - timedelta(days=1))
        .not_valid_after(begins + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=True)
        .sign(by.key, hashes.SHA256())
    )
    path.write_bytes(Signed(key, certificate).key_pem + Signed(key, certificate).pem)
    return path


@pytest.fixture
def authority(tmp_path: Path) -> tuple[Signed, Path]:
    made = signed("an authority", None, authority=True, begins=NOW - timedelta(days=1))
    path = tmp_path / "authority.pem"
    path.write_bytes(made.pem)
    return made, path


LOCAL: list[x509.GeneralName] = [
    x509.DNSName("smpp.example"),
    x509.IPAddress(ipaddress.ip_address("127.0.0.1")),
]


@pytest.mark.parametrize("name", ["", "smpp.example"])
async def test_the_provider_s_own_certificate_is_taken(
    name: str, authority: tuple[Signed, Path], tmp_path: Path
) -> None:
    by, authorities = authority
    async with Simulator([RULES], tls_port=0, certificate=served(tmp_path / "smsc.pem", by, LOCAL)) as smsc:
        assert smsc.tls_port is not None
        usual = account(smsc.tls_port, verify=Verify(authorities, name))
        settings = replace(usual, hosts=(replace(usual.hosts[0], tls=True),))
        async with running(tmp_path / "state", settings) as relay, bound(relay) as esme:
            assert (await esme.submit_and_wait()).command_status == 0


WRONG = {
    "another name": (Verify(None, "smpp.example.org"), True, 0, "is not for the name smpp.example.org"),
    "an unknown authority": (Verify(None, ""), False, 0, "is signed by nobody that"),
    "over": (Verify(None, ""), True, -30, "is not valid now"),
}


@pytest.mark.parametrize("what", WRONG)
async def test_any_other_is_refused_in_words_and_nothing_is_sent(
    what: str, authority: tuple[Signed, Path], tmp_path: Path
) -> None:
    verify, known, days, words = WRONG[what]
    by, authorities = authority
    if not known:
        by = signed("somebody else", None, authority=True, begins=NOW - timedelta(days=1))
    shown = served(tmp_path / "smsc.pem", by, LOCAL, NOW + timedelta(days=days))
    said: list[str] = []
    async with Simulator([RULES], tls_port=0, certificate=shown) as smsc:
        assert smsc.tls_port is not None
        usual = account(smsc.tls_port, verify=replace(verify, authorities=authorities))
        settings = replace(usual, hosts=(replace(usual.hosts[0], tls=True),))
        async with running(tmp_path / "state", settings, said=said) as relay, Esme(relay.ports[NAME]) as esme:
            esme.send(0x09, {"system_id": NAME.encode(), "password": PASSWORD})
            assert await esme.ended() == b""
        assert smsc.account("test").counters.binds == 0
    assert len(said) == 1
    assert words in said[0]


async def test_without_verification_any_certificate_is_taken(authority: tuple[Signed, Path], tmp_path: Path) -> None:
    by = signed("somebody else", None, authority=True)
    async with Simulator([RULES], tls_port=0, certificate=served(tmp_path / "smsc.pem", by, LOCAL)) as smsc:
        assert smsc.tls_port is not None
        usual = account(smsc.tls_port)
        settings = replace(usual, hosts=(replace(usual.hosts[0], tls=True),))
        async with running(tmp_path / "state", settings) as relay, bound(relay):
            pass


async def test_authorities_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    said: list[str] = []
    usual = account(1, verify=Verify(tmp_path / "missing.pem"))
    settings = replace(usual, hosts=(replace(usual.hosts[0], tls=True),))
    async with running(tmp_path / "state", settings, said=said) as relay, Esme(relay.ports[NAME]) as esme:
        esme.send(0x09, {"system_id": NAME.encode(), "password": PASSWORD})
        assert await esme.ended() == b""
    assert said == [f"127.0.0.1:1: cannot use the authorities {tmp_path}/missing.pem: No such file or directory"]

"""Certificates: an account's own, and those that hosts show."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from kannelkit.certs.inspect import inspect
from kannelkit.doctor.certificates import Handshake, Shown, covers, hosts, own
from kannelkit.spec.model import Threshold
from tests.certs.authority import BEGINS, Signed, signed

BOUNDS = Threshold(30, 7)
NOW = BEGINS + timedelta(days=1)
CLIENT = signed("client", None, days=90)
ROOT = signed("root", None, authority=True)
BELOW = signed("below", ROOT, authority=True)
LEAF = signed("leaf", BELOW)


def shown(octets: bytes | None, now: datetime = NOW) -> tuple[str, str, str]:
    seen = Shown(Path("/k.pem"), ("main",), None if octets is None else inspect(octets))
    (result,) = own([seen], now, BOUNDS)
    assert result.account == "main"
    return result.status, result.summary, result.advice


def test_a_certificate_as_it_should_be() -> None:
    status, summary, advice = shown(CLIENT.key_pem + CLIENT.pem)
    assert (status, advice) == ("ok", "")
    assert "CN=client" in summary
    assert "89 days" in summary


@pytest.mark.parametrize(
    ("octets", "days", "status", "words"),
    [
        (CLIENT.key_pem + CLIENT.pem, 70, "warning", "19 days"),
        (CLIENT.key_pem + CLIENT.pem, 88, "warning", "1 day"),
        (CLIENT.key_pem + CLIENT.pem, 91, "failed", "expired"),
        (CLIENT.key_pem + CLIENT.pem, -2, "warning", "valid only from"),
        (CLIENT.pem, 0, "failed", "no private key"),
        (CLIENT.key_pem, 0, "failed", "no certificate"),
        (b"", 0, "failed", "no certificate"),
        (signed("other", None).key_pem + CLIENT.pem, 0, "failed", "does not fit"),
        (CLIENT.locked_key_pem(b"word") + CLIENT.pem, 0, "failed", "passphrase"),
        (LEAF.key_pem + LEAF.pem + BELOW.pem + ROOT.pem, 0, "ok", "CN=leaf"),
        (LEAF.key_pem + LEAF.pem + ROOT.pem + BELOW.pem, 0, "warning", "CN=leaf"),
        (None, 0, "failed", "cannot be read"),
    ],
)
def test_what_is_wrong_with_one(octets: bytes | None, days: int, status: str, words: str) -> None:
    found, summary, advice = shown(octets, NOW + timedelta(days=days))
    assert found == status
    assert words in summary
    assert bool(advice) == (status != "ok")


def handshake(of: Signed, unverified: str | None = None, *, checked: bool = False) -> Handshake:
    return Handshake("TLSv1.3", inspect(of.pem).certificates[0], unverified, checked)


@pytest.mark.parametrize(
    ("seen", "status", "words"),
    [
        (handshake(CLIENT, "self-signed certificate"), "ok", "Kannel does not check"),
        (handshake(LEAF), "ok", "it is not for smpp.example.net"),
        (handshake(LEAF, checked=True), "ok", "signed by ssl-trusted-ca-file"),
        (handshake(LEAF, "certificate has expired", checked=True), "failed", "Kannel refuses it"),
        (handshake(signed("old", None, days=0)), "ok", "expired"),
        (Handshake("TLSv1.2", None, None, checked=False), "ok", "TLSv1.2"),
    ],
)
def test_what_a_host_shows(seen: Handshake, status: str, words: str) -> None:
    result = hosts("smpp.example.net", 3443, seen, NOW)
    assert result.status == status
    assert words in result.summary
    assert result.host == "smpp.example.net"


@pytest.mark.parametrize(
    ("names", "unverified", "status", "words"),
    [
        (
            ("smpp2.example.net",),
            None,
            "failed",
            "it is for smpp2.example.net, not for smpp.example.net",
        ),
        ((), None, "failed", "for no name, not for"),
        (("*.example.net",), "certificate has expired", "failed", "the relay refuses it: certificate has expired"),
        (("*.example.net",), None, "ok", "signed by ssl-trusted-ca-file"),
    ],
)
def test_what_the_relay_makes_of_it(names: tuple[str, ...], unverified: str | None, status: str, words: str) -> None:
    seen = handshake(LEAF, unverified, checked=True)
    assert seen.certificate is not None
    seen = replace(seen, certificate=replace(seen.certificate, names=names))
    result = hosts("smpp.example.net", 3443, seen, NOW, relayed=True)
    assert (result.status, words in result.summary) == (status, True)


@pytest.mark.parametrize(
    ("names", "host", "expected"),
    [
        (("smpp.example.net",), "smpp.example.net", True),
        (("SMPP.example.NET",), "smpp.example.net.", True),
        (("*.example.net",), "smpp.example.net", True),
        (("*.example.net",), "a.smpp.example.net", False),
        (("*.example.net",), "example.net", False),
        (("*",), "net", False),
        (("127.0.0.1",), "127.0.0.1", True),
        ((), "smpp.example.net", False),
    ],
)
def test_what_a_certificate_is_for(names: tuple[str, ...], host: str, expected: bool) -> None:
    assert covers(names, host) is expected

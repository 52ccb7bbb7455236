"""What is said about a certificate file, and whether OpenSSL, which Kannel asks, is of the same mind."""

from __future__ import annotations

import shutil
import ssl
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from hypothesis import given
from hypothesis import strategies as st

from kannelkit.certs.dummy import dummy_certificate
from kannelkit.certs.inspect import Contents, Key, inspect
from tests.certs.authority import BEGINS, Signed, ec_key, rsa_key, signed

ROOT = signed("root", None, authority=True)
BELOW = signed("below", ROOT, authority=True)
LEAF = signed("leaf", BELOW)
RSA = signed("rsa", BELOW, rsa_key())
WEAK = signed("weak", None, rsa_key(1024))
OTHER = ec_key()
TRADITIONAL = serialization.PrivateFormat.TraditionalOpenSSL


def with_key(each: Signed, *more: bytes) -> bytes:
    return b"".join([each.key_pem, each.pem, *more])


def openssl_takes(path: Path) -> bool:
    """Say whether the library that Kannel asks too can use the file."""
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_cert_chain(path, password="")
    except (ssl.SSLError, ValueError):
        return False
    return True


# Octets, whether they are usable, and what is wrong with them.
FILES: list[tuple[str, bytes, bool, list[str]]] = [
    ("key first", with_key(LEAF), True, []),
    ("certificate first", LEAF.pem + LEAF.key_pem, True, []),
    ("with a chain", with_key(LEAF, BELOW.pem, ROOT.pem), True, []),
    ("chain in the wrong order", with_key(LEAF, ROOT.pem, BELOW.pem), True, []),
    ("words between", b"Subject: x\n" + with_key(LEAF) + b"\nend", True, []),
    ("DOS lines", with_key(LEAF).replace(b"\n", b"\r\n"), True, []),
    ("RSA", with_key(RSA), True, []),
    ("traditional", RSA.locked_key_pem(None, TRADITIONAL) + RSA.pem, True, []),
    ("self-signed", dummy_certificate(["a"], 9, BEGINS, key="ed25519"), True, []),
    ("another's key", RSA.key_pem + LEAF.pem, False, ["the key does not fit the first certificate"]),
    ("the authority first", with_key(LEAF).replace(LEAF.pem, BELOW.pem + LEAF.pem), False, ["does not fit"]),
    ("locked", LEAF.locked_key_pem(b"x") + LEAF.pem, False, ["locked with a passphrase"]),
    ("locked in the old way", RSA.locked_key_pem(b"x", TRADITIONAL) + RSA.pem, False, ["locked with a passphrase"]),
    ("too short a key", with_key(WEAK), False, ["1024 bits"]),
    ("no key", LEAF.pem, False, []),
    ("no certificate", LEAF.key_pem, False, ["no certificate"]),
    ("empty", b"", False, ["no certificate"]),
    ("no PEM", b"\x30\x82\x00\x00", False, ["no certificate"]),
    ("a broken certificate", with_key(LEAF).replace(LEAF.pem[40:80], b""), False, ["cannot be read", "no certificate"]),
    ("cut", with_key(LEAF)[:-30], False, ["no certificate"]),
]


@pytest.mark.parametrize(("octets", "usable", "problems"), [row[1:] for row in FILES], ids=[row[0] for row in FILES])
def test_openssl_takes_what_is_said_to_be_usable(
    tmp_path: Path, octets: bytes, usable: bool, problems: list[str]
) -> None:
    contents = inspect(octets)
    assert contents.usable == usable
    assert len(contents.problems) == len(problems)
    for problem, words in zip(contents.problems, problems, strict=True):
        assert words in problem
    path = tmp_path / "file.pem"
    path.write_bytes(octets)
    assert openssl_takes(path) == usable


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs the openssl program, which still signs with SHA-1")
@pytest.mark.parametrize(("by", "usable"), [(None, True), (ROOT, False)])
def test_openssl_takes_sha_1_from_oneself_only(tmp_path: Path, by: Signed | None, usable: bool) -> None:
    for name, octets in {"key": LEAF.key_pem, "root": ROOT.key_pem + ROOT.pem}.items():
        (tmp_path / name).write_bytes(octets)

    def openssl(*arguments: str) -> bytes:
        return subprocess.run(["openssl", *arguments], cwd=tmp_path, capture_output=True, check=True).stdout

    made = openssl("req", *(() if by else ("-x509",)), "-new", "-key", "key", "-subj", "/CN=old", "-sha1")
    if by:
        (tmp_path / "request").write_bytes(made)
        made = openssl("x509", "-req", "-in", "request", "-CA", "root", "-CAkey", "root", "-set_serial", "7", "-sha1")
    path = tmp_path / "file.pem"
    path.write_bytes(LEAF.key_pem + made)
    contents = inspect(path.read_bytes())
    assert contents.certificates[0].self_signed == (by is None)
    assert contents.usable == usable == openssl_takes(path)


def test_a_certificate_is_described() -> None:
    contents = inspect(dummy_certificate(["gate.example", "10.0.0.1"], 30, BEGINS, common_name="Gate"))
    (certificate,) = contents.certificates
    assert certificate.subject == certificate.issuer == "CN=Gate"
    assert certificate.names == ("gate.example", "10.0.0.1")
    assert certificate.self_signed
    assert not certificate.authority
    assert certificate.key == contents.key == Key("RSA", 2048)
    assert certificate.signature_hash == "sha256"
    assert contents.valid_until == certificate.valid_until == BEGINS + timedelta(days=30)
    assert len(certificate.fingerprint) == 64


def test_days_are_whole_ones() -> None:
    (certificate,) = inspect(LEAF.pem).certificates
    until = certificate.valid_until
    assert [certificate.days_left(until - timedelta(seconds=seconds)) for seconds in (86_400, 86_399, 0, -1)] == [
        1,
        0,
        0,
        -1,
    ]


@pytest.mark.parametrize(
    ("chain", "in_order"), [([], True), ([BELOW, ROOT], True), ([ROOT, BELOW], False), ([ROOT], False), ([BELOW], True)]
)
def test_the_order_of_a_chain_is_seen(chain: list[Signed], in_order: bool) -> None:
    contents = inspect(with_key(LEAF, *(each.pem for each in chain)))
    assert contents.in_order == in_order
    assert [each.authority for each in contents.certificates] == [False] + [True] * len(chain)
    assert [each.self_signed for each in contents.certificates] == [False] + [each is ROOT for each in chain]


def test_a_subject_cannot_paint_the_terminal() -> None:
    (certificate,) = inspect(signed("a\x1b[2Jb\nc", None).pem).certificates
    assert certificate.subject.isprintable()
    assert "x1b" in certificate.subject


def test_the_key_does_not_come_out() -> None:
    assert str(LEAF.key.private_numbers()) not in repr(inspect(with_key(LEAF)))
    assert "PRIVATE" not in repr(inspect(with_key(LEAF)))


@given(
    st.lists(
        st.sampled_from([*with_key(LEAF, BELOW.pem).splitlines(keepends=True), b"-----BEGIN ", b"-----\n", b"\xff"])
        | st.binary(max_size=30)
    ).map(b"".join)
)
def test_any_octets_have_an_answer(octets: bytes) -> None:
    assert isinstance(inspect(octets), Contents)

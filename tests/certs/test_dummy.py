"""dummy_certificate, judged by Python's ssl and by the openssl program."""

from __future__ import annotations

import contextlib
import re
import ssl
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from kannelkit.certs.dummy import KEYS, dummy_certificate
from kannelkit.certs.inspect import inspect
from kannelkit.errors import KannelkitError

BEGINS = datetime(2026, 11, 22, 12, 30, tzinfo=UTC)


@pytest.fixture(scope="module")
def pem(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("cert") / "kannel.pem"
    path.write_bytes(dummy_certificate(["gate.example", "127.0.0.1", "::1", "пример.рф"], 30, BEGINS))
    return path


def shake_hands(server: ssl.SSLContext, client: ssl.SSLContext, name: str) -> None:
    """Do a TLS handshake in memory; raise ssl.SSLError when one of the two refuses."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    sides = [
        server.wrap_bio(to_server, to_client, server_side=True),
        client.wrap_bio(to_client, to_server, server_hostname=name),
    ]
    for _ in range(10):
        for side in sides:
            with contextlib.suppress(ssl.SSLWantReadError):
                side.do_handshake()


@pytest.mark.parametrize("name", ["gate.example", "127.0.0.1", "::1", "xn--e1afmkfd.xn--p1ai"])
def test_it_serves_as_servers_and_as_clients_certificate_for_each_name(tmp_path: Path, name: str) -> None:
    path = tmp_path / "now.pem"
    names = ["gate.example", "127.0.0.1", "::1", "пример.рф"]
    path.write_bytes(dummy_certificate(names, 1, datetime.now(UTC)))
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(path)
    server.verify_mode = ssl.CERT_REQUIRED
    server.load_verify_locations(path)
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.load_cert_chain(path)
    client.load_verify_locations(path)
    shake_hands(server, client, name)
    with pytest.raises(ssl.SSLCertVerificationError):
        shake_hands(server, client, "other.example")


def test_it_says_what_was_asked(pem: Path) -> None:
    certificate = x509.load_pem_x509_certificate(pem.read_bytes())
    assert certificate.not_valid_after_utc == BEGINS + timedelta(days=30)
    assert certificate.not_valid_before_utc == BEGINS - timedelta(days=1)
    assert certificate.issuer == certificate.subject
    assert certificate.subject.rfc4514_string() == "CN=gate.example"
    assert certificate.public_key().key_size == 2048  # type: ignore[union-attr] # it is RSA, which has a size


def test_openssl_reads_key_and_certificate_and_finds_them_a_pair(pem: Path) -> None:
    def openssl(*arguments: str) -> str:
        return subprocess.run(
            ["openssl", *arguments, "-in", pem, "-noout"], capture_output=True, text=True, check=True
        ).stdout

    assert openssl("rsa", "-modulus") == openssl("x509", "-modulus")
    assert "RSA key ok" in openssl("rsa", "-check")


def test_the_key_comes_first_in_the_file_and_nothing_else_is_there(pem: Path) -> None:
    assert re.findall(r"-----BEGIN ([A-Z ]+)-----", pem.read_text()) == ["PRIVATE KEY", "CERTIFICATE"]


def test_each_one_is_new(pem: Path) -> None:
    other = x509.load_pem_x509_certificate(dummy_certificate(["gate.example"], 30, BEGINS))
    first = x509.load_pem_x509_certificate(pem.read_bytes())
    assert first.serial_number != other.serial_number
    assert first.public_key() != other.public_key()


@pytest.mark.parametrize("name", ["", "a b", "a..b", "x" * 64 + ".example", "a\nb"])
def test_a_name_that_is_none_is_an_error(name: str) -> None:
    with pytest.raises(KannelkitError, match="host name"):
        dummy_certificate([name], 30, BEGINS)


def test_a_long_name_is_cut_in_the_subject_only() -> None:
    name = ".".join(["abcdefghijklmno"] * 10)
    certificate = x509.load_pem_x509_certificate(dummy_certificate([name], 30, BEGINS))
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == [name]


@pytest.mark.parametrize(
    ("key", "words"),
    [("rsa-2048", "RSA 2048"), ("ec-p256", "EC secp256r1"), ("ed25519", "Ed25519")],  # rsa-4096 takes seconds to make
)
def test_a_key_is_of_the_kind_that_was_asked(tmp_path: Path, key: str, words: str) -> None:
    path = tmp_path / "now.pem"
    path.write_bytes(dummy_certificate(["gate.example"], 1, datetime.now(UTC), key=key))
    contents = inspect(path.read_bytes())
    assert (str(contents.key), contents.usable) == (words, True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.load_verify_locations(path)
    shake_hands(context, client, "gate.example")


def test_there_is_a_row_for_each_kind() -> None:
    assert set(KEYS) == {"rsa-2048", "rsa-4096", "ec-p256", "ed25519"}


def test_a_common_name_needs_no_host() -> None:
    (certificate,) = inspect(dummy_certificate([], 1, BEGINS, common_name="ACME, Ltd", key="ec-p256")).certificates
    assert (certificate.subject, certificate.names) == ("CN=ACME\\, Ltd", ())
    (certificate,) = inspect(dummy_certificate(["a.example"], 1, BEGINS, common_name="b", key="ec-p256")).certificates
    assert (certificate.subject, certificate.names) == ("CN=b", ("a.example",))


@pytest.mark.parametrize("name", ["x" * 65, "a\nb", "\x1b[2J", "\0"])
def test_a_common_name_that_is_none_is_an_error(name: str) -> None:
    with pytest.raises(KannelkitError, match="a certificate can hold"):
        dummy_certificate(["a"], 1, BEGINS, common_name=name)


def test_a_date_that_does_not_exist_is_an_error() -> None:
    with pytest.raises(KannelkitError, match="last day"):
        dummy_certificate(["a"], 9_999_999, BEGINS)

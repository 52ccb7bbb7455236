"""A key and a self-signed certificate for providers that want some client certificate and do not check
whose.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from kannelkit.errors import KannelkitError

_LONGEST_COMMON_NAME = 64  # RFC 5280, appendix A: ub-common-name


def _rsa(bits: int) -> Callable[[], CertificateIssuerPrivateKeyTypes]:
    return lambda: rsa.generate_private_key(public_exponent=65537, key_size=bits)


# The kinds of key that the OpenSSL of a Kannel 1.4.5 takes; before 1.1.1 it knows no Ed25519.
KEYS: Mapping[str, Callable[[], CertificateIssuerPrivateKeyTypes]] = {
    "rsa-2048": _rsa(2048),
    "rsa-4096": _rsa(4096),
    "ec-p256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "ed25519": ed25519.Ed25519PrivateKey.generate,
}


def dummy_certificate(
    names: Sequence[str], days: int, begins: datetime, *, common_name: str = "", key: str = "rsa-2048"
) -> bytes:
    """Return a new key and a certificate for `names` signed by it, in one PEM, as Kannel's certkey files want it.

    `names` are host names or IP addresses; the first is the subject unless there is a `common_name`, and one of the two
    has to be there. `key` is one of KEYS. It is valid for `days` from `begins` (with a time zone), and from one day
    before it, for clocks that are behind, and serves as client's and as server's certificate. Raises KannelkitError for
    a name that no certificate can hold and a date past the year 9999.
    """
    alternatives = [_general_name(name) for name in names]
    if len(common_name) > _LONGEST_COMMON_NAME or not common_name.isprintable():
        raise KannelkitError(
            f"{common_name!r} is no name that a certificate can hold",
            f"at most {_LONGEST_COMMON_NAME} characters, please, all of them printable",
        )
    private = KEYS[key]()
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name or names[0][:_LONGEST_COMMON_NAME])])
    try:
        ends = begins + timedelta(days=days)
    except OverflowError as error:
        raise KannelkitError(f"{days} days from now is after the last day there is") from error
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins - timedelta(days=1))
        .not_valid_after(ends)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH]),
            critical=False,
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(private.public_key()), critical=False)
    )
    if alternatives:
        builder = builder.add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
    # Ed25519 has its own hash and takes no other.
    certificate = builder.sign(private, None if isinstance(private, ed25519.Ed25519PrivateKey) else hashes.SHA256())
    key_pem = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return key_pem + certificate.public_bytes(serialization.Encoding.PEM)


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        pass  # no address, so a host name
    try:
        if not name or any(character.isspace() for character in name):
            raise ValueError(name)
        return x509.DNSName(name.encode("idna").decode("ascii"))
    except ValueError as error:  # UnicodeError, which idna raises, is one
        raise KannelkitError(
            f"{name!r} is no host name that a certificate can hold", "letters, digits, hyphens and dots, please"
        ) from error

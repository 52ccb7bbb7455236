"""A certificate authority of our own: a root, one below it, and what the lower one signs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import NameOID

Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey

BEGINS = datetime(2026, 11, 22, 12, 30, tzinfo=UTC)


@dataclass(frozen=True)
class Signed:
    """A key, and the certificate that its issuer made for it."""

    key: Key
    certificate: x509.Certificate

    @property
    def key_pem(self) -> bytes:
        return self.locked_key_pem(None)

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    def locked_key_pem(
        self, passphrase: bytes | None, form: serialization.PrivateFormat = serialization.PrivateFormat.PKCS8
    ) -> bytes:
        """Return the key in PEM, with a passphrase where one is given."""
        lock = serialization.BestAvailableEncryption(passphrase) if passphrase else serialization.NoEncryption()
        return self.key.private_bytes(serialization.Encoding.PEM, form, lock)

    def pkcs12(self, passphrase: bytes | None, *chain: Signed) -> bytes:
        """Return it in a PKCS#12 file."""
        lock = serialization.BestAvailableEncryption(passphrase) if passphrase else serialization.NoEncryption()
        return pkcs12.serialize_key_and_certificates(
            b"kannel", self.key, self.certificate, [each.certificate for each in chain], lock
        )


def rsa_key(bits: int = 2048) -> rsa.RSAPrivateKey:
    """Return a new RSA key."""
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


def ec_key() -> ec.EllipticCurvePrivateKey:
    """Return a new EC key, which takes no time."""
    return ec.generate_private_key(ec.SECP256R1())


def signed(
    name: str,
    by: Signed | None,
    key: Key | None = None,
    *,
    authority: bool = False,
    begins: datetime = BEGINS,
    days: int = 90,
) -> Signed:
    """Return a key with a certificate by another one's key, or by its own."""
    key = key or ec_key()
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(by.certificate.subject if by else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(begins + timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        .sign(by.key if by else key, hashes.SHA256())
    )
    return Signed(key, certificate)

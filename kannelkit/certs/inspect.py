"""What is in a certificate file, and whether Kannel can bind with it; the private key itself never comes out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes, PrivateKeyTypes, PublicKeyTypes

# What cryptography raises over a certificate or a key that it cannot make sense of.
UNREADABLE = (
    ValueError,
    TypeError,
    UnsupportedAlgorithm,
    InvalidSignature,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
)
# The labels that OpenSSL's PEM_read_bio_X509 takes for a certificate.
CERTIFICATE_LABELS = frozenset({"CERTIFICATE", "X509 CERTIFICATE", "TRUSTED CERTIFICATE"})
# OpenSSL's security level 2, Debian's default, wants 112 bits of strength: SSL_CTX_set_security_level(3).
_FEWEST_BITS = {"RSA": 2048, "DSA": 2048, "EC": 224}
_BITS = {"Ed25519": 256, "Ed448": 456}  # of kinds that have one size only (RFC 8032)
_BROKEN_HASHES = frozenset({"md5", "sha1"})


@dataclass(frozen=True, slots=True)
class Key:
    """A key's kind (`RSA`, `EC`, `Ed25519`, ...), its size in bits (0 when not known), and an elliptic curve's name."""

    kind: str
    bits: int
    curve: str = ""

    def __str__(self) -> str:
        return self.kind if self.kind in _BITS else f"{self.kind} {self.curve or self.bits}"


@dataclass(frozen=True, slots=True)
class Certificate:
    """One certificate: subject and issuer as in RFC 4514, names it is good for, times in UTC, SHA-256 fingerprint."""

    subject: str
    names: tuple[str, ...]
    issuer: str
    self_signed: bool
    authority: bool
    key: Key
    signature_hash: str
    valid_from: datetime
    valid_until: datetime
    fingerprint: str

    def days_left(self, now: datetime) -> int:
        """Return the whole days until it expires; below 0 when it has."""
        return (self.valid_until - now).days


@dataclass(frozen=True, slots=True)
class Contents:
    """What a file holds, in its order; Kannel shows the first certificate and signs with the first key.

    `fits` says whether that key is that certificate's, nothing where one of the two is missing or locked. `in_order`
    says whether each certificate was signed by the next one. `problems` are what keeps Kannel from using what is there:
    its dates and a missing key are not among them, since a file of authorities has no key.
    """

    certificates: tuple[Certificate, ...]
    key: Key | None
    locked: bool
    fits: bool | None
    in_order: bool
    problems: tuple[str, ...]

    @property
    def valid_until(self) -> datetime | None:
        """When the certificate that Kannel shows expires."""
        return self.certificates[0].valid_until if self.certificates else None

    @property
    def usable(self) -> bool:
        """Whether it is what `ssl-client-certkey-file` needs: a certificate and its key, both as Kannel takes them."""
        return self.fits is True and not self.problems


def inspect(octets: bytes) -> Contents:
    """Return what the file with these octets holds; what is wrong with it is told, not raised.

    Sources: conn_init_client_ssl in gwlib/conn.c, which takes the first certificate and the first key of the file and
    has nobody to ask for a passphrase.
    """
    problems: list[str] = []
    loaded: list[tuple[x509.Certificate, Certificate]] = []
    keys = []
    for label, block in blocks(octets):
        try:
            if label in CERTIFICATE_LABELS:
                certificate = x509.load_pem_x509_certificate(block)
                loaded.append((certificate, _described(certificate)))
            elif is_key(label):
                keys.append(None if is_locked(label, block) else load_key(block))
        except UNREADABLE:
            problems.append(f"a block {label!r} that cannot be read")
    certificates = tuple(described for _, described in loaded)
    private = keys[0] if keys else None
    locked = bool(keys) and private is None
    fits = None
    if not certificates:
        problems.append("no certificate in PEM form")
    else:
        problems += _refusals(certificates[0])
        if private is not None:
            fits = same_key(private, loaded[0][0])
            if not fits:
                problems.append("the key does not fit the first certificate")
    if locked:
        problems.append("the key is locked with a passphrase, which Kannel cannot be given")
    return Contents(
        certificates=certificates,
        key=None if private is None else described_key(private.public_key()),
        locked=locked,
        fits=fits,
        in_order=all(issued_by(one, other) for (one, _), (other, _) in pairwise(loaded)),
        problems=tuple(problems),
    )


def _refusals(certificate: Certificate) -> Iterator[str]:
    """Yield why OpenSSL at security level 2 refuses the certificate, which it is only told to be unreadable then."""
    fewest = _FEWEST_BITS.get(certificate.key.kind, 0)
    if certificate.key.bits < fewest:
        yield f"a key of {certificate.key.bits} bits: OpenSSL takes {certificate.key.kind} from {fewest} bits on"
    if certificate.signature_hash in _BROKEN_HASHES and not certificate.self_signed:
        yield f"signed with {certificate.signature_hash.upper()}, which OpenSSL no longer takes"


def _described(certificate: x509.Certificate) -> Certificate:
    return Certificate(
        subject=distinguished(certificate.subject),
        names=_names(certificate),
        issuer=distinguished(certificate.issuer),
        self_signed=_is_self_signed(certificate),
        authority=_is_authority(certificate),
        key=described_key(certificate.public_key()),
        signature_hash=_signature_hash(certificate),
        valid_from=certificate.not_valid_before_utc,
        valid_until=certificate.not_valid_after_utc,
        fingerprint=certificate.fingerprint(hashes.SHA256()).hex(),
    )


def _signature_hash(certificate: x509.Certificate) -> str:
    algorithm = certificate.signature_hash_algorithm
    return algorithm.name if algorithm else ""


def _is_self_signed(certificate: x509.Certificate) -> bool:
    if _signature_hash(certificate) in _BROKEN_HASHES:  # which cryptography does not verify; OpenSSL goes by the names
        return certificate.issuer == certificate.subject
    return issued_by(certificate, certificate)


def _names(certificate: x509.Certificate) -> tuple[str, ...]:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ()
    return (
        *map(_printable, names.get_values_for_type(x509.DNSName)),
        *(str(address) for address in names.get_values_for_type(x509.IPAddress)),
    )


def distinguished(name: x509.Name) -> str:
    """Return the name as RFC 4514 writes it, and what could play tricks on a terminal as an escape."""
    return _printable(name.rfc4514_string())


def _printable(text: str) -> str:
    return "".join(character if character.isprintable() else repr(character)[1:-1] for character in text)


def _is_authority(certificate: x509.Certificate) -> bool:
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False


def described_key(public: PublicKeyTypes | CertificatePublicKeyTypes) -> Key:
    """Return kind and size of a public key."""
    if isinstance(public, rsa.RSAPublicKey):
        return Key("RSA", public.key_size)
    if isinstance(public, ec.EllipticCurvePublicKey):
        return Key("EC", public.key_size, public.curve.name)
    if isinstance(public, dsa.DSAPublicKey):
        return Key("DSA", public.key_size)
    kind = type(public).__name__.removesuffix("PublicKey")
    return Key(kind, _BITS.get(kind, 0))


def issued_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Say whether the issuer's key signed the certificate, and its name is the one the certificate gives."""
    try:
        certificate.verify_directly_issued_by(issuer)
    except UNREADABLE:
        return False
    return True


def same_key(private: PrivateKeyTypes, certificate: x509.Certificate) -> bool:
    """Say whether the private key is the certificate's."""
    return private.public_key() == certificate.public_key()


def is_key(label: str) -> bool:
    """Say whether a PEM block of this label is a private key."""
    return label == "PRIVATE KEY" or label.endswith(" PRIVATE KEY")


def is_locked(label: str, block: bytes) -> bool:
    """Say whether a private key's PEM block needs a passphrase."""
    return label == "ENCRYPTED PRIVATE KEY" or b"\nProc-Type: 4,ENCRYPTED" in block


def load_key(block: bytes, passphrase: bytes | None = None) -> PrivateKeyTypes:
    """Return the key of a PEM block; raises one of UNREADABLE."""
    return serialization.load_pem_private_key(block, passphrase)


def blocks(octets: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield the label and the octets of each PEM block."""
    label = ""
    lines: list[bytes] = []
    for line in octets.split(b"\n"):
        line = line.rstrip()
        if line.startswith(b"-----BEGIN ") and line.endswith(b"-----"):
            label = line[11:-5].decode("latin-1")
            lines = [line]
        elif label:
            lines.append(line)
            if line == f"-----END {label}-----".encode("latin-1"):
                yield label, b"\n".join(lines) + b"\n"
                label = ""

"""A key, its certificate and the chain above it in the one PEM file that Kannel wants."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import pkcs12

from kannelkit.certs.inspect import (
    CERTIFICATE_LABELS,
    UNREADABLE,
    blocks,
    distinguished,
    is_key,
    is_locked,
    issued_by,
    load_key,
    same_key,
)
from kannelkit.errors import KannelkitError


class LockedError(KannelkitError):
    """A key needs a passphrase that was not given, or another one than was given."""


@dataclass(frozen=True, slots=True)
class Input:
    """A file that was named: its name, for messages, and its octets."""

    name: str
    octets: bytes


def bundle(key: Input, certificate: Input, chain: Sequence[Input] = (), passphrase: bytes | None = None) -> bytes:
    """Return key, certificate and chain as one PEM, the key without a passphrase, each certificate before its issuer.

    Certificates that stand behind the first one in `certificate` are of the chain. Raises LockedError where the key
    needs a passphrase, and KannelkitError where something cannot be read, the key does not fit, or a certificate of
    the chain does not belong to it.
    """
    first, *more = _certificates(certificate)
    for each in chain:
        more += _certificates(each)
    return _joined(_key(key, passphrase), key.name, first, more)


def bundle_pkcs12(file: Input, passphrase: bytes | None = None) -> bytes:
    """Return the same from a PKCS#12 file (.p12, .pfx), which holds all of it."""
    try:
        key, certificate, more = pkcs12.load_key_and_certificates(file.octets, passphrase)
    except UNREADABLE as error:
        if _is_pkcs12(file.octets):
            raise _locked(file.name, passphrase) from error
        raise KannelkitError(f"{file.name} is no PKCS#12 file", "name PEM files with --key and --cert") from error
    if key is None or certificate is None:
        missing = "key" if key is None else "certificate"
        raise KannelkitError(f"{file.name} holds no {missing}", "export it together with its key")
    return _joined(key, file.name, certificate, more)


def _joined(
    key: PrivateKeyTypes, key_name: str, certificate: x509.Certificate, others: Iterable[x509.Certificate]
) -> bytes:
    if not same_key(key, certificate):
        raise KannelkitError(
            f"the key in {key_name} does not fit the certificate of {distinguished(certificate.subject)}",
            "name the key that the certificate was requested with",
        )
    key_pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    ordered = _ordered(certificate, others)
    return key_pem + b"".join(each.public_bytes(serialization.Encoding.PEM) for each in ordered)


def _ordered(certificate: x509.Certificate, others: Iterable[x509.Certificate]) -> list[x509.Certificate]:
    """Return the certificates with each before its issuer; raises KannelkitError for one that is nobody's issuer."""
    ordered = [certificate]
    left = [each for each in dict.fromkeys(others) if each != certificate]
    while left:
        issuer = next((each for each in left if issued_by(ordered[-1], each)), None)
        if issuer is None:
            raise KannelkitError(
                f"the certificate of {distinguished(left[0].subject)} has issued none of the others",
                "leave it out, or add the one between them with --chain",
            )
        ordered.append(issuer)
        left.remove(issuer)
    return ordered


def _certificates(file: Input) -> list[x509.Certificate]:
    found = []
    for label, block in blocks(file.octets):
        if label in CERTIFICATE_LABELS:
            try:
                found.append(x509.load_pem_x509_certificate(block))
            except UNREADABLE as error:
                raise KannelkitError(f"{file.name} has a certificate that cannot be read", _PEM_HINT) from error
    if not found:
        raise KannelkitError(f"{file.name} has no certificate in PEM form", _PEM_HINT)
    return found


def _key(file: Input, passphrase: bytes | None) -> PrivateKeyTypes:
    for label, block in blocks(file.octets):
        if is_key(label):
            locked = is_locked(label, block)
            if locked and passphrase is None:
                raise _locked(file.name, None)
            try:
                return load_key(block, passphrase if locked else None)
            except UNREADABLE as error:
                if locked:
                    raise _locked(file.name, passphrase) from error
                raise KannelkitError(f"{file.name} has a key that cannot be read", _PEM_HINT) from error
    raise KannelkitError(f"{file.name} has no private key in PEM form", _PEM_HINT)


_PEM_HINT = "its text begins with -----BEGIN; openssl x509 -inform DER, or openssl pkey, makes it so"


def _locked(name: str, passphrase: bytes | None) -> LockedError:
    if passphrase is None:
        return LockedError(f"the key in {name} is locked with a passphrase", "give it with --passphrase-file")
    return LockedError(f"the passphrase does not open {name}", "give the one that it was locked with")


def _is_pkcs12(octets: bytes) -> bool:
    """Say whether it looks like one: a DER sequence whose first item is the version, 3 (RFC 7292, section 4)."""
    return octets[:1] == b"\x30" and b"\x02\x01\x03" in octets[:8]

"""TLS to a provider, its certificate verified where that is wanted, and the reason in words where there is none."""

from __future__ import annotations

import os
import socket
import ssl

from kannelkit.errors import HostError
from kannelkit.host.reach import Address
from kannelkit.relay.settings import Verify

# OpenSSL's verify codes (openssl/x509_vfy.h) that are told apart
_NAME_CODES = frozenset({62, 64})  # X509_V_ERR_HOSTNAME_MISMATCH, X509_V_ERR_IP_ADDRESS_MISMATCH
_TIME_CODES = frozenset({9, 10})  # X509_V_ERR_CERT_NOT_YET_VALID, X509_V_ERR_CERT_HAS_EXPIRED
_AUTHORITY_CODES = frozenset({18, 19, 20, 21})  # self-signed, an unknown or missing issuer


def context(address: Address, verify: Verify | None) -> ssl.SSLContext:
    """Return how to greet a provider; without `verify` as Kannel does, which takes any certificate.

    Raises HostError for a file of authorities or a certificate that cannot be used. May take long.
    """
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.check_hostname = False
    made.verify_mode = ssl.CERT_NONE
    try:
        if verify is not None:
            what = f"the authorities {verify.authorities}"
            made.verify_mode = ssl.CERT_REQUIRED
            made.check_hostname = True
            if verify.authorities is None:
                made.load_default_certs()
            else:
                made.load_verify_locations(verify.authorities)
        if address.certificate is not None:
            what = f"the certificate {address.certificate}"
            made.load_cert_chain(address.certificate, password="")  # without one OpenSSL asks at the terminal
    except OSError as error:  # SSLError is one of them
        why = error.strerror if not isinstance(error, ssl.SSLError) else "it is no PEM of that kind"
        raise HostError(f"{address}: cannot use {what}: {why}", "name a PEM file that this user can read") from None
    return made


def wanted_name(address: Address, verify: Verify | None) -> str:
    """Return the name that the certificate has to be for; "" where nobody looks, and then the greeting has none."""
    return "" if verify is None else verify.name or address.host


def words(error: OSError | ValueError, address: Address, verify: Verify | None) -> str:
    """Return why there is no connection, so that a person knows what to do."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return _unverified(error, address, verify)
    if isinstance(error, TimeoutError):
        return "no connection in time"
    if isinstance(error, socket.gaierror) or not isinstance(error, OSError):
        return "the name is not known"
    if isinstance(error, ssl.SSLError):
        return f"no TLS: {(error.reason or 'not understood').replace('_', ' ').lower()}"
    return os.strerror(error.errno) if error.errno else "no connection"


def _unverified(error: ssl.SSLCertVerificationError, address: Address, verify: Verify | None) -> str:
    if error.verify_code in _NAME_CODES:
        name = wanted_name(address, verify)
        return f"the certificate is not for the name {name}, and nothing is sent: kannelkit doctor shows whose it is"
    if error.verify_code in _TIME_CODES:
        why = f"the certificate is not valid now ({error.verify_message}), and nothing is sent"
        return f"{why}: the provider has to renew it, or this machine's clock is wrong"
    if error.verify_code in _AUTHORITY_CODES:
        trusted = "this machine" if verify is None or verify.authorities is None else str(verify.authorities)
        why = f"the certificate is signed by nobody that {trusted} trusts, and nothing is sent"
        return f"{why}: where it is the provider's, its authority belongs in there"
    return f"the certificate is not trusted ({error.verify_message}), and nothing is sent: ask the provider"

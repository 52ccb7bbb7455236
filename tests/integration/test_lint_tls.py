"""Which certificate a link of a real Kannel shows to a provider that asks for one, beside group core's and alone."""

from __future__ import annotations

import asyncio
import datetime
import socket
import ssl
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from tests.harness.kannel import CORE, SMSBOX, Kannel

pytestmark = pytest.mark.kannel

LINK = """
group = smsc
smsc = smpp
smsc-id = {name}
host = 127.0.0.1
port = {{{name}}}
use-ssl = true
ssl-client-certkey-file = {{folder}}/{file}
transceiver-mode = true
smsc-username = login
smsc-password = pw
system-type = ""
reconnect-delay = 1
"""
ALONE = CORE + SMSBOX + LINK.format(name="chain", file="link.pem")
BESIDE = (
    CORE
    + "ssl-client-certkey-file = {folder}/core.pem\n"
    + SMSBOX
    + LINK.format(name="chain", file="link.pem")
    + LINK.format(name="missing", file="no-such-file.pem")
    + LINK.format(name="broken", file="broken.pem")
)


def make_certificates(folder: Path) -> None:
    """Write link.pem and core.pem, each a key, its certificate and that of the authority in between; root.pem alone."""
    now = datetime.datetime.now(datetime.UTC)
    keys = {name: ec.generate_private_key(ec.SECP256R1()) for name in ("root", "between", "link", "core")}
    pems = {}
    for name, issuer in (("root", "root"), ("between", "root"), ("link", "between"), ("core", "between")):
        subject, by = (x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, each)]) for each in (name, issuer))
        day = datetime.timedelta(days=1)
        builder = x509.CertificateBuilder(
            by, subject, keys[name].public_key(), x509.random_serial_number(), now - day, now + day
        ).add_extension(x509.BasicConstraints(ca=name in ("root", "between"), path_length=None), critical=True)
        pems[name] = builder.sign(keys[issuer], SHA256()).public_bytes(Encoding.PEM)
    for name in ("link", "core"):
        key = keys[name].private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        (folder / f"{name}.pem").write_bytes(key + pems[name] + pems["between"])
    (folder / "root.pem").write_bytes(pems["root"])
    (folder / "broken.pem").write_text("no certificate\n")


def shown_to(listener: socket.socket, context: ssl.SSLContext) -> str:
    """Return the name in the certificate that the next client shows, or why it is refused."""
    connection, _ = listener.accept()
    with connection:
        connection.settimeout(60)
        try:
            with context.wrap_socket(connection, server_side=True) as secured:
                certificate = secured.getpeercert() or {}
        except ssl.SSLCertVerificationError as error:
            return error.verify_message
    return str(certificate["subject"][0][0][1])


async def shown(conf: str, names: tuple[str, ...], folder: Path) -> dict[str, str]:
    """Run bearerbox until each of the links has shown what it shows to somebody who knows the root alone."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "core.pem")
    context.load_verify_locations(folder / "root.pem")
    context.verify_mode = ssl.CERT_REQUIRED
    listeners = {name: socket.create_server(("127.0.0.1", 0)) for name in names}
    try:
        for listener in listeners.values():
            listener.settimeout(60)
        ports = {name: listener.getsockname()[1] for name, listener in listeners.items()}
        async with Kannel(folder, conf, smsbox=False, stops_within=1, **ports):
            told = await asyncio.gather(
                *(asyncio.to_thread(shown_to, listener, context) for listener in listeners.values())
            )
    finally:
        for listener in listeners.values():
            listener.close()
    return dict(zip(listeners, told, strict=True))


async def test_of_a_links_own_file_the_first_certificate_is_sent(tmp_path: Path) -> None:
    make_certificates(tmp_path)
    assert await shown(ALONE, ("chain",), tmp_path) == {"chain": "unable to get local issuer certificate"}


async def test_cores_chain_goes_along_and_cores_certificate_stands_in(tmp_path: Path) -> None:
    make_certificates(tmp_path)
    assert await shown(BESIDE, ("chain", "missing", "broken"), tmp_path) == {
        "chain": "link",
        "missing": "core",
        "broken": "core",
    }

"""Which files a real bearerbox binds with over TLS, and what it shows of them."""

from __future__ import annotations

import asyncio
import ssl
import struct
from datetime import UTC, datetime
from pathlib import Path

import click.testing
import pytest

from kannelkit.certs.dummy import KEYS, dummy_certificate
from kannelkit.certs.inspect import inspect
from kannelkit.cli.main import group
from tests.certs.authority import rsa_key, signed
from tests.harness.kannel import CORE, SMSBOX, Kannel

pytestmark = pytest.mark.kannel

LINK = """
group = smsc
smsc = smpp
smsc-id = {name}
host = 127.0.0.1
port = {port}
use-ssl = true
smsc-username = {name}
smsc-password = password
system-type = ""
transceiver-mode = true
reconnect-delay = 1
"""
OWN_FILE = "ssl-client-certkey-file = {}\n"


class Provider:
    """A TLS server that wants a client certificate which the given ones have signed, and notes whose bind comes."""

    def __init__(self, folder: Path, trusted: bytes, news: asyncio.Event) -> None:
        """Trust the certificates in this PEM; set `news` after each connection."""
        own = folder / "provider.pem"
        own.write_bytes(dummy_certificate(["127.0.0.1"], 1, datetime.now(UTC), key="ec-p256"))
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(own)
        self._context.verify_mode = ssl.CERT_REQUIRED
        self._context.load_verify_locations(cadata=trusted.decode())
        self.bound: dict[str, str] = {}
        self.refusals: set[str] = set()
        self._news = news

    async def start(self) -> tuple[asyncio.Server, int]:
        """Listen; return the port too."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return server, server.sockets[0].getsockname()[1]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await writer.start_tls(self._context)
            length, *_ = struct.unpack(">4I", await reader.readexactly(16))
            username = (await reader.readexactly(length - 16)).split(b"\0")[0].decode()
            ((_, subject),) = writer.get_extra_info("peercert")["subject"][-1]
            self.bound[username] = subject
        except ssl.SSLCertVerificationError as error:
            self.refusals.add(error.verify_message)
        except (OSError, asyncio.IncompleteReadError):
            pass  # bearerbox ends at the end of the test
        finally:
            writer.close()
            self._news.set()


def kannelkit(*arguments: str | Path) -> None:
    result = click.testing.CliRunner().invoke(group, [*map(str, arguments)])
    assert result.exit_code == 0, result.stderr


async def test_keys_of_every_kind_bind_and_a_chain_goes_out_from_cores_file_only(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    root = signed("root", None, authority=True, begins=now)
    below = signed("below", root, authority=True, begins=now)
    for each in (signed("rsa", below, rsa_key(), begins=now), signed("ec", below, begins=now)):
        name = each.certificate.subject.rfc4514_string().removeprefix("CN=")
        key, certificate, chain = (tmp_path / f"{name}.{part}" for part in ("key", "crt", "chain"))
        key.write_bytes(each.locked_key_pem(b"open sesame"))
        certificate.write_bytes(each.pem)
        chain.write_bytes(below.pem)
        (tmp_path / "passphrase").write_text("open sesame\n")
        files: list[str | Path] = ["--key", key, "--cert", certificate, "--chain", chain]
        kannelkit(
            "cert", "import", "-o", tmp_path / f"{name}.pem", *files, "--passphrase-file", tmp_path / "passphrase"
        )
    dummies = [kind for kind in KEYS if kind != "rsa-4096"]  # it takes long to make, and is one more RSA key
    for kind in dummies:
        kannelkit("make-dummy-cert", tmp_path / f"{kind}.pem", "--name", kind, "--key", kind)
    weak = signed("weak", below, rsa_key(1024), begins=now)
    (tmp_path / "weak.pem").write_bytes(weak.key_pem + weak.pem)
    assert not inspect((tmp_path / "weak.pem").read_bytes()).usable

    known = b"".join((tmp_path / f"{kind}.pem").read_bytes() for kind in dummies)
    news = asyncio.Event()
    wants_chain = Provider(tmp_path, root.pem, news)
    knows_all = Provider(tmp_path, known + root.pem + below.pem, news)
    (first, chain_port), (second, port) = await wants_chain.start(), await knows_all.start()
    conf = CORE + OWN_FILE.format(tmp_path / "rsa.pem") + SMSBOX
    conf += LINK.format(name="cores", port=chain_port)
    conf += LINK.format(name="own-lost", port=chain_port) + OWN_FILE.format(tmp_path / "ec.pem")
    conf += LINK.format(name="own", port=port) + OWN_FILE.format(tmp_path / "ec.pem")
    conf += LINK.format(name="unusable", port=port) + OWN_FILE.format(tmp_path / "weak.pem")
    for kind in dummies:
        conf += LINK.format(name=kind[:15], port=port) + OWN_FILE.format(tmp_path / f"{kind}.pem")
    bound = {"own": "ec", "unusable": "rsa", **{kind: kind for kind in dummies}}
    async with first, second, Kannel(tmp_path, conf, smsbox=False), asyncio.timeout(60):
        while knows_all.bound != bound or not (wants_chain.bound and wants_chain.refusals):
            await news.wait()
            news.clear()
    assert wants_chain.bound == {"cores": "rsa"}
    assert wants_chain.refusals == {"unable to get local issuer certificate"}
    assert knows_all.refusals == set()

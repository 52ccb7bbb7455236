"""Whether a host takes a connection, as Kannel would make it: IPv4, TCP, and TLS without a look at the certificate."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import socket
import ssl
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

# an SMSC waits for a bind; what closes at once is a front without anything behind it
_STAYS_SECONDS = 0.3
_ANY = ("", "*")  # as tcpip_connect_to_server_with_port takes our-host
_UNKNOWN = "the name is not known"

# name: the host has no address; silent: nothing came within the time; tls: no handshake, or an alert; source: this
# machine may not come from the address that it should
Trouble = Literal["name", "refused", "silent", "tls", "closed", "source", "other"]


@dataclass(frozen=True, slots=True)
class Address:
    """Where to connect to; `source` is the local address to come from, "" for any, `certificate` a key and certificate
    in one PEM file for a provider that asks for them.
    """

    host: str
    port: int
    tls: bool = False
    source: str = ""
    certificate: Path | None = None

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Visit:
    """What became of a connection: `trouble` and, in words, `why` it does not count; None and "" where it stays open.

    `source` is the address of this machine that it came from; `tls` the version of TLS and `certificate` what the host
    showed, in DER.
    """

    trouble: Trouble | None = None
    why: str = ""
    source: str = ""
    tls: str = ""
    certificate: bytes = b""


async def reach(address: Address, seconds: float = 3.0, *, stays: float = _STAYS_SECONDS) -> str | None:
    """Return None where the host takes a connection and keeps it open, otherwise in words why it does not count."""
    return (await visit(address, seconds, stays=stays)).why or None


async def visit(address: Address, seconds: float = 3.0, *, stays: float = _STAYS_SECONDS) -> Visit:
    """Connect, see for the seconds of `stays` whether the host keeps the connection open, and leave without a bind."""
    writer: asyncio.StreamWriter | None = None
    try:
        async with asyncio.timeout(seconds):
            reader, writer = await connect(address)
    except TimeoutError:
        return Visit("silent", f"no connection within {seconds:g} s")
    except ValueError:  # a host that can be none: too long, or with a null character
        return Visit("name", _UNKNOWN)
    except OSError as error:
        return _failed(error)
    tls = writer.get_extra_info("ssl_object")
    local = writer.get_extra_info("sockname")
    seen = Visit(
        source=str(local[0]) if local else "",
        tls=(tls.version() or "") if tls else "",
        certificate=(tls.getpeercert(binary_form=True) or b"") if tls else b"",
    )
    try:
        async with asyncio.timeout(stays):
            ended = not await reader.read(1)
    except TimeoutError:
        return seen
    except OSError as error:
        end = _failed(error)
        return replace(seen, trouble=end.trouble, why=end.why)
    finally:
        writer.transport.abort()
    return replace(seen, trouble="closed", why="the connection is closed at once") if ended else seen


async def unverified(address: Address, authorities: Path | None = None, seconds: float = 3.0) -> str | None:
    """Return why the host's certificate would not be taken by somebody who trusts these authorities, or those of this
    machine; None where it would be. The host's name is not looked at. Raises OSError where there is no handshake.
    """
    context = await asyncio.to_thread(_context, address.certificate, authorities, verify=True)
    try:
        async with asyncio.timeout(seconds):
            _, writer = await connect(address, context)
    except ssl.SSLCertVerificationError as error:
        return error.verify_message or "it is not signed by a trusted authority"
    writer.transport.abort()
    return None


async def connect(
    address: Address, context: ssl.SSLContext | None = None
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Return a connection to the address. Raises OSError, and ValueError for a host that can be none."""
    if address.tls and context is None:
        context = await asyncio.to_thread(_context, address.certificate)
    return await asyncio.open_connection(
        address.host,
        address.port,
        family=socket.AF_INET,  # gwlib/socket.c, tcpip_connect_to_server_with_port
        ssl=context,
        server_hostname="" if context else None,  # Kannel names no host in its greeting: gwlib/conn.c has no SNI
        local_addr=(address.source, 0) if address.source not in _ANY else None,
    )


def ipv4_addresses(host: str) -> tuple[str, ...]:
    """Return the IPv4 addresses of a host, in the order in which they are tried; may take long.

    Raises OSError, and ValueError for a host that can be none.
    """
    return _addresses(host, socket.AF_INET)


def ipv6_addresses(host: str) -> tuple[str, ...]:
    """Return the IPv6 addresses of a host, which Kannel never uses; the rest as for those of IPv4."""
    return _addresses(host, socket.AF_INET6)


def _addresses(host: str, family: socket.AddressFamily) -> tuple[str, ...]:
    found = socket.getaddrinfo(host, None, family=family, type=socket.SOCK_STREAM)
    return tuple(dict.fromkeys(str(address[0]) for *_, address in found))


def _failed(error: OSError) -> Visit:
    if isinstance(error, ssl.SSLError):
        return Visit("tls", f"no TLS: {(error.reason or 'not understood').replace('_', ' ').lower()}")
    if isinstance(error, socket.gaierror):
        return Visit("name", _UNKNOWN)
    why = os.strerror(error.errno) if error.errno else "no connection"
    if isinstance(error, ConnectionRefusedError):
        return Visit("refused", why)
    if isinstance(error, ConnectionResetError | BrokenPipeError | ConnectionAbortedError):
        return Visit("closed", why)
    return Visit("source" if error.errno == errno.EADDRNOTAVAIL else "other", why)


def _context(certificate: Path | None, authorities: Path | None = None, *, verify: bool = False) -> ssl.SSLContext:
    # Kannel verifies nobody unless it is told to, and this sends nothing
    context = ssl.create_default_context(cafile=authorities)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_REQUIRED if verify else ssl.CERT_NONE
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT  # newer Pythons are stricter than OpenSSL is for Kannel
    if certificate is not None:
        with contextlib.suppress(OSError):  # Kannel goes on without it, too; SSLError is one of them
            context.load_cert_chain(certificate, password="")  # without one OpenSSL would ask at the terminal
    return context

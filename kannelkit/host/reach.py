"""Whether a host takes a connection, as Kannel would make it: IPv4, TCP, and TLS without a look at the certificate."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import ssl
from dataclasses import dataclass
from pathlib import Path

# an SMSC waits for a bind; what closes at once is a front without anything behind it
_STAYS_SECONDS = 0.3
_UNKNOWN = "the name is not known"


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


async def reach(address: Address, seconds: float = 3.0) -> str | None:
    """Return None where the host takes a connection and keeps it open, otherwise in words why it does not count."""
    writer: asyncio.StreamWriter | None = None
    try:
        async with asyncio.timeout(seconds):
            reader, writer = await connect(address)
    except TimeoutError:
        return f"no connection within {seconds:g} s"
    except ValueError:  # a host that can be none: too long, or with a null character
        return _UNKNOWN
    except ssl.SSLError as error:
        return f"no TLS: {error.reason or 'not understood'}"
    except OSError as error:
        return _words(error)
    try:
        async with asyncio.timeout(_STAYS_SECONDS):
            if not await reader.read(1):
                return "the connection is closed at once"
    except TimeoutError:
        return None
    except OSError as error:
        return _words(error)
    finally:
        writer.transport.abort()
    return None


async def connect(address: Address) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Return a connection to the address. Raises OSError, and ValueError for a host that can be none."""
    return await asyncio.open_connection(
        address.host,
        address.port,
        family=socket.AF_INET,  # gwlib/socket.c, tcpip_connect_to_server_with_port
        ssl=await asyncio.to_thread(_context, address.certificate) if address.tls else None,
        local_addr=(address.source, 0) if address.source else None,
    )


def _words(error: OSError) -> str:
    if isinstance(error, socket.gaierror):
        return _UNKNOWN
    return os.strerror(error.errno) if error.errno else "no connection"


def _context(certificate: Path | None) -> ssl.SSLContext:
    # Kannel verifies nobody unless it is told to, and this sends nothing
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if certificate is not None:
        with contextlib.suppress(OSError):  # Kannel goes on without it, too; SSLError is one of them
            context.load_cert_chain(certificate)
    return context

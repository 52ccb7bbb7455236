"""Gets one answer over plain HTTP within a time limit, without an event loop: a look is made in a thread of its own.

For bearerbox's administration port alone, whose answers are of the plainest form (gwlib/http.c): a length, or an end
with the connection. A session of aiohttp on an event loop of its own takes seven times as long for one answer.
"""

from __future__ import annotations

import re
import socket
import time

from kannelkit.errors import GatewayError

_MOST_HEAD = 64 * 1024
_PART = 256 * 1024
_HINT = "is bearerbox running, and is this its admin-port?"
_STATUS = re.compile(rb"HTTP/1\.[01] ([1-5]\d\d)(?: [^\r\n]*)?\r?\n")
_LENGTH = re.compile(rb"\n[Cc]ontent-[Ll]ength:[ \t]*(\d{1,18})[ \t]*\r?\n")


def fetch(host: str, port: int, target: str, seconds: float, most: int) -> bytes:
    """Return what a GET of `target` is answered with, `most` octets and a few more at the most.

    Raises TimeoutError when the answer is not there after `seconds`, GatewayError where there is none; neither tells
    the target, in which a password may stand.
    """
    until = time.monotonic() + seconds
    where = f"bearerbox's admin port {host}:{port}"
    try:
        with socket.create_connection((host, port), _left(until)) as connection:
            named = f"[{host}]" if ":" in host else host
            request = f"GET {target} HTTP/1.1\r\nHost: {named}:{port}\r\nConnection: close\r\n\r\n"
            connection.sendall(request.encode())
            return _answer(connection, until, most, where)
    except TimeoutError:
        raise
    except OSError as error:
        why = error.strerror if isinstance(error, ConnectionRefusedError) else "the connection broke"
        raise GatewayError(f"{where} cannot be asked: {why}", _HINT) from None


def _answer(connection: socket.socket, until: float, most: int, where: str) -> bytes:
    head, body = b"", b""
    while True:
        head += (part := _more(connection, until))
        end = re.search(rb"\r?\n\r?\n", head)
        if end is not None:
            break
        if not part or len(head) > _MOST_HEAD:
            why = "the connection broke" if not head else "the answer is not HTTP"
            raise GatewayError(f"{where} cannot be asked: {why}", _HINT)
    head, body = head[: end.end()], head[end.end() :]
    status = _STATUS.match(head)
    if status is None:
        raise GatewayError(f"{where} cannot be asked: the answer is not HTTP", _HINT)
    if status[1] != b"200":
        raise GatewayError(f"{where} answered HTTP {status[1].decode()}", _HINT)
    told = _LENGTH.search(head)
    length = None if told is None else int(told[1])
    wanted = most + 1 if length is None else min(length, most + 1)
    parts, got = [body], len(body)
    while got < wanted:
        part = _more(connection, until)
        if not part:
            break
        parts.append(part)
        got += len(part)
    if length is not None and got < wanted:
        raise GatewayError(f"{where} cannot be asked: the answer is cut", _HINT)
    return b"".join(parts)[:wanted]


def _more(connection: socket.socket, until: float) -> bytes:
    connection.settimeout(_left(until))
    return connection.recv(_PART)


def _left(until: float) -> float:
    left = until - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left

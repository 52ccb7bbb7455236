"""An answer over plain HTTP: whole, or a reason; never longer than it may take."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pytest

from kannelkit.errors import GatewayError
from kannelkit.health.fetch import fetch
from tests.harness.ports import closed_port

SECONDS = 60.0
HEAD = b"HTTP/1.1 200 OK\r\nServer: x\r\n"


@contextmanager
def answering(parts: Sequence[bytes], *, stays: bool = False) -> Iterator[tuple[int, list[bytes]]]:
    """Answer one request with these parts, one after another; yield the port and what was asked."""
    asked: list[bytes] = []
    done = threading.Event()

    def answer() -> None:
        connection, _ = listening.accept()
        with connection, contextlib.suppress(OSError):
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            asked.append(connection.recv(4096))
            for part in parts:
                connection.sendall(part)
            if stays:
                done.wait(SECONDS)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        yield listening.getsockname()[1], asked
        done.set()
        thread.join(SECONDS)


WHOLE = {
    "with a length": (HEAD + b"Content-Length: 5\r\n\r\n", b"hello"),
    "with an end": (HEAD + b"\r\n", b"hello"),
    "in parts": (b"HTTP/1.1 200", b" OK\r\ncontent-length:5\r", b"\n\r", b"\nhe", b"ll", b"o"),
    "with more than its length": (HEAD + b"Content-Length: 5\r\n\r\nhello and more",),
}


@pytest.mark.parametrize("parts", WHOLE.values(), ids=WHOLE)
def test_an_answer_is_there_whole(parts: Sequence[bytes]) -> None:
    with answering(parts) as (port, asked):
        assert fetch("127.0.0.1", port, "/status.xml?password=a+b", SECONDS, 100) == b"hello"
    assert asked[0].startswith(b"GET /status.xml?password=a+b HTTP/1.1\r\nHost: 127.0.0.1:")


def test_of_an_answer_without_an_end_there_is_as_much_as_is_wanted() -> None:
    with answering([HEAD + b"\r\n", *[bytes(1000)] * 50], stays=True) as (port, _):
        assert 100 < len(fetch("127.0.0.1", port, "/", SECONDS, 100)) < 200


NONE = {
    "cut": (HEAD + b"Content-Length: 50\r\n\r\nhello", "is cut"),
    "an error": (b"HTTP/1.1 503 No\r\n\r\n", "answered HTTP 503"),
    "no HTTP": (b"220 smtp\r\n\r\n", "is not HTTP"),
    "no end of its head": (b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 20_000, "is not HTTP"),
    "nothing": (b"", "the connection broke"),
}


@pytest.mark.parametrize(("octets", "why"), NONE.values(), ids=NONE)
def test_what_is_no_answer_is_told_without_what_was_asked_for(octets: bytes, why: str) -> None:
    with answering([octets]) as (port, _), pytest.raises(GatewayError, match=why) as error:
        fetch("127.0.0.1", port, "/?password=secret", SECONDS, 100)
    assert "secret" not in repr(error.value)


@pytest.mark.parametrize("octets", [b"", HEAD, HEAD + b"Content-Length: 50\r\n\r\nhello"])
def test_it_does_not_wait_for_longer_than_it_may(octets: bytes) -> None:
    with answering([octets], stays=True) as (port, _), pytest.raises(TimeoutError):
        fetch("127.0.0.1", port, "/", 0.1, 100)


def test_nobody_who_listens_is_told() -> None:
    with closed_port() as port, pytest.raises(GatewayError, match="Connection refused"):
        fetch("127.0.0.1", port, "/", SECONDS, 100)

"""Connections of another process are ended by who looks after it, and no others."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from kannelkit.host.cut import cut
from kannelkit.host.processes import ProcessId, current

# connects so often, says when it is done or how a connect ended, then how many connections end
_CLIENT = """
import socket, sys
port, count = int(sys.argv[1]), int(sys.argv[2])
made = [socket.create_connection(("127.0.0.1", port)) for _ in range(count)]
print("connected", flush=True)
for one in made:
    print(repr(one.recv(1)), flush=True)
"""


@contextmanager
def client(port: int, count: int) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, "-c", _CLIENT, str(port), str(count)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


def known(process: subprocess.Popen[str]) -> ProcessId:
    found = current(process.pid)
    assert found is not None
    return found


def line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def test_connections_to_a_peer_are_ended(listener: socket.socket) -> None:
    peer = listener.getsockname()
    with client(peer[1], 2) as process:
        assert line(process) == "connected"
        assert cut(known(process), {peer}, 2) == 2
        assert [line(process), line(process)] == ["b''", "b''"]


def test_what_is_not_meant_stays(listener: socket.socket) -> None:
    peer = listener.getsockname()
    with client(peer[1], 2) as process:
        assert line(process) == "connected"
        assert cut(known(process), {peer}, 1) == 0
        assert cut(known(process), {("127.0.0.2", peer[1])}, 9) == 0
        assert cut(known(process), set(), 9) == 0
        for _ in range(2):
            listener.accept()[0].sendall(b"x")
        assert [line(process), line(process)] == ["b'x'", "b'x'"]


def test_a_connect_that_nobody_answers_is_given_up() -> None:
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        peer = full.getsockname()
        with socket.create_connection(peer), client(peer[1], 1) as process:
            while not cut(known(process), {peer}, 1):
                assert process.poll() is None
            assert process.wait(60) == 1
            assert process.stderr is not None
            assert "Error" in process.stderr.read()


def test_a_process_that_is_gone_has_none(listener: socket.socket) -> None:
    with client(listener.getsockname()[1], 1) as process:
        gone = known(process)
    assert cut(gone, {listener.getsockname()}, 9) == 0

"""What the kernel says of this process's own connections, with real sockets."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest

from kannelkit.host import processes
from kannelkit.host.connections import connections
from kannelkit.host.processes import ProcessId

SELF = processes.current(os.getpid())


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    """A client, and what it is connected to."""
    with socket.create_server(("127.0.0.1", 0)) as listening, socket.create_connection(listening.getsockname()) as ours:
        theirs, _ = listening.accept()
        with theirs:
            yield ours, theirs


def test_octets_are_counted_each_way(pair: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = pair
    peer = ours.getpeername()
    ours.sendall(b"x" * 50)
    theirs.recv(50, socket.MSG_WAITALL)
    theirs.sendall(b"y" * 16)
    ours.recv(16, socket.MSG_WAITALL)
    assert SELF is not None
    found = connections(SELF, {peer})
    assert found is not None
    (one,) = found
    assert (one.peer, one.sent, one.received) == (peer, 50, 16)
    assert one.sent_ago >= 0
    assert one.received_ago >= 0
    ours.sendall(b"x" * 7)
    again = connections(SELF, {peer})
    assert again is not None
    assert [(each.inode, each.sent) for each in again] == [(one.inode, 57)]


def test_of_many_only_those_to_the_peers_and_only_the_processs_own(pair: tuple[socket.socket, socket.socket]) -> None:
    ours, _ = pair
    host, port = ours.getpeername()
    assert SELF is not None
    assert connections(SELF, {(host, 1), ("127.0.0.2", port)}) == []
    code = "import socket, sys; s = socket.create_connection((sys.argv[1], int(sys.argv[2]))); print(); input()"
    with socket.create_server(("127.0.0.1", 0)) as listening:
        where = listening.getsockname()
        words = [sys.executable, "-c", code, where[0], str(where[1])]
        with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
            assert child.stdout is not None
            child.stdout.readline()
            assert connections(SELF, {where}) == []
            process = processes.current(child.pid)
            assert process is not None
            found = connections(process, {where})
            assert found is not None
            assert [each.peer for each in found] == [where]
            child.communicate(b"\n")
        assert connections(process, {where}) is None


def test_a_connection_that_was_closed_is_none(pair: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = pair
    peer = ours.getpeername()
    theirs.close()
    ours.close()
    assert SELF is not None
    assert connections(SELF, {peer}) == []


def test_of_a_process_that_is_not_there_nothing_is_known() -> None:
    assert connections(ProcessId(os.getpid(), 1.0), {("127.0.0.1", 1)}) is None

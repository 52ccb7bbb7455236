"""is_free against real sockets."""

from __future__ import annotations

import os
import socket
import subprocess
import sys

import pytest

from kannelkit.errors import HostError
from kannelkit.host.ports import is_free
from tests.harness.ports import free_ports


@pytest.mark.parametrize("asked", ["127.0.0.1", "localhost", "0.0.0.0"])
def test_a_port_is_taken_while_somebody_listens_and_free_again_after(asked: str) -> None:
    (port,) = free_ports(1)
    with socket.create_server(("127.0.0.1", port)):
        assert not is_free(asked, port)
    assert is_free(asked, port)


def test_asking_does_not_take_the_port() -> None:
    (port,) = free_ports(1)
    assert is_free("127.0.0.1", port)
    assert is_free("127.0.0.1", port)


def test_old_connections_that_still_close_do_not_make_it_taken() -> None:
    (port,) = free_ports(1)
    with socket.create_server(("127.0.0.1", port)) as server, socket.create_connection(("127.0.0.1", port)) as client:
        accepted, _ = server.accept()
        accepted.close()  # the server's side closes first and waits in TIME_WAIT
        client.recv(1)
    assert is_free("127.0.0.1", port)


@pytest.mark.parametrize("host", ["192.0.2.1", "no such host"])
def test_no_address_of_this_machine_is_an_error(host: str) -> None:
    with pytest.raises(HostError, match="cannot listen on"):
        is_free(host, 1024)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become another user")
def test_a_port_that_needs_root_says_so() -> None:
    code = (
        "import encodings.idna, os\n"  # what is imported later may be out of reach then
        "from kannelkit.host.ports import is_free\n"
        "from kannelkit.errors import HostError\n"
        "os.setuid(65534)\n"
        "try:\n    print(is_free('127.0.0.1', 1))\nexcept HostError as error:\n    print(error)\n"
    )
    with open("/proc/sys/net/ipv4/ip_unprivileged_port_start") as file:
        if int(file.read()) <= 1:
            pytest.skip("here everybody may listen on every port")
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "may not listen on port 1" in result.stdout

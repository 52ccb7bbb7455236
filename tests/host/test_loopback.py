"""What means this machine, and what only looks like it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kannelkit.host.loopback import is_loopback, means_this_machine

HOSTS = ["127.0.0.1", "127.9.9.9", "localhost", "::1"]
OTHERS = ["", "0.0.0.0", "::", "192.0.2.1", "gateway.example", "127.0.0.1.example", "localhost.example", "127.1"]


@pytest.mark.parametrize(("host", "here"), [*((host, True) for host in HOSTS), *((host, False) for host in OTHERS)])
def test_an_address_to_listen_at(host: str, here: bool) -> None:
    assert is_loopback(host) is here


@pytest.mark.parametrize("port", ["", ":", ":80"])
@pytest.mark.parametrize(
    ("host", "here"),
    [
        *((f"[{host}]" if ":" in host else host, True) for host in [*HOSTS, "LocalHost", "localhost."]),
        *((f"[{host}]" if ":" in host else host, False) for host in [*OTHERS, "127.0.0.1@x", "x@127.0.0.1", "a b"]),
    ],
)
def test_a_host_header(host: str, here: bool, port: str) -> None:
    assert means_this_machine(host + port) is here


@given(st.text())
def test_nothing_is_too_strange_to_be_looked_at(host: str) -> None:
    assert means_this_machine(f"{host}.example") is False

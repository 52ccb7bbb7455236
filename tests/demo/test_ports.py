"""Free ports."""

from __future__ import annotations

import socket

from kannelkit.demo.ports import LOOPBACK, free_ports


def test_they_are_free_and_different() -> None:
    ports = free_ports(20)
    assert len(set(ports)) == 20
    for port in ports:
        with socket.socket() as listener:
            listener.bind((LOOPBACK, port))


def test_they_are_not_those_of_outgoing_connections() -> None:
    with open("/proc/sys/net/ipv4/ip_local_port_range") as file:
        lowest = int(file.read().split()[0])
    assert max(free_ports(20)) < lowest

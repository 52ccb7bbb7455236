"""What the kernel counts of a process's TCP connections: octets each way, and when the last ones went and came.

Asked over netlink, as `ss -ti` does (sock_diag(7), linux/inet_diag.h, struct tcp_info in linux/tcp.h). Counts of any
connection are told to everybody; which of them are a process's, only to root and to the process's own user.
"""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from kannelkit.host.processes import ProcessId, alive

_NETLINK_SOCK_DIAG = 4
_SOCK_DIAG_BY_FAMILY = 20
_REQUEST_DUMP = 0x301  # NLM_F_REQUEST | NLM_F_DUMP
_ERROR, _DONE = 2, 3
_ESTABLISHED = 1 << 1
_INFO = 2  # INET_DIAG_INFO
_HEAD = struct.Struct("=IHHII")
_REQUEST = struct.Struct("=BBBxI48x")  # family, protocol, extensions, states, and no socket in particular
_ADDRESS = struct.Struct("!4xHH4s12x4s12x")  # ports and addresses of struct inet_diag_msg, its own side first
_INODE = struct.Struct("=I")
_INODE_AT, _ATTRIBUTES_AT = 68, 72
_ATTRIBUTE = struct.Struct("=HH")
_TIMES = struct.Struct("=I4xI")  # tcpi_last_data_sent, tcpi_last_data_recv: milliseconds
_TIMES_AT = 44
_RECEIVED = struct.Struct("=Q")  # tcpi_bytes_received
_RECEIVED_AT = 128
_SENT = struct.Struct("=QQ")  # tcpi_bytes_sent and tcpi_bytes_retrans, since Linux 4.19
_SENT_AT = 200
_MOST = 1 << 20
_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Connection:
    """One connection: octets sent (none twice) and received since it was made, and seconds since the last of each."""

    peer: tuple[str, int]
    inode: int
    sent: int
    received: int
    sent_ago: float
    received_ago: float


def connections(process: ProcessId, peers: Collection[tuple[str, int]]) -> list[Connection] | None:
    """Return a process's established connections to these peers (IPv4 address and port).

    None where the kernel does not tell, or not to this user.
    """
    if not alive(process):
        return None
    try:
        found = list(_to(peers))
        own = _inodes(process.pid) if found else frozenset()
    except (OSError, struct.error):
        return None
    return [each for each in found if each.inode in own]


def _to(peers: Collection[tuple[str, int]]) -> Iterator[Connection]:
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _NETLINK_SOCK_DIAG) as asked:
        asked.settimeout(_SECONDS)
        request = _REQUEST.pack(socket.AF_INET, socket.IPPROTO_TCP, 1 << (_INFO - 1), _ESTABLISHED)
        asked.send(_HEAD.pack(_HEAD.size + len(request), _SOCK_DIAG_BY_FAMILY, _REQUEST_DUMP, 1, 0) + request)
        while True:
            octets = asked.recv(_MOST)
            at = 0
            while at < len(octets):
                length, kind, *_ = _HEAD.unpack_from(octets, at)
                if kind == _DONE:
                    return
                if kind == _ERROR or length < _HEAD.size:
                    raise OSError("the kernel does not tell of connections")
                if kind == _SOCK_DIAG_BY_FAMILY:
                    _, port, _, address = _ADDRESS.unpack_from(octets, at + _HEAD.size)
                    peer = socket.inet_ntoa(address), port
                    if peer in peers:
                        yield _connection(peer, octets[at + _HEAD.size : at + length])
                at += (length + 3) & ~3


def _connection(peer: tuple[str, int], message: bytes) -> Connection:
    """Read one answer. Raises struct.error where it is shorter than this needs: an old kernel's."""
    (inode,) = _INODE.unpack_from(message, _INODE_AT)
    info = b""
    at = _ATTRIBUTES_AT
    while at + _ATTRIBUTE.size <= len(message):
        length, kind = _ATTRIBUTE.unpack_from(message, at)
        if length < _ATTRIBUTE.size:
            break
        if kind == _INFO:
            info = message[at + _ATTRIBUTE.size : at + length]
        at += (length + 3) & ~3
    sent_ago, received_ago = _TIMES.unpack_from(info, _TIMES_AT)
    (received,) = _RECEIVED.unpack_from(info, _RECEIVED_AT)
    sent, again = _SENT.unpack_from(info, _SENT_AT)
    return Connection(peer, inode, sent - again, received, sent_ago / 1000, received_ago / 1000)


def _inodes(pid: int) -> frozenset[int]:
    """Return the sockets that a process has open, by the numbers that the kernel knows them by. Raises OSError."""
    found = []
    folder = f"/proc/{pid}/fd"
    for name in os.listdir(folder):
        try:
            leads_to = os.readlink(f"{folder}/{name}")
        except FileNotFoundError:
            continue  # closed meanwhile
        if leads_to.startswith("socket:["):
            found.append(int(leads_to[8:-1]))
    return frozenset(found)

"""Ends TCP connections of a process that kannelkit looks after, where the kernel allows that.

It does to root, and to the same user where one process may trace the other: its child with Ubuntu's usual setting, any
with Debian's (kernel.yama.ptrace_scope).
"""

from __future__ import annotations

import ctypes
import errno
import os
import socket
from collections.abc import Collection

import psutil

from kannelkit.host.processes import ProcessId, alive

# the same number on every architecture, since Linux 5.6
_PIDFD_GETFD = 438
_ENDED = frozenset({psutil.CONN_LISTEN, psutil.CONN_CLOSE, psutil.CONN_TIME_WAIT})


def cut(process: ProcessId, peers: Collection[tuple[str, int]], most: int) -> int:
    """End a process's connections to these peers (IPv4 address and port), also those that are only being made.

    Returns how many; 0 where there are more than `most`, for then some are not meant, or where it is not allowed.
    """
    if not alive(process):
        return 0
    try:
        found = [
            each
            for each in psutil.net_connections("tcp4")
            if each.pid == process.pid and each.raddr and tuple(each.raddr) in peers and each.status not in _ENDED
        ]
    except psutil.Error:
        return 0
    if len(found) > most:
        return 0
    try:
        pidfd = os.pidfd_open(process.pid)
    except OSError:
        return 0
    try:
        return sum(_shut(pidfd, each.fd, tuple(each.laddr)) for each in found)
    finally:
        os.close(pidfd)


def _shut(pidfd: int, number: int, local: object) -> bool:
    """Shut a socket of another process down, by its number there, if it still has this local address."""
    libc = ctypes.CDLL(None, use_errno=True)
    own = libc.syscall(ctypes.c_long(_PIDFD_GETFD), ctypes.c_int(pidfd), ctypes.c_int(number), ctypes.c_uint(0))
    if own < 0:
        return False
    with socket.socket(fileno=own) as taken:
        try:
            if taken.getsockname() != local:
                return False
            taken.shutdown(socket.SHUT_RDWR)
        except OSError as error:
            # a connect that was under way is given up, and there was nothing to shut
            return error.errno == errno.ENOTCONN
    return True

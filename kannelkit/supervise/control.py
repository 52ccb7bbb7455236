"""The socket in the state-dir by which other commands ask the kannelkit that supervises a gateway.

A client sends one line, a JSON object with `do` and what that needs, and is answered with lines of JSON objects, each
with an `event`; the last one is `done` or `error`. What was asked for goes on when the client goes away.

The socket is its owner's alone (mode 0600, and the kernel's word for who is at the other end), so a client may be
wrong, but not hostile to its own user. Still no line of it ends the supervisor: sizes, counts and times have bounds.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
import stat
import struct
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from typing import Any

from kannelkit.errors import HostError, KannelkitError

FILE = "control.sock"

Tell = Callable[[Mapping[str, object]], None]
Answer = Callable[[Mapping[str, Any], Tell], Coroutine[Any, Any, Mapping[str, object]]]

_LONGEST_REQUEST = 16 * 1024
_REQUEST_SECONDS = 5.0
_GOODBYE_SECONDS = 1.0
_MOST_CLIENTS = 8
# what a client may leave unread before it is given up; a plan of a large gateway has some megabytes
_MOST_UNREAD = 64 * 1024 * 1024
_STOPPED = "the gateway's next start takes the spec as it is then"
_PEER = struct.Struct("3i")  # struct ucred: pid, uid, gid


class Control:
    """Listens on the socket while it is entered; `answer` is called for each request and returns the last event.

    `answer` raises KannelkitError for what cannot be done. What is still under way when this is left is cancelled.
    Raises HostError where the socket cannot be made.
    """

    def __init__(self, state_dir: Path, answer: Answer) -> None:
        self._state_dir = state_dir
        self._answer = answer
        self._server: asyncio.Server | None = None
        self._clients: set[asyncio.Task[None]] = set()
        self._works: set[asyncio.Task[Mapping[str, object]]] = set()

    async def __aenter__(self) -> Control:
        try:
            listener = _listener(self._state_dir)
        except OSError as error:
            hint = "is there something else of this name, or a file system without sockets?"
            raise HostError(f"{self._state_dir / FILE}: {error.strerror}", hint) from error
        self._server = await asyncio.start_unix_server(self._serve, sock=listener, limit=_LONGEST_REQUEST)
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._server is not None:
            self._server.close()
        for work in self._works:
            work.cancel()
        if self._clients:  # they are told
            await asyncio.wait(self._clients, timeout=_GOODBYE_SECONDS)
        for client in self._clients:
            client.cancel()
        await asyncio.gather(*self._clients, *self._works, return_exceptions=True)
        with contextlib.suppress(OSError):
            (self._state_dir / FILE).unlink()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - asyncio runs this in a task
        self._clients.add(task)
        try:
            if len(self._clients) <= _MOST_CLIENTS and _is_ours(writer):
                await self._talk(reader, writer)
        except (ConnectionError, TimeoutError):
            return  # it went away
        finally:
            self._clients.discard(task)
            writer.close()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        def tell(event: Mapping[str, object]) -> None:
            transport = writer.transport
            if not transport.is_closing() and transport.get_write_buffer_size() <= _MOST_UNREAD:
                writer.write(json.dumps(event, ensure_ascii=True).encode() + b"\n")

        try:
            async with asyncio.timeout(_REQUEST_SECONDS):
                line = await reader.readuntil(b"\n")
            request = json.loads(line)
            if not isinstance(request, dict):
                raise ValueError("no object")
        except (ValueError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, RecursionError):
            tell({"event": "error", "message": "that is no request", "hint": "one line of JSON, at most 16 KiB"})
            await writer.drain()
            return
        # in a task of its own: it goes on when the client is gone
        work = asyncio.create_task(self._answer(request, tell))
        self._works.add(work)
        work.add_done_callback(self._works.discard)
        await asyncio.wait({work})
        if work.cancelled():
            tell({"event": "error", "message": "kannelkit was stopped meanwhile", "hint": _STOPPED})
        elif (error := work.exception()) is None:
            tell(work.result())
        elif isinstance(error, KannelkitError):
            tell({"event": "error", "message": error.message, "hint": error.hint})
        else:
            tell({"event": "error", "message": f"a reason of kannelkit's own: {error!r}", "hint": "please report it"})
        async with asyncio.timeout(_REQUEST_SECONDS):
            await writer.drain()


def _listener(state_dir: Path) -> socket.socket:
    # a socket's path has at most 107 octets: the folder is reached through its descriptor
    folder = os.open(state_dir, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    try:
        with contextlib.suppress(FileNotFoundError):
            # left by a killed kannelkit: whoever gets here holds the state-dir's lock
            if stat.S_ISSOCK(os.stat(FILE, dir_fd=folder, follow_symlinks=False).st_mode):
                os.unlink(FILE, dir_fd=folder)
        os.fchmod(listener.fileno(), 0o600)  # Linux gives the file this mode at once
        listener.bind(f"/proc/self/fd/{folder}/{FILE}")
        listener.listen(_MOST_CLIENTS)
        listener.setblocking(False)
    except OSError:
        listener.close()
        raise
    finally:
        os.close(folder)
    return listener


def _is_ours(writer: asyncio.StreamWriter) -> bool:
    peer = writer.get_extra_info("socket")
    octets = peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _PEER.size)
    return _PEER.unpack(octets)[1] in (os.geteuid(), 0)

"""The socket in the state folder at which the relay is asked how it stands, and told what to do: JSON, a line each."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
import stat
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Final

from kannelkit.errors import GatewayError, HostError

FILE = "relay.sock"
_LONGEST_LINE: Final = 4096
_MOST_ASKERS: Final = 16
_IDLE_SECONDS: Final = 60.0
_LEAVES_WITHIN: Final = 1.0  # seconds
_LONGEST_PATH: Final = 107  # octets of sun_path, without its NUL (Linux, unix(7))

Answer = Mapping[str, object]
Command = Callable[[Mapping[str, Any]], Answer | Awaitable[Answer]]
Stream = Callable[[Mapping[str, Any], asyncio.StreamWriter], AbstractContextManager[None]]
"""Writes lines until it is left, which is when the asker is gone."""


class Control:
    """Answers each line `{"do": NAME, ...}` with a line, `{"error": ...}` where it cannot be done."""

    def __init__(
        self, folder: Path, commands: Mapping[str, Command], streams: Mapping[str, Stream] | None = None
    ) -> None:
        self._path = folder / FILE
        self._commands = commands
        self._streams = streams or {}
        self._server: asyncio.Server | None = None
        self._askers: dict[asyncio.StreamWriter, asyncio.Task[Any] | None] = {}

    async def start(self) -> None:
        """Listen, for this user alone; raises HostError."""
        if len(os.fsencode(self._path)) > _LONGEST_PATH:
            raise HostError(f"{self._path} is too long a name for a socket", "choose a state-dir with a shorter path")
        listener = socket.socket(socket.AF_UNIX)
        try:
            with contextlib.suppress(FileNotFoundError):
                if stat.S_ISSOCK(self._path.lstat().st_mode):
                    self._path.unlink()  # of one that was killed; another relay is kept out by its lock
            before = os.umask(0o177)
            try:
                listener.bind(str(self._path))
            finally:
                os.umask(before)
            self._server = await asyncio.start_unix_server(self._asked, sock=listener, limit=_LONGEST_LINE)
        except OSError as error:
            listener.close()
            raise HostError(f"cannot listen at {self._path}: {error.strerror}") from error

    async def stop(self) -> None:
        """Listen no more."""
        if self._server is not None:
            self._server.close()
            asking = [task for task in self._askers.values() if task is not None]
            for writer in self._askers:
                writer.transport.abort()
            if asking:  # or they would end with the loop, which complains of it
                await asyncio.wait(asking, timeout=_LEAVES_WITHIN)
            with contextlib.suppress(FileNotFoundError):
                self._path.unlink()

    async def _asked(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._askers) >= _MOST_ASKERS:
            writer.transport.abort()
            return
        self._askers[writer] = asyncio.current_task()
        try:
            while True:
                async with asyncio.timeout(_IDLE_SECONDS):
                    line = await reader.readline()
                if not line:
                    break
                asked = self._read(line)
                stream = self._streams.get(str(asked.get("do"))) if isinstance(asked, dict) else None
                if stream is not None and isinstance(asked, dict):
                    await self._streamed(stream, asked, reader, writer)
                    break
                writer.write(json.dumps(await self._answer(asked)).encode() + b"\n")
                await writer.drain()
        except (OSError, ValueError, TimeoutError):
            pass  # it is gone, says nothing for long, or its line has no end
        finally:
            del self._askers[writer]
            writer.transport.abort()

    @staticmethod
    def _read(line: bytes) -> object:
        try:
            return json.loads(line)
        except (ValueError, RecursionError):
            return None

    async def _streamed(
        self, stream: Stream, asked: Mapping[str, Any], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Write what a stream has until the asker is gone; what it still says is not looked at."""
        try:
            with stream(asked, writer):
                while await reader.read(_LONGEST_LINE):
                    pass
        except GatewayError as error:
            writer.write(json.dumps({"error": error.message}).encode() + b"\n")
            await writer.drain()

    async def _answer(self, asked: object) -> Answer:
        if asked is None:
            return {"error": "not JSON"}
        command = self._commands.get(str(asked.get("do"))) if isinstance(asked, dict) else None
        if command is None or not isinstance(asked, dict):
            return {"error": f"not one of {', '.join([*self._commands, *self._streams])}"}
        try:
            answer = command(asked)
            return answer if isinstance(answer, Mapping) else await answer
        except GatewayError as error:
            return {"error": error.message, "hint": error.hint}


async def ask(folder: Path, what: Mapping[str, object], seconds: float = 5.0) -> dict[str, Any]:
    """Return the relay's answer; raises GatewayError where none is there, or where it says that it cannot be done."""
    try:
        async with asyncio.timeout(seconds):
            reader, writer = await asyncio.open_unix_connection(str(folder / FILE), limit=16 * 1024 * 1024)
            try:
                writer.write(json.dumps(what).encode() + b"\n")
                answer = json.loads(await reader.readline())
            finally:
                writer.transport.abort()
    except (OSError, ValueError) as error:
        raise GatewayError("the relay does not answer", "look whether it runs") from error
    if not isinstance(answer, dict):
        raise GatewayError(f"the relay says: {answer}")
    if "error" in answer:
        raise GatewayError(f"the relay says: {answer['error']}", str(answer.get("hint") or ""))
    return answer

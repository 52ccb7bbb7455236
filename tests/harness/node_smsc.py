"""node's `smpp` package as an SMSC: a judge of another codec, language and author."""

from __future__ import annotations

import asyncio
import fcntl
import json
import shutil
import subprocess
from asyncio.subprocess import Process
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import aiohttp

from tests.harness import child
from tests.harness.timeline import Timeline

FOLDER = Path(__file__).parents[1] / "peers" / "node_smsc"
_START_SECONDS = 60.0
_STOP_SECONDS = 5.0


def install() -> None:
    """Install the pinned npm packages beside the server unless they are there; raise RuntimeError without node."""
    with (FOLDER / "package.json").open() as alone:  # test workers start at once: the first installs, the others wait
        fcntl.flock(alone, fcntl.LOCK_EX)
        _install()


def _install() -> None:
    wanted = json.loads((FOLDER / "package.json").read_text())["dependencies"]["smpp"]
    installed = FOLDER / "node_modules" / "smpp" / "package.json"
    if installed.exists() and json.loads(installed.read_text())["version"] == wanted:
        return
    if not shutil.which("npm"):
        raise RuntimeError("node and npm are needed for the foreign SMSC: apt-get install nodejs npm")
    command = ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"]
    done = subprocess.run(command, cwd=FOLDER, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"npm could not install the foreign SMSC:\n{done.stderr}")


class NodeSmsc:
    """One running SMSC; `limit` in messages a second for each system_id (0: none), `delay_ms` to each answer."""

    def __init__(
        self,
        *,
        limit: int = 0,
        delay_ms: float = 0,
        allow_binds: int = 1,
        at_unbind: str = "answer",
        coalesce_ms: float = 0,
        tls_pem: Path | None = None,
        port: int = 0,
    ) -> None:
        self._arguments = [
            f"--port={port}",
            f"--limit={limit}",
            f"--delay={delay_ms:g}",
            f"--allow-binds={allow_binds}",
            f"--at-unbind={at_unbind}",
            f"--coalesce={coalesce_ms:g}",
            *([f"--tls-pem={tls_pem}"] if tls_pem else []),
        ]
        self.port = 0
        self.control_port = 0
        self._process: Process | None = None
        self._http: aiohttp.ClientSession | None = None

    async def start(self) -> None:
        """Start it on free ports and return when it listens; raise RuntimeError when it does not."""
        await asyncio.to_thread(install)
        self._process = await asyncio.create_subprocess_exec(
            "node",
            str(FOLDER / "server.js"),
            "--exit-with-stdin",
            *self._arguments,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        assert self._process.stdout is not None
        try:
            line = await asyncio.wait_for(self._process.stdout.readline(), _START_SECONDS)
        except TimeoutError:
            line = b""
        if not line:
            await self.stop()
            raise RuntimeError("the foreign SMSC did not start")
        ports = json.loads(line)
        self.port, self.control_port = ports["port"], ports["control_port"]
        # node ends a connection that was idle for 5 s, and aiohttp repeats no POST that meets that moment
        self._http = aiohttp.ClientSession(
            f"http://127.0.0.1:{self.control_port}", connector=aiohttp.TCPConnector(force_close=True)
        )

    async def stop(self) -> None:
        """Stop it by its pid."""
        if self._http is not None:
            await self._http.close()
            self._http = None
        await child.stop(self._process, _STOP_SECONDS)
        self._process = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def _ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        assert self._http is not None, "not started"
        async with self._http.request(method, path, json=body) as answer:
            answer.raise_for_status()
            return await answer.json()

    async def counters(self) -> dict[str, Any]:
        """Return now, accepted, refused, doubled, distinct_seen, distinct_accepted, pending, open, bound, settings."""
        counters: dict[str, Any] = await self._ask("GET", "/counters")
        return counters

    async def timeline(self) -> Timeline:
        """Return every arrival and every event so far."""
        return Timeline(**await self._ask("GET", "/timeline"))

    async def messages(self) -> dict[str, list[int]]:
        """Return how often each `destination|text` was accepted and refused."""
        messages: dict[str, list[int]] = await self._ask("GET", "/messages")
        return messages

    async def change(self, **settings: Any) -> None:
        """Change limit, delay, allow_binds, at_unbind, coalesce, silent, bind_status, close_binds_after (ms),
        already_bound or away while it runs.
        """
        await self._ask("POST", "/settings", settings)

    async def close_binds(self) -> None:
        """Cut every open bind's connection."""
        await self._ask("POST", "/close-binds")

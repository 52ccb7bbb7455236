"""A gateway with several accounts under load while its spec is changed, and SMSCs of another author that judge."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import yaml

from kannelkit.host.processes import ProcessId
from tests.harness import child
from tests.harness.gateway import PASSWORD, SYSTEM_ID, USER, emptied
from tests.harness.load import SENDER
from tests.harness.node_smsc import NodeSmsc
from tests.harness.supervised import Supervised
from tests.harness.timeline import doubled, lost
from tests.integration.operated import PATIENCE, Up


def account(name: str, smsc: NodeSmsc, prefix: str, **more: Any) -> dict[str, Any]:
    """Return an account that takes the messages to numbers with a prefix."""
    return {
        "smsc-id": name,
        "host": "127.0.0.1",
        "port": smsc.port,
        "smsc-username": SYSTEM_ID,
        "smsc-password": "secret",
        "allowed-prefix": prefix,
        "throughput": 50,
        "reconnect-delay": 1,
        **more,
    }


@dataclass
class Load:
    """Messages sent to some prefixes in turn, `speed` a second, until it is stopped."""

    sendsms_port: int
    prefixes: list[str]
    speed: float = 60.0
    accepted: list[str] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)
    unknown: list[str] = field(default_factory=list)
    _task: asyncio.Task[None] | None = None
    _stopping: bool = False

    async def __aenter__(self) -> Load:
        self._task = asyncio.create_task(self._send())
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def stop(self) -> None:
        self._stopping = True
        if self._task is not None:
            await self._task
            self._task = None

    async def _send(self) -> None:
        loop = asyncio.get_running_loop()
        begin = loop.time()
        async with asyncio.TaskGroup() as group:
            index = 0
            while not self._stopping:
                await asyncio.sleep(max(0.0, begin + index / self.speed - loop.time()))
                to = f"{self.prefixes[index % len(self.prefixes)]}{index:07d}"
                group.create_task(self._one(to, f"m{index}"))
                index += 1

    async def _one(self, to: str, text: str) -> None:
        """Send one message; only what has not reached smsbox is sent again (aiohttp repeats every GET that breaks)."""
        query = urlencode({"username": USER, "password": PASSWORD, "from": SENDER, "to": to, "text": text})
        key = f"{to}|{text}"
        while True:
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", self.sendsms_port)
                break
            except OSError:
                await asyncio.sleep(0.05)
        try:
            writer.write(f"GET /cgi-bin/sendsms?{query} HTTP/1.0\r\n\r\n".encode())
            answer = (await reader.read()).decode()
        except OSError:
            answer = ""
        finally:
            writer.close()
        if " 202 " in answer.partition("\r\n")[0]:
            self.accepted.append(key)
        elif answer:
            self.refused[key] = answer
        else:
            self.unknown.append(key)


class Applied(Up):
    """`kannelkit up` whose spec is changed while it runs."""

    def __init__(self, folder: Path, accounts: Sequence[dict[str, Any]], **more: Any) -> None:
        self.core = {}
        calm = {"rate": {"raise-after": 3600}}
        Supervised.__init__(self, folder, 0, 60, spec={"smsc": list(accounts), "supervisor": calm, **more})

    @property
    def conf(self) -> str:
        return (self.state / "kannel.conf").read_text()

    def change(self, **groups: Any) -> None:
        """Write other groups into the spec."""
        spec = self.spec() | groups
        self._more = {name: value for name, value in spec.items() if name not in ("state-dir", "core", "smsbox")}
        self.path.write_text(yaml.safe_dump(spec, sort_keys=False))

    async def apply(self, *options: str) -> tuple[int, str]:
        """Run `kannelkit apply` and return its exit code and what it said."""
        process = await self.begin_apply(*options)
        async with asyncio.timeout(PATIENCE * 2):
            code = await process.wait()
        return code, self.applied.read_text()

    async def applies(self, *options: str) -> None:
        """Run `kannelkit apply`, and fail unless it is done."""
        code, said = await self.apply(*options)
        assert code == 0, said

    def hang_up(self) -> None:
        """Send SIGHUP to `kannelkit up`."""
        os.kill(self.pid, signal.SIGHUP)

    async def begin_apply(self, *options: str) -> Process:
        self.applied.unlink(missing_ok=True)
        return await child.start(
            sys.executable, "-m", "kannelkit", "apply", self.path, *options, output=self.applied, cwd=self.folder
        )

    @property
    def applied(self) -> Path:
        return self.folder / "apply.out"

    def pids(self) -> dict[str, ProcessId]:
        return self.boxes()


@dataclass
class Judged:
    """What became of a load: messages lost, doubled, and the binds that each SMSC answered since it began."""

    lost: list[str]
    doubled: dict[str, int]


async def judge(gateway: Applied, load: Load, *smscs: NodeSmsc) -> Judged:
    """Stop the load, wait until bearerbox keeps nothing, and compare what was taken with what arrived anywhere."""
    await load.stop()
    await emptied(gateway.admin_port, PATIENCE)
    seen: dict[str, list[int]] = {}
    for smsc in smscs:
        for key, (taken, refused) in (await smsc.messages()).items():
            before = seen.get(key, [0, 0])
            seen[key] = [before[0] + taken, before[1] + refused]
    return Judged(lost(load.accepted, seen), doubled(seen))


async def binds(*smscs: NodeSmsc) -> list[int]:
    return [(await smsc.counters())["bound"] for smsc in smscs]


@asynccontextmanager
async def smscs(count: int, **behaviour: Any) -> AsyncIterator[list[NodeSmsc]]:
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(NodeSmsc(**{"delay_ms": 20, **behaviour})) for _ in range(count)]


@asynccontextmanager
async def silent() -> AsyncIterator[int]:
    """Listen on a port and never answer."""

    async def nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    async with await asyncio.start_server(nothing, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]

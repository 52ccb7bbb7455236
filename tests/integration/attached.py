"""A Kannel that kannelkit does not run, and `kannelkit watch` beside it."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
from asyncio.subprocess import Process
from contextlib import suppress
from pathlib import Path
from typing import Any

from kannelkit.host import processes
from kannelkit.host.found import Sought, find
from kannelkit.host.processes import ProcessId
from kannelkit.simulator import Simulator
from tests.harness import child
from tests.harness.gateway import online, wait_for
from tests.harness.kannel import program
from tests.harness.ports import free_ports
from tests.integration.operated import PATIENCE, Up, until_answered

_STOP_SECONDS = 20.0


class Watched(Up):
    """`kannelkit watch`, and the boxes that somebody else starts from `conf`.

    With `wrapped` they are started by run_kannel_box with a pid file, as Debian's init script does it; otherwise as
    systemd would. Everything runs as `user`, unless it is nobody else.
    """

    def __init__(self, folder: Path, smsc: Simulator, *, wrapped: bool, user: str = "", **more: Any) -> None:
        super().__init__(folder, smsc, **more)
        self.wrapped = wrapped
        self.conf = folder / "etc" / "kannel.conf"
        self.users: list[dict[str, str]] = []  # besides the usual one
        self._user = user
        self._started: list[Process] = []

    def spec(self) -> dict[str, Any]:
        spec = super().spec()
        supervisor: dict[str, Any] = {"conf-file": "etc/kannel.conf"}
        if self.wrapped:
            supervisor["pid-files"] = {name: f"kannel_{name}.pid" for name in ("bearerbox", "smsbox")}
        spec["supervisor"] = {**spec.get("supervisor", {}), **supervisor}
        spec["sendsms-user"] += self.users
        spec["core"] |= {"store-location": str(self.folder / "spool"), "log-file": str(self.log)}
        spec["smsbox"] |= {"log-file": str(self.folder / "log" / "smsbox.log")}
        spec["core"] |= {"access-log": str(self.folder / "log" / "access.log")}
        return spec

    @property
    def log(self) -> Path:
        return self.folder / "log" / "bearerbox.log"

    @property
    def account(self) -> dict[str, Any]:
        """Return the account as it will be written."""
        return self._smsc

    async def generate(self, conf: Path | None = None) -> None:
        """Write the spec, and the kannel.conf that it stands for, as an operator does before the first start."""
        if not self.admin_port:
            self.admin_port, self._smsbox_port, self.sendsms_port = free_ports(3)
        for name in ("etc", "log", "spool"):
            (self.folder / name).mkdir(exist_ok=True)
            self._give(self.folder / name)
        self._give(self.folder)
        self.write()
        assert await self.run("generate", self.path, "-o", conf or self.conf) == 0, self.said()

    def write(self) -> Path:
        path = super().write()
        self._give(path)
        return path

    def _give(self, path: Path) -> None:
        if self._user:
            shutil.chown(path, self._user)

    async def run(self, *words: str | Path) -> int:
        """Run another command to its end; what it says goes to the same output."""
        running = await self._child(sys.executable, "-m", "kannelkit", *words)
        return await asyncio.wait_for(running.wait(), PATIENCE)

    async def start(self) -> None:
        """Start `kannelkit watch`."""
        self._process = await self._child(sys.executable, "-m", "kannelkit", "watch", self.path)

    async def kannel(self) -> None:
        """Start the boxes and return when the link is online."""
        for name in ("bearerbox", "smsbox"):
            path = program(name)
            assert path is not None
            if self.wrapped:
                pid_file = self.folder / f"kannel_{name}.pid"
                options = ("--pidfile", pid_file, "--min-delay", "1", "--no-extra-args")
                wrapping = await self._child(Path(path).with_name("run_kannel_box"), *options, path, *self._boxes_words)
                await asyncio.wait_for(wrapping.wait(), PATIENCE)
            else:
                self._started.append(await self._child(path, *self._boxes_words))  # smsbox is the last
            if name == "bearerbox":  # smsbox connects once and panics
                assert await wait_for(self.admin_port, PATIENCE, lambda status: "<status>" in status)
        assert await wait_for(self.admin_port, PATIENCE, online)

    def box(self, name: str) -> ProcessId:
        """Return a box's process."""
        port = self.admin_port if name == "bearerbox" else self.sendsms_port
        found = find(Sought(name, None, port, self.conf))
        assert found is not None, name
        return found

    async def ended(self) -> None:
        """End the boxes that were started as systemd would, in order."""
        for process in reversed(self._started):
            await child.stop(process, _STOP_SECONDS)
        self._started.clear()

    async def smsbox_anew(self) -> None:
        """Restart smsbox as systemd would."""
        await child.stop(self._started.pop(), _STOP_SECONDS)
        self._started.append(await self._child(program("smsbox") or "smsbox", *self._boxes_words))
        await until_answered(self)

    async def stop(self) -> None:
        """Stop kannelkit, then the boxes, by pid: a wrapper's first, or it would start its box again."""
        if self._process is not None:
            await child.stop(self._process, _STOP_SECONDS)
            self._process = None
        for name in ("smsbox", "bearerbox"):
            pid_file = self.folder / f"kannel_{name}.pid"
            with suppress(OSError, ValueError):
                wrapper = processes.current(int(pid_file.read_text()))
                if wrapper is not None and Path(processes.command_line(wrapper)[0]).name == "run_kannel_box":
                    processes.terminate(wrapper)
            found = find(Sought(name, None, None, self.conf))
            if found is not None:
                processes.kill(found)  # in order it takes some seconds, and nobody waits for what it has
        await self.ended()
        relay = self.boxes().get("relay")  # which outlives kannelkit
        if relay is not None:
            processes.kill(relay)

    async def __aenter__(self) -> Watched:
        await self.generate()
        return self

    @property
    def _boxes_words(self) -> tuple[str | Path, ...]:
        return ("-v", "4", "--", self.conf)

    async def _child(self, *words: str | Path) -> Process:
        before = (*BE_USER, f"--reuid={self._user}") if self._user else ()
        return await child.start(*before, *words, output=self.output, cwd=self.folder)


BE_USER = ("setpriv", "--regid=nogroup", "--clear-groups")


def other_user() -> str:
    """Return Kannel's user, if this one may become that and that one may run kannelkit; else "", for this one."""
    if os.geteuid() != 0:
        return ""
    tried = (*BE_USER, "--reuid=kannel", sys.executable, "-c", "import kannelkit.cli.watch")
    done = subprocess.run(tried, cwd="/", capture_output=True, check=False)
    return "kannel" if done.returncode == 0 else ""

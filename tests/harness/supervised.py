"""The same gateway run by `kannelkit up SPEC`, as a program of its own, as an operator would."""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import Process
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psutil
import yaml

from tests.harness import child
from tests.harness.gateway import ADMIN_PASSWORD, PASSWORD, SYSTEM_ID, USER, online, wait_for
from tests.harness.ports import free_ports

_START_SECONDS = 90.0
_STOP_SECONDS = 60.0


class Supervised:
    """kannelkit with one account whose `throughput` is the ceiling it may not exceed (SMS per second).

    `options` are those of `kannelkit up`.
    """

    options: tuple[str, ...] = ()

    def __init__(
        self,
        folder: Path,
        smsc_port: int,
        throughput: int,
        *,
        max_pending_submits: int = 1000,
        sms_resend_freq: int = 5,
        tls_pem: Path | None = None,
        account: dict[str, Any] | None = None,
        spec: dict[str, Any] | None = None,
    ) -> None:
        """Take further keys of the account in `account` and further groups in `spec`."""
        self.folder = folder
        self.admin_port, self._smsbox_port, self.sendsms_port = 0, 0, 0
        self._smsc: dict[str, Any] = {
            "smsc-id": "bench",
            "smsc": "smpp",
            "host": "127.0.0.1",
            "port": smsc_port,
            "transceiver-mode": True,
            "smsc-username": SYSTEM_ID,
            "smsc-password": "secret",
            "throughput": throughput,
            "max-pending-submits": max_pending_submits,
            "reconnect-delay": 1,
        }
        if tls_pem:
            self._smsc |= {"use-ssl": True, "ssl-client-certkey-file": str(tls_pem)}
        self._smsc |= account or {}
        self._sms_resend_freq = sms_resend_freq
        self._more = spec or {}
        self._process: Process | None = None

    @property
    def path(self) -> Path:
        """Return where the spec is written."""
        return self.folder / "gateway.yaml"

    @property
    def output(self) -> Path:
        """Return where both outputs of `kannelkit up` go."""
        return self.folder / "up.out"

    @property
    def pid(self) -> int:
        """Return the pid of `kannelkit up`; raise RuntimeError when it is not running."""
        if self._process is None or self._process.returncode is not None:
            raise RuntimeError("kannelkit up is not running")
        return self._process.pid

    def spec(self) -> dict[str, Any]:
        """Return the spec as plain values."""
        return {
            "state-dir": str(self.folder / "state"),
            "core": {
                "admin-port": self.admin_port,
                "admin-password": ADMIN_PASSWORD,
                "smsbox-port": self._smsbox_port,
                "sms-resend-freq": self._sms_resend_freq,
            },
            "smsbox": {"sendsms-port": self.sendsms_port},
            "sendsms-user": [{"username": USER, "password": PASSWORD, "max-messages": 1}],
            "smsc": [self._smsc],
            **self._more,
        }

    def write(self) -> Path:
        """Choose the ports, unless they are chosen already, write the spec and return its path."""
        self.folder.mkdir(parents=True, exist_ok=True)
        if not self.admin_port:  # a second start goes on with the first one's state, on the same ports
            self.admin_port, self._smsbox_port, self.sendsms_port = free_ports(3)
        self.path.touch(mode=0o600)
        self.path.write_text(yaml.safe_dump(self.spec(), sort_keys=False))
        return self.path

    async def start(self) -> None:
        """Write the spec, run `kannelkit up` and return when the link is online; raise RuntimeError otherwise."""
        self.write()
        self._process = await child.start(
            sys.executable, "-m", "kannelkit", "up", self.path, *self.options, output=self.output, cwd=self.folder
        )
        ended = asyncio.create_task(self._process.wait())
        ready = asyncio.create_task(wait_for(self.admin_port, _START_SECONDS, online))
        await asyncio.wait({ended, ready}, return_when=asyncio.FIRST_COMPLETED)
        ended.cancel()
        if ready.done() and ready.result():
            return
        ready.cancel()
        await self.stop()
        said = self.output.read_text(errors="replace")[-2000:]
        raise RuntimeError(f"kannelkit up did not bring the link online:\n{said}")

    async def stop(self) -> None:
        """Stop it with SIGTERM; where it has to be killed, its boxes too, by pid."""
        if self._process is None:
            return
        try:
            boxes = psutil.Process(self._process.pid).children(recursive=True)
        except psutil.NoSuchProcess:
            boxes = []
        await child.stop(self._process, _STOP_SECONDS)
        self._process = None
        for box in boxes:
            if box.is_running():  # compares the start time too, so a pid given again is left alone
                box.kill()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

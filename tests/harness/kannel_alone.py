"""bearerbox and smsbox with a hand-written kannel.conf and nothing beside them: what kannelkit is compared with."""

from __future__ import annotations

from asyncio.subprocess import Process
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.harness import child
from tests.harness.gateway import ADMIN_PASSWORD, PASSWORD, SYSTEM_ID, USER, online, wait_for
from tests.harness.ports import free_ports

_CONF = """\
group = core
admin-port = {admin_port}
admin-interface = 127.0.0.1
admin-password = {admin_password}
smsbox-port = {smsbox_port}
smsbox-interface = 127.0.0.1
box-allow-ip = 127.0.0.1
store-type = spool
store-location = {folder}/spool
dlr-storage = internal
sms-resend-freq = {sms_resend_freq}
log-file = {folder}/bearerbox.log
log-level = {log_level}
access-log = {folder}/access.log

group = smsbox
bearerbox-host = 127.0.0.1
sendsms-port = {sendsms_port}
sendsms-interface = 127.0.0.1
log-file = {folder}/smsbox.log
log-level = {log_level}

group = sendsms-user
username = {user}
password = {password}
max-messages = 1
concatenation = false

group = smsc
smsc = smpp
smsc-id = bench
host = 127.0.0.1
port = {smsc_port}
transceiver-mode = true
smsc-username = {system_id}
smsc-password = secret
system-type = ""
throughput = {throughput}
max-pending-submits = {max_pending_submits}
reconnect-delay = 1
{tls}"""

_START_SECONDS = 20.0
_STOP_SECONDS = 40.0  # bearerbox takes 2 to 4 s, and 30 s more when its unbind is not answered
_ATTEMPTS = 3  # bearerbox gives up when a port was taken after it had been found free


class KannelAlone:
    """A real Kannel at a constant `throughput` (SMS per second), its files in `folder`."""

    def __init__(
        self,
        folder: Path,
        smsc_port: int,
        throughput: float,
        *,
        max_pending_submits: int = 1000,
        sms_resend_freq: int = 5,
        tls_pem: Path | None = None,
        log_level: int = 1,
    ) -> None:
        self.folder = folder
        self.admin_port = 0
        self.sendsms_port = 0
        self._smsc_port = smsc_port
        self._throughput = throughput
        self._max_pending_submits = max_pending_submits
        self._sms_resend_freq = sms_resend_freq
        self._tls_pem = tls_pem
        self._log_level = log_level
        self._smsbox_port = 0
        self._bearerbox: Process | None = None
        self._smsbox: Process | None = None

    def conf(self) -> str:
        """Return the kannel.conf for the chosen ports."""
        tls = f"use-ssl = true\nssl-client-certkey-file = {self._tls_pem}\n" if self._tls_pem else ""
        return _CONF.format(
            admin_port=self.admin_port,
            admin_password=ADMIN_PASSWORD,
            smsbox_port=self._smsbox_port,
            sendsms_port=self.sendsms_port,
            folder=self.folder,
            sms_resend_freq=self._sms_resend_freq,
            log_level=self._log_level,
            user=USER,
            password=PASSWORD,
            smsc_port=self._smsc_port,
            system_id=SYSTEM_ID,
            throughput=f"{self._throughput:g}",
            max_pending_submits=self._max_pending_submits,
            tls=tls,
        )

    def rewrite(self, throughput: float) -> None:
        """Write kannel.conf again with another throughput; Kannel reads it when it is told to."""
        self._throughput = throughput
        (self.folder / "kannel.conf").write_text(self.conf())

    async def start(self) -> None:
        """Start both boxes and return when the link is online; raise RuntimeError after three tries."""
        (self.folder / "spool").mkdir(parents=True, exist_ok=True)
        conf = self.folder / "kannel.conf"
        output = self.folder / "boxes.out"
        for _ in range(_ATTEMPTS):
            self.admin_port, self._smsbox_port, self.sendsms_port = free_ports(3)
            conf.write_text(self.conf())
            self._bearerbox = await child.start("bearerbox", "-v", "4", conf, output=output)
            # smsbox tries to connect once and panics: bearerbox has to listen before it starts.
            listens = await wait_for(self.admin_port, _START_SECONDS, lambda status: bool(status))
            if listens and self._bearerbox.returncode is None:
                self._smsbox = await child.start("smsbox", "-v", "4", conf, output=output)
                if await wait_for(self.admin_port, _START_SECONDS, online):
                    return
            await self.stop()
        raise RuntimeError(f"Kannel did not come online, see {output} and the logs beside it")

    async def stop(self) -> None:
        """Stop smsbox, then bearerbox."""
        await child.stop(self._smsbox, _STOP_SECONDS)
        await child.stop(self._bearerbox, _STOP_SECONDS)
        self._smsbox = self._bearerbox = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

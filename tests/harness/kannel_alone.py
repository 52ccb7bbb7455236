"""bearerbox and smsbox with a hand-written kannel.conf and nothing beside them: what kannelkit is compared with."""

from __future__ import annotations

from pathlib import Path

from tests.harness.gateway import ADMIN_PASSWORD, PASSWORD, SYSTEM_ID, USER, online, wait_for
from tests.harness.kannel import CORE, SMSBOX, Kannel

_CONF = (
    CORE
    + """\
box-allow-ip = 127.0.0.1
store-type = spool
store-location = {folder}/spool
dlr-storage = internal
sms-resend-freq = 5
access-log = {folder}/access.log
"""
    + SMSBOX
    + """
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
throughput = {throughput:g}
max-pending-submits = 1000
reconnect-delay = 1
{tls}"""
)

_ONLINE_SECONDS = 20.0
_STOP_SECONDS = 40.0  # bearerbox takes 2 to 4 s, and 30 s more when its unbind is not answered


class KannelAlone(Kannel):
    """A real Kannel at a constant `throughput` (SMS per second), its files in `folder`."""

    def __init__(self, folder: Path, smsc_port: int, throughput: float, *, tls_pem: Path | None = None) -> None:
        super().__init__(
            folder,
            _CONF,
            smsbox=True,
            admin_password=ADMIN_PASSWORD,
            stops_within=_STOP_SECONDS,
            user=USER,
            password=PASSWORD,
            system_id=SYSTEM_ID,
            smsc_port=smsc_port,
            throughput=throughput,
            tls=f"use-ssl = true\nssl-client-certkey-file = {tls_pem}\n" if tls_pem else "",
        )

    def rewrite(self, throughput: float) -> None:
        """Write kannel.conf again with another throughput; Kannel reads it when it is told to."""
        self.values["throughput"] = throughput
        self.write()

    async def start(self) -> None:
        """Start both boxes and return when the link is online; raise RuntimeError where it does not come to be."""
        (self.folder / "spool").mkdir(parents=True, exist_ok=True)
        await super().start()
        if not await wait_for(self.admin_port, _ONLINE_SECONDS, online):
            await self.stop()
            raise RuntimeError(f"Kannel did not come online, see {self.output} and the logs beside it")

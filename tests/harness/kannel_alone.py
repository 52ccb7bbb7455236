"""bearerbox and smsbox with a hand-written kannel.conf and nothing beside them: what kannelkit is compared with."""

from __future__ import annotations

from pathlib import Path

from kannelkit.render.links import shares
from tests.harness.gateway import ADMIN_PASSWORD, PASSWORD, SYSTEM_ID, USER, online, wait_for
from tests.harness.kannel import CORE, LOADING, SMSBOX, SPOOL, Kannel

_CONF = (
    CORE
    + SPOOL
    + """\
dlr-storage = internal
sms-resend-freq = {sms_resend_freq}
"""
    + SMSBOX
    + LOADING
    + "{links}"
)
_LINK = """
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
max-pending-submits = {max_pending_submits}
reconnect-delay = 1
{tls}"""

_ONLINE_SECONDS = 90.0
_STOP_SECONDS = 40.0  # bearerbox takes 2 to 4 s, and 30 s more when its unbind is not answered


class KannelAlone(Kannel):
    """A real Kannel at a constant `throughput` (SMS per second) over all its `links`, its files in `folder`."""

    def __init__(
        self,
        folder: Path,
        smsc_port: int,
        throughput: float,
        *,
        links: int = 1,
        max_pending_submits: int = 1000,
        sms_resend_freq: int = 5,
        tls_pem: Path | None = None,
    ) -> None:
        """Take a throughput that is a whole number where there are several links, which share it evenly."""
        self._link = {
            "smsc_port": smsc_port,
            "system_id": SYSTEM_ID,
            "max_pending_submits": max_pending_submits,
            "tls": f"use-ssl = true\nssl-client-certkey-file = {tls_pem}\n" if tls_pem else "",
        }
        self._links = links
        super().__init__(
            folder,
            _CONF,
            smsbox=True,
            admin_password=ADMIN_PASSWORD,
            stops_within=_STOP_SECONDS,
            user=USER,
            password=PASSWORD,
            sms_resend_freq=sms_resend_freq,
            links=self._groups(throughput),
        )

    def rewrite(self, throughput: float) -> None:
        """Write kannel.conf again with another throughput; Kannel reads it when it is told to."""
        self.values["links"] = self._groups(throughput)
        self.write()

    def _groups(self, throughput: float) -> str:
        each = [throughput] if self._links == 1 else shares(int(throughput), self._links)
        return "".join(_LINK.format(throughput=share, **self._link) for share in each)

    async def start(self) -> None:
        """Start both boxes and return when the link is online; raise RuntimeError where it does not come to be."""
        (self.folder / "spool").mkdir(parents=True, exist_ok=True)
        await super().start()
        if not await wait_for(self.admin_port, _ONLINE_SECONDS, lambda status: online(status, self._links)):
            await self.stop()
            raise RuntimeError(f"Kannel did not come online, see {self.output} and the logs beside it")

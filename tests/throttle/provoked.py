"""A real bearerbox whose links meet every trouble that it has a line for, and the log that it writes of that."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

import aiohttp

from kannelkit.smpp.constants import RESPONSE, CommandId
from kannelkit.smpp.pdu import Pdu, decode, encode
from tests.harness.gateway import online, status_xml
from tests.harness.kannel import CORE, SMSBOX, Kannel

# login, which is the smsc-id too -> the command_status that answers its bind
BINDS = {
    "answers": 0x00,
    "quiet": 0x00,  # binds, then answers nothing but enquire_link
    "quits": 0x00,  # the same; its link is told to reconnect then
    "leaves": 0x00,  # binds, then answers nothing at all
    "cuts": 0x00,  # binds, then closes the connection at the first submit
    "taken": 0x05,
    "busy": 0x0D,
    "unknown": 0x0E,
    "stranger": 0x0F,
    "type": 0x53,
}
# what the login `answers` meets its submits with: the text of each is its command_status in hexadecimal; the one of
# too fast comes last, for it makes the link pause
STATUSES = (0x00, 0x08, 0x0B, 0x14, 0x45, 0x64, 0x400, 0x58)
NOT_BOUND = 0x04  # what the login `taken` meets them with

# how a link differs from the others
_MORE = {
    "quiet": "wait-ack = 1\nwait-ack-expire = 1\nenquire-link-interval = 1\n",
    "quits": "wait-ack = 1\nwait-ack-expire = 0\nenquire-link-interval = 1\n",
    "leaves": "connection-timeout = 2\nenquire-link-interval = 1\n",
}
_LINK = """
group = smsc
smsc = smpp
smsc-id = {login}
allowed-smsc-id = {login}
host = 127.0.0.1
port = {port}
transceiver-mode = true
smsc-username = {login}
smsc-password = secret
system-type = ""
reconnect-delay = 60
{more}"""
_CONF = (
    CORE
    + """\
box-allow-ip = 127.0.0.1
sms-resend-freq = 60
"""
    + SMSBOX
    + """
group = sendsms-user
username = u
password = p
max-messages = 1
concatenation = false
"""
)
_PATIENCE = 60.0


class Smsc:
    """Treats each login as the tables above say."""

    def __init__(self) -> None:
        self.port = 0
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Smsc:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *exc: object) -> None:
        assert self._server is not None
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        login = ""
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                length = await reader.readexactly(4)
                pdu = decode(length + await reader.readexactly(int.from_bytes(length, "big") - 4))
                status, fields = 0, {}
                if pdu.command_id == CommandId.BIND_TRANSCEIVER:
                    login = pdu.octets("system_id").decode()
                    status, fields = BINDS[login], {"system_id": b"smsc"}
                elif login == "leaves" or (login in ("quiet", "quits") and pdu.command_id == CommandId.SUBMIT_SM):
                    continue
                elif pdu.command_id == CommandId.SUBMIT_SM:
                    if login == "cuts":
                        break
                    status, fields = _answer_to(login, pdu.octets("short_message")), {"message_id": b"1"}
                writer.write(encode(Pdu(pdu.command_id | RESPONSE, status, pdu.sequence_number, {**fields})))
        writer.close()


def _answer_to(login: str, text: bytes) -> int:
    if login == "taken":
        return NOT_BOUND
    return next((status for status in STATUSES if text == b"%x" % status), 0)


async def provoke(
    folder: Path, until: Iterable[bytes], hostile: Callable[[int], str] | None = None
) -> tuple[int, bytes]:
    """Return bearerbox's process id and its log at level 0, once the log holds each of the texts in `until`.

    `hostile` makes, of the process id, text that an application puts wherever it can into some more messages.
    """
    async with Smsc() as smsc:
        links = [_LINK.format(login=login, port=smsc.port, more=_MORE.get(login, "")) for login in BINDS]
        links.append(_LINK.format(login="nowhere", port=1, more=""))
        kannel = Kannel(folder, _CONF + "".join(links), smsbox=True, log_level=0)
        async with kannel, aiohttp.ClientSession() as session:

            async def send(**query: str) -> None:
                url = f"http://127.0.0.1:{kannel.sendsms_port}/cgi-bin/sendsms"
                query = {"username": "u", "password": "p", "from": "a", "to": "79990000000", "text": "t", **query}
                async with session.get(url, params=query) as answer:
                    await answer.read()

            async with asyncio.timeout(_PATIENCE):  # smsbox panics over a message that comes before it knows bearerbox
                bound = sum(not status or status == 0x05 for status in BINDS.values())
                while not online(await status_xml(kannel.admin_port, password=kannel.admin_password), bound):
                    await asyncio.sleep(0.1)
            for status in STATUSES:
                await send(smsc="answers", text=f"{status:x}")
            for login in ("quiet", "quits", "cuts", "taken"):
                await send(smsc=login)
            if hostile is not None:
                forged = hostile(kannel.bearerbox.pid)
                for name in ("binfo", "from", "text", "smsc", "service", "account", "dlr-url", "meta-data", "udh"):
                    await send(**{"smsc": "answers", "dlr-mask": "31", name: forged})
                    await send(**{"smsc": "answers", "dlr-mask": "31", name: f"x\n{forged}\ny"})
                await send(smsc="answers", to=f"7999\n{forged}")
            log = folder / "bearerbox.log"
            async with asyncio.timeout(_PATIENCE):
                while any(text not in log.read_bytes() for text in until):
                    await asyncio.sleep(0.1)
            pid = kannel.bearerbox.pid
        return pid, log.read_bytes()

"""Kannel's admin interface over HTTP (gw/bb_http.c)."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING

from kannelkit.errors import GatewayError
from kannelkit.gateway.status import MOST_OCTETS, DeniedError, GatewayStatus, parse_status

if TYPE_CHECKING:
    import aiohttp

# a link that does not answer its unbind holds a graceful restart up for 30 s
_GRACEFUL_SECONDS = 60.0
_REACH_HINT = "is bearerbox running, and is this its admin-port?"


class Admin:
    """A running bearerbox, commanded through its admin port.

    One thread of bearerbox answers, one request at a time, so requests of this object wait for each other; a timeout
    (seconds) counts from the moment a request is sent. Every answer is HTTP 200, done or refused: whether a link really
    stopped or started is in the status, not in the answer. Only a wrong password and a missing answer raise, both
    GatewayError; the password is in no message, and neither is a URL.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        port: int,
        password: str,
        host: str = "127.0.0.1",
        *,
        status_timeout: float = 5.0,
        command_timeout: float = 15.0,
    ) -> None:
        self._session = session
        self._status_timeout = status_timeout
        self._command_timeout = command_timeout
        self._one_at_a_time = asyncio.Lock()
        self.move(port, password, host)

    def move(self, port: int, password: str, host: str = "127.0.0.1") -> None:
        """Talk to another admin port from now on: that of a bearerbox that was started with another configuration."""
        self._base = f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"
        self._where = f"bearerbox's admin port {host}:{port}"
        self._password = password

    async def status(self) -> GatewayStatus:
        """Return how the gateway, its boxes and its links stand. Raises DeniedError where the password is another."""
        return parse_status(await self._ask("GET", "status.xml", {}, self._status_timeout))

    async def stop_link(self, admin_id: str) -> str:
        """Begin to stop every link with this admin id; it is stopped when the status says `dead`.

        Without another link or parking link that is a route for them, its queued messages are discarded.
        """
        return await self._command("stop-smsc", smsc=admin_id)

    async def start_link(self, admin_id: str) -> str:
        """Re-create a dead link from the configuration file as it is now; refused while the link is not dead.

        bearerbox reads the whole file again: one that does not parse changes nothing, but a regular expression in it
        that does not compile ends bearerbox.
        """
        return await self._command("start-smsc", smsc=admin_id)

    async def add_link(self, admin_id: str) -> str:
        """Create every link with this admin id from the configuration file as it is now; refused where there is one.

        One with `dead-start` stays dead. What is said of the file at `start_link` holds here, too.
        """
        return await self._command("add-smsc", smsc=admin_id)

    async def remove_link(self, admin_id: str) -> str:
        """Forget every link with this admin id at once. Only for dead links: the thread of one that is not goes on
        without a place in the status, and puts its messages back when it ends (gw/bb_smscconn.c, smsc2_remove_smsc).
        """
        return await self._command("remove-smsc", smsc=admin_id)

    async def graceful_restart(self) -> str:
        """Have the links follow the configuration file as it is now.

        A link of which only routing directives changed takes them without a new bind; any other change replaces it,
        and bearerbox answers no other command until the old one has ended: 2 s, up to 30 s.
        """
        return await self._command("graceful-restart", _GRACEFUL_SECONDS)

    async def _command(self, command: str, seconds: float | None = None, **arguments: str) -> str:
        # POST: aiohttp repeats a GET whose kept-alive connection breaks, and no command is to be given twice
        answer = await self._ask("POST", f"{command}.txt", arguments, seconds or self._command_timeout)
        text = answer.decode("utf-8", "backslashreplace").strip()
        if text == "Denied":
            raise DeniedError(
                f"{self._where} denies {command}: the password is not its admin-password",
                "is this the gateway that the spec describes?",
            )
        return text

    async def _ask(self, method: str, path: str, arguments: dict[str, str], seconds: float) -> bytes:
        import aiohttp  # takes long, and what only names an Admin asks nobody

        query = {"password": self._password, **arguments}
        async with self._one_at_a_time:
            try:
                async with self._session.request(
                    method,
                    self._base + path,
                    params=query,
                    allow_redirects=False,
                    timeout=aiohttp.ClientTimeout(total=seconds),
                ) as response:
                    status = response.status
                    octets = await response.content.read(0)
                    while not response.content.at_eof() and len(octets) <= MOST_OCTETS:
                        octets += await response.content.read(256 * 1024)
            # not chained in any of these: the texts of aiohttp's errors hold the URL, and with it the password
            except TimeoutError:
                raise GatewayError(f"{self._where} did not answer within {seconds:g} s", _REACH_HINT) from None
            except aiohttp.ClientError as error:
                raise GatewayError(f"{self._where} cannot be asked: {_cause(error)}", _REACH_HINT) from None
        if status != 200:
            raise GatewayError(f"{self._where} answered HTTP {status}", _REACH_HINT)
        return octets


def _cause(error: aiohttp.ClientError) -> str:
    import aiohttp

    if isinstance(error, aiohttp.ClientConnectorError):
        return os.strerror(error.errno) if error.errno else "no connection"
    if isinstance(error, aiohttp.ServerDisconnectedError | aiohttp.ClientOSError):
        return "the connection broke"
    if isinstance(error, aiohttp.ClientPayloadError):
        return "the answer is cut"
    return "the answer is not HTTP"

"""What a benchmark needs of a gateway, whoever runs it: where to send, what waits, whether it is online."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from typing import Protocol

import aiohttp

USER = "bench"
PASSWORD = "bench"
ADMIN_PASSWORD = "bench"
SYSTEM_ID = "bench"

_ONLINE = re.compile(r"<status>online ")
_STORESIZE = re.compile(r"<storesize>(\d+)</storesize>")


class Gateway(Protocol):
    """A running Kannel: alone or supervised."""

    @property
    def admin_port(self) -> int:
        """Return bearerbox's admin port."""

    @property
    def sendsms_port(self) -> int:
        """Return smsbox's port for sendsms."""

    async def start(self) -> None:
        """Start it and return when its links are online; raise RuntimeError when that does not come about."""

    async def stop(self) -> None:
        """Stop all of it, in order, by pid."""


async def status_xml(admin_port: int, seconds: float = 5.0, *, password: str = ADMIN_PASSWORD) -> str:
    """Return bearerbox's status.xml, or "" when it does not answer within `seconds`."""
    url, query = f"http://127.0.0.1:{admin_port}/status.xml", {"password": password}
    timeout = aiohttp.ClientTimeout(total=seconds)
    try:
        async with aiohttp.ClientSession(timeout=timeout) as session, session.get(url, params=query) as answer:
            return await answer.text(errors="replace")
    except (aiohttp.ClientError, TimeoutError):
        return ""


def online(status: str, links: int = 1) -> bool:
    """Return whether so many links are online and a smsbox is connected."""
    return len(_ONLINE.findall(status)) >= links and "<type>smsbox</type>" in status


async def wait_for(
    admin_port: int, seconds: float, wanted: Callable[[str], bool], *, password: str = ADMIN_PASSWORD
) -> bool:
    """Return whether status.xml became what is wanted before `seconds` passed."""
    deadline = asyncio.get_running_loop().time() + seconds
    while asyncio.get_running_loop().time() < deadline:
        if wanted(await status_xml(admin_port, password=password)):
            return True
        await asyncio.sleep(0.1)
    return False


async def stored(admin_port: int) -> int | None:
    """Return the messages that bearerbox still keeps (`storesize`), or None when it does not say."""
    found = _STORESIZE.search(await status_xml(admin_port))
    return int(found[1]) if found else None


async def emptied(admin_port: int, seconds: float = 90.0) -> None:
    """Wait until bearerbox keeps no message any more; raise TimeoutError where it still has some after `seconds`."""
    async with asyncio.timeout(seconds):
        while await stored(admin_port) != 0:
            await asyncio.sleep(0.1)

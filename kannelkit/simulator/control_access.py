"""Who may ask at the control port: programs of this machine, and the page that it serves itself.

A web page of anybody else, open in a browser on this machine, must be no way in: neither by a form that posts here nor
by a name of its own that points at 127.0.0.1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from kannelkit.host.loopback import means_this_machine

_READS: Final = frozenset({"GET", "HEAD"})
_OWN: Final = frozenset({"same-origin", "none"})  # of Sec-Fetch-Site: "none" is what a person typed


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a request is not answered: the HTTP status and a sentence."""

    status: int
    message: str


def refusal(method: str, headers: Mapping[str, str]) -> Refusal | None:
    """Return why a request with these headers is refused, None where it is not; their names are spelt as HTTP does."""
    host = headers.get("Host", "")
    if not means_this_machine(host):
        return Refusal(421, "ask for 127.0.0.1, ::1 or localhost: the control port answers to no other name")
    origin = headers.get("Origin")
    if origin is not None and _address(origin) != host.lower():
        return Refusal(403, "not for web pages from elsewhere")
    if method not in _READS and headers.get("Sec-Fetch-Site", "none") not in _OWN:
        return Refusal(403, "not for web pages from elsewhere")
    return None


def _address(origin: str) -> str:
    """Return host and port of an origin; "" for `null`, which is nobody's."""
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:
        return ""

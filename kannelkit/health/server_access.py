"""Who may ask the health daemon."""

from __future__ import annotations

import base64
import binascii
import hmac
from dataclasses import dataclass

from kannelkit.errors import HostError
from kannelkit.host.loopback import is_loopback, means_this_machine
from kannelkit.spec.model import Address

_SHORTEST = 16  # characters: it can be guessed at as fast as the network is
_CHALLENGE = 'Bearer realm="kannelkit", Basic realm="kannelkit"'


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a request is not answered: its HTTP status, a sentence, and a WWW-Authenticate or ""."""

    status: int
    message: str
    challenge: str = ""


class Access:
    """What a request needs where the daemon listens at an address.

    On this machine alone, a Host header that means this machine. Wherever there is a token, that token: as a bearer
    token or, for browsers, as the password of any user. Raises HostError where others can reach the address and there
    is none, or one that is too short.
    """

    def __init__(self, listen: Address, token: str | None) -> None:
        self._token = None if token is None else token.encode()
        self._local = is_loopback(listen.host)
        if token is not None and (len(token) < _SHORTEST or not token.isascii() or not token.isprintable()):
            raise HostError(
                f"health.token is shorter than {_SHORTEST} characters, or has some that no HTTP header can hold",
                "make one: openssl rand -hex 16",
            )
        if token is None and not self._local:
            raise HostError(
                f"health.listen {listen.host}:{listen.port} can be reached by others, and there is no health.token",
                "write health: {token: {file: secrets/health}}, or listen on 127.0.0.1",
            )

    def refusal(self, host: str, authorization: str) -> Refusal | None:
        """Return why a request with these headers ("" where they are missing) is refused; None where it is not."""
        if self._local and not means_this_machine(host):
            return Refusal(421, "ask for 127.0.0.1, ::1 or localhost: the daemon answers to no other name")
        if self._token is None:
            return None
        if not authorization:
            return Refusal(401, "a token is needed: Authorization: Bearer TOKEN", _CHALLENGE)
        if not hmac.compare_digest(_presented(authorization), self._token):
            return Refusal(401, "the token is not that of health.token", _CHALLENGE)
        return None


def _presented(authorization: str) -> bytes:
    """Return the token that a request came with; b"" where it cannot be read."""
    scheme, _, rest = authorization.partition(" ")
    if scheme.lower() == "bearer":
        return rest.strip().encode("utf-8", "replace")
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(rest.strip(), validate=True).partition(b":")[2]
        except (binascii.Error, ValueError):
            return b""
    return b""

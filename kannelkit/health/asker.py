"""Asks bearerbox for its status, and tells one that hangs from one that is busy, denies or is not there."""

from __future__ import annotations

import dataclasses
import time
from urllib.parse import urlencode

from kannelkit.errors import GatewayError, KannelkitError
from kannelkit.gateway.status import MOST_OCTETS, DeniedError, GatewayStatus, parse_status
from kannelkit.health import sources
from kannelkit.health.fetch import fetch
from kannelkit.health.kept import Kept
from kannelkit.health.observed import Silence
from kannelkit.supervise.running import logs_of

# Each wrong password holds the administration port for a second longer than the one before, for everybody
# (gw/bb_http.c, httpd_check_authorization): whoever is denied asks ever more rarely.
_FIRST_WAIT, _LONGEST_WAIT = 10.0, 600.0
# bearerbox has no such command, and says so to anybody at once, without a password (gw/bb_http.c, httpd_serve)
_NO_COMMAND = "/is-there-anybody"
_DENYING = "it answers, but takes long over its status, as it does after wrong passwords"
_DENIED_HINT = "is the spec's admin-password the one that bearerbox runs with?"


class Asker:
    """Asks one bearerbox again and again."""

    def __init__(self) -> None:
        self._answered: float | None = None
        self._known = False  # that the password is bearerbox's
        self._denial: Silence | None = None
        self._denied: object = None
        self._denies = False
        self._wait = _FIRST_WAIT
        self._not_before = 0.0

    def ask(self, kept: Kept, seconds: float) -> GatewayStatus | Silence:
        """Return the status, or why there is none; takes `seconds` and half a second at the most."""
        password = kept.password
        if password is None and not kept.readable:
            return Silence("unreadable", 0.0, "its password cannot be read", "run as the user that runs kannelkit up")
        if password is None:
            # without its password bearerbox cannot run; whatever listens there is not this gateway
            return Silence("refused", 0.0, "it was never started")
        try:
            where = kept.spec.admin_host, kept.spec.admin_port, password
        except KannelkitError as error:  # a spec without admin-port, which `defaults: kannel` allows
            return Silence("unreadable", 0.0, error.message, error.hint)
        whom = where, kept.processes.get("bearerbox")
        if self._denial is not None and self._denied == whom and time.monotonic() < self._not_before:
            return self._denial
        answer = self._asked(kept, where, seconds)
        if isinstance(answer, Silence) and self._denies:
            self._wait = min(_LONGEST_WAIT, 2 * self._wait) if self._denied == whom else _FIRST_WAIT
            self._denial, self._denied = answer, whom
            self._not_before = time.monotonic() + self._wait
        else:
            self._denial = self._denied = None
        return answer

    def silence(self, answer: GatewayStatus | Silence | None) -> Silence | None:
        """Return the silence of an answer, None for a status; where it lasts, it counts from the last status on.

        None is an answer that was not waited for: something else hung on the way.
        """
        now = time.monotonic()
        if isinstance(answer, GatewayStatus):
            self._answered = now
            return None
        if answer is None:
            answer = Silence("unreadable", 0.0, "it could not be asked in time")
        if answer.kind == "silent" and self._answered is not None:
            answer = dataclasses.replace(answer, seconds=max(answer.seconds, now - self._answered))
        return answer

    def _asked(self, kept: Kept, where: tuple[str, int, str], seconds: float) -> GatewayStatus | Silence:
        files = kept.spec.files
        pulse = sources.Pulse(
            kept.processes.get("bearerbox"), [log for log in (*logs_of(kept.spec), files.access_log) if log is not None]
        )
        begun = time.monotonic()
        known, self._known = self._known, False
        self._denies = False
        try:
            # a denial that takes long would look like silence
            if known or _answers(where[0], where[1], max(0.1, seconds - 0.2)):
                status = _status(*where, max(0.1, seconds - (time.monotonic() - begun)))
                self._known = True
                return status
        except TimeoutError:
            if not known:
                self._denies = True
                return Silence("unreadable", 0.0, _DENYING, _DENIED_HINT)
        except DeniedError as error:
            self._denies = True
            return Silence("unreadable", 0.0, error.message, error.hint)
        except GatewayError as error:
            if sources.refused(where[0], where[1], 0.5):
                return Silence("refused", 0.0, error.message)
            return Silence("unreadable", 0.0, error.message, error.hint)
        took = time.monotonic() - begun
        return Silence("silent", took, f"it did not answer within {took:.1f} s", "", pulse.felt())


def _answers(host: str, port: int, seconds: float) -> bool:
    """Return whether somebody without the password has any answer, if only that nobody listens."""
    try:
        fetch(host, port, _NO_COMMAND, seconds, MOST_OCTETS)
    except TimeoutError:
        return False
    except GatewayError:
        pass  # the status says what is wrong
    return True


def _status(host: str, port: int, password: str, seconds: float) -> GatewayStatus:
    """Return the status. Raises TimeoutError; DeniedError where the password is another; GatewayError."""
    return parse_status(fetch(host, port, f"/status.xml?{urlencode({'password': password})}", seconds, MOST_OCTETS))

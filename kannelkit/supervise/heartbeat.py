"""When a service manager that watches over kannelkit (WatchdogSec=) has to hear that it goes on."""

from __future__ import annotations

from collections.abc import Mapping

# what is said to it (sd_notify(3))
ALIVE = "WATCHDOG=1"


class Heartbeat:
    """Says when the next sign of life is due: twice in the time that WATCHDOG_USEC allows, as sd_watchdog_enabled(3)
    advises.

    It never is where the service manager does not ask for it, or asks another process than `pid`.
    """

    def __init__(self, environment: Mapping[str, str], pid: int) -> None:
        microseconds, whom = environment.get("WATCHDOG_USEC", ""), environment.get("WATCHDOG_PID", "")
        asked = microseconds.isdecimal() and int(microseconds) > 0 and whom in ("", str(pid))
        self._every = int(microseconds) / 2e6 if asked else None
        self._next: float | None = None

    def due(self, now: float) -> bool:
        """Return whether a sign of life is due at `now` (monotonic seconds); the caller then gives it."""
        if self._every is None or (self._next is not None and now < self._next):
            return False
        self._next = now + self._every
        return True

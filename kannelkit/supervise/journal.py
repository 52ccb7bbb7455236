"""Tells what happens: a line for people, an event for programs, both kept in the state database."""

from __future__ import annotations

import contextlib
import time
from collections import deque
from collections.abc import Callable

from kannelkit.errors import HostError, KannelkitError
from kannelkit.supervise.memory import Event, Memory

Listener = Callable[[Event], None]


def in_one_line(error: KannelkitError) -> str:
    """Return an error with its hint as an event tells it."""
    lines = [line.strip() for line in (*error.message.splitlines(), error.hint) if line.strip()]
    return "".join(line + (" " if line.endswith(":") else "; ") for line in lines[:-1]) + lines[-1] if lines else ""


_RECENT = 50
# of these kinds an account's newest event says why it stands as it does
_REMEMBERED = ("rate", "failover")


class Journal:
    """Gives every event to the listener (the terminal, a program) and to the state database.

    An event that cannot be kept (a full disk) is still told; the gateway's work does not depend on it.
    """

    def __init__(self, memory: Memory, listener: Listener) -> None:
        self._memory = memory
        self._listener = listener
        self._recent: deque[Event] = deque(maxlen=_RECENT)
        self._newest: dict[str, dict[str, Event]] = {kind: {} for kind in _REMEMBERED}
        with contextlib.suppress(HostError):
            self._recent.extend(memory.events(_RECENT))
            self._newest = {kind: memory.newest(kind) for kind in _REMEMBERED}

    def tell(self, kind: str, text: str, account: str | None = None, **data: object) -> None:
        """Tell one event; `kind` is its name for programs, `data` holds numbers and texts without secrets."""
        event = Event(time.time(), kind, account, text, data)
        self._recent.append(event)
        if account is not None and kind in self._newest:
            self._newest[kind][account] = event
        with contextlib.suppress(HostError):
            self._memory.tell(event)
        self._listener(event)

    def recent(self, most: int) -> list[Event]:
        """Return the newest events, at the most 50, oldest first; those of earlier runs, too."""
        return list(self._recent)[-most:] if most > 0 else []

    def newest(self, kind: str, account: str) -> Event | None:
        """Return the newest `rate` or `failover` event of an account, or of the rate it shares; None without one."""
        return self._newest[kind].get(account)

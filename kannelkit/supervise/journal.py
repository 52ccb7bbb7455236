"""Tells what happens: a line for people, an event for programs, both kept in the state database."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable

from kannelkit.errors import HostError
from kannelkit.supervise.memory import Event, Memory

Listener = Callable[[Event], None]


class Journal:
    """Gives every event to the listener (the terminal, a program) and to the state database.

    An event that cannot be kept (a full disk) is still told; the gateway's work does not depend on it.
    """

    def __init__(self, memory: Memory, listener: Listener) -> None:
        self._memory = memory
        self._listener = listener

    def tell(self, kind: str, text: str, account: str | None = None, **data: object) -> None:
        """Tell one event; `kind` is its name for programs, `data` holds numbers and texts without secrets."""
        event = Event(time.time(), kind, account, text, data)
        with contextlib.suppress(HostError):
            self._memory.tell(event)
        self._listener(event)

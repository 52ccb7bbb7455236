"""A terminal in which keys come one by one, and that is as it was before when this is left."""

from __future__ import annotations

import contextlib
import os
import re
import termios
from types import TracebackType
from typing import Self

_KEYS = {
    b"\x1b[A": "up",
    b"\x1bOA": "up",
    b"\x1b[B": "down",
    b"\x1bOB": "down",
    b"\r": "enter",
    b"\n": "enter",
    b"\x1b": "escape",
}
# a whole sequence that a key or the terminal sends, or else one octet (ECMA-48, 5.4)
_SEQUENCE = re.compile(rb"\x1b\[[0-?]*[ -/]*[@-~]|\x1bO.|.", re.DOTALL)
_MOST_OCTETS = 1024
_LOCAL, _CONTROL = 3, 6  # places in what tcgetattr returns


class Keyboard:
    """Reads keys from a terminal without waiting for Enter, while it is entered. Raises OSError where it is none."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self._before = termios.tcgetattr(descriptor)

    def __enter__(self) -> Self:
        self.take()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.give_back()

    def take(self) -> None:
        """Have keys come one by one, unseen; Ctrl-C and Ctrl-Z stay signals."""
        now = termios.tcgetattr(self.descriptor)
        now[_LOCAL] &= ~(termios.ICANON | termios.ECHO)
        now[_CONTROL] = [*now[_CONTROL]]
        now[_CONTROL][termios.VMIN], now[_CONTROL][termios.VTIME] = 1, 0
        termios.tcsetattr(self.descriptor, termios.TCSADRAIN, now)

    def give_back(self) -> None:
        """Leave the terminal as it was; one that was closed needs nothing."""
        with contextlib.suppress(termios.error, OSError):
            termios.tcsetattr(self.descriptor, termios.TCSADRAIN, self._before)

    def keys(self) -> list[str] | None:
        """Return the keys pressed: up, down, enter, escape or a character; None where the terminal is gone."""
        try:
            octets = os.read(self.descriptor, _MOST_OCTETS)
        except BlockingIOError:
            return []
        except OSError:
            return None
        if not octets:
            return None
        return [key for match in _SEQUENCE.finditer(octets) if (key := _key(match[0]))]


def _key(octets: bytes) -> str:
    """Return a key's name; "" for one that has none here."""
    if octets in _KEYS:
        return _KEYS[octets]
    return chr(octets[0]) if len(octets) == 1 and 0x20 <= octets[0] < 0x7F else ""

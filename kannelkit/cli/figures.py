"""Numbers, times and events as a person reads them in a terminal."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kannelkit.supervise.memory import Event

# an event's colour by its kind, as far as it has one
EVENT_COLOURS = {
    "ready": "green",
    "attached": "green",
    "rate": "cyan",
    "paused": "cyan",
    "resumed": "cyan",
    "shares": "cyan",
    "applied": "green",
    "failover": "magenta",
    "note": "yellow",
    "warning": "yellow",
    "waiting": "yellow",
    "conf-file": "yellow",
    "spec-changed": "yellow",
    "apply-undone": "yellow",
    "apply-refused": "red",
    "apply-failed": "red",
    "bind-refused": "red",
    "ended": "red",
    "silent": "red",
}

# a box's, link's, account's or gateway's colour by its state; what is not here is red
STATE_COLOURS = {
    "running": "green",
    "online": "green",
    "partly": "yellow",
    "backup": "yellow",
    "standby": "default",
    "unknown": "yellow",
}

# a box's, link's, account's or gateway's colour by its state; what is not here is red
STATE_COLOURS = {
    "running": "green",
    "online": "green",
    "partly": "yellow",
    "backup": "yellow",
    "standby": "default",
    "unknown": "yellow",
}

_BARS = " ▁▂▃▄▅▆▇█"
_ASCII_BARS = " .:-=+*#@"


def shown(text: str) -> str:
    """Return text that a terminal can be given: what could steer it, and line feeds, are escaped."""
    if text.isprintable():
        return text
    return "".join(
        c if c.isprintable() else c.encode("unicode_escape", "backslashreplace").decode("ascii") for c in text
    )


def local_time(at: float) -> str:
    """Return a moment (seconds since the epoch) as local date and time."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(at))


def event_line(event: Event) -> str:
    """Return an event as one line, with its local time."""
    return f"{local_time(event.at)} {shown(event.text)}"


def bars(values: Sequence[float], top: float, *, rows: int = 1, ascii_only: bool = False) -> list[str]:
    """Return a bar for each value as `rows` lines of characters, the uppermost first; `top` fills all of them."""
    levels = _ASCII_BARS if ascii_only else _BARS
    steps = len(levels) - 1
    # what is more than nothing is seen
    filled = [min(rows * steps, max(1, round(value / top * rows * steps))) if value > 0 else 0 for value in values]
    return [
        "".join(levels[min(steps, max(0, each - row * steps))] for each in filled) for row in range(rows - 1, -1, -1)
    ]

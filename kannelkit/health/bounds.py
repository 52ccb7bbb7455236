"""A number against its thresholds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from kannelkit.health.table import CHECKS
from kannelkit.health.values import Check, Figure, Status
from kannelkit.spec.model import Threshold
from kannelkit.spec.thresholds import less_is_worse

_Reached = Callable[[float, float], bool]


@dataclass(frozen=True, slots=True)
class Bounds:
    """The thresholds in force, by name."""

    thresholds: Mapping[str, Threshold]

    def status(self, name: str, value: float) -> Status:
        """Return what a value is by the threshold of this name."""
        warning, critical = self.thresholds[name]
        if less_is_worse(name):
            return _status(value, warning, critical, lambda value, bound: value <= bound)
        return _status(value, warning, critical, lambda value, bound: value >= bound)

    def figure(self, label: str, name: str, value: float, unit: str = "", factor: float = 1.0) -> Figure:
        """Return the value as a figure with its bounds; `factor` brings the bounds to the figure's unit."""
        warning, critical = (None if bound is None else bound * factor for bound in self.thresholds[name])
        return Figure(label, value, unit, warning, critical, least=0)


def _status(value: float, warning: float | None, critical: float | None, reached: _Reached) -> Status:
    if critical is not None and reached(value, critical):
        return "critical"
    return "warning" if warning is not None and reached(value, warning) else "ok"


def counted(number: int, noun: str) -> str:
    """Return a number with its noun: 1 message, 2 messages."""
    return f"{number} {noun}{'s' * (number != 1)}"


def lasting(seconds: float) -> str:
    """Return a time in words that change the more rarely the longer it is: 4 s, 40 s, 4 min, 4 h 4 min, 4 d 4 h.

    A sentence that is another one every second is new every second to whoever compares it, a screen reader or a chat.
    """
    whole = max(0, int(seconds))
    days, hours, minutes = whole // 86_400, whole // 3600 % 24, whole // 60 % 60
    if days:
        return f"{days} d {hours} h"
    if hours:
        return f"{hours} h {minutes} min"
    if minutes:
        return f"{minutes} min"
    return f"{whole} s" if whole < 10 else f"{whole // 10 * 10} s"


def said(
    id: str,
    status: Status,
    summary: str,
    advice: str = "",
    *,
    account: str | None = None,
    link: str | None = None,
    since: float | None = None,
    figures: tuple[Figure, ...] = (),
) -> Check:
    """Return a check; what to do is the table's word where nothing better is known, and "" where all is well."""
    todo = "" if status == "ok" else advice or CHECKS[id].advice
    return Check(id, status, summary, todo, account, link, since, figures)

"""An account's last hour as the geometry of a plot, with the words for those who do not see it; pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo

from kannelkit.health.page_hour import MINUTES, Change, Hour, Minute

# in units of the SVG's viewBox, which a phone shows about one to one
WIDTH, HEIGHT = 360, 150
LEFT, RIGHT, TOP, BOTTOM = 34, 354, 12, 126

_STEP = (RIGHT - LEFT) / MINUTES
_TABLE_MINUTES = 5
_LABELLED = (0, 15, 30, 45)


@dataclass(frozen=True, slots=True)
class Label:
    """A text at a place; `line` draws a thin line through the plot there."""

    x: float
    y: float
    text: str


@dataclass(frozen=True, slots=True)
class Mark:
    """A change at a place, `text` says which: of the rate, or (`side`) to another side."""

    x: float
    y: float
    text: str
    side: bool


@dataclass(frozen=True, slots=True)
class Row:
    """What the table beside the plot says of five minutes: SMS per second, and how many were refused."""

    time: str
    accepted: float
    refused: int
    limit: str


@dataclass(frozen=True, slots=True)
class Plot:
    """Paths in the language of SVG, "" where there is nothing to draw; `words` say the same in a sentence."""

    words: str
    accepted: str
    refused: str
    limit: str
    marks: tuple[Mark, ...]
    across: tuple[Label, ...]
    up: tuple[Label, ...]
    rows: tuple[Row, ...]


def plot(hour: Hour, account: str, now: float, zone: tzinfo) -> Plot | None:
    """Return the plot of an account's last hour at `now` (seconds since the epoch); None where nothing was seen."""
    minutes = hour.minutes(account, now)
    if not minutes:
        return None
    changes = hour.changes(account, now)
    rates = (change.after for change in changes if isinstance(change.after, int | float))
    top = _top(max((*(_highest(minute) for minute in minutes), *rates)))
    return Plot(
        words=_words(minutes, changes),
        accepted=_columns(minutes, top, refused=False),
        refused=_columns(minutes, top, refused=True),
        limit=_limit(minutes, top),
        marks=tuple(_mark(change, minutes, top, zone) for change in changes),
        across=tuple(
            Label(_x(place), HEIGHT - 8, _clock(minutes[place].at, zone)) for place in (*_LABELLED, MINUTES - 1)
        ),
        up=tuple(Label(LEFT - 5, _y(value, top), f"{value:g}") for value in (0, top / 2, top)),
        rows=tuple(_rows(minutes, zone)),
    )


def _highest(minute: Minute) -> float:
    return max((minute.accepted or 0) + (minute.refused or 0), minute.throughput or 0)


def _top(highest: float) -> float:
    """Return the end of the scale: 1, 2, 4, 5 or 8 times a power of ten, with a little room above the highest."""
    step = 1.0
    while True:
        for factor in (1, 2, 4, 5, 8):
            if factor * step >= highest * 1.05 and factor * step >= 2:
                return factor * step
        step *= 10


def _x(minute: float) -> float:
    return round(LEFT + minute * _STEP, 1)


def _y(value: float, top: float) -> float:
    return round(BOTTOM - (BOTTOM - TOP) * min(value, top) / top, 1)


def _columns(minutes: Sequence[Minute], top: float, *, refused: bool) -> str:
    """Return one column for each minute; those of what was refused stand on those of what was accepted."""
    parts = []
    for place, minute in enumerate(minutes):
        if minute.accepted is None:
            continue
        low, high = 0.0, minute.accepted
        if refused:
            low, high = minute.accepted, minute.accepted + (minute.refused or 0)
        if high > low:
            tip = min(_y(high, top), round(_y(low, top) - 1.5, 1))  # what is more than nothing is seen
            parts.append(f"M{_x(place)} {_y(low, top)}V{tip}H{_x(place + 1)}V{_y(low, top)}z")
    return "".join(parts)


def _limit(minutes: Sequence[Minute], top: float) -> str:
    parts, drawing = [], False
    for place, minute in enumerate(minutes):
        if minute.throughput is None:
            drawing = False
            continue
        height = _y(minute.throughput, top)
        parts.append(f"V{height}" if drawing else f"M{_x(place)} {height}")
        parts.append(f"H{_x(place + 1)}")
        drawing = True
    return "".join(parts)


def _mark(change: Change, minutes: Sequence[Minute], top: float, zone: tzinfo) -> Mark:
    x = round(min(max(_x((change.at - minutes[0].at) / 60), LEFT + 4), RIGHT - 4), 1)
    at = _clock(change.at, zone)
    if change.kind == "side":
        return Mark(x, TOP, f"{at} from {change.before} to {change.after}", side=True)
    height = _y(change.after, top) if isinstance(change.after, int | float) else _y(top, top)
    return Mark(x, height, f"{at} rate {_rate(change.before)} to {_rate(change.after)}", side=False)


def _rate(value: str | float | None) -> str:
    return "no limit" if value is None else value if isinstance(value, str) else f"{value:.10g}"


def _clock(at: float, zone: tzinfo) -> str:
    return datetime.fromtimestamp(at, zone).strftime("%H:%M")


def _words(minutes: Sequence[Minute], changes: Sequence[Change]) -> str:
    seen = [minute for minute in minutes if minute.accepted is not None]
    refused = sum(minute.refusals for minute in seen)
    rates = sum(change.kind == "rate" for change in changes)
    sides = len(changes) - rates
    most = max(minute.accepted or 0 for minute in seen)
    limit = seen[-1].throughput
    return ", ".join(
        [
            f"Last {'minute' if len(seen) == 1 else f'{len(seen)} minutes'}: at the most {most:.1f} a second accepted",
            "no limit" if limit is None else f"limit now {_rate(limit)}",
            f"{refused} refused as too fast",
            *(f"{what} changed {_times(count)}" for what, count in (("rate", rates), ("side", sides)) if count),
        ]
    )


def _times(count: int) -> str:
    return {1: "once", 2: "twice"}.get(count, f"{count} times")


def _rows(minutes: Sequence[Minute], zone: tzinfo) -> list[Row]:
    rows = []
    for first in range(0, len(minutes), _TABLE_MINUTES):
        seen = [minute for minute in minutes[first : first + _TABLE_MINUTES] if minute.accepted is not None]
        if not seen:
            continue
        limits = sorted({minute.throughput for minute in seen if minute.throughput is not None})
        limit = (
            f"{_rate(limits[0])} to {_rate(limits[-1])}" if len(limits) > 1 else _rate(limits[0] if limits else None)
        )
        accepted = round(sum(minute.accepted or 0 for minute in seen) / len(seen), 1)
        refused = sum(minute.refusals for minute in seen)
        rows.append(Row(_clock(seen[0].at, zone), accepted, refused, limit))
    return rows

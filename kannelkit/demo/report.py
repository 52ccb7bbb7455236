"""What the demonstration showed, for people: a table, a picture and one sentence."""

from __future__ import annotations

from collections.abc import Callable

from rich.console import Console
from rich.table import Table
from rich.text import Text

from kannelkit.demo.figures import Half

_MOST_BARS = 48  # seconds that the picture shows; 80 columns hold them
_BARS, _ASCII_BARS = " ▁▂▃▄▅▆▇█", " .:-=+*#@"

_ROWS: tuple[tuple[str, Callable[[Half, int], str]], ...] = (
    ("delivered per second", lambda half, limit: f"{half.accepted_per_second:.1f}"),
    ("of the limit", lambda half, limit: f"{half.accepted_per_second / limit:.0%}"),
    ("refused, of what was sent", lambda half, limit: f"{half.refused_share:.0%}"),
    ("seconds until at the limit", lambda half, limit: _seconds(half.seconds_to_limit)),
    ("changes of rate", lambda half, limit: str(half.changes)),
    ("refused in all, start included", lambda half, limit: str(half.refused)),
    ("messages lost", lambda half, limit: str(half.lost)),
    ("messages delivered twice", lambda half, limit: str(half.doubled)),
)


def report(console: Console, limit: int, alone: Half, supervised: Half) -> None:
    """Print the figures, what was delivered in each second, and the conclusion."""
    table = Table(box=None, padding=(0, 0, 0, 3), pad_edge=False, header_style="bold")
    table.add_column(f"limit: {limit} per second", style="dim")
    table.add_column("Kannel alone", justify="right")
    table.add_column("with kannelkit", justify="right", style="green")
    for name, text in _ROWS:
        table.add_row(name, text(alone, limit), text(supervised, limit))
    console.print()
    console.print(table)
    console.print()
    console.print("delivered in each second", style="dim")
    bars = _ASCII_BARS if console.options.ascii_only else _BARS
    for name, half, style in (("Kannel alone", alone, ""), ("with kannelkit", supervised, "green")):
        console.print(Text(f"{name:16}").append(picture(half.each_second, limit, bars), style))
    console.print()
    console.print(conclusion(limit, alone, supervised), soft_wrap=not console.is_terminal)


def picture(each_second: tuple[int, ...], limit: int, bars: str = _BARS) -> str:
    """Return a bar for each of the first seconds, full at the limit."""
    highest = len(bars) - 1
    return "".join(bars[min(highest, -(-count * highest // limit))] for count in each_second[:_MOST_BARS])


def conclusion(limit: int, alone: Half, supervised: Half) -> Text:
    """Return what it comes to, in one sentence."""
    wrong = [
        f"{name} {count} messages were {what}"
        for name, half in (("Kannel alone:", alone), ("with kannelkit:", supervised))
        for count, what in ((half.lost, "lost"), (half.doubled, "delivered twice"))
        if count
    ]
    if wrong:
        return Text(f"This must not be: {'; '.join(wrong)}.", "bold red")
    rate, before = supervised.accepted_per_second, alone.accepted_per_second
    if before <= 0 or rate <= before:
        return Text(f"kannelkit gained nothing here: {rate:.1f} instead of {before:.1f} messages per second.", "yellow")
    return Text(
        f"Told to send twice as fast as allowed, Kannel alone delivers {before:.1f} per second; with kannelkit it "
        f"delivers {rate:.1f}, {rate / before:.1f} times as many, and not one message is lost or sent twice.",
        "bold",
    )


def _seconds(seconds: float | None) -> str:
    return "never" if seconds is None else f"{seconds:.1f}"

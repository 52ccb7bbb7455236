"""An account's last five minutes, drawn with the characters of a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from rich.text import Text

from kannelkit.cli.figures import bars
from kannelkit.supervise.course import SECONDS
from kannelkit.supervise.views import AccountView

_ROWS = 5
# Kannel sends a second's allowance at once, and a little more than a second lies between two: fewer seconds in a column
# would show its beat, not the rate
_FEWEST_SECONDS = 3
_ACCEPTED, _REFUSED = "green", "red"


def strip(account: AccountView, width: int, *, ascii_only: bool) -> Text:
    """Return the account's accepted submits in one line of `width` characters; the rightmost is now."""
    accepted = _means(account.curve.accepted, width)
    refused = _means(account.curve.refused, width)
    line = bars(accepted, _top(account, accepted), ascii_only=ascii_only)[0]
    return _coloured(line, refused)


def panel(account: AccountView, width: int, *, ascii_only: bool) -> list[Text]:
    """Return the account's accepted submits as a drawing with a scale, for a terminal of `width` characters."""
    columns = max(10, min(SECONDS // _FEWEST_SECONDS, width - 12))
    accepted = _means(account.curve.accepted, columns)
    refused = _means(account.curve.refused, columns)
    top = _top(account, accepted)
    scale = [f"{top:,.0f}/s", *[""] * (_ROWS - 2), "0/s"]
    lines = []
    for label, row in zip(scale, bars(accepted, top, rows=_ROWS, ascii_only=ascii_only), strict=True):
        lines.append(Text(f"{label:>9} ", "dim").append_text(_coloured(row, refused)))
    end = "now"
    lines.append(Text(f"{'':10}{'5 min ago'.ljust(columns - len(end))}{end}", "dim"))
    return lines


def _means(seconds: Sequence[int], columns: int) -> list[float]:
    """Return the mean of each column's seconds, the last ones rightmost; 0 where nothing is known."""
    whole = [*[0] * (SECONDS - len(seconds)), *seconds]
    edges = [round(SECONDS * column / columns) for column in range(columns + 1)]
    return [sum(whole[begin:end]) / max(1, end - begin) for begin, end in pairwise(edges)]


def _top(account: AccountView, accepted: Sequence[float]) -> float:
    return max([1.0, float(account.throughput or 0), *accepted])


def _coloured(line: str, refused: Sequence[float]) -> Text:
    text = Text()
    for letter, share in zip(line, refused, strict=True):
        text.append(letter, _REFUSED if share else _ACCEPTED)
    return text

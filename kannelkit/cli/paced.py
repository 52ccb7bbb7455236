"""What the relay does for accounts with `pacing: relay`, as people read it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kannelkit.cli.figures import shown
from kannelkit.supervise.views import rate_text

if TYPE_CHECKING:
    from kannelkit.supervise.views import AccountView, Overview, RelayView

Row = tuple[str, ...]


def relay_rate(account: AccountView) -> str:
    """Return the SMS per second that the relay lets leave, with their fraction; "-" where it does not answer."""
    relay = account.relay
    if relay is None:
        return "-"
    return "no limit" if relay.rate is None else rate_text(relay.rate, account.ceiling, relay.by_hand)


def relay_rows(seen: Overview) -> list[Row]:
    """Return a row for each account that the relay paces, a heading first; nothing where there is none."""
    heading = ("RELAY", "RATE", "HELD", "OLDEST", "UNANSWERED", "RESPONSE", "REFUSED", "PUT OFF", "HANDED BACK", "HOST")
    rows: list[Row] = []
    for account in seen.accounts:
        if account.relayed:
            rows.append((account.smsc_id, relay_rate(account), *_cells(account.relay)))
    return [heading, *rows] if rows else []


def relay_line(relay: RelayView) -> str:
    """Return what the relay does for one account, in one line."""
    parts = [
        f"held {relay.held:,}" + (f" for up to {relay.held_for:.1f} s" if relay.held else ""),
        f"unanswered {relay.unanswered:,} of {relay.window:,}",
        f"refused and sent again {relay.refused:,}",
    ]
    if relay.response_median is not None and relay.response_99 is not None:
        most = _seconds(relay.response_99)
        parts.append(f"answers within {_seconds(relay.response_median)}, 99 of 100 within {most}")
    parts += [
        f"{what} {count:,}"
        for what, count in (
            ("put off and sent again", relay.put_off),
            ("handed back", relay.expired),
            ("possible doubles", relay.maybe_doubled),
        )
        if count
    ]
    return f"relay: {', '.join(parts)}"


def _seconds(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"


def _cells(relay: RelayView | None) -> Row:
    if relay is None:
        return ("-",) * 8
    return (
        str(relay.held),
        f"{relay.held_for:.1f} s",
        f"{relay.unanswered}/{relay.window}",
        "-" if relay.response_median is None else _seconds(relay.response_median),
        str(relay.refused),
        str(relay.put_off),
        str(relay.expired),
        shown(relay.host),
    )

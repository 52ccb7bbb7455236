"""The page for people."""

from __future__ import annotations

import html

from kannelkit.health.values import Report, sending_accounts

_WORST_FIRST = ("critical", "warning", "unknown", "ok")


def page(report: Report | None, age: float | None) -> str:
    """Return how the gateway stands as HTML; `age` is how many seconds ago that was seen."""
    if report is None or age is None:
        body = "<h1>unknown</h1><p>The gateway has not been looked at yet.</p>"
    else:
        sends = ", ".join(sending_accounts(report)) or "nobody"
        checks = sorted(report.checks, key=lambda check: _WORST_FIRST.index(check.status))
        rows = "".join(
            f"<tr><td>{check.status}</td><td>{_text(check.account or check.link or '')}</td><td>{_text(check.id)}</td>"
            f"<td>{_text(check.summary)}</td><td>{_text(check.advice)}</td></tr>"
            for check in checks
        )
        body = (
            f"<h1>{report.status}</h1><p>Sending: {_text(sends)}. Seen {age:.0f} s ago.</p>"
            "<table><thead><tr><th>Status<th>Account<th>Check<th>What is<th>What to do</thead>"
            f"<tbody>{rows}</tbody></table>"
        )
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>kannelkit</title><body>{body}</body></html>\n"
    )


def _text(text: str) -> str:
    return html.escape(text)

"""The page for people at the control port, whole and part by part, through `templates/simulator/`.

Every text on it comes from clients: all of it is escaped, and what could turn or hide its neighbours is spelt out.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

from kannelkit import __version__
from kannelkit.host.html import environment, shown
from kannelkit.simulator.page_view import Row, Standing

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup

LIMITS = (20, 50, 200)  # how many messages a page can show
_KEPT = 500  # messages whose HTML is kept
SAID = {  # what a form's answer is in words, by its path
    "limit": "The limit is changed.",
    "incoming": "Handed over: it goes to the next receiver or transceiver that can take it.",
    "outcomes": "The rules are changed: they hold for what arrives from now on.",
}


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which messages a reader wants: of an account, "" for all, and how many."""

    account: str = ""
    limit: int = LIMITS[1]


@dataclass(frozen=True, slots=True)
class Said:
    """A sentence for the top of the page."""

    text: str
    wrong: bool = False


@dataclass(frozen=True, slots=True)
class Look:
    """What a page is made of; `at` is the time of day, `zone` whose time that is."""

    at: str
    zone: str
    address: str
    accounts: Sequence[Standing]
    rows: Sequence[Row]
    rules: str


@dataclass(frozen=True, slots=True)
class Shown:
    """A page's parts as HTML by the id of the element that they fill, and the ids of the messages, newest first."""

    at: str
    parts: Mapping[str, str]
    messages: tuple[str, ...]

    def since(self, before: Mapping[str, str]) -> str:
        """Return as JSON what differs from the parts that a reader has."""
        # a message is sent once: all that changes of it is its state, which is a part of its own
        parts = {
            key: html
            for key, html in self.parts.items()
            if (key not in before if key.startswith("message-") else before.get(key) != html)
        }
        return json.dumps({"at": self.at, "messages": self.messages, "parts": parts})


@dataclass(slots=True)
class Page:
    """Makes the parts of pages; keeps the HTML of messages that it showed, of which only the state changes."""

    _made: dict[int, str] = field(default_factory=dict)

    def shown(self, look: Look) -> Shown:
        """Return the parts of a page."""
        module: Any = _environment().get_template("simulator/parts.html.j2").module
        parts = {f"standing-{each.number}": str(module.standing(each)) for each in look.accounts}
        if len(self._made) > _KEPT:
            self._made.clear()
        for row in look.rows:
            html = self._made.get(row.id)
            if html is None:
                html = self._made[row.id] = str(module.message(row))
            parts[f"message-{row.id}"] = html
            parts[f"state-{row.id}"] = str(module.state(row))
        return Shown(look.at, parts, tuple(f"message-{row.id}" for row in look.rows))


def whole(look: Look, chosen: Chosen, said: Said | None = None, written: Mapping[str, str] | None = None) -> str:
    """Return the whole page; `written` is what stands in the forms of an answer that refuses them."""
    return (
        _environment()
        .get_template("simulator/page.html.j2")
        .render(
            title=f"kannelkit simulate · {look.address}",
            at=look.at,
            zone=look.zone,
            address=look.address,
            said=said,
            sentences=SAID,
            accounts=look.accounts,
            messages=look.rows,
            chosen=chosen,
            limits=LIMITS,
            written={"account": "", "from": "", "to": "", "text": "", "rules": look.rules, **(written or {})},
            parts={key: _safe(html) for key, html in Page().shown(look).parts.items()},
            version=__version__,
        )
    )


def asset(name: str) -> str:
    """Return page.css or page.js."""
    return _environment().get_template(f"simulator/{name}.j2").render()


def with_lines(text: object) -> Markup:
    """Return text as `shown` does, its line feeds kept, as HTML."""
    from markupsafe import escape

    lines = str(text).replace("\r\n", "\n").split("\n")
    return escape("\n".join(str(shown(line)) for line in lines))


def _safe(html: str) -> Markup:
    from markupsafe import Markup

    return Markup(html)  # noqa: S704 - made by a template, which escaped what it was given


@cache
def _environment() -> Environment:
    made = environment()
    made.filters["with_lines"] = with_lines
    return made

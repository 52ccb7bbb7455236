"""The page for people as HTML, whole and part by part, through `templates/page/`.

The plots are SVG made here: a page that works without scripts and outside resources cannot leave them to a library that
draws in the browser, and what draws on a server brings fonts, styles and scripts of its own.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from kannelkit import __version__
from kannelkit.health import page_view
from kannelkit.health.page_hour import Hour
from kannelkit.health.page_plot import plot
from kannelkit.health.values import Report
from kannelkit.host.html import environment, shown
from kannelkit.supervise.views import Overview, rate_text

if TYPE_CHECKING:
    from jinja2 import Environment

_DECISIONS = 15
# plots are drawn anew so often, in seconds; all else with every look
_PLOT_SECONDS = 10
# checks that are told beside the queue, and beside the boxes
_OF_QUEUE = ("queue", "oldest", "lost")
_OF_MACHINE = ("disk", "memory", "descriptors", "clock", "logs", "spec", "sources")


@dataclass(frozen=True, slots=True)
class Look:
    """What a page is made of, at `now` (seconds since the epoch).

    No `report` where nothing is known that is not too old; `age` is how many seconds old the last one is, None where
    there never was one. `name` is what the gateway is called, times are told in `zone`.
    """

    now: float
    zone: tzinfo
    name: str
    report: Report | None
    age: float | None
    state: Overview | None


@dataclass(frozen=True, slots=True)
class Shown:
    """A page's parts as HTML by the id of the element that they fill, and the ids of the accounts' cards in order."""

    title: str
    at: str
    parts: Mapping[str, str]
    cards: tuple[str, ...]
    html: str = field(repr=False, default="")

    def since(self, before: Mapping[str, str]) -> str:
        """Return as JSON what differs from the parts that a reader has."""
        parts = {key: html for key, html in self.parts.items() if before.get(key) != html}
        return json.dumps({"title": self.title, "at": self.at, "cards": self.cards, "parts": parts})


class Page:
    """Makes pages; keeps the last hour of each account for their plots. `noted` is to be called with every look."""

    def __init__(self) -> None:
        self._hour = Hour()
        self._plots: dict[int, tuple[object, str]] = {}

    def noted(self, state: Overview) -> None:
        """Take note of how the gateway stands, for the plots."""
        self._hour.noted(state)

    def shown(self, look: Look, *, whole: bool = False) -> Shown:
        """Return the page's parts, and the `whole` of it where that is wanted."""
        module: Any = _environment().get_template("page/parts.html.j2").module
        answer = page_view.headline(look.report, look.age, look.zone)
        found, more = page_view.troubles(look.report, look.zone)
        parts = {"headline": module.headline(answer), "troubles": module.troubles(found, more)}
        cards: tuple[page_view.Card, ...] = ()
        without = 0
        accounts = look.report is not None and look.state is not None
        if look.report is not None and look.state is not None:
            cards, without = page_view.cards(look.report, look.state, look.zone)
            for card in cards:
                parts[f"facts-{card.number}"] = module.facts(card)
                parts[f"links-{card.number}"] = module.links(card, page_view.span)
                parts[f"plot-{card.number}"] = self._plot(module, card, look)
            parts |= _about(module, look.report, look.state, look.zone)
        at = datetime.fromtimestamp(look.now, look.zone)
        title, clock = str(shown(f"{answer.words} · {look.name}")), at.strftime("%H:%M:%S")
        html = ""
        if whole:
            page = _environment().get_template("page/page.html.j2")
            html = page.render(
                title=title,
                at=clock,
                name=look.name,
                parts=parts,
                accounts=accounts,
                cards=cards,
                more=without,
                zone=f"UTC{at.isoformat()[-6:]}",
                version=__version__,
            )
        return Shown(title, clock, parts, tuple(f"account-{card.number}" for card in cards), html)

    def _plot(self, module: Any, card: page_view.Card, look: Look) -> str:
        """Return an account's plot, as it was drawn in the same ten seconds."""
        # not all of them at once: fifty take 50 ms
        turn = int((look.now + card.number) // _PLOT_SECONDS)
        drawn = (card.name, turn, look.zone, card.view.accepted is None)
        before, html = self._plots.get(card.number, (None, ""))
        if before != drawn:
            html = module.curve(card, plot(self._hour, card.name, look.now, look.zone))
            self._plots[card.number] = drawn, html
        return html


@dataclass(frozen=True, slots=True)
class _Told:
    since: page_view.Since | None
    text: str


def _about(module: Any, report: Report, state: Overview, zone: tzinfo) -> dict[str, str]:
    """Return the parts that are about the whole gateway."""
    moment = partial(page_view.since, now=state.at, zone=zone)
    events = [_Told(moment(event.at), event.text) for event in reversed(state.events[-_DECISIONS:])]
    of_queue = [check for name in _OF_QUEUE for check in report.of(name)]
    of_machine = [check for name in _OF_MACHINE for check in report.of(name)]
    return {
        "queue": module.queue(state, of_queue, page_view.longest(state, zone)),
        "boxes": module.boxes(state, of_machine, moment),
        "certificates": module.certificates(page_view.worst_first(report.of("certificates"))),
        "decisions": module.decisions(events),
    }


def prepare() -> None:
    """Read the templates, which takes a quarter of a second at the first time."""
    for name in ("page/page.html.j2", "page/parts.html.j2"):
        _environment().get_template(name)


def asset(name: str) -> str:
    """Return page.css or page.js."""
    return _environment().get_template(f"page/{name}.j2").render()


def _capitalized(text: str) -> str:
    return text[:1].upper() + text[1:]


@cache
def _environment() -> Environment:
    made = environment()
    made.filters |= {"capitalize_first": _capitalized, "rate": rate_text}
    return made

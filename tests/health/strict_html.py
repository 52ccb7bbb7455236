"""HTML read strictly: what a browser would repair in silence is an error here."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from html.parser import HTMLParser

VOID = frozenset({"br", "hr", "img", "input", "link", "meta"})
# elements that may stand in a parent, where the standard lets only some (HTML, 4: content models); "" is text
_PHRASES = {"a", "b", "bdi", "br", "span", "time", ""}
_ONLY = {
    "ul": {"li"},
    "ol": {"li"},
    "dl": {"div"},
    "table": {"caption", "thead", "tbody"},
    "thead": {"tr"},
    "tbody": {"tr"},
    "tr": {"th", "td"},
    "head": {"meta", "title", "link", "noscript", "script"},
    "noscript": {"meta"},
    "html": {"head", "body"},
    "svg": {"path", "text", "title"},
    "title": {""},
    "text": {""},
    "summary": _PHRASES,
    **dict.fromkeys(("p", "h1", "h2", "h3", "a", "b", "bdi", "span", "time", "dt", "dd", "th", "td"), _PHRASES),
}
_NEEDS = {"li": {"ul", "ol"}, "figcaption": {"figure"}, "summary": {"details"}, "dt": {"div"}, "dd": {"div"}}


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.builder = ET.TreeBuilder()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), f"<{tag}> has an attribute twice: {names}"
        self._allow(tag)
        self.builder.start(tag, {name: value or "" for name, value in attrs})
        if tag in VOID:
            self.builder.end(tag)
        else:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert "svg" in self.open, f"<{tag}/> ends itself in SVG only"
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> ends nothing"
        assert self.open[-1] == tag, f"</{tag}> where <{self.open[-1]}> is open"
        self.builder.end(self.open.pop())

    def handle_data(self, data: str) -> None:
        if data.strip():
            self._allow("")
        if self.open:
            self.builder.data(data)

    def _allow(self, tag: str) -> None:
        parent = self.open[-1] if self.open else ""
        allowed = _ONLY.get(parent)
        assert allowed is None or tag in allowed, f"<{tag}> in <{parent}>"
        assert parent in _NEEDS.get(tag, {parent}), f"<{tag}> in <{parent}>"


def read(html: str) -> ET.Element:
    """Return a document as a tree; raise AssertionError where it is not valid."""
    assert html.startswith("<!doctype html>")
    reader = _Reader()
    reader.feed(html)
    reader.close()
    assert not reader.open, f"{reader.open} stay open"
    return reader.builder.close()

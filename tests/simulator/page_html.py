"""The page read strictly: what a browser would repair in silence is an error here."""

from __future__ import annotations

from collections import Counter
from html.parser import HTMLParser

_VOID = frozenset({"input", "link", "meta"})
_WRITTEN_IN = frozenset({"input", "select", "textarea"})


class PageHtml(HTMLParser):
    """What is on a page: the elements by name, what each id says, the labels, and every attribute."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: Counter[str] = Counter()
        self.attributes: list[tuple[str, str, str]] = []
        self.said: dict[str, str] = {}
        self.described: set[str] = set()
        self.labelled: set[str] = set()
        self._open: list[tuple[str, str]] = []
        self.feed(text)
        self.close()
        assert not self._open, f"never closed: {self._open}"

    @property
    def without_a_label(self) -> set[str]:
        """The ids of what can be written in and is not labelled."""
        return self.described - self.labelled

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        assert len(values) == len(attrs), f"<{tag}> has an attribute twice"
        self.elements[tag] += 1
        self.attributes += [(tag, name, value) for name, value in values.items()]
        key = values.get("id", "")
        assert key not in self.said or not key, f"two elements have the id {key}"
        if key:
            self.said[key] = ""
        if tag == "label":
            self.labelled.add(values["for"])
        if tag in _WRITTEN_IN and values.get("type") != "hidden":
            self.described.add(key)
        if tag not in _VOID:
            self._open.append((tag, key))

    def handle_endtag(self, tag: str) -> None:
        assert self._open, f"</{tag}> ends nothing"
        assert self._open[-1][0] == tag, f"</{tag}> where <{self._open[-1][0]}> is open"
        self._open.pop()

    def handle_data(self, data: str) -> None:
        for _, key in self._open:
            if key:
                self.said[key] += data

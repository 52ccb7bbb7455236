"""The lines of a group: each value as Kannel's language has it, under its heading, in the order of the table."""

from __future__ import annotations

from collections.abc import Mapping

from kannelkit.conf import GROUPS, written


class Lines:
    """Writes groups, and remembers what it wrote: ten thousand accounts differ in a few lines each.

    One is made for each file and goes with it, for the lines hold passwords.
    """

    def __init__(self) -> None:
        self._lines: dict[tuple[str, str], str] = {}
        self._orders: dict[tuple[str, ...], tuple[tuple[str, str], ...]] = {}

    def body(self, group: str, texts: Mapping[str, str]) -> str:
        """Return all lines of a group with these values, but for `group = ...` itself; a line feed ends each.

        Raises UnwritableError for a value that the language cannot hold.
        """
        key = (group, *texts)
        order = self._orders.get(key)
        if order is None:
            order = self._orders[key] = _order(group, texts)
        remembered = self._lines
        parts = []
        for heading, name in order:
            if heading:
                parts.append(heading)
            text = texts[name]
            line = remembered.get((name, text))
            if line is None:
                line = remembered[name, text] = f"{name} = {written(text)}\n"
            parts.append(line)
        return "".join(parts)


def _order(group: str, texts: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """Return the names in the order of the table, each with the heading that stands above it, or ""."""
    order = []
    above: dict[str, list[str]] = {}
    for name, directive in GROUPS[group].directives.items():
        if name in texts:
            above.setdefault(directive.section, []).append(name)
    for heading, names in above.items():
        order += [(f"# {heading}\n" if name == names[0] else "", name) for name in names]
    return tuple(order)


def comment(text: object) -> str:
    """Make a text fit for a comment: a line feed would end it, a backslash at its end would swallow the next line."""
    return "".join(character if character.isprintable() else "?" for character in str(text)).rstrip("\\ ")

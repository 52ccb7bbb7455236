"""Templates of pages for people: every value is escaped, and what could turn or hide its neighbours is spelt out."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jinja2 import Environment


def environment() -> Environment:
    """Return what reads the templates of `kannelkit/templates/` as HTML, each value of which is `shown`."""
    # which takes longer to load than everything else that a command needs
    from jinja2 import Environment, PackageLoader, StrictUndefined

    return Environment(
        loader=PackageLoader("kannelkit", "templates"),
        undefined=StrictUndefined,
        autoescape=True,
        finalize=shown,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )


def shown(text: object) -> object:
    """Return text without what could turn or hide what stands beside it: such characters are escaped."""
    if not isinstance(text, str) or hasattr(text, "__html__") or text.isprintable():
        return text
    return "".join(map(_spelt, text))


def _spelt(character: str) -> str:
    if character.isprintable():
        return character
    return character.encode("unicode_escape", "backslashreplace").decode("ascii")

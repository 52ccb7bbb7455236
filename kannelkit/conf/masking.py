"""Passwords kept out of what a person is shown: whole values, and texts such as URLs that hold one."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import quote, quote_plus

from kannelkit.conf.table import GROUPS

MASK = "***"
# Shorter ones would mask half of every text; those of directives that are secret are masked by the directive's name.
_TELLING = 4  # characters


def is_secret(group: str, directive: str) -> bool:
    """Return whether the directive's value is never shown; one that the table does not know is judged by its name."""
    known = GROUPS.get(group)
    if known is not None and directive in known.directives:
        return known.directives[directive].secret
    return any(word in directive for word in ("password", "secret"))


class Masking:
    """Masks these secrets wherever a text holds one, as it is or as a URL holds it; longer ones first.

    Looked up by length: one pattern of ten thousand passwords would be tried one by one at every character.
    """

    def __init__(self, secrets: Iterable[str]) -> None:
        self._forms = frozenset(form for secret in secrets if len(secret) >= _TELLING for form in _forms(secret))
        self._lengths = sorted({len(form) for form in self._forms}, reverse=True)

    def __repr__(self) -> str:
        return "Masking(***)"

    def text(self, text: str) -> str:
        """Return the text without the secrets."""
        parts: list[str] = []
        at = shown = 0
        while at < len(text):
            length = next((length for length in self._lengths if text[at : at + length] in self._forms), 0)
            if length:
                parts += [text[shown:at], MASK]
                shown = at + length
            at += length or 1
        return "".join((*parts, text[shown:]))

    def value(self, group: str, directive: str, value: str | None) -> str | None:
        """Return a directive's value as it may be shown."""
        if value is None:
            return None
        return MASK if is_secret(group, directive) else self.text(value)


def _forms(secret: str) -> tuple[str, ...]:
    octets = secret.encode("utf-8", "backslashreplace")
    return secret, quote(octets, safe=""), quote_plus(octets, safe=""), quote(octets)

"""YAML text whose every scalar comes back, through kannelkit's own reading, as exactly the same text.

Only what is written here is read back by a reader that converts nothing, so that `no` and `0123` need no quotes.
"""

from __future__ import annotations

import re

_NEVER_FIRST = frozenset("-?:,[]{}#&*!|>'\"%@` ")
_OF_FLOW = frozenset(",[]{}:?")
# A person, or a tool that converts, would take these for something that is no text.
_MISTAKEN = frozenset({"~", "null", "Null", "NULL", "<<", "="})

_ESCAPES = {"\t": "\\t", '"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r"}


def scalar(text: str, *, in_flow: bool = False) -> str:
    """Return the text as a YAML scalar on one line: plain where that is safe, else in the quotes that change it least.

    `in_flow` says that it stands inside brackets. The text has no half of a surrogate pair: YAML has no place for one.
    """
    if _is_plain(text, in_flow):
        return text
    if text and text.isprintable():
        return "'" + text.replace("'", "''") + "'"
    return '"' + "".join(_escaped(character) for character in text) + '"'


def flow(texts: tuple[str, ...]) -> str:
    """Return the texts as a YAML list on one line."""
    return "[" + ", ".join(scalar(text, in_flow=True) for text in texts) + "]"


def comment(text: str) -> str:
    """Return the text fit for a YAML comment: what would end the line, or is no character to see, becomes a mark."""
    return "".join(
        character if character.isprintable() else " " if character == "\t" else "?" for character in text
    ).rstrip()


def _is_plain(text: str, in_flow: bool) -> bool:
    if not text or not text.isprintable() or text in _MISTAKEN or text[-1] in " :":
        return False
    if text[0] in _NEVER_FIRST and not re.match(r"-[\w.+]", text):
        return False
    if ": " in text or " #" in text:
        return False
    return not (in_flow and set(text) & _OF_FLOW)


def _escaped(character: str) -> str:
    if character in _ESCAPES:
        return _ESCAPES[character]
    if character.isprintable():
        return character
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"

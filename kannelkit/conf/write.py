"""A value in Kannel's configuration language, so that Kannel reads back exactly what went in.

Kannel reads line by line (gwlib/cfg.c): a line with the letters `include` anywhere names a file to read, whatever else
it is; blanks around a value are dropped; a value wrapped in double quotes loses them, and inside only `\\"` and `\\\\`
stand for something else; a backslash at the end of a line joins the next line to it. So a value with quotes,
backslashes or outer blanks is wrapped, and a few values cannot be written.
"""

from __future__ import annotations

# What C's isspace() takes for a blank, in the C locale that Kannel runs in.
BLANKS = " \t\n\v\f\r"

# A value with any of these is wrapped: outer blanks have to be, inner ones look better so.
_WRAPPED = frozenset(BLANKS + '"\\')


class UnwritableError(ValueError):
    """A value that Kannel's language cannot hold; `reason` says why without repeating the value."""

    def __init__(self, reason: str, hint: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.hint = hint


def written(value: str) -> str:
    """Return the value as it has to stand behind `=`, wrapped where that is needed.

    Raises UnwritableError for a line feed, a carriage return, a NUL octet, half of a surrogate pair, and the letters
    `include`.
    """
    if "\n" in value or "\r" in value:
        raise UnwritableError("has a line feed, which ends the line in a kannel.conf", "write the value on one line")
    if "\0" in value:
        raise UnwritableError("has a NUL octet, where Kannel ends the text", "leave the octet out")
    if any("\ud800" <= character <= "\udfff" for character in value):
        raise UnwritableError("has half of a surrogate pair, which is no character", "write the character itself")
    if "include" in value:
        raise UnwritableError(
            "has the letters `include`: Kannel takes such a line for the name of a file to read, and panics",
            "choose another value; in a URL write %69nclude",
        )
    if value and not set(value) & _WRAPPED:
        return value
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def directive_line(name: str, value: str) -> str:
    """Return `name = value` without a line feed; raises UnwritableError."""
    return f"{name} = {written(value)}"

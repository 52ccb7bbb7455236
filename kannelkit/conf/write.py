"""A value in Kannel's configuration language, so that Kannel reads back exactly what went in.

Kannel reads line by line (gwlib/cfg.c): a line with the letters `include` anywhere names a file to read, whatever else
it is; blanks around a value are dropped; a value wrapped in double quotes loses them, and inside only `\\"` and `\\\\`
stand for something else; a backslash at the end of a line joins the next line to it. So a value with quotes,
backslashes or outer blanks is wrapped, and a few values cannot be written.
"""

from __future__ import annotations

import re
from functools import lru_cache

# What C's isspace() takes for a blank, in the C locale that Kannel runs in.
BLANKS = " \t\n\v\f\r"

# What most values are: nothing in them needs a closer look but the letters `include`.
_PLAIN_VALUE = re.compile(r"[!#-\[\]-~]+")
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

    Raises UnwritableError for a line feed, a carriage return, a NUL octet, what is no UTF-8 (half of a surrogate pair,
    or an octet that surrogateescape made one of), and the letters `include`.
    """
    if _PLAIN_VALUE.fullmatch(value) and "include" not in value:
        return value
    _refuse_what_no_line_holds(value, "choose another value; in a URL write %69nclude")
    if value and not set(value) & _WRAPPED:
        return value
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def directive_line(name: str, value: str) -> str:
    """Return `name = value` without a line feed; raises UnwritableError, for a name as well."""
    return f"{_name(name)} = {written(value)}"


@lru_cache(maxsize=1024)  # Kannel has about 500 names, and writes them over and over
def _name(name: str) -> str:
    """Return the name; raises UnwritableError for one that Kannel would not read back as it is."""
    if not name or name != name.strip(BLANKS):
        raise UnwritableError("has a name that is empty or has blanks around it", "write the name alone")
    if name.startswith("#"):
        raise UnwritableError("has a name that begins with #, which makes a comment of the line", "leave the # out")
    if "=" in name:
        raise UnwritableError("has an equals sign in its name, where Kannel ends the name", "leave the sign out")
    _refuse_what_no_line_holds(name, "no directive of Kannel has these letters")
    return name


def _refuse_what_no_line_holds(text: str, instead: str) -> None:
    """Raise UnwritableError for what neither a name nor a value can have; `instead` is the hint about `include`."""
    if "\n" in text:
        raise UnwritableError("has a line feed, which ends the line in a kannel.conf", "write it on one line")
    if "\r" in text:
        raise UnwritableError("has a carriage return, which is half of a line's end", "write it on one line")
    if "\0" in text:
        raise UnwritableError("has a NUL octet, where Kannel ends the text", "leave the octet out")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        if "\udc80" <= text[error.start] <= "\udcff":
            raise UnwritableError("has octets that are no UTF-8", "write it in UTF-8") from None
        raise UnwritableError(
            "has half of a surrogate pair, which is no character", "write the character itself"
        ) from None
    if "include" in text:
        raise UnwritableError(
            "has the letters `include`: Kannel takes such a line for the name of a file to read, and panics", instead
        )

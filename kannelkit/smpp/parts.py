"""The alphabet that a text takes through Kannel, and how many parts it makes of it.

Kannel splits a text that it was given for data_coding 0 by GSM septets, whatever charset it writes then, and takes what
the GSM alphabet lacks for a question mark on the way (gw/sms.c, sms_split and extract_msgdata_part_by_coding).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Final

from kannelkit.smpp import gsm0338

GSM: Final = "gsm"
ISO: Final = "iso-8859-1"

_OCTETS: Final = 140
_HEADER: Final = 6  # octets of a part that its user data header takes: its length, and which part of how many

_GSM_CHARACTERS: Final = frozenset(
    gsm0338.decode(octets)
    for code in range(128)
    for octets in (bytes((code,)), bytes((gsm0338.ESCAPE, code)))
    if code != gsm0338.ESCAPE
)


class Alphabet(StrEnum):
    """What a text goes out in: the default alphabet (data_coding 0), or UCS-2 (data_coding 8)."""

    DEFAULT = "default"
    UCS2 = "ucs-2"


@dataclass(frozen=True, slots=True)
class Count:
    """How long a text is. `units` are septets, in UCS-2 16-bit units; `left` of them still fit into the last part."""

    alphabet: Alphabet
    characters: int
    units: int
    parts: int
    left: int


@cache
def arriving(written: str = GSM, read: str = GSM) -> frozenset[str]:
    """Return the characters that arrive as they were at data_coding 0.

    `written` is the charset that Kannel writes (`alt-charset`; GSM where there is none), `read` the one that the
    provider takes it for. Where one of them is no charset that is known here, no character is sure to arrive.
    """
    return frozenset(character for character in _GSM_CHARACTERS if _survives(character, written, read))


def choose(text: str, default: frozenset[str]) -> Alphabet:
    """Return the default alphabet where it brings every character of the text, else UCS-2."""
    return Alphabet.DEFAULT if default.issuperset(text) else Alphabet.UCS2


def count(text: str, alphabet: Alphabet, octets: int = _OCTETS) -> Count:
    """Return how long the text is and how many parts Kannel makes of it, of at most `octets` octets each.

    In the default alphabet every character is one of the GSM alphabet (see `arriving`). Kannel cuts between the two
    halves of a character beyond U+FFFF, but never behind an escape.
    """
    if alphabet is Alphabet.UCS2:
        units = len(text.encode("utf-16-be", "surrogatepass")) // 2
        alone, each = octets // 2, max(1, (octets - _HEADER) // 2)
        parts = 1 if units <= alone else -(-units // each)
        return Count(alphabet, len(text), units, parts, (alone if parts == 1 else parts * each) - units)
    sizes = [len(septets) for septets in gsm0338.characters(text)]
    alone, each = octets * 8 // 7, max(2, (octets - _HEADER) * 8 // 7)
    if sum(sizes) <= alone:
        return Count(alphabet, len(text), sum(sizes), 1, alone - sum(sizes))
    parts, filled = 1, 0
    for size in sizes:
        if filled + size > each:
            parts, filled = parts + 1, 0
        filled += size
    return Count(alphabet, len(text), sum(sizes), parts, each - filled)


def _survives(character: str, written: str, read: str) -> bool:
    try:
        octets = gsm0338.encode(character) if written == GSM else character.encode(written)
        return (gsm0338.decode(octets) if read == GSM else octets.decode(read)) == character
    except (LookupError, ValueError):  # no such charset, or no such character in it
        return False

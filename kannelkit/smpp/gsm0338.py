"""The GSM default alphabet and its extension table, one octet a septet, as SMPP carries it (3GPP TS 23.038, 6.2.1)."""

from __future__ import annotations

from typing import Final

ESCAPE: Final = 0x1B

_BASIC: Final = (  # sixteen characters a row, as the standard prints them
    "@£$¥èéùìòÇ\nØø\rÅå"
    "Δ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ"
    " !\"#¤%&'()*+,-./"
    "0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNO"
    "PQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmno"
    "pqrstuvwxyzäöñüà"
)
_EXTENSION: Final = {
    0x0A: "\f",
    0x14: "^",
    0x28: "{",
    0x29: "}",
    0x2F: "\\",
    0x3C: "[",
    0x3D: "~",
    0x3E: "]",
    0x40: "|",
    0x65: "€",
}

_ENCODE: Final = {character: bytes((code,)) for code, character in enumerate(_BASIC) if code != ESCAPE} | {
    character: bytes((ESCAPE, code)) for code, character in _EXTENSION.items()
}


def encode(text: str) -> bytes:
    """Return the septets of a text, one an octet; a character of the extension table takes two.

    Raises UnicodeEncodeError for a character that the alphabet does not have.
    """
    return b"".join(characters(text))


def characters(text: str) -> list[bytes]:
    """Return the septets of each character apart, so that a cut can be made between them. Raises as `encode`."""
    found: list[bytes] = []
    for position, character in enumerate(text):
        septets = _ENCODE.get(character)
        if septets is None:
            raise UnicodeEncodeError("gsm0338", text, position, position + 1, "not in the GSM alphabet")
        found.append(septets)
    return found


def decode(octets: bytes) -> str:
    """Return the text of septets, one an octet. Never raises: what comes from a handset is to be shown.

    An octet above 0x7F and an escape at the end become U+FFFD; an escape before a code that the extension
    table lacks is a space or the basic character, as the standard asks of a receiver.
    """
    found: list[str] = []
    escaped = False
    for code in octets:
        if code > 0x7F:
            found.append("\ufffd")
            escaped = False
        elif escaped:
            found.append(_EXTENSION.get(code) or (" " if code == ESCAPE else _BASIC[code]))
            escaped = False
        elif code == ESCAPE:
            escaped = True
        else:
            found.append(_BASIC[code])
    if escaped:
        found.append("\ufffd")
    return "".join(found)

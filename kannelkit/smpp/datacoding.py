"""Text to (data_coding, octets) and back, and how many parts a text takes.

Lengths in octets or septets: 140 octets of user data are 160 septets (3GPP TS 23.040, 9.2.3.24.1); a
concatenated part gives six octets (seven septets) of them to its header with an 8-bit reference.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from kannelkit.smpp import gsm0338
from kannelkit.smpp.constants import CommandStatus, DataCoding
from kannelkit.smpp.pduerror import PduError


class _Room(NamedTuple):
    alone: int
    part: int


_ROOM: Final[dict[int, _Room]] = {
    DataCoding.DEFAULT: _Room(160, 153),
    DataCoding.LATIN_1: _Room(140, 134),
    DataCoding.UCS2: _Room(140, 134),
}
"""What is written; DEFAULT is taken to be the GSM alphabet."""

_MOST_PARTS: Final = 255

_READ_AS: Final[dict[int, str]] = {
    DataCoding.DEFAULT: "gsm0338",
    DataCoding.IA5: "ascii",
    DataCoding.LATIN_1: "latin-1",
    DataCoding.CYRILLIC: "iso8859-5",
    DataCoding.HEBREW: "iso8859-8",
    DataCoding.UCS2: "utf-16-be",
    # The GSM coding groups with a message class (3GPP TS 23.038, 4); 3.4 passes them through (5.2.19).
    **{group + number: "gsm0338" for group in (0x10, 0xF0) for number in range(4)},
    **{0x18 + number: "utf-16-be" for number in range(4)},
}
"""What can be read as text."""


def choose(text: str) -> DataCoding:
    """Return DEFAULT where the GSM alphabet has every character of the text, otherwise UCS2."""
    try:
        gsm0338.encode(text)
    except UnicodeEncodeError:
        return DataCoding.UCS2
    return DataCoding.DEFAULT


def encode_text(text: str, data_coding: int | None = None) -> tuple[int, bytes]:
    """Return the data_coding, chosen by `choose` unless given (DEFAULT, LATIN_1 or UCS2), and the text's octets.

    Raises PduError (fault "own", ESME_RINVDCS) for another data_coding and for a text it cannot write.
    """
    data_coding, characters = _characters(text, data_coding)
    return data_coding, b"".join(characters)


def decode_text(data_coding: int, octets: bytes) -> str:
    """Return the text; what cannot be read in it is U+FFFD.

    Join the octets of a message's parts first: a sender may have cut in the middle of a character.
    Raises PduError (ESME_RINVDCS) for a data_coding that is not text.
    """
    name = _READ_AS.get(data_coding)
    if name is None:
        raise PduError(f"data_coding 0x{data_coding:02x} is not read as text", CommandStatus.ESME_RINVDCS)
    return gsm0338.decode(octets) if name == "gsm0338" else octets.decode(name, errors="replace")


def split(text: str, data_coding: int | None = None) -> tuple[int, list[bytes]]:
    """Return the data_coding and the octets of each part, without the headers; one part where that is enough.

    No character is cut: neither an escape pair of the GSM alphabet nor a surrogate pair of UCS-2.
    Raises PduError as `encode_text`, and for more than 255 parts (ESME_RINVMSGLEN).
    """
    data_coding, characters = _characters(text, data_coding)
    room = _ROOM[data_coding]
    whole = b"".join(characters)
    if len(whole) <= room.alone:
        return data_coding, [whole]
    parts: list[bytes] = []
    part = bytearray()
    for character in characters:
        if len(part) + len(character) > room.part:
            parts.append(bytes(part))
            part.clear()
        part += character
    parts.append(bytes(part))
    if len(parts) > _MOST_PARTS:
        raise PduError(f"{len(parts)} parts, more than {_MOST_PARTS}", CommandStatus.ESME_RINVMSGLEN, fault="own")
    return data_coding, parts


def number_of_parts(text: str, data_coding: int | None = None) -> int:
    """Return how many messages a text takes; raises as `split`."""
    return len(split(text, data_coding)[1])


def _characters(text: str, data_coding: int | None) -> tuple[int, list[bytes]]:
    if data_coding is None:
        data_coding = choose(text)
    try:
        if data_coding == DataCoding.DEFAULT:
            return data_coding, gsm0338.characters(text)
        if data_coding == DataCoding.LATIN_1:
            return data_coding, [character.encode("latin-1") for character in text]
        if data_coding == DataCoding.UCS2:
            return data_coding, [character.encode("utf-16-be") for character in text]
    except UnicodeEncodeError as error:
        raise PduError(
            f"data_coding 0x{data_coding:02x} has no U+{ord(error.object[error.start]):04X}",
            CommandStatus.ESME_RINVDCS,
            fault="own",
        ) from None
    raise PduError(f"data_coding 0x{data_coding:02x} is not written", CommandStatus.ESME_RINVDCS, fault="own")

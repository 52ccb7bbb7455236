"""The user data header in front of a message's text (3GPP TS 23.040, 9.2.3.24); esm_class has EsmClass.UDHI then."""

from __future__ import annotations

from typing import Final, NamedTuple

from kannelkit.smpp.constants import CommandStatus
from kannelkit.smpp.pduerror import PduError

CONCATENATED_8_BIT: Final = 0x00
CONCATENATED_16_BIT: Final = 0x08


class Element(NamedTuple):
    """One information element: its identifier and its octets (at most 255)."""

    identifier: int
    value: bytes


class Concatenation(NamedTuple):
    """Which part of which message this is; `number` counts from 1. `wide` is a reference of 16 bits, not 8."""

    reference: int
    total: int
    number: int
    wide: bool = False

    def element(self) -> Element:
        """Return the information element; raises PduError (fault "own") for a number it cannot hold."""
        most = 0xFFFF if self.wide else 0xFF
        if not (0 <= self.reference <= most and 1 <= self.number <= self.total <= 255):
            raise PduError(f"{self} does not fit a user data header", fault="own")
        reference = self.reference.to_bytes(2 if self.wide else 1, "big")
        identifier = CONCATENATED_16_BIT if self.wide else CONCATENATED_8_BIT
        return Element(identifier, reference + bytes((self.total, self.number)))


def parse(octets: bytes) -> tuple[list[Element], bytes]:
    """Return the elements of the header that begins a message, and the text's octets behind it.

    Raises PduError (ESME_RINVMSGLEN) where the header or an element is longer than what is there.
    """
    if not octets or 1 + octets[0] > len(octets):
        raise PduError("the user data header is longer than the message", CommandStatus.ESME_RINVMSGLEN)
    end = 1 + octets[0]
    elements: list[Element] = []
    position = 1
    while position < end:
        begin = position + 2
        stop = begin + octets[position + 1] if begin <= end else begin
        if stop > end:
            raise PduError("an element is longer than the user data header", CommandStatus.ESME_RINVMSGLEN)
        elements.append(Element(octets[position], octets[begin:stop]))
        position = stop
    return elements, octets[end:]


def build(elements: list[Element]) -> bytes:
    """Return the header's octets, its length first; raises PduError (fault "own") for more than 255 of them."""
    parts: list[bytes] = []
    for identifier, value in elements:
        if not 0 <= identifier <= 255 or len(value) > 255:
            raise PduError(f"element {identifier} does not fit a user data header", fault="own")
        parts.append(bytes((identifier, len(value))) + value)
    header = b"".join(parts)
    if len(header) > 255:
        raise PduError(f"a user data header of {len(header)} octets, more than 255", fault="own")
    return bytes((len(header),)) + header


def concatenation(elements: list[Element]) -> Concatenation | None:
    """Return what the header says about parts, or None: also for an element that contradicts itself.

    A part 0, or one beyond the total, is to be ignored by the receiver (TS 23.040, 9.2.3.24.1). The last one
    counts where there are several (9.2.3.24).
    """
    found: Concatenation | None = None
    for identifier, value in elements:
        if identifier == CONCATENATED_8_BIT and len(value) == 3:
            reference, wide = value[0], False
        elif identifier == CONCATENATED_16_BIT and len(value) == 4:
            reference, wide = int.from_bytes(value[:2], "big"), True
        else:
            continue
        total, number = value[-2:]
        if 1 <= number <= total:
            found = Concatenation(reference, total, number, wide)
    return found

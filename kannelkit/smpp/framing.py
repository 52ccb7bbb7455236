"""A stream of octets to whole PDUs, however the network cut it."""

from __future__ import annotations

import struct
from typing import Final

from kannelkit.smpp.constants import CommandStatus
from kannelkit.smpp.pduerror import PduError

HEADER_LENGTH: Final = 16
MAX_LENGTH: Final = 65_536 + 4_096
"""Octets: one message_payload of the longest kind with its fields and other TLVs around it."""

_LENGTH: Final = struct.Struct(">I")
_HEADER: Final = struct.Struct(">IIII")


def header(octets: bytes | bytearray) -> tuple[int, int, int, int]:
    """Return command_length, command_id, command_status and sequence_number. Raises PduError below 16."""
    if len(octets) < HEADER_LENGTH:
        raise PduError(f"{len(octets)} octets are no header of {HEADER_LENGTH}")
    command_length, command_id, command_status, sequence_number = _HEADER.unpack_from(octets)
    return command_length, command_id, command_status, sequence_number


class FramingError(PduError):
    """A command_length that no PDU can have: the stream cannot be read on.

    `frames` are the whole PDUs before it, `rest` the octets of what would be its header, as far as they have come.
    """

    def __init__(self, message: str, sequence_number: int | None, frames: list[bytes], rest: bytes) -> None:
        super().__init__(message, CommandStatus.ESME_RINVCMDLEN, sequence_number=sequence_number)
        self.frames = frames
        self.rest = rest


class Frames:
    """Cuts what a connection delivers into PDUs; keeps an unfinished one until the rest comes."""

    def __init__(self, max_length: int = MAX_LENGTH) -> None:
        """`max_length`: the longest PDU in octets that is taken, its header included."""
        self._max_length = max_length
        self._rest = bytearray()
        self._wanted = 0  # how long the rest must be before another look is worth it

    @property
    def unfinished(self) -> int:
        """How many octets of an unfinished PDU are waiting."""
        return len(self._rest)

    def feed(self, data: bytes) -> list[bytes]:
        """Return the PDUs that are whole now, header included, in order.

        Raises FramingError (ESME_RINVCMDLEN) for a command_length below 16 or above `max_length`, and again
        at every later call; whole PDUs that came before it in the same data are in the error's `frames`.
        """
        if self._rest:
            self._rest += data
            if len(self._rest) < self._wanted:
                return []
            buffer = bytes(self._rest)
        else:
            buffer = data
        frames: list[bytes] = []
        unpack_length = _LENGTH.unpack_from
        longest = self._max_length
        end = len(buffer)
        position = 0
        self._wanted = 4
        while end - position >= 4:
            (length,) = unpack_length(buffer, position)
            if not HEADER_LENGTH <= length <= longest:
                self._rest = bytearray(buffer[position : position + HEADER_LENGTH])
                raise self._error(length, frames)
            stop = position + length
            if stop > end:
                self._wanted = length
                break
            frames.append(buffer[position:stop])
            position = stop
        self._rest = bytearray(buffer[position:])
        return frames

    def _error(self, length: int, frames: list[bytes]) -> FramingError:
        readable = len(self._rest) >= HEADER_LENGTH
        return FramingError(
            f"command_length {length} is not from {HEADER_LENGTH} to {self._max_length}",
            header(self._rest)[3] if readable else None,
            frames,
            bytes(self._rest),
        )

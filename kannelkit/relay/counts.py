"""What the relay did for one account, in numbers; and a note on disk of what has no answer, for after a kill."""

from __future__ import annotations

import mmap
import os
import struct
from dataclasses import dataclass
from pathlib import Path

from kannelkit.errors import HostError

_NUMBERS = struct.Struct("<QQ")


@dataclass(slots=True)
class Counts:
    """Totals since the start. `accepted`, `refused` (0x58), `put_off` (a full queue and its like, tried again later)
    and `rejected` (what bearerbox is told) are answers of the provider; `expired` were handed back to bearerbox unsent
    or unaccepted; `unanswered` lost their answer with a connection, or had none in time; `maybe_doubled` of those were,
    or will be, sent again and may arrive twice; `not_doubled` came again from a bearerbox that was
    killed, and were answered with what the provider had said.
    """

    arrived: int = 0
    sent: int = 0
    accepted: int = 0
    refused: int = 0
    put_off: int = 0
    rejected: int = 0
    expired: int = 0
    unanswered: int = 0
    maybe_doubled: int = 0
    not_doubled: int = 0
    delivered: int = 0
    binds: int = 0
    binds_refused: int = 0
    moves: int = 0


class Note:
    """Two numbers of an account in a file that outlives a kill of this process: how many submits are unanswered at this
    moment, and how many were, or will be, sent again since the file was made.
    """

    def __init__(self, path: Path) -> None:
        """Raises HostError where the file cannot be made."""
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
            try:
                if os.fstat(descriptor).st_size != _NUMBERS.size:
                    os.ftruncate(descriptor, 0)
                    os.ftruncate(descriptor, _NUMBERS.size)
                self._map = mmap.mmap(descriptor, _NUMBERS.size)
            finally:
                os.close(descriptor)
        except OSError as error:
            raise HostError(
                f"cannot write {path}: {error.strerror}", "look at the owner and mode of the folder"
            ) from None
        self.left_behind, self.before = _NUMBERS.unpack_from(self._map)
        """What was unanswered when the process before this one ended without taking leave; what was sent again."""
        self.say(0, self.before + self.left_behind)

    def say(self, unanswered: int, maybe_doubled: int) -> None:
        """Note both numbers as they are now."""
        _NUMBERS.pack_into(self._map, 0, unanswered, maybe_doubled)

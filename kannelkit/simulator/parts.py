"""Long messages of which parts are still to come: held until the last one is there, or for as long as is allowed."""

from __future__ import annotations

from dataclasses import dataclass, field

from kannelkit.simulator.content import Part
from kannelkit.simulator.messages import Message

Key = tuple[bytes, bytes, Part]  # sender, subscriber, and which long message, whatever the part

PART_OCTETS = 100  # what holding a part costs besides its own octets, roughly


@dataclass(slots=True)
class _Unfinished:
    message: Message
    since: float
    octets: dict[int, bytes] = field(default_factory=dict)  # by the number of the part


def key_of(sender: bytes, receiver: bytes, part: Part) -> Key:
    """Return what is the same for all parts of one long message; over which connection they come does not matter."""
    return sender, receiver, part._replace(number=0)


class Parts:
    """Puts long messages together. Moments are seconds of any clock that does not go back."""

    def __init__(self, kept: int, octets: int) -> None:
        """`kept`: how many unfinished messages there may be; `octets`: how many octets all their parts may take."""
        self._kept = kept
        self._most = octets
        self._held = 0
        self._unfinished: dict[Key, _Unfinished] = {}  # the oldest first

    def __len__(self) -> int:
        return len(self._unfinished)

    def find(self, key: Key) -> Message | None:
        """Return the unfinished message that a part belongs to, or None where it is the first of its message."""
        found = self._unfinished.get(key)
        return found.message if found is not None else None

    def begin(self, key: Key, message: Message, now: float) -> None:
        """Hold a message for its parts, of which `add` takes the first too."""
        self._unfinished[key] = _Unfinished(message, now)

    def add(self, key: Key, part: Part, octets: bytes) -> bool:
        """Take a part of a message that has begun; return whether it was the last one, and the message is whole.

        A part that comes again takes the place of the former.
        """
        found = self._unfinished[key]
        before = found.octets.get(part.number)
        self._held += len(octets) + PART_OCTETS
        if before is not None:
            self._held -= len(before) + PART_OCTETS
        found.octets[part.number] = octets
        if len(found.octets) < part.total:
            return False
        found.message.octets = b"".join(found.octets[number] for number in range(1, part.total + 1))
        found.message.parts = part.total
        self._forget(key)
        return True

    def too_many(self) -> list[Message]:
        """Let go of the oldest messages beyond what may be held, and return them."""
        gone = []
        while self._unfinished and (len(self._unfinished) > self._kept or self._held > self._most):
            gone.append(self._give_up(next(iter(self._unfinished))))
        return gone

    def overdue(self, now: float, span: float) -> list[Message]:
        """Let go of the messages whose first part came `span` seconds ago or longer, and return them."""
        gone = []
        while self._unfinished:
            key, oldest = next(iter(self._unfinished.items()))
            if now - oldest.since < span:
                break
            gone.append(self._give_up(key))
        return gone

    @property
    def oldest(self) -> float | None:
        """When the first part of the oldest message came, or None."""
        for each in self._unfinished.values():
            return each.since
        return None

    def _give_up(self, key: Key) -> Message:
        """Return a message with what there is of it."""
        found = self._unfinished[key]
        found.message.octets = b"".join(octets for _, octets in sorted(found.octets.items()))
        found.message.parts = len(found.octets)
        self._forget(key)
        return found.message

    def _forget(self, key: Key) -> None:
        found = self._unfinished.pop(key)
        self._held -= sum(len(octets) + PART_OCTETS for octets in found.octets.values())

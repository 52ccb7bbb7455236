"""What an account sent before, remembered in little memory: digests of messages, and the last messages by id."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Generic, TypeVar

Value = TypeVar("Value")


class Digests:
    """Says whether a message was there before. Of more than `kept` messages the older half may be forgotten.

    A digest is Python's hash of octets: 64 bits, keyed at random for each process, so two of a million different
    messages share one with a chance of 1 to 37 million, and no client can choose messages that do.
    """

    def __init__(self, kept: int) -> None:
        self._half = max(1, kept // 2)
        self._newer: set[int] = set()
        self._older: set[int] = set()

    def __len__(self) -> int:
        return len(self._newer) + len(self._older)

    def add(self, message: bytes) -> bool:
        """Remember the message; return whether it was remembered already."""
        digest = hash(message)
        if digest in self._newer:
            return True
        before = digest in self._older
        if len(self._newer) >= self._half:
            self._older, self._newer = self._newer, set()
        self._newer.add(digest)
        return before


class Latest(Generic[Value]):
    """A mapping that holds at least the last half of `kept` entries, and never more than `kept`."""

    def __init__(self, kept: int) -> None:
        self._half = max(1, kept // 2)
        self._newer: dict[int, Value] = {}
        self._older: dict[int, Value] = {}

    def __len__(self) -> int:
        return len(self._newer) + len(self._older)

    def __setitem__(self, key: int, value: Value) -> None:
        if len(self._newer) >= self._half and key not in self._newer:
            self._older, self._newer = self._newer, {}
        self._newer[key] = value

    def get(self, key: int) -> Value | None:
        """Return the entry, or None when it was never there or is forgotten."""
        value = self._newer.get(key)
        return self._older.get(key) if value is None else value

    def newest_first(self, after: int) -> Iterator[Value]:
        """Yield the entries with a key above `after`, the last first, of a mapping whose keys only grew."""
        for half in (self._newer, self._older):
            for key in reversed(half):
                if key <= after:
                    return
                yield half[key]


class Recent:
    """Says whether the same message was accepted less than `span` seconds before; remembers little more than that.

    Of more than `kept` messages the older half may be forgotten.
    """

    def __init__(self, kept: int) -> None:
        self._half = max(1, kept // 2)
        self._newer: dict[int, float] = {}
        self._older: dict[int, float] = {}
        self._began = 0.0

    def __len__(self) -> int:
        return len(self._newer) + len(self._older)

    def has(self, message: bytes, now: float, span: float) -> bool:
        """Return whether the message was added less than `span` seconds before `now`."""
        digest = hash(message)
        added = self._newer.get(digest, self._older.get(digest))
        return added is not None and now - added < span

    def add(self, message: bytes, now: float, span: float) -> None:
        """Remember that the message was accepted at `now`, for `span` seconds at the least."""
        if now - self._began >= span or len(self._newer) >= self._half:
            self._older, self._newer, self._began = self._newer, {}, now
        self._newer[hash(message)] = now

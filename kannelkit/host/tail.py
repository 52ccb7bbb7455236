"""Follows a log that another process writes, renames, cuts and removes.

How lines get lost elsewhere: after a rename the writer goes on in the renamed file until it is told to
re-open, and logrotate has made the new, empty file long before that. So the old descriptor stays open
until a newer file has content, which one writer can only have caused after its last line in the old file,
and until the old one then gives nothing more.
"""

from __future__ import annotations

import contextlib
import os
import stat
from pathlib import Path

from kannelkit.errors import HostError

_MOST_FILES = 8  # open at once; more only where something makes and renames empty files over and over
_READ = 256 * 1024
_MARK = 64  # so many octets before the offset are compared to see that the file is still the same text


class Tail:
    """The lines of a file that one process appends to, each once and in order, through renames of that file.

    `from_end` leaves out what is in the file now (and the rest of a line that is only half written now); a file that
    comes later is read from its start. A line longer than `max_line` octets is left out and counted in `dropped`.
    `truncations` counts how often the file was cut to nothing or written anew in place.

    What no reader can save: lines that are cut away (copytruncate) before `read` was called, and a whole file that came
    and was renamed away between two calls. `problem` says why the file cannot be read now, "" when it can or is not
    there.
    """

    def __init__(
        self, path: Path, from_end: bool, max_line: int = 64 * 1024, *, most_octets: int = 4 * 1024 * 1024
    ) -> None:
        self.path = path
        self.dropped = 0
        self.truncations = 0
        self.problem = ""
        self._max_line = max_line
        self._most_octets = most_octets
        self._files: list[_File] = []  # the one being read first, newer ones behind it
        self._look()
        if from_end and self._files:
            self._files[0].to_end()

    def read(self) -> list[bytes]:
        """Return the complete lines since the last call, without their line feeds; never waits.

        At most about `most_octets` octets are read in one call; the rest comes with the next ones. NULs before a line
        (a hole, left where a writer goes on at its old place in a file that was cut) are no part of it. Raises
        HostError when the file system fails.
        """
        lines: list[bytes] = []
        room = self._most_octets
        try:
            while True:
                self._look()
                if not self._files:
                    return lines
                moved_on = len(self._files) > _MOST_FILES or any(file.has_content() for file in self._files[1:])
                room = self._drain(self._files[0], lines, room)
                if not moved_on or room <= 0:
                    return lines
                ended = self._files.pop(0)
                if ended.partial and not ended.skipping:
                    lines.append(bytes(ended.partial))  # nobody will write the rest of it
                ended.close()
        except OSError as error:
            raise HostError(f"cannot read {self.path}: {error.strerror}") from error

    def close(self) -> None:
        """Give the descriptors back; a later `read` begins with the file that is there then."""
        while self._files:
            self._files.pop().close()

    def __enter__(self) -> Tail:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _look(self) -> None:
        """Open what stands at the path now, unless it is the newest file that is open already."""
        self.problem = ""
        try:
            found = os.stat(self.path)
            if any(file.identity == (found.st_dev, found.st_ino) for file in self._files):
                return
            if not stat.S_ISREG(found.st_mode):
                self.problem = f"{self.path}: not a file"
                return
            # not blocking, should somebody put a pipe there this very moment
            descriptor = os.open(self.path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except FileNotFoundError:
            return
        except OSError as error:
            self.problem = f"{self.path}: {error.strerror}"
            return
        opened = os.fstat(descriptor)  # it may be another one than was found
        identity = (opened.st_dev, opened.st_ino)
        if stat.S_ISREG(opened.st_mode) and all(file.identity != identity for file in self._files):
            self._files.append(_File(descriptor, identity))
        else:
            os.close(descriptor)

    def _drain(self, file: _File, lines: list[bytes], room: int) -> int:
        """Read `file` to its end or until `room` octets are used up; return the room that is left."""
        while room > 0:
            text = file.next_octets(min(_READ, room))
            if text is None:
                self.truncations += 1
                continue
            if not text:
                break
            room -= len(text)
            self._split(file, text, lines)
        return room

    def _split(self, file: _File, text: bytes, lines: list[bytes]) -> None:
        *ends, rest = text.split(b"\n")
        for end in ends:
            self._extend(file, end)
            if not file.skipping:
                lines.append(bytes(file.partial))
            file.partial.clear()
            file.skipping = False
        self._extend(file, rest)

    def _extend(self, file: _File, text: bytes) -> None:
        if file.skipping:
            return
        if not file.partial:
            text = text.lstrip(b"\0")
        file.partial += text
        if len(file.partial) > self._max_line:
            self.dropped += 1
            file.partial.clear()
            file.skipping = True


class _File:
    """One open file and how far it was read."""

    def __init__(self, descriptor: int, identity: tuple[int, int]) -> None:
        self.identity = identity
        self.partial = bytearray()
        self.skipping = False  # until the next line feed: the line is too long or was half written at the start
        self._descriptor = descriptor
        self._offset = 0
        self._mark = b""

    def to_end(self) -> None:
        self._offset = os.fstat(self._descriptor).st_size
        self._mark = os.pread(self._descriptor, min(_MARK, self._offset), max(0, self._offset - _MARK))
        self.skipping = bool(self._mark) and not self._mark.endswith(b"\n")

    def has_content(self) -> bool:
        return os.fstat(self._descriptor).st_size > 0

    def next_octets(self, most: int) -> bytes | None:
        """Return up to `most` new octets, b"" at the end; None when the file was cut or overwritten: it starts anew."""
        mark = self._mark
        read = os.pread(self._descriptor, len(mark) + most, self._offset - len(mark))
        if not read.startswith(mark):
            self._offset, self._mark, self.skipping = 0, b"", False
            self.partial.clear()
            return None
        new = read[len(mark) :]
        self._offset += len(new)
        self._mark = read[-_MARK:]
        return new

    def close(self) -> None:
        with contextlib.suppress(OSError):  # a descriptor that only reads: nothing can be lost here
            os.close(self._descriptor)

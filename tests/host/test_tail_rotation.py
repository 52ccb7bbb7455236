"""Tail against a writer that does to a log whatever logrotate and Kannel can do, and a reader that comes and goes."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from kannelkit.host.tail import Position, Tail


class Writer:
    """A process with one log: it goes on in the renamed or removed file until it re-opens the name.

    Whatever it does takes a second of its own, so that files differ in when they were written last.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.written: list[bytes] = []
        self.half = b""
        self.generation = 0
        self.count = 0
        self.now = 1_700_000_000
        self.file = self.open()

    def open(self) -> int:
        file = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        if not os.fstat(file).st_size:
            self.date(file)
        return file

    def date(self, file: int) -> None:
        self.now += 1
        os.utime(file, (self.now, self.now))

    def write(self, octets: bytes) -> None:
        os.write(self.file, octets)
        self.date(self.file)

    def line(self) -> None:
        self.count += 1
        text = b"%06d " % self.count + b"x" * (self.count * 37 % 90)
        self.write(text[len(self.half) :] + b"\n")
        self.half = b""
        self.written.append(text)

    def begin_line(self) -> None:
        if not self.half:
            self.half = (b"%06d " % (self.count + 1) + b"x" * ((self.count + 1) * 37 % 90))[:6]
            self.write(self.half)

    def rename(self) -> None:
        if self.path.exists():
            self.generation += 1
            self.path.rename(f"{self.path}.{self.generation}")

    def create(self) -> None:
        os.close(self.open())

    def reopen(self) -> None:
        if self.half:  # a line is written whole before its file is left
            self.line()
        os.close(self.file)
        self.file = self.open()

    def truncate(self) -> None:
        if self.half:
            self.line()
        os.ftruncate(self.file, 0)
        self.date(self.file)


class Rotation(RuleBasedStateMachine):
    """A log, its writer, whoever rotates it, and a reader that comes and goes.

    Every line comes once and in its order. The ones that may be gone are `excused`: cut away or removed before they
    could be read, or told to be gone by a reader that goes on. A reader that runs looks once before each change of a
    name, for nobody can know a file that came and went between two looks.
    """

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name, "kannel.log")
        self.writer = Writer(self.path)
        self.most_octets = 4_000_000
        self.tail: Tail | None = Tail(self.path, from_end=False)
        self.since: Position | None = None
        self.lines: list[bytes] = []
        self.excused: set[bytes] = set()
        self.holding = True  # a reader keeps a removed file open that it knew before
        self.removed = self.cut = False
        self.empty = 0  # files that were made since the writer re-opened its own

    @initialize(most_octets=st.sampled_from([10, 50, 1000, 4_000_000]))
    def begin(self, most_octets: int) -> None:
        self.most_octets = most_octets
        self.start(None)

    def start(self, since: Position | None) -> None:
        if self.tail is not None:
            self.tail.close()
        self.tail = Tail(self.path, from_end=False, most_octets=self.most_octets, since=since)

    def look(self) -> None:
        if self.tail is not None:
            self.lines += self.tail.read()

    @rule(times=st.sampled_from([1, 7]))
    def write(self, times: int) -> None:
        for _ in range(times):
            self.writer.line()
        self.excuse_what_nobody_finds()

    @rule()
    def write_half_a_line(self) -> None:
        self.writer.begin_line()

    @rule(create=st.booleans())
    def rename(self, create: bool) -> None:
        self.look()
        self.writer.rename()
        if create:
            self.create()

    @rule()
    def create(self) -> None:
        self.look()
        if self.empty < 6:  # beyond that the reader gives its oldest file up
            self.writer.create()
            self.empty += 1

    @rule()
    def reopen(self) -> None:
        self.look()
        if self.writer.half:
            self.writer.line()
        self.excuse_what_nobody_finds()
        self.writer.reopen()
        self.empty = 0

    @rule()
    def remove(self) -> None:
        self.look()
        self.path.unlink(missing_ok=True)
        self.removed = True
        self.excuse_what_nobody_finds()

    @rule()
    def truncate(self) -> None:
        self.writer.truncate()
        self.cut = True
        self.excuse()

    def excuse(self) -> None:
        self.excused |= set(self.writer.written) - set(self.lines)

    def excuse_what_nobody_finds(self) -> None:
        if os.fstat(self.writer.file).st_nlink == 0 and not self.holding:
            self.excuse()

    @rule()
    def read(self) -> None:
        self.look()

    def known(self) -> bool:
        """Return whether the file that is being read could be found again: by a number, in a log by a stamp."""
        position = self.tail.position if self.tail is not None else None
        return position is not None and position.offset >= 7

    @precondition(known)
    @rule()
    def stop_reading(self) -> None:
        assert self.tail is not None
        self.since = self.tail.position
        self.tail.close()
        self.tail = None
        self.holding = False
        if self.removed:  # what it had not read in there yet
            self.excuse()

    @precondition(lambda self: self.tail is None)
    @rule()
    def go_on_reading(self) -> None:
        self.start(self.since)
        self.holding = os.fstat(self.writer.file).st_nlink > 0
        if self.tail is not None and (self.tail.truncations or self.tail.missing):
            self.excuse()  # told: its file is gone, and a new one may even have its number

    @invariant()
    def each_line_once_and_in_order(self) -> None:
        assert self.lines == sorted(set(self.lines))
        assert set(self.lines) <= set(self.writer.written)

    def teardown(self) -> None:
        if self.tail is None:
            self.go_on_reading()
        assert self.tail is not None
        self.reopen()
        self.writer.line()
        self.lines += read_all(self.tail)
        self.each_line_once_and_in_order()
        assert set(self.writer.written) - set(self.lines) <= self.excused
        assert self.tail.dropped == 0
        assert self.removed or self.cut or (self.tail.truncations, self.tail.missing) == (0, False)
        self.tail.close()
        os.close(self.writer.file)
        self.folder.cleanup()


Rotation.TestCase.settings = settings(max_examples=100, stateful_step_count=40)
TestRotation = Rotation.TestCase


def read_all(tail: Tail) -> list[bytes]:
    """Read until nothing came so often that even one octet a read would have made a line."""
    lines: list[bytes] = []
    empty = 0
    while empty < 150:
        more = tail.read()
        empty = 0 if more else empty + 1
        lines += more
    return lines

"""Box: only the very process that ran from the same file is adopted; pauses grow; what a box said last is told."""

from __future__ import annotations

import os
import signal
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kannelkit.errors import GatewayError
from kannelkit.host import processes
from kannelkit.host.processes import ProcessId
from kannelkit.supervise.boxes import Box

# a program that writes what it is told to and then waits; it takes SIGTERM unless it is told not to, and may be told
# to end when it reads a line
_PROGRAM = """#!/bin/sh
test -e "$3.trap" && trap '' TERM
cat "$3"
test -e "$3.ends" && read -r x < "$3.pipe" && exit 3
while :; do read -r x < "$3.pipe"; done
"""


class Kept(dict[str, ProcessId | None]):
    """What boxes were said to be."""


Make = Callable[..., Box]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a program `playbox` that is on the PATH, and a file for it."""
    program = tmp_path / "playbox"
    program.write_text(_PROGRAM)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    (tmp_path / "conf").write_text("2026-11-22 15:40:57 [1] [0] PANIC: a port is taken\n")
    os.mkfifo(tmp_path / "conf.pipe")
    return tmp_path


@pytest.fixture
def kept() -> Kept:
    return Kept()


@pytest.fixture
def make(folder: Path, kept: Kept) -> Iterator[Make]:
    made: list[Box] = []

    def box(name: str = "playbox", conf: Path | None = None) -> Box:
        made.append(Box(name, conf or folder / "conf", folder / "out", kept.__setitem__))
        return made[-1]

    yield box
    for one in made:
        if one.process is not None:
            processes.kill(one.process)


async def test_a_box_is_started_known_and_stopped(make: Make, kept: Kept, folder: Path) -> None:
    box = make()
    process = box.start(0.0)
    assert (box.running, box.ours, kept["playbox"]) == (True, True, process)
    while not processes.command_line(process):  # the kernel closes our pipe before it has laid out the program's words
        pass
    assert processes.command_line(process)[-3:] == ("--verbosity", "4", str(folder / "conf"))
    assert os.getsid(process.pid) == process.pid  # Ctrl-C in kannelkit's terminal does not reach it
    assert stat.S_IMODE((folder / "out").stat().st_mode) & stat.S_IRWXO == 0
    assert await box.stop(10)
    assert (box.running, kept["playbox"]) == (False, None)
    assert await box.stop(10)


async def test_a_box_that_does_not_go_is_made_to(make: Make, folder: Path) -> None:
    (folder / "conf.trap").touch()
    box = make()
    process = box.start(0.0)
    while not (folder / "out").read_text():  # it is past its trap then
        pass
    assert not await box.stop(0.1)
    assert not processes.alive(process)


def test_only_the_same_program_with_the_same_file_is_adopted(make: Make, folder: Path) -> None:
    # a script's own name is its interpreter's second word; the adopter looks at the first
    process = make().start(0.0)
    while not processes.command_line(process):  # as above
        pass
    stranger = make("sh")
    assert stranger.adopt(process)
    assert (stranger.running, stranger.ours) == (True, False)
    assert not make("bearerbox").adopt(process)
    assert not make("sh", folder / "other").adopt(process)
    assert not make("sh").adopt(ProcessId(process.pid, process.started - 1))
    assert not make("sh").adopt(None)
    stranger.process = None


def test_a_process_that_ended_is_not_adopted(make: Make) -> None:
    box = make()
    process = box.start(0.0)
    os.kill(process.pid, signal.SIGKILL)
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert not make("sh").adopt(process)


def test_pauses_grow_and_begin_anew_after_a_good_run(make: Make, folder: Path) -> None:
    (folder / "conf.ends").touch()
    box = make()

    def pause(ran: float) -> float:
        process = box.start(1000.0)
        (folder / "conf.pipe").write_text("end\n")  # not before it has been seen
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        return box.ended(1000.0 + ran)

    assert [pause(ran) for ran in (1, 59, 1, 1, 1, 1, 1)] == [1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0]
    assert [pause(ran) for ran in (60, 1)] == [0.0, 1.0]


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (signal.SIGKILL, "was ended by SIGKILL"),
        (signal.SIGSEGV, "was ended by SIGSEGV"),
        (signal.SIGRTMIN + 3, f"was ended by signal {signal.SIGRTMIN + 3}"),
    ],
)
def test_how_a_box_ended_is_told(make: Make, number: int, text: str) -> None:
    box = make()
    process = box.start(0.0)
    os.kill(process.pid, number)
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert not box.running
    assert box.exit_text() == text


def test_the_last_words_of_a_box_are_told(make: Make, folder: Path) -> None:
    (folder / "conf.ends").touch()
    box = make()
    process = box.start(0.0)
    (folder / "conf.pipe").write_text("end\n")
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert not box.running
    assert (box.exit_text(), box.last_words()) == ("ended with exit code 3", ": a port is taken")


def test_what_cannot_be_started_is_told_in_words(make: Make, folder: Path) -> None:
    with pytest.raises(GatewayError, match="no-such-box is not installed"):
        make("no-such-box").start(0.0)
    (folder / "out").mkdir()
    with pytest.raises(GatewayError, match="out: Is a directory"):
        make().start(0.0)

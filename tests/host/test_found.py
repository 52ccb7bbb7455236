"""Processes that somebody else started, found again: real ones, under the names of Kannel's boxes."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kannelkit.errors import HostError
from kannelkit.host.found import Sought, find
from tests.harness.ports import free_ports

Start = Callable[..., subprocess.Popen[bytes]]
_PATIENCE = 60.0


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start a shell under another name, in a process group of its own, which is ended in the end."""
    started: list[subprocess.Popen[bytes]] = []
    shell = shutil.which("sh")
    assert shell is not None

    def run(name: str, script: str, *arguments: str) -> subprocess.Popen[bytes]:
        path = tmp_path / name
        if not path.exists():
            path.symlink_to(os.path.realpath(shell))
        words = [str(path), "-c", f"{script}\nwait", "sh", *arguments]
        process = subprocess.Popen(words, start_new_session=True, stdin=subprocess.DEVNULL)
        started.append(process)
        # it has its name, and after that its arguments, only a moment after it was started
        while Path(f"/proc/{process.pid}/cmdline").read_bytes().split(b"\0")[:-1] != [*map(os.fsencode, words)]:
            assert process.poll() is None
        # and for a moment its child is a copy of it, of the same name
        while script == SLEEP and _children(process.pid) != ["sleep"]:
            assert process.poll() is None
        return process

    yield run
    for process in started:
        os.killpg(process.pid, 9)
        process.wait()


SLEEP = "sleep 60 &"


def _children(pid: int) -> list[str]:
    """Return the names of a process's children."""
    pids = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [Path(f"/proc/{each}/comm").read_text().strip() for each in pids]


def child_that_runs(parent: subprocess.Popen[bytes], note: Path) -> int:
    """Return the pid that a parent's child notes, when the child's own child is no copy of it any more."""
    while not note.exists() or not note.read_text().endswith("\n"):
        assert parent.poll() is None
    child = int(note.read_text())
    while _children(child) != ["sleep"]:
        assert parent.poll() is None
    return child


def found(sought: Sought) -> int | None:
    """Return what is found; a child that a wrapper starts has its name only a moment later."""
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        process = find(sought)
        if process is not None:
            return process.pid
    return None


def test_by_the_pid_file_of_itself(tmp_path: Path, start: Start) -> None:
    box = start("boxname-a", SLEEP)
    start("boxname-a", SLEEP)
    (tmp_path / "pid").write_text(f"{box.pid}\n")
    assert found(Sought("boxname-a", tmp_path / "pid", None, tmp_path / "conf")) == box.pid


def test_by_the_pid_file_of_the_wrapper_that_starts_it(tmp_path: Path, start: Start) -> None:
    start("boxname-b", SLEEP)
    wrapper = start("wrapper", f"{tmp_path}/boxname-b -c '{SLEEP} echo $$ >{tmp_path}/child; wait; :' &")
    child = child_that_runs(wrapper, tmp_path / "child")
    (tmp_path / "pid").write_text(f"{wrapper.pid}\n")
    assert found(Sought("boxname-b", tmp_path / "pid", None, tmp_path / "conf")) == child


def test_of_a_process_and_its_child_of_the_same_name_the_child(tmp_path: Path, start: Start) -> None:
    parent = start("boxname-c", f"{tmp_path}/boxname-c -c '{SLEEP} echo $$ >{tmp_path}/child; wait; :' &")
    child = child_that_runs(parent, tmp_path / "child")
    (tmp_path / "pid").write_text(f"{parent.pid}\n")
    assert found(Sought("boxname-c", tmp_path / "pid", None, tmp_path / "conf")) == child


def test_a_parent_that_waits_to_start_its_child_anew_is_not_the_box(tmp_path: Path, start: Start) -> None:
    conf = tmp_path / "kannel.conf"
    parent = start("boxname-i", SLEEP, "--parachute", str(conf))
    (tmp_path / "pid").write_text(f"{parent.pid}\n")
    assert find(Sought("boxname-i", tmp_path / "pid", None, conf)) is None
    box = start("boxname-i", SLEEP, str(conf))
    assert found(Sought("boxname-i", None, None, conf)) == box.pid


def test_by_its_configuration_among_its_arguments_whatever_leads_there(tmp_path: Path, start: Start) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "etc").symlink_to("real")
    start("boxname-d", SLEEP, str(tmp_path / "other" / "kannel.conf"))
    box = start("boxname-d", SLEEP, str(tmp_path / "real" / "kannel.conf"))
    assert found(Sought("boxname-d", None, None, tmp_path / "etc" / "kannel.conf")) == box.pid


def test_two_that_cannot_be_told_apart_are_not_found(tmp_path: Path, start: Start) -> None:
    conf = tmp_path / "kannel.conf"
    first = start("boxname-e", SLEEP, str(conf))
    assert found(Sought("boxname-e", None, None, conf)) == first.pid
    start("boxname-e", SLEEP, str(conf))
    assert find(Sought("boxname-e", None, None, conf)) is None


@pytest.mark.parametrize("content", ["", "\n", "no number\n", "0\n", "1\n", "-5\n", "9" * 40, "99999999\n"])
def test_a_pid_file_that_says_nothing_finds_nothing(tmp_path: Path, start: Start, content: str) -> None:
    start("boxname-f", SLEEP)
    (tmp_path / "pid").write_text(content)
    assert find(Sought("boxname-f", tmp_path / "pid", None, tmp_path / "conf")) is None


def test_a_pid_file_that_is_not_there_finds_nothing_and_a_folder_is_told(tmp_path: Path, start: Start) -> None:
    assert find(Sought("boxname-g", tmp_path / "pid", None, tmp_path / "conf")) is None
    (tmp_path / "pid").mkdir()
    with pytest.raises(HostError, match="cannot read"):
        find(Sought("boxname-g", tmp_path / "pid", None, tmp_path / "conf"))


def test_who_listens_goes_before_the_pid_file(tmp_path: Path) -> None:
    """A smsbox that starts itself anew is no child of its wrapper any more (restart_box in gw/shared.c)."""
    path = tmp_path / "boxname-h"
    path.symlink_to(os.path.realpath(sys.executable))
    (port,) = free_ports(1)
    listens = (
        f"import socket, sys; s = socket.create_server(('127.0.0.1', {port})); print(flush=True); sys.stdin.read()"
    )
    idles = "import sys; print(flush=True); sys.stdin.read()"
    boxes = [
        subprocess.Popen([path, "-I", "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        for script in (listens, idles)
    ]
    try:
        for box in boxes:
            assert box.stdout is not None
            assert box.stdout.readline() == b"\n"
        (tmp_path / "pid").write_text(f"{boxes[1].pid}\n")
        process = find(Sought("boxname-h", tmp_path / "pid", port, tmp_path / "conf"))
        assert process is not None
        assert process.pid == boxes[0].pid
    finally:
        for box in boxes:
            box.communicate(b"")

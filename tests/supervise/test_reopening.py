"""Whom reopen-logs sends a signal, when, and what it takes for done."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kannelkit.host import processes
from kannelkit.host.processes import ProcessId
from kannelkit.spec import Spec, load
from kannelkit.supervise.memory import Memory
from kannelkit.supervise.reopening import Reopened, reopen, running

# a box as far as logs go: argv is the log, the signal, and what it does with that
BOX = """
import os, signal, sys, time
log, number, how = sys.argv[1], int(sys.argv[2]), sys.argv[3]
file = open(log, "a")
def anew(*_):
    global file
    file.close()
    file = open(log, "a")
if how == "slow":
    print("begins", flush=True)
    sys.stdin.readline()
signal.signal(number, anew if how in ("well", "slow") else (lambda *_: None))
print("there", flush=True)
while True:
    time.sleep(600)
"""
SPEC = """
state-dir: state
{supervisor}
smsc:
  - {{smsc-id: acc, host: smsc.test, smsc-username: u, smsc-password: p}}
"""

Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start a program under a name of one's choice; it is ended with the test."""
    begun: list[subprocess.Popen[str]] = []

    def begin(name: str, *arguments: str, program: str = BOX) -> subprocess.Popen[str]:
        words = [name, "-c", program, *arguments]
        process = subprocess.Popen(
            words, executable=sys.executable, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        begun.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() in ("there\n", "begins\n")
        return process

    yield begin
    for process in begun:
        process.kill()
        process.communicate()


def identified(process: subprocess.Popen[str]) -> ProcessId:
    found = processes.current(process.pid)
    assert found is not None
    return found


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "bearerbox.log"
    path.touch()
    return path


def done(process: ProcessId, log: Path, seconds: float = 60.0) -> Reopened:
    (bearerbox, smsbox) = reopen({"bearerbox": process}, [log], seconds)
    assert smsbox == Reopened("smsbox", None)
    return bearerbox


def rotate(log: Path) -> None:
    log.rename(log.with_name("bearerbox.log.1"))


def test_a_box_that_opens_its_log_anew_is_waited_for(start: Start, log: Path) -> None:
    process = identified(start("bearerbox", str(log), "3", "well"))
    rotate(log)
    assert done(process, log) == Reopened("bearerbox", process.pid)
    assert log.exists()


def test_a_new_file_that_is_there_already_is_waited_for_too(start: Start, log: Path) -> None:
    process = identified(start("bearerbox", str(log), "3", "well"))
    rotate(log)
    log.touch()
    assert done(process, log) == Reopened("bearerbox", process.pid)


@pytest.mark.parametrize("gone", [False, True], ids=["renamed", "removed"])
def test_a_box_that_writes_on_into_the_old_log_is_told(start: Start, log: Path, gone: bool) -> None:
    process = identified(start("bearerbox", str(log), "3", "not at all"))
    rotate(log)
    if gone:
        log.with_name("bearerbox.log.1").unlink()
    assert done(process, log, 0.2) == Reopened("bearerbox", process.pid, (log,))


def test_a_log_whose_name_begins_another_ones_is_not_taken_for_it(start: Start, log: Path) -> None:
    other = log.with_name("bearerbox.log.link")
    process = identified(start("bearerbox", str(other), "3", "not at all"))
    (bearerbox, _) = reopen({"bearerbox": process}, [log, other], 0.0)
    assert bearerbox == Reopened("bearerbox", process.pid)


def test_a_box_that_has_no_handler_yet_is_not_ended(start: Start, log: Path) -> None:
    box = start("bearerbox", str(log), "3", "slow")
    process = identified(box)
    rotate(log)
    waits: list[float] = []

    def sleep(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 1:  # only now it goes on
            assert box.stdin is not None
            box.stdin.write("go\n")
            box.stdin.flush()

    (bearerbox, _) = reopen({"bearerbox": process}, [log], 60.0, sleep=sleep)
    assert bearerbox == Reopened("bearerbox", process.pid)
    assert waits


def test_a_box_that_ends_meanwhile_is_one_that_does_not_run(start: Start, log: Path) -> None:
    box = start("bearerbox", str(log), "3", "well")
    process = identified(box)
    box.kill()
    box.wait()
    assert done(process, log) == Reopened("bearerbox", None)


# -- which processes


def a_spec(folder: Path, supervisor: str = "") -> Spec:
    path = folder / "gateway.yaml"
    path.write_text(SPEC.format(supervisor=supervisor))
    return load(path, {})


def kept(spec: Spec, **boxes: ProcessId) -> None:
    spec.state_dir.mkdir()
    memory = Memory(spec.state_dir / "state.db")
    for name, process in boxes.items():
        memory.box(name, process)
    memory.close()


def test_the_boxes_are_those_that_run_from_the_specs_file(tmp_path: Path, start: Start) -> None:
    spec = a_spec(tmp_path)
    assert running(spec) == {}
    log, conf = str(tmp_path / "a.log"), str(spec.files.kannel_conf)
    box = identified(start("/usr/sbin/bearerbox", log, "3", "well", conf))
    kept(spec, bearerbox=box, smsbox=identified(start("smsbox", log, "1", "well", "/etc/kannel/kannel.conf")))
    assert running(spec) == {"bearerbox": box}


def test_a_stranger_with_the_pid_of_a_box_is_left_alone(tmp_path: Path, start: Start) -> None:
    spec = a_spec(tmp_path)
    log, conf = str(tmp_path / "a.log"), str(spec.files.kannel_conf)
    stranger = identified(start("bearerbox.py", log, "3", "well", conf))
    later = identified(start("smsbox", log, "1", "well", conf))
    kept(spec, bearerbox=stranger, smsbox=ProcessId(later.pid, later.started - 1))
    assert running(spec) == {}


def test_of_a_gateway_that_is_watched_none_of_kannelkits_own_is_meant(tmp_path: Path, start: Start) -> None:
    conf, log = str(tmp_path / "kannel.conf"), str(tmp_path / "a.log")
    spec = a_spec(tmp_path, f"supervisor: {{conf-file: {conf}}}")
    kept(spec, bearerbox=identified(start("bearerbox", log, "3", "well", conf)))  # only its first argument says so
    assert running(spec) == {}

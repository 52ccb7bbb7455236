"""One kannelkit for one state-dir; who holds it can be asked without taking it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from kannelkit.errors import HostError
from kannelkit.supervise.lock import Lock, holder

_HOLD = """
import sys
from pathlib import Path
from kannelkit.supervise.lock import Lock
with Lock(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "lock"


@pytest.fixture
def other(path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Another process that holds the lock."""
    words = [sys.executable, "-c", _HOLD, str(path)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        yield process
        process.kill()


def test_the_second_is_refused_with_the_firsts_pid(path: Path, other: subprocess.Popen[bytes]) -> None:
    with pytest.raises(HostError, match=rf"another kannelkit \(pid {other.pid}\)"), Lock(path):
        pass
    assert holder(path) == other.pid


def test_a_killed_holder_holds_nothing(path: Path, other: subprocess.Popen[bytes]) -> None:
    other.kill()
    other.wait()
    assert holder(path) is None
    with Lock(path):
        assert path.read_text() == f"{os.getpid()}\n"


def test_it_can_be_taken_again_and_again(path: Path) -> None:
    for _ in range(3):
        with Lock(path):
            assert holder(path) == os.getpid()
        assert holder(path) is None


def test_to_ask_makes_no_file(path: Path) -> None:
    assert holder(path) is None
    assert not path.exists()


@pytest.mark.parametrize("text", ["", "nonsense", "12 34"])
def test_a_holder_that_left_no_pid_is_still_a_holder(path: Path, other: subprocess.Popen[bytes], text: str) -> None:
    path.write_text(text)
    assert holder(path) == 0
    with pytest.raises(HostError, match="pid not known"), Lock(path):
        pass


def test_a_folder_that_is_not_there_is_told_in_words(tmp_path: Path) -> None:
    with pytest.raises(HostError, match="No such file"), Lock(tmp_path / "nowhere" / "lock"):
        pass

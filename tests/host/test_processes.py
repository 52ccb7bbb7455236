"""Processes by pid and start time, tried on real ones."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from kannelkit.errors import HostError
from kannelkit.host import processes
from kannelkit.host.processes import ProcessId, alive, command_line, current, end, kill, terminate, wait_gone

SLEEP = [sys.executable, "-c", "import time; print(flush=True); time.sleep(600)"]
STUBBORN = [
    sys.executable,
    "-c",
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(flush=True); time.sleep(600)",
]


@pytest.fixture
def started() -> Iterator[list[subprocess.Popen[bytes]]]:
    children: list[subprocess.Popen[bytes]] = []
    yield children
    for child in children:
        child.kill()
        child.wait()
        if child.stdout:
            child.stdout.close()


def start(children: list[subprocess.Popen[bytes]], command: list[str]) -> ProcessId:
    """Start a child and return when it has printed its first line."""
    child = subprocess.Popen(command, stdout=subprocess.PIPE)
    children.append(child)
    assert child.stdout
    child.stdout.readline()
    process = current(child.pid)
    assert process is not None
    return process


def test_this_process_is_itself_every_time() -> None:
    mine = current(os.getpid())
    assert mine is not None
    assert mine == current(os.getpid())
    assert alive(mine)
    assert command_line(mine)


@pytest.mark.parametrize("pid", [0, -1, 2**31 - 1])
def test_what_is_no_process_is_none(pid: int) -> None:
    assert current(pid) is None


def test_a_stranger_with_the_same_pid_is_not_ours_and_is_left_alone(
    started: list[subprocess.Popen[bytes]],
) -> None:
    process = start(started, SLEEP)
    stranger = ProcessId(process.pid, process.started - 0.01)
    assert not alive(stranger)
    assert command_line(stranger) == ()
    assert not terminate(stranger)
    assert not kill(stranger)
    assert alive(process)


def test_a_zombie_is_dead(started: list[subprocess.Popen[bytes]]) -> None:
    process = start(started, SLEEP)
    assert kill(process)
    # blocks until it is a zombie, and leaves it one
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert Path(f"/proc/{process.pid}/stat").exists()
    assert not alive(process)
    assert current(process.pid) is None
    assert not terminate(process)


def test_a_name_with_parentheses_and_blanks_does_not_shift_the_fields(
    started: list[subprocess.Popen[bytes]], tmp_path: Path
) -> None:
    program = tmp_path / "a) Z 1 (b"
    program.symlink_to("/bin/cat")
    child = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    started.append(child)
    assert child.stdin
    assert child.stdout
    child.stdin.write(b"here\n")
    child.stdin.flush()
    child.stdout.readline()  # the program runs, so the kernel has its name
    assert b"(a) Z 1 (b)" in Path(f"/proc/{child.pid}/stat").read_bytes()
    process = current(child.pid)
    child.stdin.close()
    mine = current(os.getpid())
    assert process is not None
    assert mine is not None
    assert mine.started <= process.started <= mine.started + 86400


async def test_a_process_that_ends_on_sigterm_is_not_killed(
    started: list[subprocess.Popen[bytes]],
) -> None:
    process = start(started, SLEEP)
    assert await end(process, 60)
    assert started[0].wait() == -signal.SIGTERM


async def test_one_that_does_not_is_killed(started: list[subprocess.Popen[bytes]]) -> None:
    process = start(started, STUBBORN)
    assert not await end(process, 0.1)
    assert started[0].wait() == -signal.SIGKILL


async def test_wait_gone_says_whether(started: list[subprocess.Popen[bytes]]) -> None:
    process = start(started, SLEEP)
    assert not await wait_gone(process, 0)
    waiting = asyncio.create_task(wait_gone(process, 60))
    kill(process)
    assert await waiting


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become another user")
def test_a_signal_that_is_not_allowed_says_so() -> None:
    code = (
        "import os\n"
        "from kannelkit.errors import HostError\n"
        "from kannelkit.host.processes import current, terminate\n"
        f"process = current({os.getpid()})\n"
        "os.setuid(65534)\n"
        "try:\n    terminate(process)\n"
        "except HostError as error:\n    print(error)\n"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "may not send SIGTERM" in result.stdout
    assert "hint:" in result.stdout


def test_the_boot_has_one_name() -> None:
    assert processes.boot_id() == processes.boot_id() != ""


@pytest.mark.parametrize(
    ("listens_on", "asked", "found"),
    [
        ("127.0.0.1", "127.0.0.1", True),
        ("127.0.0.1", "localhost", True),
        ("127.0.0.1", "0.0.0.0", True),
        ("0.0.0.0", "127.0.0.1", True),
        ("127.0.0.1", "127.0.0.2", False),
    ],
)
def test_who_listens_names_the_process(listens_on: str, asked: str, found: bool) -> None:
    with socket.create_server((listens_on, 0)) as server:
        answer = processes.who_listens(asked, server.getsockname()[1])
    assert (answer is not None) == found
    if answer is not None:
        assert f"(pid {os.getpid()})" in answer


def test_a_connection_is_no_listener() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        client = socket.create_connection(server.getsockname())
        accepted, _ = server.accept()
    with client, accepted:
        assert processes.who_listens("127.0.0.1", port) is None
        assert processes.who_listens("127.0.0.1", client.getsockname()[1]) is None


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become another user")
def test_another_users_process_is_not_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        code = (
            "import encodings.idna, os\n"  # what is imported later may be out of reach then
            "from kannelkit.host.processes import who_listens\n"
            "os.setuid(65534)\n"
            f"print(who_listens('127.0.0.1', {server.getsockname()[1]}))\n"
        )
        result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "another process (not visible to this user)"


def test_no_address_is_an_error() -> None:
    with pytest.raises(HostError, match="is no address"):
        processes.who_listens("no such host", 1)

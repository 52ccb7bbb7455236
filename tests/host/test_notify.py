"""notify against a socket like the service manager's."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from kannelkit.errors import HostError
from kannelkit.host.notify import READY, STOPPING, notify


@pytest.mark.parametrize("kind", ["path", "abstract"])
def test_the_manager_gets_the_assignments_as_one_message(tmp_path: Path, kind: str) -> None:
    name = str(tmp_path / "notify") if kind == "path" else f"@{tmp_path}/notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(name.replace("@", "\0", 1) if kind == "abstract" else name)
        manager.settimeout(60)
        assert notify({"NOTIFY_SOCKET": name}, READY, "STATUS=2 links up, всё хорошо")
        assert manager.recv(1000).decode() == "READY=1\nSTATUS=2 links up, всё хорошо"
        assert notify({"NOTIFY_SOCKET": name}, STOPPING)
        assert manager.recv(1000) == b"STOPPING=1"


@pytest.mark.parametrize("environment", [{}, {"NOTIFY_SOCKET": ""}])
def test_without_a_manager_nothing_happens(environment: dict[str, str]) -> None:
    assert not notify(environment, READY)


@pytest.mark.parametrize("name", ["notify", "./notify", "/nonexistent/notify", "@" + "x" * 200])
def test_a_socket_that_is_not_there_is_an_error(name: str) -> None:
    with pytest.raises(HostError):
        notify({"NOTIFY_SOCKET": name}, READY)


def test_a_manager_that_does_not_read_is_an_error_and_no_endless_wait(tmp_path: Path) -> None:
    name = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(name)
        manager.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
        with pytest.raises(HostError, match="cannot tell the service manager"):
            fill({"NOTIFY_SOCKET": name})


def fill(environment: dict[str, str]) -> None:
    for _ in range(100_000):
        notify(environment, READY, wait=0)

"""The demonstration with a real Kannel: what it measures, and that it leaves nothing behind, however it ends."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

pytestmark = pytest.mark.kannel

PATIENCE = 120.0


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """Yield a folder for temporary files; end what still runs from it, and fail when something did."""
    yield tmp_path
    left = list(running_from(tmp_path))
    for process in left:
        process.kill()
    assert left == []
    assert list(tmp_path.iterdir()) == []


def running_from(folder: Path) -> Iterator[psutil.Process]:
    """Yield the processes that have the folder in their arguments: boxes and the simulator."""
    for process in psutil.process_iter(["cmdline"]):
        if any(str(folder) in word for word in process.info["cmdline"] or ()):
            yield process


def demo(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "kannelkit", "demo", "--seconds", "20", *arguments],
        env={**os.environ, "TMPDIR": str(folder)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_what_it_measures(folder: Path) -> None:
    with demo(folder, "--json") as running:
        out, told = running.communicate(timeout=PATIENCE)
    assert running.returncode == 0, told
    figures = json.loads(out)
    assert out.count("\n") == 1
    assert {name: list(part) if isinstance(part, dict) else part for name, part in figures.items()} == {
        "limit": 30,
        "alone": ["accepted_per_second", "refused_share"],
        "supervised": ["accepted_per_second", "refused_share", "changes", "lost", "doubled", "seconds_to_limit"],
    }
    alone, supervised = figures["alone"], figures["supervised"]
    assert 0 < alone["accepted_per_second"] <= 20  # half the limit, and less where a busy machine hands in less
    assert 0.3 <= alone["refused_share"] <= 0.7
    # even when the span is short and one burst in it is refused, as happens on a busy machine
    assert supervised["accepted_per_second"] > alone["accepted_per_second"]
    assert supervised["refused_share"] < alone["refused_share"]
    assert supervised["changes"] >= 1
    assert (supervised["lost"], supervised["doubled"]) == (0, 0)
    assert re.search(r"throughput 60 -> (2[5-9]|3[01])\b", told)
    assert "\x1b" not in out + told


@pytest.mark.parametrize(
    ("line", "number"),
    [
        ("Kannel alone: starting", signal.SIGINT),
        (r"Kannel alone: \d+ of", signal.SIGHUP),
        ("with kannelkit: starting", signal.SIGTERM),
        ("with kannelkit: sending", signal.SIGINT),
    ],
)
def test_broken_off_it_leaves_nothing(folder: Path, line: str, number: signal.Signals) -> None:
    with demo(folder) as running:
        assert running.stderr is not None
        for told in running.stderr:
            if re.match(line, told):
                break
        running.send_signal(number)
        running.send_signal(number)  # an impatient second one
        out, told = running.communicate(timeout=PATIENCE)
    assert running.returncode == 1
    assert "stopped" in told
    assert "Traceback" not in told
    assert out == ""

"""`kannelkit dlr --follow`: what is appended to the access log from now on, through a rotation, until Ctrl-C."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SPEC = """\
state-dir: state
core: {{access-log: {log}, {more}}}
smsc:
  - {{smsc-id: acc, provider: smsc.ru, smsc-username: u, smsc-password: {{env: NOT_THERE}}}}
"""
RECEIPT = "id:{id} sub:001 dlvrd:001 submit date:1108202241 done date:1108202241 stat:DELIVRD err:000"
LINE = (
    "{stamp}Receive DLR [SMSC:{smsc}] [SVC:] [ACT:] [BINF:] [FID:{id}] [META:] [from:shop] [to:7999] "
    "[flags:-1:-1:-1:-1:1] [msg:87:{text}] [udh:0:]\n"
)


def line(number: int, *, smsc: str = "acc", stamp: str = "2026-11-23 02:31:35 ") -> str:
    return LINE.format(stamp=stamp, smsc=smsc, id=number, text=RECEIPT.format(id=number))


@contextmanager
def following(folder: Path, *arguments: str, more: str = "") -> Iterator[subprocess.Popen[str]]:
    """Run it beside its log; it has begun to follow, and is interrupted at the end, which is no failure."""
    spec = folder / "spec.yaml"
    spec.write_text(SPEC.format(log=folder / "access.log", more=more))
    program = [sys.executable, "-m", "kannelkit", "dlr", "--follow", str(spec), *arguments]
    environment = {**os.environ, "LC_ALL": "C.UTF-8"}
    with subprocess.Popen(
        program, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment, cwd=folder
    ) as process:
        try:
            assert process.stderr is not None
            while "until Ctrl-C" not in (said := process.stderr.readline()):
                assert said, "it ended"
            yield process
            process.send_signal(signal.SIGINT)
            assert process.wait(60) == 0
            assert "Traceback" not in process.stderr.read()
        finally:
            process.kill()


def next_line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().rstrip()


def append(path: Path, text: str) -> None:
    with path.open("a") as file:
        file.write(text)


def test_what_comes_is_told_through_a_rotation(tmp_path: Path) -> None:
    log = tmp_path / "access.log"
    log.write_text(line(1))
    with following(tmp_path) as process:
        append(log, line(2))
        assert next_line(process) == "2026-11-23 02:31:35  acc  7999  2  delivered"
        log.rename(tmp_path / "access.log.1")
        append(tmp_path / "access.log.1", line(3))
        append(log, line(4))
        assert [next_line(process).split()[4] for _ in range(2)] == ["3", "4"]


def test_a_log_that_comes_later_and_has_no_stamps(tmp_path: Path) -> None:
    with following(tmp_path, more="access-log-clean: true") as process:
        assert process.stderr is not None
        assert "is not there; bearerbox makes it" in process.stderr.readline()
        append(tmp_path / "access.log", line(1, stamp=""))
        date, time, *rest = next_line(process).split()
        assert (len(date), len(time), rest) == (10, 8, ["acc", "7999", "1", "delivered"])
        assert "can be read now" in process.stderr.readline()


def test_one_account_alone(tmp_path: Path) -> None:
    with following(tmp_path, "--account", "acc") as process:
        append(tmp_path / "access.log", line(1, smsc="other") + line(2))
        assert "  acc  7999  2  " in next_line(process)


def test_a_form_of_its_own_is_read_as_far_as_it_has_receipts(tmp_path: Path) -> None:
    with following(tmp_path, more="access-log-format: '%t %l %b'") as process:
        texts = ["Sent SMS hello", f"Receive DLR {RECEIPT.format(id=5)}"]
        append(tmp_path / "access.log", "".join(f"2026-11-23 02:31:35 2026-11-23 02:31:35 {text}\n" for text in texts))
        assert next_line(process) == "5  delivered"

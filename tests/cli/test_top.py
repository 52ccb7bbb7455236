"""`kannelkit top`: a frame is a value, golden at 80 and 120 columns; the terminal is left as it was found."""

from __future__ import annotations

import dataclasses
import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from kannelkit.cli.curves import strip
from kannelkit.cli.figures import bars
from kannelkit.cli.frame import Looking, frame
from kannelkit.cli.keyboard import Keyboard
from kannelkit.cli.main import group
from kannelkit.supervise.asking import overview_of
from kannelkit.supervise.course import Curve
from kannelkit.supervise.views import Overview
from tests.cli.answering import BULK, SEEN, SMSCRU, STATE, Answering, written

PATIENCE = 60.0
ENTERS, LEAVES, SHOWS_CURSOR = b"\x1b[?1049h", b"\x1b[?1049l", b"\x1b[?25h"
CLOCKS = re.compile(r"\d\d:\d\d:\d\d|\d\d-\d\d \d\d:\d\d")


def drawn(
    seen: Overview, looking: Looking, width: int, height: int | None = None, *, ascii_only: bool = False
) -> list[str]:
    """Return a frame as plain lines, with a dash for every digit of a clock, which shows local time."""
    lines = frame(seen, "spec.yaml", looking, width, height, ascii_only=ascii_only)
    assert max(line.cell_len for line in lines) <= width
    return [CLOCKS.sub(lambda found: re.sub(r"\d", "-", found[0]), line.plain.rstrip()) for line in lines]


GOLDEN = Path(__file__).parents[1] / "cases/top"
FRAMES = {
    "80x24": (Looking(selected="smscru"), 80, 24),
    "120x40": (Looking(selected="bulk"), 120, 40),
    "80x24-opened": (Looking(selected="smscru", opened=True), 80, 24),
    "120-once": (Looking(), 120, None),
    "80x24-help": (Looking(selected="smscru", helping=True), 80, 24),
    "60x14-asked": (Looking(selected="bulk", question="adapt the rate of bulk again? y/n"), 60, 14),
}


@pytest.mark.parametrize("case", FRAMES)
def test_a_frame_is_as_it_was_approved(case: str) -> None:
    looking, width, height = FRAMES[case]
    lines = drawn(SEEN, looking, width, height)
    assert "\n".join(lines) + "\n" == (GOLDEN / f"{case}.txt").read_text("utf-8")


MANY = dataclasses.replace(
    SEEN,
    accounts=tuple(dataclasses.replace(BULK, smsc_id=f"account-{number:04}") for number in range(1000)),
    problems=tuple(f"problem {number} " * 10 for number in range(50)),
)


@given(
    seen=st.sampled_from([SEEN, MANY, dataclasses.replace(SEEN, accounts=(), events=())]),
    selected=st.sampled_from([None, "smscru", "account-0700", "nobody"]),
    opened=st.booleans(),
    width=st.integers(1, 250),
    height=st.integers(1, 70),
)
def test_a_frame_fits_whatever_the_terminal_is(
    seen: Overview, selected: str | None, opened: bool, width: int, height: int
) -> None:
    lines = drawn(seen, Looking(selected, opened), width, height)
    assert len(lines) == height
    if selected in {account.smsc_id for account in seen.accounts} and width >= 40 and height >= 20:
        assert any(line.startswith(f"> {selected}") for line in lines)
    if height >= 20 and width >= 40:
        assert lines[-1].startswith("q quit")


def test_a_terminal_without_the_characters_gets_others() -> None:
    lines = drawn(SEEN, Looking("smscru", opened=True), 100, ascii_only=True)
    assert all(line.isascii() for line in lines)


def test_links_keep_their_queues_however_narrow_the_terminal_is() -> None:
    assert "  smscru-1         online         smsc.test:2775      15   6,173" in drawn(SEEN, Looking(), 66)
    assert "  smscru-1         online         smsc.test:2775    6,173" in drawn(SEEN, Looking(), 60)
    assert "  smscru-1         online          6,173" in drawn(SEEN, Looking(), 40)


def test_what_is_not_known_is_a_dash() -> None:
    unknown = dataclasses.replace(
        SMSCRU,
        accepted_per_second=None,
        accepted=None,
        refused=None,
        minutes_left=None,
        curve=Curve(),
        throughput=None,
        ceiling=None,
    )
    lines = drawn(dataclasses.replace(SEEN, accounts=(unknown,), supervisor=None, boxes=SEEN.boxes), Looking(), 120)
    row = next(line for line in lines if line.startswith("  smscru "))
    assert row.split() == ["smscru", "online", "2/2", "-", "no", "limit", "-", "12,345", "-"]
    assert "LAST 5 MIN" not in "\n".join(lines)
    assert "not supervised" in lines[1]


@pytest.mark.parametrize(
    ("values", "top", "rows", "lines"),
    [
        ([0, 1, 15, 30], 30, 1, [" ▁▄█"]),
        ([0, 0.01, 60], 30, 1, [" ▁█"]),
        ([0, 30, 15, 20], 30, 2, [" █ ▃", " ███"]),
        ([], 30, 1, [""]),
    ],
)
def test_bars(values: list[float], top: float, rows: int, lines: list[str]) -> None:
    assert bars(values, top, rows=rows) == lines


def test_seconds_with_refusals_are_red_and_the_others_green() -> None:
    account = dataclasses.replace(SMSCRU, curve=Curve((30,) * 300, (*[0] * 290, *[5] * 10)))
    line = strip(account, 30, ascii_only=False)
    assert line.plain == "█" * 30
    assert [str(span.style) for span in line.spans] == ["green"] * 29 + ["red"]


# -- as a command ----------------------------------------------------------------------------------------------------


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return written(tmp_path)


def run(*arguments: str | Path) -> Result:
    result = CliRunner().invoke(group, ["top", *map(str, arguments)])
    assert "p4ssw0rd" not in result.output
    assert "Traceback" not in result.output
    return result


@pytest.mark.parametrize("arguments", [[], ["--once"]])
def test_without_a_terminal_it_prints_one_frame(
    path: Path, arguments: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "250")
    with Answering(path, {"state": STATE}):
        result = run(path, *arguments)
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.startswith(f"kannelkit top  {path}")
    assert "\x1b" not in result.stdout
    assert "smscru-backup-1" in result.stdout


def test_once_for_programs_is_one_object(path: Path) -> None:
    with Answering(path, {"state": STATE}):
        result = run(path, "--once", "--json")
    assert overview_of(json.loads(result.stdout)) == SEEN


def test_where_nobody_supervises_it_shows_what_status_sees(path: Path) -> None:
    result = run(path)
    assert result.exit_code == 0
    assert "! the gateway is not running: kannelkit up" in result.stdout
    assert "not supervised" in result.stdout


@pytest.mark.parametrize("interval", ["0", "x", "-1", "nan"])
def test_wrong_use(path: Path, interval: str) -> None:
    assert run(path, "--interval", interval).exit_code == 2


# -- in a terminal ---------------------------------------------------------------------------------------------------


class Terminal:
    """A program in a terminal of its own; `said` is all that it wrote there."""

    def __init__(self, words: list[str], environment: dict[str, str]) -> None:
        self._ours, theirs = pty.openpty()
        termios.tcsetwinsize(self._ours, (24, 80))
        self._before = termios.tcgetattr(theirs)
        self._theirs = theirs
        self.said = b""
        whole = {**os.environ, "TERM": "xterm-256color", **environment}
        for name in ("COLUMNS", "LINES", *(["NO_COLOR"] if "NO_COLOR" not in environment else [])):
            whole.pop(name, None)
        self.process = subprocess.Popen(words, stdin=theirs, stdout=theirs, stderr=theirs, env=whole)

    def press(self, keys: str) -> None:
        os.write(self._ours, keys.encode())

    def resize(self, columns: int, lines: int) -> None:
        termios.tcsetwinsize(self._ours, (lines, columns))
        self.process.send_signal(signal.SIGWINCH)  # the kernel sends it to whom the terminal controls

    def until(self, words: bytes) -> None:
        """Read on until something was said; fail when it is not."""
        deadline = time.monotonic() + PATIENCE
        while words not in self.said:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self._ours], [], [], left)[0]:
                pytest.fail(f"{words!r} was not said, but: {self.said[-2000:]!r}")
            self.said += os.read(self._ours, 65536)

    def new(self) -> None:
        """Forget what was said."""
        self.said = b""

    def end(self) -> int:
        """Wait for the end, read the rest, and see that the terminal is as it was."""
        deadline = time.monotonic() + PATIENCE
        while (code := self.process.poll()) is None or select.select([self._ours], [], [], 0)[0]:
            assert time.monotonic() < deadline
            if select.select([self._ours], [], [], 0.05)[0]:
                self.said += os.read(self._ours, 65536)
        assert termios.tcgetattr(self._theirs) == self._before
        return code

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self._ours)
        os.close(self._theirs)


@contextmanager
def top(path: Path, **environment: str) -> Iterator[Terminal]:
    terminal = Terminal([sys.executable, "-m", "kannelkit", "top", str(path), "--interval", "0.2"], environment)
    try:
        yield terminal
    finally:
        terminal.close()


ENDS: dict[str, str | signal.Signals] = {
    "q": "q",
    "Ctrl-C": signal.SIGINT,  # what the terminal that controls it makes of the key
    "SIGTERM": signal.SIGTERM,
    "SIGHUP": signal.SIGHUP,
}


@pytest.mark.parametrize("way", ENDS)
def test_however_it_ends_the_terminal_is_as_it_was(path: Path, way: str) -> None:
    how = ENDS[way]
    with Answering(path, {"state": STATE}), top(path) as terminal:
        terminal.until(b"smscru-backup-1")
        assert ENTERS in terminal.said
        if isinstance(how, str):
            terminal.press(how)
        else:
            terminal.process.send_signal(how)
        assert terminal.end() == 0
        assert terminal.said.rindex(LEAVES) > terminal.said.rindex(ENTERS)
        assert SHOWS_CURSOR in terminal.said[terminal.said.rindex(ENTERS) :]
        assert b"Traceback" not in terminal.said


def test_keys_select_open_and_pause(path: Path) -> None:
    unit = {"unit": "bulk", "accounts": ["bulk"], "paused": False, "changed": True, "throughput": 15}
    with Answering(path, {"state": STATE, "resume": {"units": [unit]}}) as answering, top(path) as terminal:
        terminal.until(b"> smscru")
        terminal.press("j")
        terminal.until(b"> bulk")
        terminal.press("\r")
        terminal.until(b"rate set by hand")
        terminal.press("p")
        terminal.until(b"adapt the rate of bulk again? y/n")
        terminal.press("n")
        terminal.new()
        terminal.until(b"q quit")
        terminal.press("p")
        terminal.until(b"adapt the rate of bulk again? y/n")
        terminal.press("y")
        terminal.until(b"bulk: adapted again, from 15 SMS per second on")
        terminal.press("?")
        terminal.until(b"this page; again: back")
        terminal.press("\x1b[A")
        terminal.press("?")
        terminal.new()
        terminal.until(b"> smscru")
        terminal.resize(120, 40)
        terminal.until(b"LINKS")  # for which 80 columns had no room
        terminal.press("q")
        assert terminal.end() == 0
    asked = [request for request in answering.asked if request["do"] == "resume"]
    assert [request["account"] for request in asked] == ["bulk"]


@pytest.mark.parametrize(("no_color", "coloured"), [("", True), ("1", False)])
def test_colours_unless_they_are_not_wanted(path: Path, no_color: str, coloured: bool) -> None:
    environment = {"NO_COLOR": no_color} if no_color else {}
    with Answering(path, {"state": STATE}), top(path, **environment) as terminal:
        terminal.until(b"q quit")
        terminal.press("q")
        assert terminal.end() == 0
        assert (re.search(rb"\x1b\[[0-9;]*3[1-6]m", terminal.said) is not None) is coloured
        assert b"\x1b[2J" not in terminal.said.replace(b"\x1b[H\x1b[2J", b"")  # which an event's text has


def test_a_supervisor_that_goes_away_is_told_and_the_last_frame_stays(path: Path) -> None:
    with top(path) as terminal:
        with Answering(path, {"state": STATE}):
            terminal.until(b"smscru-backup-1")
            path.write_text("smsc: [}")  # what it would be looked at with, without the supervisor
        terminal.new()
        terminal.until(b"no answer: ")
        terminal.press("q")
        assert terminal.end() == 0


def test_keys_are_read_whole_and_the_rest_is_left_alone() -> None:
    ours, theirs = pty.openpty()
    with Keyboard(theirs) as keyboard:
        os.write(ours, b"\x1b[A\x1bOBjq?\x1b[5~\r\x1b\xd0\xb9")
        assert keyboard.keys() == ["up", "down", "j", "q", "?", "enter", "escape"]
        os.close(ours)
        assert keyboard.keys() is None
    os.close(theirs)

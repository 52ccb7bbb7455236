"""What is shown while it runs, in a terminal and in a pipe."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from kannelkit.demo.figures import Half, Standing
from kannelkit.demo.screen import Lines, Live, Screen, screen_for
from kannelkit.supervise.memory import Event

HALF = Half(29.4, 0.0, 30, 1, 1.2, (30,) * 36, 0, 0)
DECISION = "demo: 30 of 60 refused in 1 s, accepted 30: throughput 60 -> 30, links back in [69] ms"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def play(screen: Screen) -> None:
    screen.begins("with kannelkit", 36)
    screen.stage("starting bearerbox and smsbox")
    for second in range(36):
        screen.progress(Standing(float(second), 30.0, 0.4))
    screen.event(Event(0.0, "rate", "demo", DECISION, {}))
    screen.event(Event(0.0, "started", None, "bearerbox started (pid 1)", {}))
    for left in (60, 30, 0):
        screen.draining(left)
    screen.ends(HALF)


def test_a_pipe_gets_few_plain_lines() -> None:
    stream = io.StringIO()
    screen = screen_for(Console(file=stream, width=80, highlight=False))
    with screen:
        play(screen)
    assert isinstance(screen, Lines)
    lines = stream.getvalue().splitlines()
    assert lines[0] == "with kannelkit: starting bearerbox and smsbox"
    assert [line for line in lines if " of 36 s" in line] == [
        f"with kannelkit: {second} of 36 s: 30/s accepted, 0/s refused" for second in range(5, 36, 5)
    ]
    assert lines[-3].endswith(DECISION)
    assert lines[-2:] == ["with kannelkit: limit lifted, 60 left", "with kannelkit: 29.4/s accepted, 0% refused"]
    assert "\x1b" not in stream.getvalue()


@pytest.mark.parametrize("no_color", [True, False])
def test_a_terminal_gets_a_line_of_progress(no_color: bool) -> None:
    stream = Terminal()
    console = Console(file=stream, width=80, no_color=no_color, color_system="standard", force_terminal=True)
    screen = screen_for(console)
    with screen:
        screen.stage("stopping")  # nothing has begun yet
        play(screen)
    assert isinstance(screen, Live)
    shown = stream.getvalue()
    assert "29.4/s accepted, 0% refused" in shown
    assert "36 of 36 s" in shown
    assert "throughput 60 -> 30" in shown
    assert "bearerbox started" not in shown
    assert ("\x1b[36m" in shown) is not no_color


def test_a_terminal_that_can_do_nothing_gets_plain_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "dumb")
    assert isinstance(screen_for(Console(file=Terminal())), Lines)

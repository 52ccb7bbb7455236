"""Where the demonstration is shown while it runs: a terminal, or a pipe or file that takes plain lines."""

from __future__ import annotations

import time
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn
from rich.text import Text

from kannelkit.demo.figures import Half, Standing
from kannelkit.supervise.memory import Event

_PLAIN_EVERY = 5.0  # seconds between two plain lines of progress
# the events that are shown, by kind: decisions and whatever goes wrong
_COLOURS = {"rate": "cyan", "note": "yellow", "warning": "yellow", "ended": "red", "silent": "red"}


class Screen(Protocol):
    """What is told while the demonstration runs."""

    def begins(self, title: str, seconds: int) -> None:
        """A half begins that is measured for so many seconds, its start included."""

    def stage(self, text: str) -> None:
        """What comes next."""

    def progress(self, standing: Standing) -> None:
        """How the half stands."""

    def draining(self, left: int) -> None:
        """The span is over and the limit lifted; so many messages are still in bearerbox."""

    def event(self, event: Event) -> None:
        """What kannelkit's supervisor told."""

    def ends(self, half: Half) -> None:
        """The half is over."""


class Live:
    """The demonstration in a terminal: a line of progress for each half, and above it what kannelkit decides."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._progress = Progress(
            TextColumn("{task.description:14}", style="bold"),
            BarColumn(bar_width=16),
            TextColumn("{task.completed:3.0f} of {task.total:.0f} s"),
            TextColumn("{task.fields[how]}"),
            console=console,
            refresh_per_second=4,
        )
        self._task = TaskID(0)

    def __enter__(self) -> Live:
        self._progress.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._progress.stop()

    def begins(self, title: str, seconds: int) -> None:
        self._task = self._progress.add_task(title, total=seconds, how="")

    def stage(self, text: str) -> None:
        if self._progress.tasks:
            self._progress.update(self._task, how=text)

    def progress(self, standing: Standing) -> None:
        self._progress.update(self._task, completed=standing.seconds, how=_now(standing))

    def draining(self, left: int) -> None:
        self._progress.update(self._task, how=f"limit lifted, {left} left")

    def event(self, event: Event) -> None:
        if event.kind in _COLOURS:
            self._progress.console.print(_event(event))

    def ends(self, half: Half) -> None:
        how = f"{half.accepted_per_second:.1f}/s accepted, {half.refused_share:.0%} refused"
        total = self._progress.tasks[self._task].total
        self._progress.update(self._task, completed=total, how=how)


class Lines:
    """The demonstration as plain lines, for a pipe or a file."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._title = ""
        self._seconds = 0
        self._next = 0.0
        self._draining = False

    def __enter__(self) -> Lines:
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def begins(self, title: str, seconds: int) -> None:
        self._title, self._seconds, self._next, self._draining = title, seconds, _PLAIN_EVERY, False

    def stage(self, text: str) -> None:
        self._say(text)

    def progress(self, standing: Standing) -> None:
        if standing.seconds >= self._next:
            self._next += _PLAIN_EVERY
            self._say(f"{standing.seconds:.0f} of {self._seconds} s: {_now(standing)}")

    def draining(self, left: int) -> None:
        if not self._draining:
            self._draining = True
            self._say(f"limit lifted, {left} left")

    def event(self, event: Event) -> None:
        if event.kind in _COLOURS:
            self._console.print(_event(event), soft_wrap=True)

    def ends(self, half: Half) -> None:
        self._say(f"{half.accepted_per_second:.1f}/s accepted, {half.refused_share:.0%} refused")

    def _say(self, text: str) -> None:
        self._console.print(f"{self._title}: {text}", soft_wrap=True, markup=False)


def screen_for(console: Console) -> Live | Lines:
    """Return what fits the console's stream."""
    live = console.file.isatty() and not console.is_dumb_terminal
    return Live(console) if live else Lines(console)


def _now(standing: Standing) -> str:
    return f"{standing.accepted_per_second:.0f}/s accepted, {standing.refused_per_second:.0f}/s refused"


def _event(event: Event) -> Text:
    clock = time.strftime("%H:%M:%S", time.localtime(event.at))
    return Text(f"{clock} ").append(event.text, _COLOURS[event.kind])

"""What `up` and `watch` have in common: the events as they happen, and the signals that end it or reload the spec."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from asyncio import get_running_loop
from collections.abc import Callable

import click

from kannelkit.cli.figures import EVENT_COLOURS, shown
from kannelkit.supervise.memory import Event
from kannelkit.supervise.supervisor import Supervisor


def listener(*, as_json: bool) -> Callable[[Event], None]:
    """Return what shows an event: a line on stderr, or a line of JSON on stdout."""

    def show(event: Event) -> None:
        try:
            if as_json:
                click.echo(json.dumps(event.as_dict(), ensure_ascii=False))
                sys.stdout.flush()
            else:
                clock = time.strftime("%H:%M:%S", time.localtime(event.at))
                click.echo(f"{clock} {click.style(shown(event.text), fg=EVENT_COLOURS.get(event.kind))}", err=True)
        except OSError:
            return  # a terminal that was closed does not end the gateway

    return show


async def supervise(supervisor: Supervisor) -> None:
    """Supervise until SIGTERM or Ctrl-C; SIGHUP reloads the spec."""
    loop = get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, supervisor.stop)
    had_terminal = _has_terminal()

    def hang_up() -> None:
        if _has_terminal() or not had_terminal:  # a closed terminal sends it, too, and asks for nothing
            supervisor.reload()

    loop.add_signal_handler(signal.SIGHUP, hang_up)
    await supervisor.run()


def _has_terminal() -> bool:
    """Return whether a terminal controls this process; one that was closed does not any more."""
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC))
    except OSError:
        return False
    return True

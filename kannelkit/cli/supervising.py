"""What `up` and `watch` have in common: the events as they happen, and the signals that end it or reload the spec."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from asyncio import get_running_loop
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import click

from kannelkit.cli.figures import EVENT_COLOURS, shown
from kannelkit.errors import HostError
from kannelkit.spec import Spec, load
from kannelkit.supervise.memory import Event
from kannelkit.supervise.supervisor import Supervisor

Answering = Callable[[AsyncExitStack], Awaitable[None]]
# the option of `up` and `watch`
health_option = click.option(
    "--health", is_flag=True, help="Answer over HTTP how the gateway stands, too, as kannelkit healthd does."
)


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


async def supervise(supervisor: Supervisor, answering: Answering | None = None) -> None:
    """Supervise until SIGTERM or Ctrl-C; SIGHUP reloads the spec. `answering` answers over HTTP meanwhile."""
    loop = get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, supervisor.stop)
    had_terminal = _has_terminal()

    def hang_up() -> None:
        if _has_terminal() or not had_terminal:  # a closed terminal sends it, too, and asks for nothing
            supervisor.reload()

    loop.add_signal_handler(signal.SIGHUP, hang_up)
    async with AsyncExitStack() as stack:
        if answering is not None:
            await answering(stack)
        await supervisor.run()


def answers(path: Path, show: Callable[[Event], None]) -> Answering:
    """Return what has the health daemon answer for a spec's gateway; where it cannot, that is told, and no more."""

    def tell(text: str) -> None:
        show(Event(time.time(), "health", None, f"health: {text}", {}))

    async def begin(stack: AsyncExitStack) -> None:
        from kannelkit.health.server_daemon import Daemon

        def read() -> Spec:
            return load(path, os.environ)

        try:
            await stack.enter_async_context(Daemon(read(), read, tell))
        except HostError as error:  # the gateway's work does not depend on it
            tell(f"nobody is answered: {error}")

    return begin


def _has_terminal() -> bool:
    """Return whether a terminal controls this process; one that was closed does not any more."""
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC))
    except OSError:
        return False
    return True

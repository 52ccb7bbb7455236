"""`kannelkit healthd SPEC`."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kannelkit.health.metrics import CHOICES, Choice
from kannelkit.spec import load

if TYPE_CHECKING:
    from kannelkit.health.server_daemon import Daemon

_BEAT = 1.0
# for so long at a time a look may keep answers waiting: seconds, instead of Python's own 5 ms
_TURN = 0.0005


@click.command("healthd")
@click.argument("spec", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--names",
    type=click.Choice(CHOICES),
    default="kannelkit",
    show_default=True,
    help="The names of /metrics: kannelkit's own, or those of kannel_exporter, for dashboards made for that.",
)
@click.option(
    "--every",
    type=click.FloatRange(0.2, 60),
    default=1.0,
    show_default=True,
    metavar="S",
    help="Seconds between two looks at the gateway.",
)
def command(spec: Path, names: Choice, every: float) -> None:
    """Answer over HTTP how the gateway that SPEC describes stands, until Ctrl-C or SIGTERM.

    /livez, /readyz and /healthz for service managers and load balancers, /account/SMSC-ID and /can-send?to=NUMBER for
    scripts, /metrics for Prometheus, / for people. It listens at SPEC's health.listen (127.0.0.1:13080), changes
    nothing and supervises nothing: whoever runs Kannel, it only looks. An answer never waits for Kannel, and 503 is
    one.
    """
    from kannelkit.health.server_daemon import Daemon

    sys.setswitchinterval(_TURN)
    asyncio.run(_serve(Daemon(load(spec, os.environ), lambda: load(spec, os.environ), _tell, names=names, every=every)))


def _tell(text: str) -> None:
    with contextlib.suppress(OSError):  # a terminal that was closed does not end it
        click.echo(text, err=True)


async def _serve(daemon: Daemon) -> None:
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, ended.set)
    async with daemon:
        await _until(ended, daemon)


async def _until(ended: asyncio.Event, daemon: Daemon) -> None:
    """Wait for the end; tell the service manager that it has begun, and from then on that it goes on."""
    from kannelkit.errors import HostError
    from kannelkit.host import notify
    from kannelkit.supervise.heartbeat import ALIVE, Heartbeat

    heartbeat = Heartbeat(os.environ, os.getpid())
    clock = asyncio.get_running_loop().time
    try:
        notify.notify(os.environ, notify.READY)
        while not ended.is_set():
            if daemon.alive(time.monotonic()) and heartbeat.due(clock()):
                notify.notify(os.environ, ALIVE)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(ended.wait(), _BEAT)
        notify.notify(os.environ, notify.STOPPING)
    except HostError as error:
        _tell(str(error))
        await ended.wait()

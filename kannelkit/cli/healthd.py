"""`kannelkit healthd SPEC`."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kannelkit.health.metrics import CHOICES, Choice
from kannelkit.spec import Spec, load

if TYPE_CHECKING:
    from kannelkit.health.server_looks import Looks

# a look takes well under a second, and six where everything hangs
_LOOK_SECONDS = 30.0
_BEAT = 1.0


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
    from kannelkit.health.server_looks import Looks

    loaded = load(spec, os.environ)
    looks = Looks(loaded, lambda: load(spec, os.environ), _tell, every=every)
    asyncio.run(_serve(loaded, looks, names))


def _tell(text: str) -> None:
    with contextlib.suppress(OSError):  # a terminal that was closed does not end it
        click.echo(text, err=True)


async def _serve(spec: Spec, looks: Looks, names: Choice) -> None:
    from kannelkit.health.server import Server

    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, ended.set)
    server = Server(
        looks.known(),
        spec.health_listen,
        token=spec.health_token.text if spec.health_token else None,
        certificate=spec.health_certificate,
        names=names,
        stale_after=_LOOK_SECONDS / 2,
    )
    port = await server.start()
    scheme = "http" if spec.health_certificate is None else "https"
    host = f"[{spec.health_listen.host}]" if ":" in spec.health_listen.host else spec.health_listen.host
    _tell(f"listening at {scheme}://{host}:{port}/")
    if spec.health_token is not None and spec.health_certificate is None:
        _tell("the token travels in clear text: health.certificate is missing")
    looking = asyncio.create_task(looks.run())
    try:
        await _until(ended, looks)
    finally:
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)
        await server.stop()


async def _until(ended: asyncio.Event, looks: Looks) -> None:
    """Wait for the end; tell the service manager that it has begun, and from then on that it goes on."""
    from kannelkit.errors import HostError
    from kannelkit.host import notify
    from kannelkit.supervise.heartbeat import ALIVE, Heartbeat

    heartbeat = Heartbeat(os.environ, os.getpid())
    clock = asyncio.get_running_loop().time
    try:
        notify.notify(os.environ, notify.READY)
        while not ended.is_set():
            if clock() - looks.last_look < _LOOK_SECONDS and heartbeat.due(clock()):
                notify.notify(os.environ, ALIVE)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(ended.wait(), _BEAT)
        notify.notify(os.environ, notify.STOPPING)
    except HostError as error:
        _tell(str(error))
        await ended.wait()

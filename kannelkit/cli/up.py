"""`kannelkit up SPEC`."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import time
from pathlib import Path

import click

from kannelkit.cli.prepared import prepared
from kannelkit.errors import InputError
from kannelkit.spec import lacking
from kannelkit.supervise.memory import Event
from kannelkit.supervise.supervisor import Supervisor

_COLOURS = {"ready": "green", "rate": "cyan", "note": "yellow", "warning": "yellow", "ended": "red", "silent": "red"}


@click.command("up")
@click.argument("spec", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--json", "as_json", is_flag=True, help="Events as JSON lines on stdout.")
def command(spec: Path, as_json: bool) -> None:
    """Run the gateway that SPEC describes, in the foreground, until Ctrl-C or SIGTERM.

    Starts bearerbox and smsbox (or adopts those that a killed kannelkit left running), starts one again that ends,
    and holds each account at its provider's limit. Every decision is one line on stderr and is kept in the state-dir.
    """
    gateway = prepared(spec)
    if missing := lacking(gateway):
        raise InputError(missing)

    def listener(event: Event) -> None:
        try:
            if as_json:
                click.echo(json.dumps(event.as_dict(), ensure_ascii=False))
                sys.stdout.flush()
            else:
                clock = time.strftime("%H:%M:%S", time.localtime(event.at))
                click.echo(f"{clock} {click.style(event.text, fg=_COLOURS.get(event.kind))}", err=True)
        except OSError:
            return  # a terminal that was closed does not end the gateway

    asyncio.run(_run(Supervisor(gateway, listener, os.environ, lambda: prepared(spec))))


async def _run(supervisor: Supervisor) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, supervisor.stop)
    # a closed terminal sends it, too, and is no reason to stop a gateway
    loop.add_signal_handler(signal.SIGHUP, supervisor.reload)
    await supervisor.run()

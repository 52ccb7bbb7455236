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

from kannelkit.cli.apply import new_errors
from kannelkit.cli.prepared import prepared
from kannelkit.errors import InputError
from kannelkit.spec import Spec, lacking
from kannelkit.supervise.memory import Event
from kannelkit.supervise.supervisor import Supervisor

_COLOURS = {
    "ready": "green",
    "rate": "cyan",
    "applied": "green",
    "note": "yellow",
    "warning": "yellow",
    "spec-changed": "yellow",
    "apply-undone": "yellow",
    "apply-refused": "red",
    "apply-failed": "red",
    "ended": "red",
    "silent": "red",
}


@click.command("up")
@click.argument("spec", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--json", "as_json", is_flag=True, help="Events as JSON lines on stdout.")
def command(spec: Path, as_json: bool) -> None:
    """Run the gateway that SPEC describes, in the foreground, until Ctrl-C or SIGTERM.

    Starts bearerbox and smsbox (or adopts those that a killed kannelkit left running), starts one again that ends,
    and holds each account at its provider's limit. Every decision is one line on stderr and is kept in the state-dir.
    A change of SPEC takes effect with `kannelkit apply SPEC`, or by SIGHUP where nobody has to agree to it.
    """

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

    asyncio.run(_run(Supervisor(_supervised(spec), listener, os.environ, lambda: _supervised(spec), new_errors)))


def _supervised(path: Path) -> Spec:
    """Load a spec of a gateway that kannelkit can run. Raises InputError or HostError."""
    spec = prepared(path)
    if missing := lacking(spec):
        raise InputError(missing)
    return spec


async def _run(supervisor: Supervisor) -> None:
    loop = asyncio.get_running_loop()
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

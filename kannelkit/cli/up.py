"""`kannelkit up SPEC`."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import click

from kannelkit.cli.apply import new_errors
from kannelkit.cli.prepared import prepared
from kannelkit.cli.supervising import answers, health_option, listener, supervise
from kannelkit.errors import InputError, KannelkitError
from kannelkit.spec import Spec, lacking
from kannelkit.supervise.supervisor import Supervisor


@click.command("up")
@click.argument("spec", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--json", "as_json", is_flag=True, help="Events as JSON lines on stdout.")
@health_option
def command(spec: Path, as_json: bool, health: bool) -> None:
    """Run the gateway that SPEC describes, in the foreground, until Ctrl-C or SIGTERM.

    Starts bearerbox and smsbox (or adopts those that a killed kannelkit left running), starts one again that ends,
    and holds each account at its provider's limit. Every decision is one line on stderr and is kept in the state-dir.
    A change of SPEC takes effect with `kannelkit apply SPEC`, or by SIGHUP where nobody has to agree to it.
    """
    show = listener(as_json=as_json)
    supervisor = Supervisor(_supervised(spec), show, os.environ, lambda: _supervised(spec), new_errors)
    asyncio.run(supervise(supervisor, answers(spec, show) if health else None))


def _supervised(path: Path) -> Spec:
    """Load a spec of a gateway that kannelkit can run. Raises KannelkitError."""
    spec = prepared(path)
    if spec.supervisor.conf_file is not None:
        raise KannelkitError(
            f"{path}: supervisor.conf-file says that something else runs this Kannel",
            f"watch it: kannelkit watch {path}; or, to have kannelkit run it, remove conf-file and stop that Kannel",
        )
    if missing := lacking(spec):
        raise InputError(missing)
    return spec

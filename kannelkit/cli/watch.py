"""`kannelkit watch SPEC`."""

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
from kannelkit.supervise.attached import AttachedBoxes
from kannelkit.supervise.sharedconf import SharedConf
from kannelkit.supervise.supervisor import Supervisor


@click.command("watch")
@click.argument("spec", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--json", "as_json", is_flag=True, help="Events as JSON lines on stdout.")
@health_option
def command(spec: Path, as_json: bool, health: bool) -> None:
    """Hold the accounts of a Kannel that systemd or an init script runs at their limit, until Ctrl-C or SIGTERM.

    Attaches to the bearerbox whose kannel.conf is SPEC's supervisor.conf-file, and again whenever it was restarted, and
    writes the rates in force into that file. It starts and stops no box: Kannel runs on when this ends. It has to run
    as the user that Kannel runs as and that owns the file, or as root.
    """
    loaded, show = _watched(spec), listener(as_json=as_json)
    shared = SharedConf(loaded.files.kannel_conf)
    supervisor = Supervisor(
        loaded,
        show,
        os.environ,
        lambda: _watched(spec),
        new_errors,
        lambda running: AttachedBoxes(running, shared, lambda: _watched(spec)),
        shared.put,
    )
    asyncio.run(supervise(supervisor, answers(spec, show) if health else None))


def _watched(path: Path) -> Spec:
    """Load the spec of a gateway that something else runs. Raises KannelkitError."""
    spec = prepared(path)
    if spec.supervisor.conf_file is None:
        raise KannelkitError(
            f"{path} does not say which kannel.conf the running bearerbox reads",
            "write it into the spec, for instance supervisor: {conf-file: /etc/kannel/kannel.conf}; to have kannelkit "
            f"run Kannel itself: kannelkit up {path}",
        )
    if missing := lacking(spec):
        raise InputError(missing)
    return spec

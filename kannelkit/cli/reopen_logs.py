"""`kannelkit reopen-logs SPEC`: what logrotate calls behind a rotation."""

from __future__ import annotations

from pathlib import Path

import click

from kannelkit.cli.variables import AnyVariable
from kannelkit.render.units import rotated
from kannelkit.spec import load

_SECONDS = 10.0


@click.command("reopen-logs")
@click.argument("spec", type=click.Path(path_type=Path, dir_okay=False))
@click.pass_context
def command(ctx: click.Context, spec: Path) -> None:
    """Have the boxes of SPEC's gateway open their logs anew, for logrotate's postrotate.

    No configuration is read again, as it is at SIGHUP to bearerbox, no link is bound anew, and no line is lost. Only
    processes that are these boxes are sent a signal, whether kannelkit runs them or a Kannel that SPEC watches. Exit
    code 1 where a box still writes into a log that was rotated away.
    """
    from kannelkit.supervise.reopening import reopen, running

    loaded = load(spec, AnyVariable())
    logs = dict.fromkeys((*rotated(loaded), *loaded.supervisor.logs))
    failed = False
    for done in reopen(running(loaded), tuple(logs), _SECONDS):
        if done.pid is None:
            click.echo(f"{done.box} does not run", err=True)
        elif done.behind:
            failed = True
            names = ", ".join(map(str, done.behind))
            click.echo(f"{done.box} (pid {done.pid}) has not opened anew: {names}", err=True)
        else:
            click.echo(f"{done.box} (pid {done.pid}) has opened its logs anew", err=True)
    ctx.exit(1 if failed else 0)

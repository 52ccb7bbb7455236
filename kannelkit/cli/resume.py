"""`kannelkit resume SPEC ACCOUNT`."""

from __future__ import annotations

from pathlib import Path

import click

from kannelkit.cli.adaptation import switch
from kannelkit.cli.named import complete


@click.command("resume")
@click.argument("spec", type=click.Path(path_type=Path, dir_okay=False))
@click.argument("account", required=False, shell_complete=complete)
@click.option("--all", "every", is_flag=True, help="Every account.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
def command(spec: Path, account: str | None, every: bool, as_json: bool) -> None:
    """Adapt the rate of ACCOUNT again, after `kannelkit pause`, from where it is."""
    switch(spec, account, every=every, as_json=as_json, do="resume")

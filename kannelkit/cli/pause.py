"""`kannelkit pause SPEC ACCOUNT`."""

from __future__ import annotations

from pathlib import Path

import click

from kannelkit.cli.adaptation import switch
from kannelkit.cli.named import complete


@click.command("pause")
@click.argument("spec", type=click.Path(path_type=Path, dir_okay=False))
@click.argument("account", required=False, shell_complete=complete)
@click.option("--all", "every", is_flag=True, help="Every account.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
def command(spec: Path, account: str | None, every: bool, as_json: bool) -> None:
    """Leave the rate of ACCOUNT as it is: no step up and none down until `kannelkit resume`, over restarts too.

    Accounts of one account-group share a rate and are paused together. Failover goes on. With pacing: relay the rate
    goes no higher, and messages go on; it does go lower where the provider takes less.
    """
    switch(spec, account, every=every, as_json=as_json, do="pause")

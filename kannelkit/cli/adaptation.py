"""What `pause` and `resume` have in common: whose adaptation, asked of the supervisor, and told."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import click

from kannelkit.cli.named import asked, field, known, secretless, units


def switch(path: Path, account: str | None, *, every: bool, as_json: bool, do: Literal["pause", "resume"]) -> None:
    """Have the adaptation of an account's rate, or of every one, paused or resumed, and say what came of it.

    Raises click.UsageError unless either an account or every one is named, HostError where no kannelkit supervises.
    """
    if (account is None) != every:
        raise click.UsageError("name an ACCOUNT, or give --all")
    spec = secretless(path)
    if account is not None:
        account = known(account, units(spec))
    found = field(asked(spec, {"do": do, "account": account, "all": every}), "units")
    if as_json:
        click.echo(json.dumps({"units": found}, ensure_ascii=False))
        return
    for unit in found:
        click.echo(said(unit, path))


def said(unit: Mapping[str, Any], path: Path) -> str:
    """Return what became of one unit, in a sentence."""
    names, name = unit["accounts"], unit["unit"]
    whose = name if names == [name] else f"{name} ({', '.join(names)}, which share its rate)"
    rate = "no limit" if unit["throughput"] is None else f"{unit['throughput']:.10g} SMS per second"
    if not unit["changed"]:
        return f"{whose}: {'was paused already' if unit['paused'] else 'was not paused'}, {rate}"
    if unit["paused"]:
        return f"{whose}: paused at {rate}, until kannelkit resume {shlex.quote(str(path))} {name}"
    return f"{whose}: adapted again, from {rate} on"

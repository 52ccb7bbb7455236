"""`kannelkit apply SPEC`."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from kannelkit.cli.plan import as_object, shown_lines
from kannelkit.errors import GatewayError
from kannelkit.plan.values import Plan
from kannelkit.plan.words import SHORT
from kannelkit.spec import load


class _AnyVariable(dict[str, str]):
    """An environment in which every variable is there: only the supervisor needs the secrets."""

    def __missing__(self, name: str) -> str:
        return "x"

    def get(self, name: str, default: Any = None) -> Any:
        return self[name]

    def __contains__(self, name: object) -> bool:
        return True


@click.command("apply")
@click.argument("spec", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--plan", "digest", metavar="DIGEST", help="Carry out this plan and no other, as kannelkit plan showed it."
)
@click.option("--yes", "agreed", is_flag=True, help="Agree to what a person has to agree to.")
@click.option("--discard", is_flag=True, help="Give up messages that wait for an account that is removed.")
@click.option("--force", is_flag=True, help="Apply although kannelkit lint finds errors that were not there before.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout at the end.")
def command(spec: Path, digest: str | None, agreed: bool, discard: bool, force: bool, as_json: bool) -> None:
    """Bring the running gateway to what SPEC says now, link by link, and take everything back where a link stays away.

    The kannelkit that runs the gateway (kannelkit up) does it; it goes on when this command is ended.
    """
    loaded = load(spec, _AnyVariable(os.environ))
    asked = {"spec": str(loaded.path)}
    said: list[str] = []

    def tell(event: Mapping[str, Any]) -> None:
        said.append(str(event.get("text", "")))
        click.echo(said[-1], err=True)

    async def ask(**request: object) -> Mapping[str, Any]:
        from kannelkit.supervise.asking import ask

        return await ask(loaded.state_dir, {**asked, **request}, tell)

    found = _shown(asyncio.run(ask(do="plan")))
    if not as_json:
        for line in shown_lines(found):
            click.echo(line)
    if not found.changes:
        _end(as_json, found, [])
        return
    if digest is not None and (len(digest) < SHORT or not found.digest.startswith(digest)):
        raise GatewayError(
            "the gateway or the spec changed since the plan was shown", f"look at the new plan: kannelkit plan {spec}"
        )
    if found.dangers and not agreed:
        if as_json or not sys.stdin.isatty():
            raise GatewayError("\n".join(found.dangers), "agree with --yes")
        click.confirm("apply?", abort=True, err=True)
        agreed = True
    asyncio.run(ask(do="apply", digest=found.digest, agreed=agreed, discard=discard, force=force))
    _end(as_json, found, said)


def _shown(event: Mapping[str, Any]) -> Plan:
    from kannelkit.supervise.asking import shown

    try:
        return shown(event["plan"])
    except (KeyError, TypeError) as error:
        raise GatewayError("the supervisor's plan cannot be read", "are both kannelkits the same version?") from error


def _end(as_json: bool, found: Plan, steps: list[str]) -> None:
    if as_json:
        click.echo(json.dumps({"applied": True, "plan": as_object(found), "said": steps}, ensure_ascii=False))
    elif found.changes:
        click.echo("applied")

"""`kannelkit failover SPEC ACCOUNT [--to backup|primary]`."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from kannelkit.cli.figures import local_time
from kannelkit.cli.named import asked, complete, field, known, secretless

# what an answer has to have, and what --json gives of it
_FIELDS = (
    "account",
    "side",
    "host",
    "other",
    "other_host",
    "since",
    "why",
    "by_hand",
    "settled",
    "failed_returns",
    "unusable",
    "back_after",
    "after",
)


@click.command("failover")
@click.argument("spec", type=click.Path(path_type=Path, dir_okay=False))
@click.argument("account", shell_complete=complete)
@click.option("--to", type=click.Choice(["backup", "primary"]), help="Move the account to this host of its provider.")
@click.option("--force", is_flag=True, help="Move it also to a host that takes no connection now.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
def command(spec: Path, account: str, to: str | None, force: bool, as_json: bool) -> None:
    """Say which of its provider's two hosts ACCOUNT uses, since when and why; with --to, move it there.

    The links to the one host are stopped, then those to the other are started: never both at once. Messages wait
    meanwhile, and none is lost. Where the host in use answers, this is done at a moment at which no answer is due. To a
    host that takes no connection it is moved with --force alone.

    Moved to the backup by hand, an account stays there until it is moved back by hand, or until the backup is of no use
    and the primary answers. Moved to the primary by hand, it is left again as ever: when it is of no use for
    supervisor.failover.after seconds, and the backup answers.

    With pacing: relay the links stay bound: the relay lets nothing leave until every answer is there, takes leave of
    the one host, and binds at the other.
    """
    if force and to is None:
        raise click.UsageError("--force goes with --to")
    loaded = secretless(spec)
    name = known(account, [each.smsc_id for each in loaded.smpp_accounts])
    answer = asked(
        loaded, {"do": "failover", "account": name, "to": to, "force": force}, lambda text: click.echo(text, err=True)
    )
    told = {each: field(answer, each) for each in _FIELDS}
    if as_json:
        click.echo(json.dumps(told, ensure_ascii=False))
        return
    for line in lines(told, shlex.quote(str(spec))):
        click.echo(line)


def lines(told: Mapping[str, Any], named: str) -> Iterator[str]:
    """Yield where an account is and what happens next, for people; `named` is its spec as a command takes it."""
    name, side, other = told["account"], told["side"], told["other"]
    since = "" if told["since"] is None else f" since {local_time(told['since'])}"
    yield f"{name}: on the {side}, {told['host']}{since}" + ("" if told["settled"] else ", not finished")
    if told["why"]:
        yield f"  why: {told['why']}"
    if told["unusable"]:
        yield f"  of no use now: {told['unusable']}"
    if told["failed_returns"]:
        yield f"  returns to the primary that did not hold: {told['failed_returns']}"
    if side == "primary":
        yield f"  next: to the backup, {told['other_host']}, when it is of no use for {told['after']:g} s"
    elif told["by_hand"]:
        yield f"  next: stays, until kannelkit failover {named} {name} --to {other}, or until it is of no use"
    else:
        answered = f"when that has answered for {told['back_after']:g} s"
        yield f"  next: home to the primary, {told['other_host']}, {answered}"

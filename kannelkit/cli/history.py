"""`kannelkit history SPEC`."""

from __future__ import annotations

import json
import re
import sys
import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kannelkit.cli.figures import EVENT_COLOURS, local_time, shown
from kannelkit.cli.named import complete, known, secretless, units
from kannelkit.errors import HostError
from kannelkit.supervise.commands import supervise

if TYPE_CHECKING:
    from kannelkit.supervise.memory import Event

# kind -> what it tells of
KINDS = {
    "rate": "an account's throughput was changed, and why",
    "shares": "an account's links share its throughput out anew",
    "paused": "adaptation of a rate was paused by hand",
    "resumed": "adaptation of a rate goes on",
    "failover": "an account went to its other host, and why",
    "bind-refused": "a provider refused a bind",
    "relay": "what the relay of an account says: bound, refused, lost",
    "note": "what else a person should know of an account",
    "started": "a box was started",
    "adopted": "boxes that ran already were taken on",
    "waiting": "watch waits for boxes that something else starts",
    "attached": "watch follows a box that something else started",
    "left": "watch ended, and the boxes run on",
    "conf-file": "the kannel.conf that watch changes rates in is not as it should be, or is again",
    "ready": "all links are online, or some are not after 30 s",
    "ended": "a box ended by itself",
    "stopped": "a box was stopped in order",
    "silent": "bearerbox or the relay does not answer",
    "answers": "it answers again",
    "spec-changed": "the boxes run with another configuration than the spec's",
    "apply": "a change of the spec is being applied",
    "apply-step": "one step of it",
    "applied": "it was applied",
    "apply-undone": "it was taken back",
    "apply-refused": "it was not begun",
    "apply-failed": "it could not be finished, nor taken back",
    "warning": "what kannelkit itself could not do",
}
_LONGEST_KIND = max(map(len, KINDS))
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_AGO = re.compile(r"(\d{1,9})([smhdw])")
_FIRST_OF_FOLLOW = 10
_POLL_SECONDS = 0.5


class Since(click.ParamType[float]):
    """A moment: so long ago (2h, 30m, 3d), or a local date with or without a time."""

    name = "WHEN"

    def convert(self, value: str | float, param: click.Parameter | None, ctx: click.Context | None) -> float:
        if isinstance(value, float):
            return value
        if ago := _AGO.fullmatch(value):
            return time.time() - int(ago[1]) * _UNITS[ago[2]]
        try:
            return datetime.fromisoformat(value).astimezone().timestamp()
        except (ValueError, OverflowError, OSError):
            today = datetime.now().astimezone()
            yesterday = (today - timedelta(days=1)).strftime("%Y-%m-%dT%H:%M")
            self.fail(f"{value!r} is no moment; write 2h, 30m, 3d, {today:%Y-%m-%d} or {yesterday}", param, ctx)


def _kinds_help() -> str:
    rows = "\n".join(f"  {kind.ljust(_LONGEST_KIND)}  {what}" for kind, what in KINDS.items())
    return f"\b\nKinds:\n{rows}"


@click.command("history", epilog=_kinds_help())
@click.argument("spec", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--account", metavar="ACCOUNT", shell_complete=complete, help="Of this account, or its account-group.")
@click.option(
    "--kind",
    "kinds",
    type=click.Choice(list(KINDS)),
    metavar="KIND",
    multiple=True,
    help="Of this kind; may be given again.",
)
@click.option("--since", type=Since(), help="From then on: 2h, 30m, 3d, or 2026-11-22[THH:MM], local time.")
@click.option("--last", type=click.IntRange(1), metavar="N", help="The newest N of them.")
@click.option("--follow", "-f", is_flag=True, help="Go on with what is told from now on, until Ctrl-C.")
@click.option("--json", "as_json", is_flag=True, help="JSON lines on stdout.")
def command(
    spec: Path,
    account: str | None,
    kinds: tuple[str, ...],
    since: float | None,
    last: int | None,
    follow: bool,
    as_json: bool,
) -> None:
    """List what happened to the gateway that SPEC describes: decisions and events, oldest first, in local time.

    Read from the state database, which keeps the last 100,000 of them; nothing has to run.
    """
    loaded = secretless(spec)
    path = loaded.state_dir / "state.db"
    if not path.exists() and not follow:
        raise HostError(f"nothing was told yet: {path} is not there", f"{supervise(loaded)} writes it")
    every = units(loaded)
    names: tuple[str, ...] = ()
    if account is not None:
        # one that was removed from the spec has its history still
        names = (account, every[account]) if account in every else (account,)
        if account not in every and not (path.exists() and _told(path, accounts=names, most=1)):
            known(account, every)
    most = last or (_FIRST_OF_FOLLOW if follow and since is None else None)
    after = 0
    try:
        while True:
            found = _told(path, kinds=kinds, accounts=names, since=since or 0.0, after=after, most=most)
            for number, event in found:
                _print(event, as_json=as_json)
                after = number
            if not follow:
                break
            sys.stdout.flush()
            most = None
            time.sleep(_POLL_SECONDS)
    except KeyboardInterrupt:
        return  # the only end of --follow
    if not after:
        click.echo("nothing of that was told", err=True)


def _told(
    path: Path,
    *,
    kinds: tuple[str, ...] = (),
    accounts: tuple[str, ...] = (),
    since: float = 0.0,
    after: int = 0,
    most: int | None = None,
) -> list[tuple[int, Event]]:
    """Return what is in the state database, which may not be there yet."""
    from kannelkit.supervise.memory import Memory

    if not path.exists():
        return []
    memory = Memory(path, read_only=True)
    try:
        return memory.history(kinds=kinds, accounts=accounts, since=since, after=after, most=most)
    finally:
        memory.close()


def _print(event: Event, *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(event.as_dict(), ensure_ascii=False))
        return
    when, kind = click.style(local_time(event.at), dim=True), shown(event.kind).ljust(_LONGEST_KIND)
    click.echo(f"{when}  {kind}  {click.style(shown(event.text), fg=EVENT_COLOURS.get(event.kind))}")

"""`kannelkit status SPEC`."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from kannelkit.cli.figures import STATE_COLOURS, event_line, shown
from kannelkit.cli.paced import relay_rate, relay_rows
from kannelkit.cli.variables import AnyVariable
from kannelkit.spec import load
from kannelkit.supervise.views import AccountView, Overview, duration, leads_to

_EVENTS = 5
# what is left out first where the terminal is narrow
_SPARE_OF_ACCOUNTS = ("CEILING", "ACCEPTED/S", "QUEUED")
_SPARE_OF_LINKS = ("ONLINE FOR", "SHARE", "HOST")
_SPARE_OF_RELAY = ("HOST", "OLDEST", "PUT OFF", "HANDED BACK")
_GAP = 3  # between two columns

Row = tuple[str, ...]


@click.command("status")
@click.argument("spec", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
@click.pass_context
def command(ctx: click.Context, spec: Path, as_json: bool) -> None:
    """Show how the gateway that SPEC describes, its boxes and its accounts stand.

    Exit code 0 when everything that should run runs, every link of the side in force is online and that is the first
    one, 1 when not. Changes nothing, and works before the gateway's first start.
    """
    from kannelkit.supervise.asking import plain_overview
    from kannelkit.supervise.readings import look

    environment = AnyVariable()
    seen = asyncio.run(look(load(spec, environment), missing=environment.missing))
    if as_json:
        click.echo(json.dumps(plain_overview(seen), ensure_ascii=False))
    elif sys.stdout.isatty():
        _in_colour(seen)
    else:
        for line in plain(seen):
            click.echo(line)
    ctx.exit(1 if seen.problems else 0)


def plain(seen: Overview) -> Iterator[str]:
    """Yield the overview's lines as text in columns, without colours."""
    yield headline(seen)
    for table in filter(None, (box_rows(seen), account_rows(seen), relay_rows(seen), link_rows(seen))):
        widths = [max(len(cell) for cell in column) for column in zip(*table, strict=True)]
        yield ""
        for row in table:
            yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
    if seen.events:
        yield ""
        yield from (event_line(event) for event in seen.events[-_EVENTS:])
    if seen.problems:
        yield ""
        yield from (f"problem: {shown(problem)}" for problem in seen.problems)


def headline(seen: Overview) -> str:
    """Return the state of the whole gateway in one line."""
    parts = [f"gateway {seen.state}"]
    if seen.version:
        parts.append(f"Kannel {seen.version}")
    parts.append(f"supervised by pid {seen.supervisor}" if seen.supervisor else "not supervised")
    if seen.waiting is not None:
        parts.append(f"{seen.waiting} waiting")
    if seen.in_flight is not None:
        parts.append(f"{seen.in_flight} in flight")
    return shown(", ".join(parts))


def box_rows(seen: Overview) -> list[Row]:
    """Return the boxes as rows, a heading first."""
    rows: list[Row] = [("BOX", "STATE", "PID", "RUNNING FOR")]
    for box in seen.boxes:
        since = "-" if box.since is None else duration(seen.at - box.since)
        rows.append((box.name, box.state, "-" if box.pid is None else str(box.pid), since))
    return rows


def account_rows(seen: Overview) -> list[Row]:
    """Return the accounts as rows, a heading first."""
    rows: list[Row] = [("ACCOUNT", "STATE", "LINKS", "ACCEPTED/S", "THROUGHPUT", "CEILING", "QUEUED")]
    for account in seen.accounts:
        accepted = "-" if account.accepted_per_second is None else f"{account.accepted_per_second:.1f}"
        rows.append(
            (
                account.smsc_id,
                account.state,
                f"{account.links_online}/{account.links_wanted}",
                accepted,
                _throughput(account),
                "no limit" if account.ceiling is None else str(account.ceiling),
                str(account.queued),
            )
        )
    return rows


def link_rows(seen: Overview) -> list[Row]:
    """Return the links as rows, a heading first."""
    rows: list[Row] = [("LINK", "STATE", "HOST", "ONLINE FOR", "SHARE", "QUEUED")]
    for account, link in ((each, link) for each in seen.accounts for link in each.links):
        online = "-" if link.seconds is None else duration(link.seconds)
        share = "-" if link.share is None else str(link.share)
        rows.append((link.admin_id, shown(link.state), leads_to(link, account), online, share, str(link.queued)))
    return rows


def _throughput(account: AccountView) -> str:
    rate = "no limit" if account.throughput is None else str(account.throughput)
    if account.relayed:
        rate = relay_rate(account)
    said = [
        word
        for word, holds in (
            ("changing", not account.settled),
            ("by hand", account.by_hand),
            ("paused", account.paused),
            (f"all of {account.unit}", account.unit != account.smsc_id),
        )
        if holds
    ]
    return f"{rate} ({', '.join(said)})" if said else rate


def _fitting(rows: Sequence[Row], width: int, spare: Sequence[str]) -> Sequence[Row]:
    """Return the rows with the columns that there is room for, without the first of those that can be spared."""
    for heading in spare:
        if sum(max(map(len, column)) + _GAP for column in zip(*rows, strict=True)) <= width:
            break
        place = rows[0].index(heading)
        rows = [(*row[:place], *row[place + 1 :]) for row in rows]
    return rows


def _in_colour(seen: Overview) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(highlight=False)
    console.print(Text(headline(seen), style="bold red" if seen.problems else "bold green"))

    def table(rows: Sequence[Row]) -> None:
        columns = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        for heading in rows[0]:
            columns.add_column(heading, overflow="fold")
        for row in rows[1:]:
            state = row[1]
            columns.add_row(
                *(Text(cell, style=STATE_COLOURS.get(state, "red") if cell == state else "") for cell in row)
            )
        console.print(columns)

    for rows, spare in (
        (box_rows(seen), ()),
        (account_rows(seen), _SPARE_OF_ACCOUNTS),
        (relay_rows(seen), _SPARE_OF_RELAY),
        (link_rows(seen), _SPARE_OF_LINKS),
    ):
        if rows:
            table(_fitting(rows, console.width, spare))
    for event in seen.events[-_EVENTS:]:
        console.print(Text(event_line(event)), style="dim")
    for problem in seen.problems:
        console.print(Text(f"problem: {shown(problem)}", style="red"))

"""What would be sent, before anything is: alphabet, parts, length, what is charged, the text as it leaves."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence

import click

from kannelkit.cli.figures import shown
from kannelkit.gateway.outgoing import Outgoing
from kannelkit.providers.channels import Channel
from kannelkit.smpp.parts import Alphabet, Count

_LABEL = 10


def as_object(outgoing: Outgoing) -> dict[str, object]:
    """Return a message as plain values for a program."""
    message, count = outgoing.message, outgoing.count
    return {
        "number": outgoing.number,
        "place": str(outgoing.place),
        "to": message.to,
        "from": message.sender,
        "channel": str(outgoing.wanted.channel),
        "account": message.smsc,
        "charset": outgoing.charset,
        "coding": message.coding,
        "characters": count.characters,
        "units": count.units,
        "parts": count.parts,
        "left": count.left,
        "charged": outgoing.charged.parts if outgoing.charged else None,
        "text": message.text,
    }


def show(messages: Sequence[Outgoing], first: int) -> None:
    """Print the messages: one with everything that is known of it, a list as a table of its first."""
    if len(messages) == 1:
        for label, value in _facts(messages[0]):
            click.echo(f"{click.style(label.ljust(_LABEL), dim=True)}{shown(value)}".rstrip())
        click.echo(click.style("text", dim=True))
        for line in messages[0].message.text.split("\n"):
            click.echo(f"  {click.style('|', dim=True)} {shown(line)}")
    else:
        _table(messages[:first])
        if len(messages) > first:
            click.echo(f"... and {len(messages) - first} more")
    click.echo(f"{summary(messages)}; nothing was sent", err=True)


def summary(messages: Sequence[Outgoing]) -> str:
    """Return how much it is in one line."""
    parts = sum(outgoing.count.parts for outgoing in messages)
    charged = sum(outgoing.charged.parts for outgoing in messages if outgoing.charged)
    others = sum(outgoing.charged is None for outgoing in messages)
    found = [f"{len(messages)} message{'s' * (len(messages) != 1)}", f"{parts} part{'s' * (parts != 1)} on the wire"]
    if charged:
        found.append(f"{charged} SMS charged")
    if others:
        found.append(f"{others} on other channels")
    return ", ".join(found)


def _facts(outgoing: Outgoing) -> Iterator[tuple[str, str]]:
    message, count = outgoing.message, outgoing.count
    yield "to", message.to
    yield "from", message.sender or "as the sendsms-user says"
    yield "channel", str(outgoing.wanted.channel)
    yield "account", message.smsc or "whichever takes it"
    yield "alphabet", f"{outgoing.charset.upper()} (data_coding {8 if count.alphabet is Alphabet.UCS2 else 0})"
    yield "length", _length(count)
    yield "parts", f"{count.parts}, room for {count.left} more in the last"
    if outgoing.charged is None:
        yield "charged", f"as the provider charges for {outgoing.wanted.channel}"
    elif outgoing.wanted.comment:
        yield "charged", f"{outgoing.charged.parts} SMS: {_length(outgoing.charged)}, without the comment"
    else:
        yield "charged", f"{outgoing.charged.parts} SMS"


def _length(count: Count) -> str:
    name = "16-bit units" if count.alphabet is Alphabet.UCS2 else "septets"
    return f"{count.characters} characters" + (f", {count.units} {name}" if count.units != count.characters else "")


def _table(messages: Sequence[Outgoing]) -> None:
    rows = [("TO", "CHANNEL", "ALPHABET", "LENGTH", "PARTS", "CHARGED", "TEXT")]
    for outgoing in messages:
        charged = outgoing.charged
        rows.append(
            (
                shown(outgoing.message.to),
                str(outgoing.wanted.channel),
                outgoing.charset,
                str(outgoing.count.units),
                str(outgoing.count.parts),
                f"{charged.parts} SMS" if charged else str(Channel(outgoing.wanted.channel)),
                shown(outgoing.message.text),
            )
        )
    if sys.stdout.isatty():
        from rich import box
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text

        table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        for heading in rows[0]:
            table.add_column(heading, overflow="fold")
        for row in rows[1:]:
            table.add_row(*(Text(cell) for cell in row))
        Console(highlight=False).print(table)
        return
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    for row in rows:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())

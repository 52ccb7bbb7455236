"""`kannelkit relay`: the pacing relay between bearerbox and its providers; `up` starts it, people seldom do."""

from __future__ import annotations

import asyncio
import json
from datetime import datetime
from pathlib import Path

import click

_EXAMPLES = """\b
Examples:
  kannelkit relay --settings run/relay.json
  kannelkit relay --settings run/relay.json --json | jq .

The file holds passwords: mode 0600. What stands in it is in docs/relay.md. SIGHUP has the relay
read it anew: accounts with other settings end in order and start again, the others go on. SIGTERM ends the relay when
the provider has answered what it was sent. Exit codes: 0 ended, 1 it cannot start, 2 wrong use.
"""


@click.command(short_help="Run the pacing relay between bearerbox and its providers.", epilog=_EXAMPLES)
@click.option(
    "--settings",
    "path",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="A JSON file: the accounts, where bearerbox binds to, and where the relay does.",
)
@click.option("--json", "as_json", is_flag=True, help="What happens as JSON lines on stdout instead of text on stderr.")
def command(path: Path, as_json: bool) -> None:
    """Run the pacing relay in the foreground.

    bearerbox binds to it on 127.0.0.1 as it would to the provider. Submits leave evenly at the limit that the
    provider's answers show; what is refused for its speed goes again without bearerbox's hearing of it.
    """
    from kannelkit.relay import settings
    from kannelkit.relay.listeners import LOOPBACK
    from kannelkit.relay.process import Relay

    def tell(account: str, text: str, **more: object) -> None:
        _tell(account, text, as_json=as_json, **more)

    relay = Relay(settings.read(path), tell, lambda: settings.read(path))

    def ready() -> None:
        for name, port in relay.ports.items():
            _tell(name, f"listens on {LOOPBACK}:{port}", as_json=as_json, port=port)

    asyncio.run(relay.run(ready))


def _tell(account: str, text: str, *, as_json: bool, **more: object) -> None:
    now = datetime.now().astimezone()
    if as_json:
        line = {"at": now.isoformat(timespec="milliseconds"), "account": account, "text": text, **more}
        click.echo(json.dumps(line))
    else:
        click.echo(f"{now:%Y-%m-%d %H:%M:%S} {account + ': ' if account else ''}{text}", err=True)

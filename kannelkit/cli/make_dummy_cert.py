"""`kannelkit make-dummy-cert FILE`."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from kannelkit.errors import HostError

_MODE = 0o600
_KEYS = ("rsa-2048", "rsa-4096", "ec-p256", "ed25519")  # those of certs.dummy, which takes long to import


@click.command("make-dummy-cert")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--days", type=click.IntRange(1, 36500), default=3650, show_default=True, help="How long it is valid.")
@click.option(
    "--host",
    "hosts",
    multiple=True,
    metavar="NAME",
    help="Host name or IP address in the certificate; may be repeated. [default: kannelkit]",
)
@click.option("--name", metavar="TEXT", help="Common name, at most 64 characters. [default: the first --host]")
@click.option("--key", type=click.Choice(_KEYS), default=_KEYS[0], show_default=True, help="Kind of the key.")
@click.option("--force", is_flag=True, help="Replace FILE when it is there.")
def command(file: Path, days: int, hosts: tuple[str, ...], name: str | None, key: str, force: bool) -> None:
    """Make a key and a self-signed certificate in one PEM file, readable by its owner only.

    For a provider that wants a client certificate over TLS and does not check whose, as SMSC.ru.
    """
    from kannelkit.certs.dummy import dummy_certificate  # cryptography takes long to import
    from kannelkit.host.files import write_whole

    if file.exists() and not force:  # before the slow part; write_whole looks again
        raise taken(file)
    now = datetime.now(UTC)
    names = hosts or (() if name else ("kannelkit",))
    pem = dummy_certificate(names, days, now, common_name=name or "", key=key)
    write_whole(file, pem, _MODE, replace=force)
    whom = ", ".join([*([name] if name else []), *names])
    click.echo(f"{file}: {key} key and self-signed certificate for {whom}, mode {_MODE:04o},")
    click.echo(f"valid until {now + timedelta(days=days):%Y-%m-%d}. bearerbox must run as the owner of this file.")
    click.echo("In the smsc entry of the spec:")
    click.echo("    use-ssl: true")
    click.echo(f"    ssl-client-certkey-file: {yaml_text(str(file.absolute()))}")


def yaml_text(text: str) -> str:
    """Return the text as YAML reads it back: in quotes where it is more than a plain path."""
    return text if re.fullmatch(r"/[\w./-]*", text) else json.dumps(text, ensure_ascii=False)


def taken(file: Path) -> HostError:
    """Return the error that something has the name already."""
    return HostError(f"{file} is there already", "--force replaces it; a key that is in use is then gone")

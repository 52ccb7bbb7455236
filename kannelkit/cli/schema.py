"""`kannelkit schema`."""

from __future__ import annotations

import json

import click

from kannelkit.spec.schema import schema


@click.command("schema")
def command() -> None:
    """Print the JSON Schema of a spec, with which an editor completes, explains and checks it.

    Keep it beside the spec: kannelkit schema > kannelkit.schema.json. Editors with yaml-language-server then read it
    where the spec begins with the line

        # yaml-language-server: $schema=kannelkit.schema.json
    """
    click.echo(json.dumps(schema(), indent=2, ensure_ascii=False))

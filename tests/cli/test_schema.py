"""`kannelkit schema`: the schema on stdout, and nothing else."""

from __future__ import annotations

import json

from click.testing import CliRunner

from kannelkit.cli.main import group
from kannelkit.spec.schema import schema


def test_the_schema_is_on_stdout() -> None:
    done = CliRunner().invoke(group, ["schema"])
    assert done.exit_code == 0
    printed = json.loads(done.stdout)
    assert printed == schema()
    assert done.stderr == ""


def test_help_says_how_an_editor_finds_it() -> None:
    assert "# yaml-language-server: $schema=kannelkit.schema.json" in CliRunner().invoke(group, ["schema", "-h"]).stdout

"""`kannelkit demo`: what it takes and what it refuses; a whole run is in tests/integration."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from kannelkit.cli.demo import command
from kannelkit.demo.show import LEAST_SECONDS


@pytest.mark.parametrize("seconds", ["0", "-5", str(LEAST_SECONDS - 1), "100000", "soon", "30.5"])
def test_a_time_that_cannot_be_is_wrong_use(seconds: str) -> None:
    answer = CliRunner().invoke(command, ["--seconds", seconds])
    assert answer.exit_code == 2
    assert "--seconds" in answer.stderr
    assert answer.stdout == ""


def test_the_help_says_how_short_it_may_be() -> None:
    assert f"{LEAST_SECONDS}<=x<=" in CliRunner().invoke(command, ["--help"]).stdout.replace("\n", "")

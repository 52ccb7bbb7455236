"""The commands a newcomer types, and their set-up as far as it can be tried without a fresh machine."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

HOUSE = Path(__file__).parents[2]
SCRIPTS = sorted(path for path in (HOUSE / ".ci").iterdir() if path.is_file())


def run(*command: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=HOUSE,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        stdin=subprocess.DEVNULL,
        check=False,
    )


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: str(path.name))
def test_script_is_bash_that_parses_and_stops_at_the_first_failure(script: Path) -> None:
    assert run("bash", "-n", script).stderr == ""
    text = script.read_text()
    assert text.startswith("#!/usr/bin/env bash\n")
    assert "\nset -euo pipefail\n" in text
    assert os.access(script, os.X_OK)


def test_make_alone_says_what_can_be_made() -> None:
    answer = run("make", "--no-print-directory")
    assert answer.returncode == 0
    (phony,) = (line for line in (HOUSE / "Makefile").read_text().splitlines() if line.startswith(".PHONY:"))
    assert [target for target in phony.split()[1:] if f"\n  {target} " not in answer.stdout] == []


@pytest.mark.parametrize("target", ["demo", "test", "bench"])
def test_arguments_reach_the_program(target: str) -> None:
    plan = run("make", "--dry-run", "--no-print-directory", target, "ARGS=--these 'two words'")
    assert plan.stdout.rstrip().endswith("--these 'two words'")


def test_packages_are_for_root_and_need_a_name() -> None:
    answer = run("bash", ".ci/packages")
    assert answer.returncode == 1
    assert "which packages?" in answer.stderr


@pytest.mark.parametrize("purpose", ["", "no-such-purpose"])
def test_set_up_refuses_an_unknown_purpose(purpose: str) -> None:
    answer = run("bash", ".ci/setup", purpose)
    assert answer.returncode != 0
    assert "demo|test" in answer.stderr

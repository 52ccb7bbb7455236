"""Every command is there, explains itself, starts quickly and takes wrong use without a traceback."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import chdir
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner

from kannelkit.cli.main import COMMANDS, group

README = Path(__file__).parents[2] / "README.md"
# what takes long to import belongs inside the commands that need it
HEAVY = ("aiohttp", "asyncio", "cryptography", "jinja2", "psutil", "pydantic", "rich", "sqlite3", "yaml")

# a monitor reads stdout, and takes exit code 2 for a gateway in trouble
PLUGINS = {"health": (3, "KANNEL UNKNOWN - wrong use: ")}


@dataclass(frozen=True, slots=True)
class Answer:
    """How a command ended and what it told."""

    returncode: int
    stdout: str
    stderr: str


def kannelkit(*arguments: str, cwd: Path) -> Answer:
    """Run a command in this very process: an interpreter for each of a hundred cases takes half a minute."""
    with chdir(cwd):
        result = CliRunner().invoke(group, arguments, prog_name="kannelkit", env={"NO_COLOR": "1"})
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception  # a person would see a traceback
    return Answer(result.exit_code, result.stdout, result.stderr)


def program(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run a command as a person does."""
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=60,
        stdin=subprocess.DEVNULL,
        env={**os.environ, "NO_COLOR": "1"},
        check=False,
    )


@pytest.mark.parametrize("command", COMMANDS)
def test_command_explains_itself(command: str, tmp_path: Path) -> None:
    answer = kannelkit(command, "--help", cwd=tmp_path)
    assert (answer.returncode, answer.stderr) == (0, "")
    assert f"kannelkit {command}" in answer.stdout


@pytest.mark.parametrize("command", COMMANDS)
def test_command_takes_an_unknown_option_as_wrong_use(command: str, tmp_path: Path) -> None:
    answer = kannelkit(command, "--no-such-option", cwd=tmp_path)
    code, told = PLUGINS.get(command, (2, ""))
    assert answer.returncode == code
    assert "--no-such-option" in answer.stderr
    assert "Traceback" not in answer.stderr
    assert answer.stdout.startswith(told)
    assert bool(answer.stdout) == bool(told)


@pytest.mark.parametrize("command", ["generate", "lint", "import", "plan", "apply", "up", "status", "make-dummy-cert"])
def test_command_without_its_file_is_wrong_use(command: str, tmp_path: Path) -> None:
    answer = kannelkit(command, cwd=tmp_path)
    assert answer.returncode == 2
    assert "Traceback" not in answer.stderr


SPECS_THAT_CANNOT_BE = {
    "not there": None,
    "empty": b"",
    "not UTF-8": b"core:\n  admin-password: \xff\xfe\n",
    "not YAML": b"core: [}\n",
    "a NUL": b"core: \x00\n",
    "a list": b"- core\n",
    "an unknown group": b"no-such-group:\n  x: 1\n",
    "no entry under smsc": b"smsc:\n",
    "deep": b"[" * 100_000,
}


@pytest.mark.parametrize("command", ["generate", "lint", "plan", "apply", "up", "status"])
@pytest.mark.parametrize("spec", SPECS_THAT_CANNOT_BE)
def test_command_refuses_a_bad_spec_in_words(command: str, spec: str, tmp_path: Path) -> None:
    content = SPECS_THAT_CANNOT_BE[spec]
    if content is not None:
        (tmp_path / "spec.yaml").write_bytes(content)
    answer = kannelkit(command, "spec.yaml", cwd=tmp_path)
    assert answer.returncode in (1, 2)
    assert "Traceback" not in answer.stderr
    assert "spec.yaml" in answer.stdout + answer.stderr


def test_unknown_command_is_wrong_use(tmp_path: Path) -> None:
    answer = program("-m", "kannelkit", "no-such-command", cwd=tmp_path)
    assert answer.returncode == 2
    assert "Traceback" not in answer.stderr


def test_help_names_every_command(tmp_path: Path) -> None:
    answer = program("-m", "kannelkit", "--help", cwd=tmp_path)
    assert answer.returncode == 0
    assert [command for command in COMMANDS if command not in answer.stdout] == []


def test_readme_names_every_command() -> None:
    table = README.read_text().partition("## Commands")[2]
    assert [command for command in COMMANDS if f"| `{command}" not in table] == []


def test_help_imports_nothing_heavy(tmp_path: Path) -> None:
    script = (
        "import atexit, json, sys\n"
        "sys.argv = ['kannelkit', '--help']\n"
        "atexit.register(lambda: print(json.dumps(sorted(sys.modules)), file=sys.stderr))\n"
        "from kannelkit.cli import main\n"
        "main()\n"
    )
    answer = program("-c", script, cwd=tmp_path)
    assert answer.returncode == 0
    assert set(HEAVY) & set(json.loads(answer.stderr)) == set()

"""`kannelkit pause` and `resume`: whose adaptation is asked for, and what is said of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.shell_completion import CompletionItem
from click.testing import CliRunner, Result

from kannelkit.cli.main import group
from kannelkit.cli.named import complete
from kannelkit.cli.pause import command
from kannelkit.errors import GatewayError
from tests.cli.answering import Answering, written

PAUSED = {"unit": "smscru", "accounts": ["smscru"], "paused": True, "changed": True, "throughput": 30}
GROUP = {"unit": "main", "accounts": ["a", "b"], "paused": False, "changed": True, "throughput": None}
AGAIN = {**PAUSED, "changed": False}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return written(tmp_path)


def run(*arguments: str | Path) -> Result:
    result = CliRunner().invoke(group, list(map(str, arguments)))
    assert "p4ssw0rd" not in result.output
    assert "Traceback" not in result.output
    return result


@pytest.mark.parametrize(
    ("unit", "said"),
    [
        (PAUSED, "smscru: paused at 30 SMS per second, until kannelkit resume {spec} smscru\n"),
        (AGAIN, "smscru: was paused already, 30 SMS per second\n"),
        ({**AGAIN, "paused": False}, "smscru: was not paused, 30 SMS per second\n"),
        (GROUP, "main (a, b, which share its rate): adapted again, from no limit on\n"),
    ],
)
@pytest.mark.parametrize("do", ["pause", "resume"])
def test_what_became_of_it_is_said(path: Path, do: str, unit: dict[str, object], said: str) -> None:
    with Answering(path, {do: {"units": [unit]}}) as answering:
        result = run(do, path, "smscru")
    assert (result.exit_code, result.stdout) == (0, said.format(spec=path))
    assert [(request["account"], request["all"]) for request in answering.asked] == [("smscru", False)]


def test_every_account_at_once(path: Path) -> None:
    with Answering(path, {"pause": {"units": [PAUSED, GROUP]}}) as answering:
        result = run("pause", path, "--all", "--json")
    assert json.loads(result.stdout) == {"units": [PAUSED, GROUP]}
    assert answering.asked[0]["all"] is True


@pytest.mark.parametrize("do", ["pause", "resume"])
@pytest.mark.parametrize("arguments", [[], ["smscru", "--all"]])
def test_one_account_or_all_has_to_be_named(path: Path, do: str, arguments: list[str]) -> None:
    result = run(do, path, *arguments)
    assert result.exit_code == 2
    assert "name an ACCOUNT, or give --all" in result.stderr


def test_an_unknown_account_lists_those_there_are_and_the_nearest(path: Path) -> None:
    result = run("pause", path, "smcru")
    assert result.exit_code == 2
    assert "no account 'smcru'; did you mean smscru? It has: bulk, smscru" in result.stderr


@pytest.mark.parametrize("do", ["pause", "resume"])
def test_without_a_supervisor_the_way_to_start_one_is_told(path: Path, do: str) -> None:
    result = run(do, path, "smscru")
    assert result.exit_code == 1
    assert f"the gateway does not run\n  hint: kannelkit up {path}" in result.stderr


def test_what_the_supervisor_says_against_it_is_told(path: Path) -> None:
    with Answering(path, {"pause": GatewayError("the gateway runs without an account 'bulk'", "a hint")}):
        result = run("pause", path, "bulk")
    assert result.exit_code == 1
    assert "error: the gateway runs without an account 'bulk'\n  hint: a hint" in result.stderr


def test_an_answer_of_another_version_is_told_in_words(path: Path) -> None:
    with Answering(path, {"pause": {}}):
        result = run("pause", path, "bulk")
    assert result.exit_code == 1
    assert "are both kannelkits the same version?" in result.stderr


@pytest.mark.parametrize(
    ("spec", "incomplete", "names"),
    [(True, "", ["bulk", "smscru"]), (True, "s", ["smscru"]), (True, "x", []), (False, "", [])],
)
def test_the_shell_completes_accounts(path: Path, spec: bool, incomplete: str, names: list[str]) -> None:
    with command.make_context("pause", [str(path if spec else path / "nowhere"), "x"]) as ctx:
        found: list[CompletionItem] = complete(ctx, command.params[1], incomplete)
    assert [item.value for item in found] == names

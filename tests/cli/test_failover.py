"""`kannelkit failover`: where an account is, and bringing it to the other host."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from kannelkit.cli.failover import lines
from kannelkit.cli.figures import local_time
from kannelkit.cli.main import group
from kannelkit.errors import GatewayError
from tests.cli.answering import AT, Answering, written

AT_HOME: dict[str, object] = {
    "account": "smscru",
    "side": "primary",
    "host": "smsc.test:2775",
    "other": "backup",
    "other_host": "smsc2.test:2775",
    "since": None,
    "why": None,
    "by_hand": False,
    "settled": True,
    "failed_returns": 0,
    "unusable": None,
    "back_after": None,
    "after": 30.0,
}
AWAY = {
    **AT_HOME,
    "side": "backup",
    "host": "smsc2.test:2775",
    "other": "primary",
    "other_host": "smsc.test:2775",
    "since": AT,
    "why": "no link online for 30 s",
    "back_after": 600.0,
    "failed_returns": 1,
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return written(tmp_path)


def run(*arguments: str | Path) -> Result:
    result = CliRunner().invoke(group, ["failover", *map(str, arguments)])
    assert "p4ssw0rd" not in result.output
    assert "Traceback" not in result.output
    return result


SAID = [
    (
        AT_HOME,
        [
            "smscru: on the primary, smsc.test:2775",
            "  next: to the backup, smsc2.test:2775, when it is of no use for 30 s",
        ],
    ),
    (
        AWAY,
        [
            f"smscru: on the backup, smsc2.test:2775 since {local_time(AT)}",
            "  why: no link online for 30 s",
            "  returns to the primary that did not hold: 1",
            "  next: home to the primary, smsc.test:2775, when that has answered for 600 s",
        ],
    ),
    (
        {**AWAY, "by_hand": True, "why": "by hand", "failed_returns": 0, "unusable": "no link online for 9 s"},
        [
            f"smscru: on the backup, smsc2.test:2775 since {local_time(AT)}",
            "  why: by hand",
            "  of no use now: no link online for 9 s",
            "  next: stays, until kannelkit failover SPEC smscru --to primary, or until it is of no use",
        ],
    ),
]


@pytest.mark.parametrize(("told", "said"), SAID)
def test_where_an_account_is_is_said_with_what_comes_next(told: dict[str, object], said: list[str]) -> None:
    assert list(lines(told, "SPEC")) == said


def test_a_move_that_is_not_finished_is_said() -> None:
    assert next(iter(lines({**AWAY, "settled": False}, "SPEC"))).endswith(", not finished")


def test_without_to_nothing_is_asked_for_but_the_side(path: Path) -> None:
    with Answering(path, {"failover": AWAY}) as answering:
        result = run(path, "smscru")
        found = json.loads(run(path, "smscru", "--json").stdout)
    assert (result.exit_code, result.stdout.splitlines()) == (0, SAID[1][1])
    assert found == AWAY
    assert {request["to"] for request in answering.asked} == {None}


def test_with_to_it_is_moved(path: Path) -> None:
    with Answering(path, {"failover": {**AWAY, "by_hand": True}}) as answering:
        result = run(path, "smscru", "--to", "backup")
        assert result.exit_code == 0
        assert run(path, "smscru", "--to", "backup", "--force").exit_code == 0
    asked = [(request["account"], request["to"], request["force"]) for request in answering.asked]
    assert asked == [("smscru", "backup", False), ("smscru", "backup", True)]


def test_what_cannot_be_is_said_with_what_to_do(path: Path) -> None:
    refusal = GatewayError("smscru is on its backup already", "without --to it is said since when, and why")
    with Answering(path, {"failover": refusal}):
        result = run(path, "smscru", "--to", "backup")
    assert result.exit_code == 1
    assert "smscru is on its backup already" in result.stderr
    assert "hint: without --to" in result.stderr
    result = run(path, "smscru")
    assert result.exit_code == 1
    assert f"kannelkit up {path}" in result.stderr


@pytest.mark.parametrize("arguments", [["smscr"], ["smscru", "--to", "elsewhere"], ["smscru", "--force"], []])
def test_wrong_use(path: Path, arguments: list[str]) -> None:
    assert run(path, *arguments).exit_code == 2


def test_an_answer_of_another_version_is_no_traceback(path: Path) -> None:
    with Answering(path, {"failover": {"side": "primary"}}):
        result = run(path, "smscru")
    assert result.exit_code == 1
    assert "same version" in result.stderr

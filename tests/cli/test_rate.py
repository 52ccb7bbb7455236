"""`kannelkit rate`: what an account runs at, and bringing it to a rate within the spec's bounds."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from kannelkit.cli.figures import local_time
from kannelkit.cli.main import group
from kannelkit.cli.rate import lines
from kannelkit.errors import GatewayError
from kannelkit.supervise.views import AccountView
from tests.cli.answering import AT, BULK, SMSCRU, STATE, Answering, written

DONE = {"unit": "smscru", "before": 30, "after": 25, "links_away_ms": 214, "online": True, "paused": False}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return written(tmp_path)


def run(*arguments: str | Path | int) -> Result:
    result = CliRunner().invoke(group, ["rate", *map(str, arguments)])
    assert "p4ssw0rd" not in result.output
    assert "Traceback" not in result.output
    return result


def test_without_a_number_the_rate_in_force_is_shown(path: Path) -> None:
    with Answering(path, {"state": STATE}) as answering:
        result = run(path, "smscru")
    assert (result.exit_code, result.stdout.splitlines()) == (
        0,
        [
            "smscru: 30 SMS per second",
            "  ceiling 60, floor 2",
            f"  learnt at {local_time(AT - 125)}",
            "  adapted to what the provider takes",
        ],
    )
    assert [request["do"] for request in answering.asked] == ["state"]
    with Answering(path, {"state": STATE}):
        found = json.loads(run(path, "bulk", "--json").stdout)
    assert (found["throughput"], found["by_hand"], found["paused"], found["since"]) == (15, True, True, AT - 60)


@pytest.mark.parametrize(
    ("view", "said"),
    [
        (BULK, ["bulk: 15 SMS per second", "  set by hand at ", "  paused: kannelkit resume SPEC bulk"]),
        (dataclasses.replace(SMSCRU, unit="main"), ["smscru: 30 SMS per second, shared by main"]),
        (dataclasses.replace(SMSCRU, settled=False), ["smscru: 30 SMS per second, being changed"]),
        (
            dataclasses.replace(SMSCRU, throughput=None, ceiling=None, rate_since=None),
            ["smscru: no limit", "  ceiling none, floor 2", "  nothing learnt: it runs at the ceiling"],
        ),
    ],
)
def test_what_is_special_about_a_rate_is_said(view: AccountView, said: list[str]) -> None:
    shown = list(lines(view, "SPEC"))
    assert [line for line in said if not any(each.startswith(line) for each in shown)] == []


@pytest.mark.parametrize(
    ("done", "said", "code"),
    [
        (DONE, "smscru: 30 -> 25 SMS per second, links back in 214 ms; adapted from there (kannelkit pause", 0),
        ({**DONE, "before": None}, "smscru: no limit -> 25 SMS per second, links back in 214 ms;", 0),
        ({**DONE, "paused": True}, "links back in 214 ms; paused until kannelkit resume", 0),
        ({**DONE, "before": 25}, "smscru: runs at 25 SMS per second already;", 0),
        ({**DONE, "online": False}, "smscru: 30 -> 25 SMS per second, links not back yet;", 1),
    ],
)
def test_what_became_of_a_rate_is_said(path: Path, done: dict[str, object], said: str, code: int) -> None:
    with Answering(path, {"state": STATE, "rate": done}) as answering:
        result = run(path, "smscru", 25)
    assert result.exit_code == code
    assert said in result.stdout
    assert result.stderr == "a step\n"
    request = answering.asked[1]
    assert (request["account"], request["throughput"], request["pause"]) == ("smscru", 25, False)


def test_pause_goes_along_and_json_is_alone_on_stdout(path: Path) -> None:
    with Answering(path, {"state": STATE, "rate": DONE}) as answering:
        result = run(path, "smscru", 25, "--pause", "--json")
    assert (json.loads(result.stdout), result.stderr) == (DONE, "")
    assert answering.asked[1]["pause"] is True


OUT_OF_BOUNDS = [
    ("smscru", 61, "61 is above the ceiling of smscru, 60 SMS per second", "throughput at {spec}:5:"),
    ("smscru", 1, "1 is below the floor of smscru, 2 SMS per second", "each of its connections needs 1 at least"),
]


@pytest.mark.parametrize(("account", "number", "message", "hint"), OUT_OF_BOUNDS)
def test_out_of_bounds_it_says_which_line_sets_them(
    path: Path, account: str, number: int, message: str, hint: str
) -> None:
    with Answering(path, {"state": STATE}) as answering:
        result = run(path, account, number)
    assert result.exit_code == 1
    assert f"error: {message}\n  hint: {hint.format(spec=path)}" in result.stderr
    assert [request["do"] for request in answering.asked] == ["state"]


def test_a_spec_that_says_more_by_now_is_to_be_applied(path: Path) -> None:
    path.write_text(path.read_text().replace("throughput: 60", "throughput: 90"))
    with Answering(path, {"state": STATE}):
        result = run(path, "smscru", 80)
    assert f"says 90 by now: kannelkit apply {path}" in result.stderr


def test_a_floor_that_the_spec_sets_is_named(path: Path) -> None:
    path.write_text(f"{path.read_text()}supervisor: {{rate: {{floor: 5}}}}\n")
    state = json.loads(json.dumps(STATE))
    state["state"]["accounts"][1]["floor"] = 5
    with Answering(path, {"state": state}):
        result = run(path, "bulk", 4)
    assert f"supervisor.rate.floor in {path} sets it; then kannelkit apply {path}" in result.stderr


@pytest.mark.parametrize("arguments", [["smscru", "0"], ["smscru", "-1"], ["smscru", "x"], ["smscru", "--pause"], []])
def test_wrong_use(path: Path, arguments: list[str]) -> None:
    assert run(path, *arguments).exit_code == 2


@pytest.mark.parametrize("state", [{}, {"state": {}}, {"state": {"accounts": 5}}, {"state": []}])
def test_an_answer_of_another_version_is_told_in_words(path: Path, state: dict[str, object]) -> None:
    with Answering(path, {"state": state}):
        result = run(path, "smscru")
    assert result.exit_code == 1
    assert "are both kannelkits the same version?" in result.stderr


def test_what_the_supervisor_says_against_it_is_told(path: Path) -> None:
    with Answering(path, {"state": STATE, "rate": GatewayError("no quiet moment", "try again")}):
        result = run(path, "smscru", 25)
    assert result.exit_code == 1
    assert "error: no quiet moment\n  hint: try again" in result.stderr


def test_without_a_supervisor_the_way_to_start_one_is_told(path: Path) -> None:
    result = run(path, "smscru", 25)
    assert result.exit_code == 1
    assert f"the gateway does not run\n  hint: kannelkit up {path}" in result.stderr


def test_where_something_else_runs_the_boxes_it_is_watch_that_is_missing(path: Path) -> None:
    path.write_text(path.read_text() + "supervisor: {conf-file: kannel.conf}\n")
    result = run(path, "smscru", 25)
    assert result.exit_code == 1
    assert f"no kannelkit watches this gateway\n  hint: kannelkit watch {path}" in result.stderr

"""`kannelkit history`: what was told, oldest first, of what was asked for, while nothing runs or while it is told."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from kannelkit.cli.figures import local_time
from kannelkit.cli.history import KINDS, Since
from kannelkit.cli.main import group
from kannelkit.supervise.memory import Event, Memory
from tests.cli.answering import AT, written

SUPERVISE = Path(__file__).parents[2] / "kannelkit/supervise"
TOLD = [
    Event(AT - 7200, "started", None, "bearerbox started (pid 12)", {"pid": 12}),
    Event(AT - 3600, "rate", "smscru", "smscru: throughput 60 -> 30\x1b[2J", {"before": 60, "after": 30}),
    Event(AT - 60, "note", "bulk", "bulk: bulk-1 is dead", {}),
    Event(AT - 30, "rate", "bulk", "bulk: throughput 20 -> 15", {"after": 15}),
    Event(AT, "rate", "gone", "gone: throughput 5 -> 4", {}),
]


@pytest.fixture
def path(tmp_path: Path) -> Iterator[Path]:
    path = written(tmp_path)
    (tmp_path / "state").mkdir()
    memory = Memory(tmp_path / "state/state.db")
    for event in TOLD:
        memory.tell(event)
    memory.close()
    yield path
    assert sorted(file.name for file in (tmp_path / "state").iterdir()) == ["state.db"]  # nothing was made


def run(*arguments: str | Path) -> Result:
    result = CliRunner().invoke(group, ["history", *map(str, arguments)])
    assert "Traceback" not in result.output
    return result


def moment(at: float) -> str:
    """Return a moment as a person writes it."""
    return datetime.fromtimestamp(at).astimezone().strftime("%Y-%m-%dT%H:%M:%S")


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ([], [0, 1, 2, 3, 4]),
        (["--last", "2"], [3, 4]),
        (["--kind", "rate"], [1, 3, 4]),
        (["--kind", "rate", "--kind", "note", "--last", "3"], [2, 3, 4]),
        (["--account", "bulk"], [2, 3]),
        (["--account", "gone"], [4]),  # not in the spec any more
        (["--since", moment(AT - 60)], [2, 3, 4]),
        (["--account", "smscru", "--kind", "note"], []),
    ],
)
def test_what_was_asked_for_comes_oldest_first(path: Path, asked: list[str], found: list[int]) -> None:
    result = run(path, *asked, "--json")
    assert result.exit_code == 0
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert lines == [TOLD[number].as_dict() for number in found]
    assert (result.stderr == "nothing of that was told\n") is (not found)


def test_people_read_local_times_and_nothing_that_steers_a_terminal(path: Path) -> None:
    assert run(path).stdout.splitlines()[:2] == [
        f"{local_time(AT - 7200)}  started        bearerbox started (pid 12)",
        f"{local_time(AT - 3600)}  rate           smscru: throughput 60 -> 30\\x1b[2J",
    ]


def test_before_anything_was_told(tmp_path: Path) -> None:
    path = written(tmp_path)
    result = run(path)
    assert result.exit_code == 1
    assert "nothing was told yet" in result.stderr
    assert f"hint: kannelkit up {path}" in result.stderr
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--account", "smscr"], "no account 'smscr'; did you mean smscru? It has: bulk, smscru"),
        (["--kind", "dance"], "'dance' is not one of"),
        (["--since", "yesterday"], "'yesterday' is no moment; write 2h, 30m, 3d, "),
        (["--last", "0"], "--last"),
    ],
)
def test_wrong_use(path: Path, arguments: list[str], said: str) -> None:
    result = run(path, *arguments)
    assert result.exit_code == 2
    assert said in result.stderr


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90), ("30m", 1800), ("2h", 7200), ("3d", 259_200), ("1w", 604_800)],
)
def test_a_span_is_so_long_ago(text: str, seconds: int) -> None:
    ago = datetime.now().astimezone() - timedelta(seconds=seconds)
    assert abs(Since().convert(text, None, None) - ago.timestamp()) < 60


@pytest.mark.parametrize("text", ["2026-11-22", "2026-11-22T13:04", "2026-11-22 13:04:05"])
def test_a_date_is_local(text: str) -> None:
    assert Since().convert(text, None, None) == datetime.fromisoformat(text).astimezone().timestamp()


def test_what_is_told_from_now_on_follows(path: Path) -> None:
    words = [sys.executable, "-u", "-m", "kannelkit", "history", str(path), "--follow", "--last", "1", "--json"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, env={**os.environ, "PYTHONUNBUFFERED": "1"}) as process:
        assert process.stdout is not None
        try:
            assert json.loads(process.stdout.readline()) == TOLD[4].as_dict()
            memory = Memory(path.parent / "state/state.db")
            news = Event(AT + 1, "failover", "smscru", "smscru: to its backup", {"to": "backup"})
            memory.tell(news)
            assert json.loads(process.stdout.readline()) == news.as_dict()
            memory.close()
        finally:
            process.send_signal(2)
        assert process.wait() == 0


def test_every_kind_that_is_told_can_be_asked_for() -> None:
    told = set()
    for module in SUPERVISE.glob("*.py"):
        for node in ast.walk(ast.parse(module.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args:
                first = node.args[0]
                # `tell` of a Journal or a Running; others of that name are given one text
                if node.func.attr == "say" or (node.func.attr == "tell" and len(node.args) > 1):
                    assert isinstance(first, ast.Constant | ast.Name), f"{module.name}:{node.lineno}"
                    told |= {first.value} if isinstance(first, ast.Constant) else set()
    assert told - KINDS.keys() == set()
    assert {"rate", "failover", "ready"} <= told


@pytest.mark.parametrize(("no_color", "coloured"), [("", True), ("1", False)])
def test_colours_in_a_terminal_unless_they_are_not_wanted(path: Path, no_color: str, coloured: bool) -> None:
    runner = CliRunner(env={"NO_COLOR": no_color})
    for words in (["history", str(path)], ["history", str(path.with_name("nowhere"))]):  # and what went wrong, too
        result = runner.invoke(group, words, color=True)
        assert ("\x1b[" in result.output) is coloured

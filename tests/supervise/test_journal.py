"""Journal: every event is told and kept; where it cannot be kept it is still told."""

from __future__ import annotations

from pathlib import Path

import pytest

from kannelkit.errors import GatewayError
from kannelkit.supervise.journal import Journal, in_one_line
from kannelkit.supervise.memory import Event, Memory


def test_an_event_is_told_and_kept(tmp_path: Path) -> None:
    told: list[Event] = []
    memory = Memory(tmp_path / "state.db")
    journal = Journal(memory, told.append)
    journal.tell("rate", "a: 60 -> 30", "a", before=60, after=30)
    journal.tell("ready", "ready")
    assert [(one.kind, one.text, one.account, one.data) for one in told] == [
        ("rate", "a: 60 -> 30", "a", {"before": 60, "after": 30}),
        ("ready", "ready", None, {}),
    ]
    assert memory.events() == told
    memory.close()


def test_what_cannot_be_kept_is_still_told(tmp_path: Path) -> None:
    Memory(tmp_path / "state.db").close()
    told: list[Event] = []
    reader = Memory(tmp_path / "state.db", read_only=True)  # which cannot write, like one on a full disk
    journal = Journal(reader, told.append)
    journal.tell("rate", "a: 60 -> 30")
    assert [one.text for one in told] == ["a: 60 -> 30"]
    reader.close()


def test_what_was_told_before_is_known_after_a_restart(tmp_path: Path) -> None:
    memory = Memory(tmp_path / "state.db")
    first = Journal(memory, lambda event: None)
    for number in range(60):
        first.tell("rate", f"a: {number}", "a", direction="lower", after=number)
    first.tell("note", "b: note", "b")
    again = Journal(memory, lambda event: None)
    for journal in (first, again):
        assert [event.text for event in journal.recent(2)] == ["a: 59", "b: note"]
        assert len(journal.recent(100)) == 50
        assert journal.recent(0) == []
        newest = journal.newest("rate", "a")
        assert newest is not None
        assert newest.data == {"direction": "lower", "after": 59}
        assert journal.newest("rate", "b") is None
    again.tell("failover", "b: moved", "b", to="backup")
    moved = again.newest("failover", "b")
    assert moved is not None
    assert moved.data == {"to": "backup"}
    memory.close()


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (GatewayError("no"), "no"),
        (GatewayError("no", "try again"), "no; try again"),
        (
            GatewayError("agree to this:\n  one goes\n  two goes", "with --yes"),
            "agree to this: one goes; two goes; with --yes",
        ),
        (GatewayError(""), ""),
    ],
)
def test_an_error_is_one_line(error: GatewayError, line: str) -> None:
    assert in_one_line(error) == line

"""Memory: what survives a restart and a boot, what a reader may do, and a file that cannot be used."""

from __future__ import annotations

import sqlite3
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kannelkit.errors import HostError
from kannelkit.host.processes import ProcessId
from kannelkit.supervise.memory import Event, KeptSide, Memory
from kannelkit.throttle.values import Learnt


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state.db"


@pytest.fixture
def memory(path: Path) -> Iterator[Memory]:
    memory = Memory(path)
    yield memory
    memory.close()


def test_what_was_learnt_is_there_after_a_restart(path: Path) -> None:
    memory = Memory(path)
    memory.learn("a", Learnt(30, 2), 1.0)
    memory.learn("b", Learnt(7, 0), 2.0, settled=False)
    memory.learn("a", Learnt(33, 3), 3.0)
    memory.close()
    again = Memory(path)
    assert again.learnt() == {"a": Learnt(33, 3), "b": Learnt(7, 0)}
    assert again.unsettled() == {"b"}
    again.learn("b", Learnt(7, 0), 4.0)
    again.learn("a", None, 5.0)
    assert (again.learnt(), again.unsettled()) == ({"b": Learnt(7, 0)}, frozenset())
    again.close()


def test_what_was_learnt_is_on_the_disk_before_the_writer_ends(path: Path, memory: Memory) -> None:
    memory.learn("a", Learnt(30, 2), 1.0)
    reader = Memory(path, read_only=True)
    assert reader.learnt() == {"a": Learnt(30, 2)}
    reader.close()


def test_boxes_of_another_boot_are_forgotten(path: Path, memory: Memory) -> None:
    memory.box("bearerbox", ProcessId(12, 34.56))
    memory.box("smsbox", ProcessId(13, 34.57))
    assert memory.boxes() == {"bearerbox": ProcessId(12, 34.56), "smsbox": ProcessId(13, 34.57)}
    memory.box("smsbox", None)
    with sqlite3.connect(path) as other:
        other.execute("UPDATE boxes SET boot = 'another boot'")
    other.close()
    assert memory.boxes() == {}


def test_events_come_back_in_their_order_and_the_oldest_go(path: Path, memory: Memory) -> None:
    told = [Event(float(at), "rate", "a" if at % 2 else None, f"text {at}", {"n": at, "x": "й"}) for at in range(10)]
    for event in told[:9]:
        memory.tell(event)
    with sqlite3.connect(path) as other:  # as if 99,995 more had been told between the last two
        other.execute("UPDATE events SET id = 100004 WHERE id = 9")
    other.close()
    assert memory.events() == told[:9]
    memory.tell(told[9])
    assert memory.events() == told[5:]
    assert memory.events(2) == told[8:]


def test_an_event_is_one_flat_object() -> None:
    assert Event(1.0, "rate", "a", "text", {"before": 60}).as_dict() == {
        "at": 1.0,
        "kind": "rate",
        "account": "a",
        "text": "text",
        "before": 60,
    }


def test_others_may_not_read_the_file(path: Path, memory: Memory) -> None:
    assert stat.S_IMODE(path.stat().st_mode) & stat.S_IRWXO == 0


def test_a_reader_writes_nothing(path: Path) -> None:
    Memory(path).close()
    before = {file.name: file.stat().st_mtime_ns for file in path.parent.iterdir()}
    reader = Memory(path, read_only=True)
    assert (reader.learnt(), reader.boxes(), reader.events()) == ({}, {}, [])
    with pytest.raises(HostError):
        reader.learn("a", Learnt(1), 1.0)
    reader.close()
    assert {file.name: file.stat().st_mtime_ns for file in path.parent.iterdir()} == before


def test_a_reader_makes_no_file(path: Path) -> None:
    with pytest.raises(HostError):
        Memory(path, read_only=True).learnt()
    assert not path.exists()


DAMAGED = {
    "no database": b"this is no database, but it is long enough to be taken for one\n" * 100,
    "cut": None,
    "another one's": "CREATE TABLE rates (x)",
}


@pytest.mark.parametrize("damage", DAMAGED)
def test_a_damaged_file_is_told_in_words(path: Path, damage: str) -> None:
    content = DAMAGED[damage]
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content is not None:
        other = sqlite3.connect(path)
        other.execute(content)
        other.close()
    else:
        whole = Memory(path)
        for at in range(500):
            whole.tell(Event(float(at), "rate", None, "text" * 50, {}))
        whole.close()
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(HostError, match=r"state\.db"):
        _use(path)


def _use(path: Path) -> None:
    memory = Memory(path)
    try:
        memory.learnt()
        memory.events(1000)
    finally:
        memory.close()


def test_a_newer_kannelkits_file_is_left_alone(path: Path) -> None:
    Memory(path).close()
    other = sqlite3.connect(path)
    other.execute("PRAGMA user_version = 99")
    other.close()
    with pytest.raises(HostError, match="newer kannelkit"):
        Memory(path)


def test_a_folder_that_is_not_there_is_told_in_words(tmp_path: Path) -> None:
    with pytest.raises(HostError, match="No such file"):
        Memory(tmp_path / "nowhere" / "state.db")


HISTORY = [
    Event(float(at), kind, account, f"text {at}", {"n": at})
    for at, (kind, account) in enumerate(
        [("started", None), ("rate", "a"), ("rate", "b"), ("note", "a"), ("rate", "a"), ("failover", "b")]
    )
]


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({}, [0, 1, 2, 3, 4, 5]),
        ({"most": 2}, [4, 5]),
        ({"kinds": ["rate"]}, [1, 2, 4]),
        ({"kinds": ["rate", "failover"], "accounts": ["b"]}, [2, 5]),
        ({"accounts": ["a", "b"], "most": 3}, [3, 4, 5]),
        ({"since": 3.0}, [3, 4, 5]),
        ({"after": 5}, [5]),
        ({"accounts": ["nobody"]}, []),
    ],
)
def test_history_is_what_was_asked_for(memory: Memory, asked: dict[str, Any], found: list[int]) -> None:
    for event in HISTORY:
        memory.tell(event)
    assert memory.history(**asked) == [(number + 1, HISTORY[number]) for number in found]


def test_the_newest_of_a_kind_is_known_for_each_account(memory: Memory) -> None:
    for event in HISTORY:
        memory.tell(event)
    assert memory.newest("rate") == {"a": HISTORY[4], "b": HISTORY[2]}
    assert memory.newest("started") == {}


def test_shares_pauses_and_sides_are_there_after_a_restart(path: Path) -> None:
    memory = Memory(path)
    memory.share("a", (29, 1))
    memory.share("b", (5, 5))
    memory.share("b", ())
    memory.pause("a", paused=True)
    memory.pause("a", paused=True)
    memory.pause("b", paused=True)
    memory.pause("b", paused=False)
    memory.hold("a", 7.5)
    memory.hold("b", 3.0)
    memory.hold("b", None)
    memory.side("a", KeptSide("backup", 5.0, failed_returns=2, settled=False, by_hand=True))
    memory.close()
    again = Memory(path, read_only=True)
    assert again.shares() == {"a": (29, 1)}
    assert again.paused() == {"a"}
    assert again.held() == {"a": 7.5}
    assert again.sides() == {"a": KeptSide("backup", 5.0, failed_returns=2, settled=False, by_hand=True)}
    again.close()


def test_a_reader_finds_nothing_of_what_an_older_kannelkit_did_not_keep(path: Path) -> None:
    base = sqlite3.connect(path)
    base.execute("CREATE TABLE rates (account TEXT, throughput INTEGER, refuted INTEGER, at REAL, settled INTEGER)")
    base.close()
    reader = Memory(path, read_only=True)
    assert (reader.shares(), reader.paused(), reader.sides(), reader.held()) == ({}, frozenset(), {}, {})
    reader.close()

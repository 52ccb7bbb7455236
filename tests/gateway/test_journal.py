"""What is remembered of lists: over runs, processes, changed files and a minute."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from kannelkit.errors import HostError, KannelkitError
from kannelkit.gateway.journal import FILE, KEPT_DAYS, Journal, State

NOW = 1_800_000_000.0
A, B, C = b"a" * 16, b"b" * 16, b"c" * 16


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with Journal(tmp_path) as journal:
        yield journal


def sent(journal: Journal, file: str, **states: State | None) -> int:
    """Send a list of the messages named by letters, None for one that is never begun; end it where all were taken."""
    ids = [letter.encode() * 16 for letter in states]
    taken_up = journal.take_up(file, ids, NOW)
    known = [(each, state, None) for each, state in zip(ids, states.values(), strict=True) if state]
    journal.write(taken_up.id, NOW, same_within=60, begun=[(each, None) for each, _, _ in known])
    answered = [each for each in known if each[1] is not State.BEGUN]
    journal.write(taken_up.id, NOW, same_within=60, answered=answered)
    if set(states.values()) == {State.TAKEN}:
        journal.end(taken_up.id, NOW)
    return taken_up.id


def test_a_broken_list_is_gone_on_with(journal: Journal) -> None:
    first = sent(journal, "f", a=State.TAKEN, b=State.BEGUN, c=State.REFUSED, d=None)
    again = journal.take_up("f", [A, B, C, b"d" * 16], NOW + 9)
    assert (again.id, again.new, again.since) == (first, False, NOW)
    assert again.states == {A: State.TAKEN, B: State.BEGUN, C: State.REFUSED}


def test_what_was_begun_and_not_answered_is_known_after_the_end_of_the_process(tmp_path: Path) -> None:
    with Journal(tmp_path) as journal:
        sent(journal, "f", a=State.BEGUN)
    with Journal(tmp_path) as journal:
        assert journal.take_up("f", [A], NOW).states == {A: State.BEGUN}


@pytest.mark.parametrize(
    ("first", "file", "ids", "resume", "anew", "result"),
    [
        ("f", "f", [A, B], False, False, "--anew sends it once more"),
        ("f", "g", [A, B], False, False, "--anew sends it once more"),  # a copy of the file
        ("", "", [A, B], False, False, "--anew sends it once more"),
        ("f", "f", [A, B, C], False, False, "--resume sends the others"),
        ("f", "f", [A, B, C], True, False, {A, B}),
        ("f", "f", [A, B], True, False, {A, B}),
        ("f", "f", [A, B], False, True, set()),
        ("f", "f", [C], False, False, set()),  # tomorrow's list in the same file
        ("f", "g", [A, B, C], False, False, set()),  # another list
        ("", "", [A, B, C], False, False, set()),
    ],
)
def test_a_list_that_was_sent_is_not_sent_by_mistake(
    journal: Journal, first: str, file: str, ids: list[bytes], resume: bool, anew: bool, result: str | set[bytes]
) -> None:
    sent(journal, first, a=State.TAKEN, b=State.TAKEN)
    if isinstance(result, str):
        with pytest.raises(KannelkitError) as caught:
            journal.take_up(file, ids, NOW + 9, resume=resume, anew=anew)
        assert result in caught.value.hint
    else:
        found = journal.take_up(file, ids, NOW + 9, resume=resume, anew=anew)
        assert set(found.states) == result
        assert found.new is not bool(result)


def test_what_was_in_the_file_before_its_last_content_is_known_too(journal: Journal) -> None:
    sent(journal, "f", a=State.TAKEN)
    sent(journal, "f", b=State.TAKEN)
    with pytest.raises(KannelkitError, match="all of it"):
        journal.take_up("f", [A], NOW + 9)
    assert set(journal.take_up("f", [A, B, C], NOW + 9, resume=True).states) == {A, B}


def test_an_unknown_fate_is_not_forgotten_with_the_list_that_was_given_up(journal: Journal) -> None:
    sent(journal, "f", a=State.BEGUN)
    journal.end(journal.take_up("f", [B], NOW + 9, anew=True).id, NOW + 9)
    third = journal.take_up("f", [A], NOW + 10, anew=True).id
    journal.write(third, NOW + 10, same_within=60, begun=[(A, None)])
    journal.write(third, NOW + 10, same_within=60, answered=[(A, State.REFUSED, None)])
    journal.end(third, NOW + 10)
    found = journal.take_up("f", [A, C], NOW + 11)
    assert found.states == {A: State.BEGUN}


def test_a_list_sent_anew_is_another_one_from_then_on(journal: Journal) -> None:
    first = sent(journal, "f", a=State.TAKEN, b=State.BEGUN)
    second = journal.take_up("f", [A, B], NOW + 9, anew=True)
    assert (second.new, second.states) == (True, {})
    assert second.id != first
    assert journal.take_up("f", [A, B], NOW + 10).id == second.id


def test_a_changed_file_goes_on_with_what_is_left_of_it(journal: Journal) -> None:
    first = sent(journal, "f", a=State.TAKEN, b=State.REFUSED)
    found = journal.take_up("f", [C, A], NOW + 9)
    assert (found.id, found.states) == (first, {A: State.TAKEN})


def test_a_broken_list_of_which_nothing_is_left_is_not_taken_for_new(journal: Journal) -> None:
    sent(journal, "f", a=State.TAKEN, b=State.REFUSED)
    with pytest.raises(KannelkitError, match="1 other messages of this file were sent") as caught:
        journal.take_up("f", [C], NOW + 9)
    assert "--anew" in caught.value.hint
    assert journal.take_up("f", [C], NOW + 9, resume=True).states == {}


def test_a_list_that_nothing_was_sent_of_may_change(journal: Journal) -> None:
    first = sent(journal, "f", a=State.REFUSED, b=None)
    assert journal.take_up("f", [C], NOW + 9).id == first


def test_no_two_processes_send_one_list(journal: Journal, tmp_path: Path) -> None:
    journal.take_up("f", [A], NOW)
    program = (
        "import sys; from pathlib import Path; from kannelkit.gateway.journal import Journal\n"
        "journal = Journal(Path(sys.argv[1]))\n"
        "print(journal.take_up('g', [b'c' * 16], 0).id)\n"
        "journal.take_up('f', [b'a' * 16], 0, anew=len(sys.argv) > 2)"
    )
    for anew in ([], ["anew"]):
        run = [sys.executable, "-c", program, str(tmp_path), *anew]
        answer = subprocess.run(run, capture_output=True, text=True, timeout=60, check=False)
        assert answer.stdout == "2\n"
        assert "another kannelkit is sending this list" in answer.stderr


def test_a_message_is_held_back_for_as_long_as_its_like_would_be_refused(journal: Journal) -> None:
    def begun(at: float) -> bool:
        return not journal.write(None, at, begun=[(A, b"like")], same_within=60)

    assert begun(NOW)
    assert not begun(NOW + 59)
    assert journal.recent(NOW - 1) == {b"like": NOW}
    assert begun(NOW + 60)
    journal.write(None, NOW + 61, same_within=60, answered=[(A, State.REFUSED, b"like")])
    assert begun(NOW + 62)
    journal.write(None, NOW + 70, same_within=60, answered=[(A, State.TAKEN, b"like")])
    assert not begun(NOW + 125)  # the minute begins when it was taken
    assert begun(NOW - 1000)  # the clock was set back: nobody waits for a quarter of an hour


def test_two_alike_in_one_turn(journal: Journal) -> None:
    assert journal.write(None, NOW, begun=[(A, b"like"), (B, b"like")], same_within=60) == {B}


def test_what_is_done_is_forgotten_in_time(journal: Journal) -> None:
    sent(journal, "f", a=State.TAKEN)
    later = NOW + KEPT_DAYS * 86_400 + 1
    found = journal.take_up("g", [B], later)
    journal.end(found.id, later)
    assert journal.take_up("f", [A], later).new


def test_nobody_else_reads_it_and_it_tells_nothing(tmp_path: Path) -> None:
    with Journal(tmp_path) as journal:
        digest = journal.digest("79991234567", "a secret text")
        journal.write(journal.take_up("f", [digest], NOW).id, NOW, same_within=60, begun=[(digest, digest)])
        files = {path.name: path for path in tmp_path.iterdir()}
        assert files[FILE].name == "send.db"
        assert {stat.S_IMODE(path.stat().st_mode) for path in files.values()} == {0o600}
        assert b"7999" not in b"".join(path.read_bytes() for path in files.values())


def test_digests_of_two_journals_have_nothing_in_common(tmp_path: Path) -> None:
    for name in "ab":
        (tmp_path / name).mkdir()
    with Journal(tmp_path / "a") as one, Journal(tmp_path / "b") as other, Journal(tmp_path / "a") as again:
        assert one.digest("7999", "hello") == again.digest("7999", "hello") != other.digest("7999", "hello")
        assert one.digest("79", "99") != one.digest("7", "999")


def test_the_journal_of_another_version_is_left_alone(tmp_path: Path) -> None:
    Journal(tmp_path).__exit__(None, None, None)
    base = sqlite3.connect(tmp_path / FILE)
    base.execute("PRAGMA user_version = 99")
    base.close()
    with pytest.raises(HostError, match="another version"):
        Journal(tmp_path)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_what_root_writes_belongs_to_the_owner_of_the_folder(tmp_path: Path) -> None:
    os.chown(tmp_path, 12345, 12345)
    with Journal(tmp_path) as journal:
        sent(journal, "f", a=State.TAKEN)
        assert {path.stat().st_uid for path in tmp_path.iterdir()} == {12345}


@pytest.mark.parametrize("content", [b"no database at all, but long enough to be taken for one" * 20, None])
def test_a_file_that_is_no_journal_is_an_error_in_words(tmp_path: Path, content: bytes | None) -> None:
    if content is None:
        (tmp_path / FILE).mkdir()
    else:
        (tmp_path / FILE).write_bytes(content)
    with pytest.raises(HostError, match=FILE):
        Journal(tmp_path)

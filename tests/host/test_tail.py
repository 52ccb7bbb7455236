"""What Tail makes of each thing that can be done to a log."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kannelkit.host.tail import Position, Tail


def read_all(tail: Tail) -> list[bytes]:
    """Read until nothing came so often that even one octet a read would have made a line."""
    lines: list[bytes] = []
    empty = 0
    while empty < 150:
        more = tail.read()
        empty = 0 if more else empty + 1
        lines += more
    return lines


@given(
    octets=st.lists(st.sampled_from([b"\n", b"\n", b"\0", b"a", b"bcd", b"x" * 9, b"y" * 40])).map(b"".join),
    cuts=st.lists(st.integers(0, 60), max_size=20),
    most_octets=st.integers(1, 30),
    max_line=st.integers(0, 30),
    anew=st.booleans(),
)
def test_lines_are_the_same_however_they_come_and_are_read(
    tmp_path_factory: pytest.TempPathFactory,
    octets: bytes,
    cuts: list[int],
    most_octets: int,
    max_line: int,
    anew: bool,
) -> None:
    path = tmp_path_factory.mktemp("log") / "log"
    path.touch()
    lines: list[bytes] = []
    since = None
    tail = Tail(path, from_end=False, max_line=max_line, most_octets=most_octets)
    for cut in [*cuts, len(octets)]:
        append(path, octets[:cut])
        octets = octets[cut:]
        lines += tail.read()
        if anew:
            since = tail.position
            tail.close()
            tail = Tail(path, from_end=False, max_line=max_line, most_octets=most_octets, since=since)
    while path.stat().st_size > (tail.position or Position(0, 0, 0, False, "", 0)).offset:
        lines += tail.read()
    tail.close()
    whole = [line.lstrip(b"\0") for line in path.read_bytes().split(b"\n")[:-1]]
    assert lines == [line for line in whole if len(line) <= max_line]


def append(path: Path, octets: bytes) -> None:
    with path.open("ab") as file:
        file.write(octets)


def test_the_rest_of_a_renamed_file_comes_before_the_new_one_even_when_logrotate_made_that_long_ago(
    tmp_path: Path,
) -> None:
    path = tmp_path / "log"
    append(path, b"1\n")
    with Tail(path, from_end=False) as tail:
        assert tail.read() == [b"1"]
        path.rename(tmp_path / "log.1")
        path.touch()
        assert tail.read() == []
        append(tmp_path / "log.1", b"2\n")
        assert tail.read() == [b"2"]
        append(tmp_path / "log.1", b"3\n")
        append(path, b"4\n")
        assert tail.read() == [b"3", b"4"]


def test_two_rotations_while_the_new_file_was_empty_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "log"
    append(path, b"1\n")
    with Tail(path, from_end=False) as tail:
        path.rename(tmp_path / "log.1")
        path.touch()
        assert tail.read() == [b"1"]
        path.rename(tmp_path / "log.2")
        append(tmp_path / "log.2", b"2\n")
        append(path, b"3\n")
        assert tail.read() == [b"2", b"3"]


def test_from_the_end_begins_with_the_next_whole_line(tmp_path: Path) -> None:
    path = tmp_path / "log"
    append(path, b"old\nhalf of a li")
    with Tail(path, from_end=True) as tail:
        assert tail.read() == []
        append(path, b"ne\nnew\n")
        assert tail.read() == [b"new"]


def test_from_the_end_reads_a_file_that_comes_later_from_its_start(tmp_path: Path) -> None:
    path = tmp_path / "log"
    with Tail(path, from_end=True) as tail:
        assert tail.read() == []
        append(path, b"first\n")
        assert tail.read() == [b"first"]


def test_a_part_is_no_line_until_it_ends_or_its_file_is_left_for_good(tmp_path: Path) -> None:
    path = tmp_path / "log"
    with Tail(path, from_end=False) as tail:
        append(path, b"a")
        assert tail.read() == []
        append(path, b"b\nc")
        assert tail.read() == [b"ab"]
        path.rename(tmp_path / "log.1")
        append(path, b"d\n")
        assert tail.read() == [b"c", b"d"]


@pytest.mark.parametrize(
    ("before", "after", "lines"),
    [
        (b"1\n2\n", b"", []),
        (b"1\n2\n", b"3\n", [b"3"]),
        (b"1\n2\n", b"3\n4\n", [b"3", b"4"]),  # just as long as before
        (b"1\n2\n", b"3\n4\n5\n6\n", [b"3", b"4", b"5", b"6"]),  # longer than before
        (b"1\n2 half", b"3\n", [b"3"]),
        (b"1\n" * 9000, b"\0" * 18000 + b"2\n", [b"2"]),  # a writer that goes on at its old place
    ],
)
def test_a_file_that_was_cut_is_read_from_its_start(
    tmp_path: Path, before: bytes, after: bytes, lines: list[bytes]
) -> None:
    path = tmp_path / "log"
    append(path, before)
    with Tail(path, from_end=False) as tail:
        tail.read()
        path.write_bytes(after)
        assert read_all(tail) == lines
        assert tail.truncations == 1


def left_at(path: Path) -> Position:
    """Read a log to its end and return where that is."""
    with Tail(path, from_end=False) as tail:
        read_all(tail)
        assert tail.position is not None
        return tail.position


def test_a_reader_goes_on_where_an_earlier_one_was(tmp_path: Path) -> None:
    path = tmp_path / "log"
    append(path, b"1\n2\nha")
    since = left_at(path)
    append(path, b"lf\n3\n")
    with Tail(path, from_end=True, since=since) as tail:
        assert tail.read() == [b"half", b"3"]
        assert (tail.missing, tail.truncations) == (False, 0)


@pytest.mark.parametrize("names", [("log.2", "log.1"), ("log-20261122", "log-20261123-01")])
def test_what_was_rotated_meanwhile_is_read_in_the_order_in_which_it_was_written(
    tmp_path: Path, names: tuple[str, str]
) -> None:
    path = tmp_path / "log"
    for number, name in enumerate(["log.0", "log.bak", "log.1.gz", *names]):
        (tmp_path / name).write_bytes(b"%s\n" % name.encode())
        os.utime(tmp_path / name, (1000 + number, 1000 + number))
    since = left_at(tmp_path / names[0])
    append(tmp_path / names[0], b"more\n")
    os.utime(tmp_path / names[0], (2000, 2000))
    os.utime(tmp_path / names[1], (3000, 3000))
    append(path, b"newest\n")
    with Tail(path, from_end=False, since=since) as tail:
        assert tail.read() == [b"more", names[1].encode(), b"newest"]
        assert not tail.missing


@pytest.mark.parametrize(
    ("fate", "lines", "missing", "truncations"),
    [
        ("removed", [b"3"], True, 0),
        ("compressed", [b"3"], True, 0),
        ("cut", [b"3"], False, 1),  # copytruncate: the copy beside it holds lines that were read
    ],
)
def test_what_cannot_be_read_any_more_is_told(
    tmp_path: Path, fate: str, lines: list[bytes], missing: bool, truncations: int
) -> None:
    path = tmp_path / "log"
    append(path, b"1\n2\n")
    since = left_at(path)
    if fate == "cut":
        (tmp_path / "log.1").write_bytes(path.read_bytes())
        os.truncate(path, 0)
    else:
        path.rename(tmp_path / "log.1")
        if fate == "compressed":
            (tmp_path / "log.1.gz").write_bytes(b"\x1f\x8b")
        path.touch()  # while the other one is there, so that it gets another number
        (tmp_path / "log.1").unlink()
    append(path, b"3\n")
    with Tail(path, from_end=True, since=since) as tail:
        assert tail.read() == lines
        assert (tail.missing, tail.truncations) == (missing, truncations)


def test_a_position_whose_folder_is_gone_is_told(tmp_path: Path) -> None:
    append(tmp_path / "log", b"1\n")
    since = left_at(tmp_path / "log")
    with Tail(tmp_path / "gone" / "log", from_end=False, since=since) as tail:
        assert tail.missing
        assert tail.read() == []


def test_a_position_holds_no_text_of_the_log(tmp_path: Path) -> None:
    path = tmp_path / "log"
    with Tail(path, from_end=False) as tail:
        assert tail.position is None
        append(path, b"password: hunter2\n")
        assert tail.read()
        assert b"hunter2".hex() not in str(tail.position)
        assert "hunter2" not in str(tail.position)


def test_an_overlong_line_is_dropped_and_counted_and_the_next_one_comes(tmp_path: Path) -> None:
    path = tmp_path / "log"
    append(path, b"a\n" + b"x" * 101 + b"\n" + b"y" * 100 + b"\nz\n")
    with Tail(path, from_end=False, max_line=100) as tail:
        assert tail.read() == [b"a", b"y" * 100, b"z"]
        assert tail.dropped == 1


def test_an_endless_line_takes_no_memory_and_is_dropped_once(tmp_path: Path) -> None:
    path = tmp_path / "log"
    with Tail(path, from_end=False, max_line=100) as tail:
        for _ in range(50):
            append(path, b"x" * 60)
            assert tail.read() == []
        append(path, b"\nnext\n")
        assert tail.read() == [b"next"]
        assert tail.dropped == 1


def test_octets_of_every_kind_stay_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "log"
    odd = [b"a\0b", bytes(range(11, 256)), "я".encode(), b"\r", b""]
    append(path, b"".join(line + b"\n" for line in odd))
    with Tail(path, from_end=False) as tail:
        assert tail.read() == odd


def test_a_burst_is_read_in_pieces_of_bounded_size(tmp_path: Path) -> None:
    path = tmp_path / "log"
    lines = [b"%07d" % number for number in range(5000)]
    append(path, b"\n".join(lines) + b"\n")
    with Tail(path, from_end=False, most_octets=8 * 100) as tail:
        first = tail.read()
        assert first == lines[:100]
        assert first + read_all(tail) == lines


@pytest.mark.parametrize("kind", ["folder", "pipe", "link to nowhere", "link to itself"])
def test_what_is_no_file_gives_no_lines_and_never_waits(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "log"
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to(path if kind == "link to itself" else tmp_path / "nowhere")
    with Tail(path, from_end=False) as tail:
        assert tail.read() == []
        assert bool(tail.problem) == (kind != "link to nowhere")


def test_many_renames_of_empty_files_do_not_use_up_the_descriptors(tmp_path: Path) -> None:
    path = tmp_path / "log"
    append(path, b"1\n")
    with Tail(path, from_end=False) as tail:
        lines = []
        for number in range(100):
            path.rename(tmp_path / f"log.{number}")
            path.touch()
            lines += tail.read()
        append(path, b"2\n")
        assert lines + tail.read() == [b"1", b"2"]
        assert len(os.listdir("/proc/self/fd")) < 100


def test_close_gives_the_descriptors_back(tmp_path: Path) -> None:
    path = tmp_path / "log"
    append(path, b"1\n")
    tail = Tail(path, from_end=False)
    before = len(os.listdir("/proc/self/fd"))
    tail.close()
    assert len(os.listdir("/proc/self/fd")) == before - 1


def test_nothing_is_lost_while_a_writer_in_another_thread_goes_through_many_rotations(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.touch()
    wants_to_rotate, may_rotate = threading.Event(), threading.Event()
    written: list[bytes] = []

    def write() -> None:
        file = path.open("ab", buffering=0)
        for number in range(20_000):
            line = b"%06d" % number
            file.write(line + b"\n")
            written.append(line)
            if number % 1000 == 300:
                # the reader looks once in between: nobody can know a file that came and went between two looks
                wants_to_rotate.set()
                may_rotate.wait()
                may_rotate.clear()
                path.rename(tmp_path / f"log.{number}")
                path.touch()
            elif number % 1000 == 600:  # for 300 lines it went on in the renamed file
                file.close()
                file = path.open("ab", buffering=0)
        file.close()

    writer = threading.Thread(target=write)
    with Tail(path, from_end=False, most_octets=3000) as tail:
        lines: list[bytes] = []
        writer.start()
        while writer.is_alive():
            wanted = wants_to_rotate.is_set()
            lines += tail.read()
            if wanted:
                wants_to_rotate.clear()
                may_rotate.set()
        writer.join()
        lines += read_all(tail)
    assert lines == written

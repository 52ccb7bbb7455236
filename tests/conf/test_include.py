"""Included files and folders are read as Kannel reads them, and what would stop it is told."""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from kannelkit.conf import Opened, Opener, Reading, opener, read_files
from tests.conf.judge import as_read, kannel_reads_files, read_here

Files = Mapping[str, str]

SERVICE = "group = sms-service\n"
NAMES = ("main", "a", "b", "d/x", "d/.y", "d/e/z")
LINES = st.sampled_from(
    [
        SERVICE, SERVICE, "text = 1\n", "text = 2\n", "name = x\n", "\n", "\n", "# include = a\n", "include = a\n",
        "include = b\n", 'include="d"\n', "include = ./a\n", "include = d/x\n", "include = d/e\n", "xinclude = b\n",
        "text = include b\n", "include = nowhere\n", "include = d/\n", "text \\\n", "include = \\\n", "", "x",
    ]
)  # fmt: skip
FILES = st.fixed_dictionaries({name: st.lists(LINES, max_size=5).map("".join) for name in NAMES})


def lay(folder: Path, files: Files) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "d" / "e").mkdir(parents=True)
    for name, text in files.items():
        (folder / name).write_text(text)


def rules(reading: Reading) -> list[str]:
    return [f"{finding.rule} {finding.place}" for finding in reading.findings]


CASES: list[tuple[Files, list[str]]] = [
    ({"main": SERVICE + "include = a\n", "a": "text = 1\n"}, []),  # what is included goes on with the open group
    ({"main": SERVICE + "include = a\ntext = 2\n", "a": "text = 1\n"}, ["C102 main:3:1"]),  # and ends it
    ({"main": SERVICE + "include = a\ntext = 2\n", "a": ""}, []),  # but not when it has no octet
    ({"main": SERVICE + "include = a\ntext = 2\n", "a": "#"}, ["C102 main:3:1"]),
    ({"main": "include = d\ninclude = a", "d/x": SERVICE, "d/.y": SERVICE, "a": SERVICE, "d/e/z": "no"}, []),
    ({"main": "include = a\n", "a": SERVICE + "include = b", "b": "text = 1\n\ngroup = core\n"}, []),
    ({"main": SERVICE + "text = 1\ninclude = a\n", "a": "text = 2\n"}, []),
    ({"main": "include = a\n\ninclude = a\n", "a": SERVICE}, ["C114 main:3:11"]),
    ({"main": "include = main\n"}, ["C114 main:1:11"]),
    ({"main": "include = a\n", "a": "  include =   b\n", "b": "include = a"}, ["C114 b:1:11"]),
    ({"main": "include = d\n\ninclude = d/x\n", "d/x": SERVICE}, ["C114 main:3:11"]),
    ({"main": "include = nowhere\n"}, ["C113 main:1:11"]),
    ({"main": SERVICE + "get-url = http://h/include\nname = x\n"}, ["C103 main:2:11"]),
    ({"main": SERVICE + "get-url = a include\n", "a include": "name = x\n"}, []),
    ({"main": SERVICE + "xinclude = a\n", "a": "name = x\n"}, []),
    ({"main": "no sign\ninclude = a", "a": "\nsign neither"}, ["C101 a:2:1", "C101 main:1:1"]),
    ({"main": "include =\n"}, ["C113 main:1:10"]),
    ({"main": "include = a/\n", "a": SERVICE}, ["C113 main:1:11"]),
    ({"main": "include = \\\n a\n", "a": "x"}, ["C101 a:1:1"]),
]


@pytest.mark.kannel
@pytest.mark.parametrize(("files", "expected"), CASES)
def test_kannel_and_this_read_the_same(tmp_path: Path, files: Files, expected: list[str]) -> None:
    lay(tmp_path, files)
    reading = read_files("main", opener(tmp_path))
    assert rules(reading) == expected
    (judged,) = kannel_reads_files(["main"], tmp_path)
    here = read_here(reading.groups, reading.findings)
    assert (here and as_read(here)) == (judged and as_read(judged))
    assert (judged is None) == bool(expected)
    assert all(finding.hint for finding in reading.findings)


@pytest.mark.kannel
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(files=FILES)
@example(files={"main": "include = d\n", "d/x": "include = ./a\n", "d/.y": SERVICE, "a": SERVICE})
def test_any_files_are_read_alike_or_refused(tmp_path: Path, files: Files) -> None:
    lay(tmp_path, files)
    reading = read_files("main", opener(tmp_path))
    if any(finding.rule == "C115" for finding in reading.findings):
        return  # Kannel would read until no memory is left
    (judged,) = kannel_reads_files(["main"], tmp_path)
    here = read_here(reading.groups, reading.findings)
    assert (here and as_read(here)) == (judged and as_read(judged))


@pytest.mark.kannel
def test_links_are_followed_where_kannel_follows_them(tmp_path: Path) -> None:
    lay(tmp_path, {"main": "", "a": SERVICE + "text = a\n", "d/x": SERVICE + "text = x\n"})
    (tmp_path / "to-a").symlink_to("a")
    (tmp_path / "to-d").symlink_to("d")
    (tmp_path / "d" / "to-e").symlink_to("e")
    (tmp_path / "d" / "to-a").symlink_to("../a")
    mains = ["include = to-a\n", SERVICE + "include = to-d\ntext = 2\n", "include = to-d/\n", "include = d\n"]
    for number, main in enumerate(mains):
        (tmp_path / f"main{number}").write_text(main)
        reading = read_files(f"main{number}", opener(tmp_path))
        assert reading.findings == ()
        (judged,) = kannel_reads_files([f"main{number}"], tmp_path)
        assert read_here(reading.groups, reading.findings) == judged
        assert judged


def test_places_and_trees_are_those_of_each_file(tmp_path: Path) -> None:
    lay(tmp_path, {"main": SERVICE + "include = a\n", "a": "# of a\ntext =  1\nname = caf\u00e9\n"})
    (tmp_path / "a").write_bytes((tmp_path / "a").read_bytes() + b"\xff = 1\n")
    reading = read_files("main", opener(tmp_path))
    (group,) = reading.groups
    assert str(group.place) == "main:1:1"
    assert str(group.places["text"]) == "a:2:1"
    assert str(group.value_places["text"]) == "a:2:9"
    assert str(group.places["\udcff"]) == "a:4:1"
    assert [comment.text for comment in reading.trees["a"].comments()] == ["of a"]
    assert "name = b" in reading.trees["a"].with_value(group, "name", "b").text()
    with pytest.raises(ValueError, match="when the group was read"):
        reading.trees["main"].with_value(group, "name", "b")


def test_a_circle_under_other_names_is_told(tmp_path: Path) -> None:
    lay(
        tmp_path,
        {"main": "include = ./main\n", "a": "include = d\n", "d/x": "include = ./d\n", "b": "include = ././b\n"},
    )
    for name in ("main", "a", "b"):
        assert "C115" in {finding.rule for finding in read_files(name, opener(tmp_path)).findings}


def test_what_is_no_file_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(tmp_path / "socket"))
    listener.close()
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "dangling").symlink_to("nowhere")
    names = [
        "pipe",
        "loop",
        "loop/",
        "loop/x",
        "dangling",
        "socket",
        "/dev/zero",
        "a\0b",
        "x" * 5000,
        "",
        "/proc/self/mem",
    ]
    (tmp_path / "main").write_text("".join(f"include = {name}\n\n" for name in names))
    reading = read_files("main", opener(tmp_path))
    assert [finding.rule for finding in reading.findings] == ["C113"] * len(names)
    assert all(finding.message.isprintable() for finding in reading.findings)


def test_the_value_of_a_password_with_the_letters_is_not_told(tmp_path: Path) -> None:
    (tmp_path / "main").write_text(SERVICE + "password = secretincludesecret\n")
    (finding,) = read_files("main", opener(tmp_path)).findings
    assert finding.rule == "C103"
    assert "secret" not in str(finding)


def test_a_file_that_may_not_be_read_is_told() -> None:
    def opened(name: str) -> Opened:
        raise PermissionError(13, "Permission denied")

    (finding,) = read_files("main", opened).findings
    assert (
        str(finding)
        == "main: C113: cannot read main: Permission denied\n  hint: name a file that is there and may be read"
    )


def made_of(*parts: str) -> Opener:
    """Return an opener in whose world every file has these lines, with the number of files opened so far in them."""
    opened: list[str] = []

    def open_(name: str) -> Opened:
        opened.append(name)
        return Opened(str(len(opened)), "".join(f"{part.format(len(opened))}\n\n" for part in parts))

    return open_


@pytest.mark.parametrize(
    "opened",
    [
        made_of("include = {}"),
        made_of("include = {}a", "include = {}b"),
        made_of("\n" * 2_000_000),
        made_of("x" * 2**26, "x" * 2**26),
    ],
)
def test_files_without_end_have_one(opened: Opener) -> None:
    assert [finding.rule for finding in read_files("main", opened).findings] == ["C116"]

"""write_whole and make_folder against a real file system."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kannelkit.errors import HostError
from kannelkit.host.files import make_folder, write_whole


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(octets=st.binary(max_size=5000), mode=st.sampled_from([0o600, 0o640, 0o644, 0o400]))
def test_what_was_written_is_read_back_with_exactly_the_mode(tmp_path: Path, octets: bytes, mode: int) -> None:
    path = tmp_path / "file"
    write_whole(path, octets, mode)
    assert path.read_bytes() == octets
    assert mode_of(path) == mode
    assert os.listdir(tmp_path) == ["file"]


@pytest.mark.parametrize("umask", [0o000, 0o077, 0o777])
def test_the_umask_changes_no_mode(tmp_path: Path, umask: int) -> None:
    former = os.umask(umask)
    try:
        write_whole(tmp_path / "file", "текст", 0o640)
        make_folder(tmp_path / "a" / "b", 0o750)
    finally:
        os.umask(former)
    assert (tmp_path / "file").read_text(encoding="utf-8") == "текст"
    assert [mode_of(tmp_path / name) for name in ("file", "a", "a/b")] == [0o640, 0o750, 0o750]


def test_a_reader_with_the_old_file_open_keeps_it(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_whole(path, "old", 0o600)
    with path.open() as reader:
        write_whole(path, "new and longer", 0o600)
        assert reader.read() == "old"
    assert path.read_text() == "new and longer"


def test_a_symbolic_link_is_replaced_and_what_it_names_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "other").write_text("not mine")
    (tmp_path / "file").symlink_to(tmp_path / "other")
    write_whole(tmp_path / "file", "mine", 0o600)
    assert not (tmp_path / "file").is_symlink()
    assert (tmp_path / "other").read_text() == "not mine"


@pytest.mark.parametrize("taken_by", ["file", "dangling link", "folder"])
def test_without_replace_a_taken_name_stays_as_it_is(tmp_path: Path, taken_by: str) -> None:
    path = tmp_path / "file"
    if taken_by == "file":
        path.write_text("precious")
    elif taken_by == "folder":
        path.mkdir()
    else:
        path.symlink_to(tmp_path / "nowhere")
    before = path.lstat()
    with pytest.raises(HostError) as caught:
        write_whole(path, "new", 0o600, replace=False)
    assert str(path) in caught.value.message
    assert caught.value.hint
    assert path.lstat() == before
    assert os.listdir(tmp_path) == ["file"]


@pytest.mark.parametrize(
    ("name", "words"),
    [("missing/file", "No such file"), ("folder", "Is a directory"), ("plain/file", "Not a directory")],
)
def test_a_refusal_says_which_path_and_why_and_leaves_nothing(tmp_path: Path, name: str, words: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "plain").write_text("")
    with pytest.raises(HostError, match=words) as caught:
        write_whole(tmp_path / name, "secret text", 0o600)
    assert name in caught.value.message
    assert caught.value.hint
    assert "secret" not in str(caught.value)
    assert sorted(os.listdir(tmp_path)) == ["folder", "plain"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give a file to any group")
def test_the_group_that_may_read_keeps_its_file_and_one_without_a_right_does_not(tmp_path: Path) -> None:
    for name in ("shared", "private"):
        (tmp_path / name).write_text("old")
        os.chown(tmp_path / name, -1, 12345)
    write_whole(tmp_path / "shared", "new", 0o640)
    write_whole(tmp_path / "private", "new", 0o600)
    assert (tmp_path / "shared").stat().st_gid == 12345
    assert (tmp_path / "private").stat().st_gid != 12345


def test_a_very_long_name_is_no_trouble(tmp_path: Path) -> None:
    path = tmp_path / ("n" * 255)
    write_whole(path, "text", 0o600)
    assert path.read_text() == "text"


def test_a_folder_that_is_there_keeps_its_mode(tmp_path: Path) -> None:
    tmp_path.chmod(0o711)
    make_folder(tmp_path, 0o750)
    assert mode_of(tmp_path) == 0o711


@pytest.mark.parametrize("name", ["plain", "plain/below", "dangling"])
def test_a_folder_that_cannot_be_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "plain").write_text("")
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    with pytest.raises(HostError) as caught:
        make_folder(tmp_path / name)
    assert name in caught.value.message

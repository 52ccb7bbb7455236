"""replace_whole against a real file system: a file of somebody else's stays his."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from kannelkit.errors import HostError
from kannelkit.host.replaced import read_octets, replace_whole, replaceable_or_raise

NOBODY = 65534
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become somebody else")


@contextmanager
def being(uid: int) -> Iterator[None]:
    os.setegid(uid)
    os.seteuid(uid)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that another user reaches; pytest's own are closed to others."""
    with tempfile.TemporaryDirectory(dir="/var/tmp") as name:
        os.chmod(name, 0o755)
        yield Path(name)


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o604, 0o664])
def test_the_new_file_has_the_mode_of_the_old_one_whatever_the_umask(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "kannel.conf"
    path.write_text("old")
    os.chmod(path, mode)
    former = os.umask(0o077)
    try:
        replace_whole(path, "нов", expected=b"old")
    finally:
        os.umask(former)
    assert path.read_text(encoding="utf-8") == "нов"
    assert stat.S_IMODE(path.stat().st_mode) == mode
    assert os.listdir(tmp_path) == ["kannel.conf"]


def test_a_symbolic_link_stays_one_and_its_file_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "var").mkdir()
    target = tmp_path / "var" / "real.conf"
    target.write_text("old")
    path = tmp_path / "etc" / "kannel.conf"
    path.symlink_to("../var/real.conf")
    replace_whole(path, "new", expected=b"old")
    assert path.is_symlink()
    assert target.read_text() == "new"
    assert os.listdir(tmp_path / "var") == ["real.conf"]


def test_what_somebody_else_wrote_meanwhile_stays(tmp_path: Path) -> None:
    path = tmp_path / "kannel.conf"
    path.write_text("edited")
    with pytest.raises(HostError, match="was changed by somebody else"):
        replace_whole(path, "new", expected=b"old")
    assert path.read_text() == "edited"
    assert os.listdir(tmp_path) == ["kannel.conf"]


@pytest.mark.parametrize(
    ("there", "said"),
    [
        ("nothing", "is not there"),
        ("folder", "is not a file"),
        ("dangling link", "is not there"),
        ("loop", "cannot find"),
    ],
)
def test_what_is_no_file_is_told(tmp_path: Path, there: str, said: str) -> None:
    path = tmp_path / "kannel.conf"
    match there:
        case "folder":
            path.mkdir()
        case "dangling link":
            path.symlink_to("nowhere")
        case "loop":
            path.symlink_to(path)
    with pytest.raises(HostError, match=said):
        replaceable_or_raise(path)


def test_trying_leaves_nothing_behind(tmp_path: Path) -> None:
    path = tmp_path / "kannel.conf"
    path.write_text("old")
    before = path.stat()
    replaceable_or_raise(path)
    assert os.listdir(tmp_path) == ["kannel.conf"]
    assert path.stat() == before


@as_root
def test_root_keeps_the_owner_and_the_group(folder: Path) -> None:
    path = folder / "kannel.conf"
    path.write_text("old")
    os.chown(path, 102, 7)
    replace_whole(path, "new", expected=b"old")
    assert (path.stat().st_uid, path.stat().st_gid) == (102, 7)


@as_root
def test_a_folder_in_which_this_user_may_not_write_is_told_with_what_helps(folder: Path) -> None:
    path = folder / "kannel.conf"
    path.write_text("old")
    os.chown(path, NOBODY, NOBODY)
    os.chown(folder, 0, 0)
    with being(NOBODY), pytest.raises(HostError) as caught:
        replaceable_or_raise(path)
    assert f"may not make files in {folder}" in caught.value.message
    assert "user nobody" in caught.value.hint
    assert "symbolic link" in caught.value.hint


@as_root
def test_a_file_whose_owner_cannot_be_kept_is_left_alone(folder: Path) -> None:
    """Its new owner would be this user, and Kannel might not be allowed to read it."""
    path = folder / "kannel.conf"
    path.write_text("old")
    os.chown(path, 1, 1)
    os.chmod(folder, 0o777)
    with being(NOBODY), pytest.raises(HostError) as caught:
        replace_whole(path, "new", expected=b"old")
    assert "cannot keep the owner" in caught.value.message
    assert "as its owner" in caught.value.hint
    assert path.read_text() == "old"
    assert os.listdir(folder) == ["kannel.conf"]


@as_root
def test_a_file_that_this_user_may_not_read_is_told_with_its_owner(folder: Path) -> None:
    path = folder / "kannel.conf"
    path.write_text("old")
    os.chmod(path, 0o600)
    with being(NOBODY), pytest.raises(HostError) as caught:
        read_octets(path)
    assert str(caught.value) == f"this user may not read {path}\n  hint: run as its owner, user root, or as root"

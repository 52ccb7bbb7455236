"""Files, folders and logrotate's blocks are seen as they are, and what cannot be read is nothing."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from kannelkit.host import observe
from kannelkit.lint.facts import Seen

DEBIAN = """\
# a comment {
/var/log/kannel/*.log {
	daily
	missingok
	create 640 kannel adm
	postrotate
		killall -HUP bearerbox smsbox wapbox > /dev/null 2> /dev/null || true
	endscript
}
"""
SEVERAL = """\
weekly
"/var/log/sms one/*.log" /var/log/two.log
/var/log/three.log
{
  copytruncate
}
/var/log/four.log {
  postrotate
    kill -QUIT $(cat /run/bearerbox.pid)
  endscript
}
"""


def test_a_file_and_a_folder(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_text("x")
    path.chmod(0o640)
    assert observe.seen(str(path)) == Seen(is_file=True, folder_there=True, mode=0o640, readable=True, writable=True)
    folder = observe.seen(str(tmp_path))
    assert (folder.is_folder, folder.is_file, folder.writable, folder.is_there) == (True, False, True, True)


@pytest.fixture
def public() -> Iterator[Path]:
    """A folder that every user may enter, which pytest's own are not."""
    with tempfile.TemporaryDirectory(dir="/tmp") as name:
        Path(name).chmod(0o755)
        yield Path(name)


# The modes of two folders, one in the other, and of a file in them; whether every user may read it.
WAYS = [
    (0o755, 0o755, 0o644, True),
    (0o711, 0o701, 0o604, True),  # who knows the name needs no list
    (0o700, 0o755, 0o644, False),
    (0o755, 0o700, 0o644, False),
    (0o755, 0o750, 0o666, False),  # a group is not everybody
    (0o755, 0o744, 0o644, False),  # a list is no way in
    (0o755, 0o755, 0o640, False),
    (0o755, 0o755, 0o600, False),
]


@pytest.mark.parametrize(("outer", "inner", "mode", "is_open"), WAYS)
def test_a_folder_above_may_close_the_way(outer: int, inner: int, mode: int, is_open: bool, public: Path) -> None:
    path = public / "outer/inner/secret"
    path.parent.mkdir(parents=True)
    path.write_text("x")
    link = public / "link"
    link.symlink_to(path)
    path.chmod(mode)
    path.parent.chmod(inner)
    path.parent.parent.chmod(outer)
    assert observe.seen(str(path)).open_to_all is is_open
    assert observe.seen(str(link)).open_to_all is is_open  # the way to what it stands for
    path.parent.parent.chmod(0o755)


def test_what_is_not_there_may_be_made_where_its_folder_is(tmp_path: Path) -> None:
    assert observe.seen(str(tmp_path / "new.log")) == Seen(folder_there=True, writable=True)
    assert observe.seen(str(tmp_path / "no/new.log")) == Seen()


@pytest.mark.parametrize("name", ["", "a\0b", "x" * 5000])
def test_a_strange_name_is_nothing(name: str) -> None:
    assert not observe.seen(f"/{name}/file").is_there


def test_content_is_that_of_files_alone(tmp_path: Path) -> None:
    path = tmp_path / "pem"
    path.write_bytes(b"octets")
    os.mkfifo(tmp_path / "pipe")
    assert observe.content(str(path)) == b"octets"
    assert [observe.content(str(tmp_path / name)) for name in ("pipe", "none", ".")] == [None, None, None]


def test_debians_block_hangs_up() -> None:
    (block,) = observe.blocks(DEBIAN, "kannel")
    assert (block.patterns, block.line) == (("/var/log/kannel/*.log",), 2)
    assert (block.hangs_up, block.copytruncate) == (True, False)


def test_blocks_with_several_patterns() -> None:
    first, second = observe.blocks(SEVERAL, "several")
    assert first.patterns == ("/var/log/sms one/*.log", "/var/log/two.log", "/var/log/three.log")
    assert (first.line, second.line) == (2, 7)
    assert (first.copytruncate, first.hangs_up) == (True, False)
    assert (second.patterns, second.copytruncate, second.hangs_up) == (("/var/log/four.log",), False, False)


def test_copytruncate_for_all_unless_a_block_says_otherwise() -> None:
    text = "copytruncate\n/a.log {\n}\n/b.log {\n nocopytruncate\n}\n"
    assert [block.copytruncate for block in observe.blocks(text, "x")] == [True, False]


def test_files_and_folders_of_logrotate_are_read(tmp_path: Path) -> None:
    folder = tmp_path / "logrotate.d"
    folder.mkdir()
    (folder / "kannel").write_text(DEBIAN)
    (folder / "other").write_text(SEVERAL)
    found = observe.rotations([tmp_path / "logrotate.conf", folder])
    assert [block.file for block in found] == [str(folder / "kannel"), *[str(folder / "other")] * 2]

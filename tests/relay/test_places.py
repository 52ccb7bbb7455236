"""Which host each account uses, from one start to the next."""

from __future__ import annotations

from pathlib import Path

import pytest

from kannelkit.relay.places import FILE, Place, read, write


def test_what_is_kept_is_there_again(tmp_path: Path) -> None:
    kept = {"a": Place("b.example:2775", 1.5, "by hand", True, 2), "b": Place("c:1", 2.0, "of no use for 30 s")}
    write(tmp_path, kept)
    assert read(tmp_path) == kept


@pytest.mark.parametrize(
    "text", ["", "[", "[]", "7", '{"a": 7}', '{"a": {}}', '{"a": {"host": "b"}}', "[" * 100_000, "\udcff"]
)
def test_what_is_damaged_is_as_none(tmp_path: Path, text: str) -> None:
    (tmp_path / FILE).write_text(text, errors="surrogateescape")
    assert read(tmp_path) == {}
    assert read(tmp_path / "nowhere") == {}

"""Comments that silence rules: which line each is for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kannelkit.spec import ignored

# text -> what is silenced, by line (0: the whole file)
CASES = [
    ("a: 1 # kannelkit: ignore S205", {1: {"S205"}}),
    ("a: 1 # kannelkit: ignore S205, W201 - told twice", {1: {"S205", "W201"}}),
    ("a: 1 #kannelkit:ignore  S205,W201", {1: {"S205", "W201"}}),
    ("a: 1\t# kannelkit: ignore S205", {1: {"S205"}}),
    ("# kannelkit: ignore S205\na: 1\nb: 2", {2: {"S205"}}),
    ("  # kannelkit: ignore S205\n\n# another comment\n\na: 1", {5: {"S205"}}),
    ("# kannelkit: ignore S205\n# kannelkit: ignore W201\na: 1 # kannelkit: ignore E1", {3: {"S205", "W201", "E1"}}),
    ("# kannelkit: ignore-file W201\na: 1", {0: {"W201"}}),
    ("# about this file\n\n---\n# kannelkit: ignore-file W201, S205\na: 1", {0: {"W201", "S205"}}),
    ("a: 1\n# kannelkit: ignore-file W201\nb: 2", {}),
    ("a: 1 # kannelkit: ignore-file W201", {}),
    ("a: 1\n# kannelkit: ignore S205", {}),
    ("a: 1 # kannelkit: ignore", {}),
    ("a: 1 # kannelkit: ignore all", {}),
    ("a: 1# kannelkit: ignore S205", {}),
    ("a: 1 # kannelkit ignore S205", {}),
    ("a: 1 # kannelkit: ignore-line S205", {}),
]  # fmt: skip


@pytest.mark.parametrize(("text", "silenced"), CASES)
def test_what_a_comment_is_for(text: str, silenced: dict[int, set[str]]) -> None:
    found = ignored(text)
    assert {line: set(rules) for line, rules in found.lines.items()} == {k: v for k, v in silenced.items() if k}
    assert set(found.everywhere) == silenced.get(0, set())


def test_kannel_has_no_comments_at_the_end_of_a_line() -> None:
    text = "# kannelkit: ignore E101\nlog-level = 0\nhost = a # kannelkit: ignore E102"
    found = ignored(text, at_line_ends=False)
    assert dict(found.lines) == {2: frozenset({"E101"})}


def test_what_a_comment_says_is_kept() -> None:
    (comment,) = ignored("a: 1  # kannelkit: ignore S205, X9 - because: it is so ").comments
    assert (comment.line, comment.column, comment.target) == (1, 7, 1)
    assert (comment.rules, comment.reason) == (("S205", "X9"), "because: it is so")


def test_a_comment_without_effect_is_kept_too() -> None:
    targets = [
        comment.target for comment in ignored("a: 1\n# kannelkit: ignore-file W1\n# kannelkit: ignore S1").comments
    ]
    assert targets == [None, None]


def test_silences() -> None:
    found = ignored("# kannelkit: ignore-file W201\na: 1\nb: 2 # kannelkit: ignore S205")
    assert found.silences("S205", 3)
    assert not found.silences("S205", 2)
    assert found.silences("W201", 2)
    assert found.silences("W201", 0)


lines = st.sampled_from(
    ["", "a: 1", "# x", "---", "# kannelkit: ignore S205", "a: 1 # kannelkit: ignore W1", "# kannelkit: ignore-file E1"]
)


@given(st.lists(lines, max_size=8))
def test_a_comment_is_for_a_line_of_the_files_own(text: list[str]) -> None:
    found = ignored("\n".join(text))
    assert len(found.comments) == sum("kannelkit:" in line for line in text)
    for comment in found.comments:
        assert "kannelkit:" in text[comment.line - 1]
        if comment.target:
            assert text[comment.target - 1].startswith(("a", "---"))

"""Every sentence of the provider's page is held by a test that is there, or says why it asks nothing of us."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

HOUSE = Path(__file__).parents[2]
PAGE = HOUSE / "docs/smsc-ru.md"
NONE = "nothing of ours: "
TEST = re.compile(r"`(tests/[\w/.]+\.py)::(test_\w+)`")


class Sentence(NamedTuple):
    """One row of the page's tables."""

    number: str
    says: str
    grade: str
    held_by: str


ROWS = [line.strip("|").split(" | ") for line in PAGE.read_text().splitlines() if re.match(r"\| S\d", line)]
SENTENCES = [Sentence(*(cell.strip() for cell in row)) for row in ROWS]


@cache
def functions_of(path: Path) -> frozenset[str]:
    """Return the names of the tests in a file; none where there is no file."""
    tree = ast.parse(path.read_text() if path.exists() else "")
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    return frozenset(node.name for node in functions)


def test_no_sentence_is_left_out() -> None:
    assert [sentence.number for sentence in SENTENCES] == [f"S{number}" for number in range(1, len(SENTENCES) + 1)]
    assert len(SENTENCES) == 78


@pytest.mark.parametrize("sentence", SENTENCES, ids=lambda sentence: sentence.number)
def test_sentence_is_held(sentence: Sentence) -> None:
    assert sentence.says.endswith(".")
    assert sentence.grade in ("A", "B", "C")
    if sentence.held_by.startswith(NONE):
        assert len(sentence.held_by) > len(NONE) + 5, "no reason"
        return
    assert re.sub(TEST, "", sentence.held_by).strip(", ") == "", "something else than names of tests"
    named = TEST.findall(sentence.held_by)
    assert named
    missing = [f"{path}::{name}" for path, name in named if name not in functions_of(HOUSE / path)]
    assert not missing

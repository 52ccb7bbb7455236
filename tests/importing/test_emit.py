"""Every text that is written into a spec is read from it as the same text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kannelkit.importing.emit import comment, flow, scalar
from kannelkit.spec.source import Node, Scalar, Sequence, Table, compose

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=30) | st.text(
    "-?:,[]{}#&*!|>'\"%@`=~ ab\\\n\r\t\x85\u2028\ufeff", max_size=8
)


def texts(node: Node) -> list[str]:
    if isinstance(node, Scalar):
        return [node.text]
    parts = node.items if isinstance(node, Sequence) else [value for _, value in node.pairs]
    return [text for part in parts for text in texts(part)]


@given(TEXTS, st.lists(TEXTS, min_size=1, max_size=4), TEXTS)
def test_texts_come_back(one: str, several: list[str], remark: str) -> None:
    text = (
        f"# {comment(remark)}\n"
        f"group:\n  - key: {scalar(one)}  # {comment(remark)}\n    list: {flow(tuple(several))}\n"
        f"    file: {{file: {scalar(one, in_flow=True)}}}\n    block:\n      - {scalar(one)}\n  - {{}}\n"
    )
    root = compose(text, "spec.yaml")
    assert isinstance(root, Table)
    assert texts(root) == [one, *several, one, one]


# fmt: off
PLAIN = ["x", "no", "0123", "+7916", "-1", "1:30", "a b", "http://h/?a=%p&t=%r", "/var/log/x", "~/store", "жир",
         "a,b;c", "x#y", "it's", 'say "x"', "\\Q3", "a{b}", "2026-11-22", "e=mc2"]
QUOTED = [("", '""'), ("*.*.*.*", "'*.*.*.*'"), ("a: b", "'a: b'"), ("a #b", "'a #b'"), ("- x", "'- x'"),
          ("it's: x", "'it''s: x'"),
          (" x", "' x'"), ("a\tb", '"a\\tb"'), ("\u2028", '"\\u2028"'), ("~", "'~'"), ("x:", "'x:'"),
          ("\x07\\", '"\\x07\\\\"')]
# fmt: on


@pytest.mark.parametrize("text", PLAIN)
def test_what_yaml_leaves_alone_stays_without_quotes(text: str) -> None:
    assert scalar(text) == text


@pytest.mark.parametrize(("text", "expected"), QUOTED)
def test_quotes_where_yaml_needs_them(text: str, expected: str) -> None:
    assert scalar(text) == expected


def test_lists() -> None:
    assert flow(("ISO", "a,b", "x:y")) == "[ISO, 'a,b', 'x:y']"

"""YAML keeps the text that was written, in the place where it was written."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from kannelkit.errors import InputError
from kannelkit.spec.source import Node, Scalar, Sequence, Table, compose, decoded

TEXTS = [
    "no",
    "0123",
    "+7916",
    "1:30",
    "1_000",
    "0x10",
    "1e3",
    "~",
    "null",
    "2026-11-22",
    "<<",
    "=",
    ".5",
    "true",
    "on",
]


def _plain(node: Node | None) -> object:
    if isinstance(node, Table):
        return {key.text: _plain(value) for key, value in node.pairs}
    if isinstance(node, Sequence):
        return [_plain(item) for item in node.items]
    return node.text if isinstance(node, Scalar) else None


@pytest.mark.parametrize("text", TEXTS)
def test_a_scalar_keeps_its_text(text: str) -> None:
    assert _plain(compose(f"key: {text}", "f")) == {"key": text}


def test_places_count_from_one_and_by_characters() -> None:
    root = compose("ключ: [а, бв]\n", "f")
    assert isinstance(root, Table)
    key, value = root.pairs[0]
    assert (key.place.line, key.place.column) == (1, 1)
    assert isinstance(value, Sequence)
    assert [item.place.column for item in value.items] == [8, 11]


def test_an_alias_is_what_its_anchor_stands_for() -> None:
    assert _plain(compose("a: &x [1, 2]\nb: *x\n", "f")) == {"a": ["1", "2"], "b": ["1", "2"]}


def test_a_byte_order_mark_is_no_text() -> None:
    assert decoded(b"\xef\xbb\xbfa: b", "f") == "a: b"


def test_nothing_is_no_document() -> None:
    assert compose("# only a comment\n", "f") is None


def test_a_repr_shows_no_text() -> None:
    assert "hunter2" not in repr(compose("password: hunter2", "f"))


def test_every_repeated_key_is_told() -> None:
    with pytest.raises(InputError) as raised:
        compose("a: 1\na: 2\nb: {c: 1, c: 2, c: 3}\n", "f")
    assert [finding.place.line for finding in raised.value.findings] == [2, 3, 3]


nested = st.recursive(
    st.text(
        st.characters(blacklist_categories=("Cs", "Cc"), blacklist_characters="\u2028\u2029\ufeff\ufffe\uffff"),
        max_size=8,
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc", max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(nested)
def test_what_a_yaml_writer_writes_is_read_back(value: object) -> None:
    assert _plain(compose(yaml.safe_dump(value, allow_unicode=True), "f")) == value


@given(st.text(max_size=80))
def test_any_text_is_nodes_or_findings(text: str) -> None:
    try:
        compose(decoded(text.encode("utf-8", "surrogatepass"), "f"), "f")
    except InputError as error:
        assert error.findings  # noqa: PT017 both outcomes are right, a traceback is not


@given(st.binary(max_size=80))
def test_any_octets_are_nodes_or_findings(octets: bytes) -> None:
    try:
        compose(decoded(octets, "f"), "f")
    except InputError as error:
        assert error.findings  # noqa: PT017 both outcomes are right, a traceback is not

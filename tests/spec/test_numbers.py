"""Texts are the numbers that Kannel makes of them (strtol and strtod)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kannelkit.spec.numbers import per_second, whole

WHOLE = [
    ("13000", 13000),
    ("0", 0),
    ("-1", -1),
    ("+5", 5),
    (" 7", 7),
    ("0x1F", 31),
    ("010", 8),
    ("08", 0),
    ("7.5", 7),
    ("12abc", 12),
    ("abc", None),
    ("", None),
    ("-", None),
    ("²", None),
    ("1²", 1),
    ("9" * 5000, None),
    ("0" * 5000, None),
    ("0x" + "f" * 5000, None),
]
PER_SECOND = [
    ("30", 30),
    ("7.5", 8),
    ("7.0", 7),
    ("7.", 7),
    ("0.1", 1),
    ("0", None),
    ("0.0", None),
    ("x", None),
    ("9" * 5000, None),
]


@pytest.mark.parametrize(("text", "number"), WHOLE)
def test_whole(text: str, number: int | None) -> None:
    assert whole(text) == number


@given(st.integers(-(2**31), 2**31))
def test_digits_are_what_they_say(number: int) -> None:
    assert whole(str(number)) == number
    assert whole(hex(number)) == number


@pytest.mark.parametrize(("text", "number"), PER_SECOND)
def test_per_second(text: str, number: int | None) -> None:
    assert per_second(text) == number

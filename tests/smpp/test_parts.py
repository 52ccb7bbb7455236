"""How Kannel writes and splits a text; the integration tests hold the same against a real one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kannelkit.smpp import gsm0338
from kannelkit.smpp.constants import DataCoding
from kannelkit.smpp.datacoding import number_of_parts
from kannelkit.smpp.parts import GSM, ISO, Alphabet, arriving, choose, count

GSM_CHARACTERS = sorted(arriving())


@pytest.mark.parametrize(
    ("written", "read", "many", "arrive", "lost"),
    [
        (GSM, GSM, 137, "aZ09 @$_~€ÄöüßΔ\n\f{}[]^|\\", "`яç\u2019\0"),
        ("ISO-8859-1", ISO, 126, "aZ09 @$_~ÄöüßÇ\n{}", "€ΔΩ`я"),
        ("latin1", ISO, 126, "@_", "€"),
        (GSM, ISO, 85, "aZ09 .,:;!?\n", "@$_~[]{}ÄöüßΔ€"),
        ("ISO-8859-1", GSM, 85, "aZ", "@_ä"),
        ("no-such-charset", GSM, 0, "", "aZ"),
        (GSM, "no-such-charset", 0, "", "a"),
        ("hex", GSM, 0, "", "a"),  # a codec of Python's that is no charset
        ("\0", GSM, 0, "", "a"),
    ],
)
def test_what_arrives_is_what_both_sides_read_alike(written: str, read: str, many: int, arrive: str, lost: str) -> None:
    characters = arriving(written, read)
    assert len(characters) == many
    assert characters.issuperset(arrive)
    assert characters.isdisjoint(lost)


def test_a_text_takes_ucs2_only_where_it_has_to() -> None:
    assert choose("Grüße", arriving()) is Alphabet.DEFAULT
    assert choose("Grüße", arriving(GSM, ISO)) is Alphabet.UCS2
    assert choose("", frozenset()) is Alphabet.DEFAULT


@pytest.mark.parametrize(
    ("text", "alphabet", "units", "parts", "left"),
    [
        ("", Alphabet.DEFAULT, 0, 1, 160),
        ("a" * 160, Alphabet.DEFAULT, 160, 1, 0),
        ("a" * 161, Alphabet.DEFAULT, 161, 2, 145),
        ("€" * 80, Alphabet.DEFAULT, 160, 1, 0),
        ("€" * 81, Alphabet.DEFAULT, 162, 2, 153 - 10),  # 76 in the first: an escape is not cut off from its character
        ("a" * 153 * 9, Alphabet.DEFAULT, 1377, 9, 0),
        ("я" * 70, Alphabet.UCS2, 70, 1, 0),
        ("я" * 71, Alphabet.UCS2, 71, 2, 63),
        ("я" * 67 * 3, Alphabet.UCS2, 201, 3, 0),
        ("😀" * 35, Alphabet.UCS2, 70, 1, 0),
        ("😀" * 67, Alphabet.UCS2, 134, 2, 0),  # Kannel cuts the 34th in two
    ],
)
def test_parts(text: str, alphabet: Alphabet, units: int, parts: int, left: int) -> None:
    found = count(text, alphabet)
    assert (found.characters, found.units, found.parts, found.left) == (len(text), units, parts, left)


def test_parts_of_fewer_octets() -> None:
    assert count("a" * 100, Alphabet.DEFAULT, 70).parts == 2
    assert count("я" * 36, Alphabet.UCS2, 70).parts == 2


@given(st.text(st.sampled_from(GSM_CHARACTERS), max_size=2000))
def test_gsm_parts_are_those_of_the_one_who_splits(text: str) -> None:
    found = count(text, Alphabet.DEFAULT)
    assert found.parts == number_of_parts(text, DataCoding.DEFAULT)
    assert found.units == len(gsm0338.encode(text))
    assert 0 <= found.left <= 160


@given(st.text(st.characters(max_codepoint=0xFFFF, exclude_categories=["Cs"]), max_size=1000))
def test_ucs2_parts_are_those_of_the_one_who_splits(text: str) -> None:
    assert count(text, Alphabet.UCS2).parts == number_of_parts(text, DataCoding.UCS2)


@given(st.text(max_size=300), st.text(max_size=5))
def test_a_longer_text_is_never_fewer_parts(text: str, more: str) -> None:
    assert count(text + more, Alphabet.UCS2).parts >= count(text, Alphabet.UCS2).parts

"""Lists of messages: what is read, where it stands, and what is wrong in it."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kannelkit.errors import InputError
from kannelkit.gateway.lists import decoded, looks_like_a_number, read_list


def plain(text: str) -> list[dict[str, str]]:
    rows, findings = read_list(text, "list.csv")
    assert findings == []
    return [{name: cell.text for name, cell in row.items()} for row in rows]


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("to,text\n7999,hello\n", [{"to": "7999", "text": "hello"}]),
        ("to;text\r\n7999;a, b\r\n", [{"to": "7999", "text": "a, b"}]),
        ("to\ttext\n7999\ta; b", [{"to": "7999", "text": "a; b"}]),
        (" To , TEXT ,Call_Parameters\n 7999 , hello ,\n", [{"to": "7999", "text": " hello "}]),
        ('to,text\n7999,"a ""b"", c\r\nd"\n', [{"to": "7999", "text": 'a "b", c\nd'}]),
        ("to,text\n\n7999,a\n,\n7998,b\n", [{"to": "7999", "text": "a"}, {"to": "7998", "text": "b"}]),
        ("to\n7999\n", [{"to": "7999"}]),
        ("to,text\n7999\n", [{"to": "7999"}]),  # fewer cells than columns
        ("7999\n+7 (998) 12-3\n", [{"to": "7999"}, {"to": "+7 (998) 12-3"}]),
        ('to,text\n7999,a "b" c\n', [{"to": "7999", "text": 'a "b" c'}]),  # quotes within a cell are its text
    ],
)
def test_what_is_read(text: str, rows: list[dict[str, str]]) -> None:
    assert plain(text) == rows


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", ["list.csv: M101"]),
        ("\n\n", ["list.csv: M101"]),
        ("to,txt\n7999,a\n", ["list.csv:1:4: M102"]),
        ("to,text,to\n7999,a,b\n", ["list.csv:1:9: M102"]),
        ("text\na\n", ["list.csv:1:1: M102"]),
        ("name;number\na;1\n", ["list.csv:1:1: M102", "list.csv:1:1: M102", "list.csv:1:6: M102"]),
        ("to,text\n7999,a,b\n", ["list.csv:2:8: M103"]),
        ('to,text\n7999,"a\n', ["list.csv:2:6: M101"]),
        ('to,text\n7999,"a"b\n', ["list.csv:2:6: M101"]),
        ("7999\n7998,b\n", ["list.csv:2:6: M103"]),
    ],
)
def test_what_is_wrong_has_its_place(text: str, found: list[str]) -> None:
    _, findings = read_list(text, "list.csv")
    assert sorted(f"{finding.place}: {finding.rule}" for finding in findings) == found


def test_a_cell_has_the_place_where_it_begins() -> None:
    rows, _ = read_list('to,text,from\n7999,"a\nb\nc",me\n 7998,x,you\n', "f")
    places = [{name: (cell.place.line, cell.place.column) for name, cell in row.items()} for row in rows]
    assert places == [
        {"to": (2, 1), "text": (2, 6), "from": (4, 4)},
        {"to": (5, 1), "text": (5, 7), "from": (5, 9)},
    ]


@pytest.mark.parametrize(
    ("octets", "place"),
    [(b"\xff", "f:1:1"), (b"to,text\r\n7999,caf\xe9", "f:2:9"), ("привет".encode("cp1251"), "f:1:1")],
)
def test_what_is_no_utf8_has_its_place(octets: bytes, place: str) -> None:
    with pytest.raises(InputError) as caught:
        decoded(octets, "f")
    (finding,) = caught.value.findings
    assert (str(finding.place), finding.rule) == (place, "M101")
    assert decoded("\ufeffпривет".encode(), "f") == "привет"


TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc"]) | st.sampled_from('",;\n'), max_size=20)


@given(st.lists(st.tuples(st.from_regex(r"\A[0-9]{3,10}\Z"), TEXTS), min_size=1, max_size=5))
def test_what_another_program_writes_is_read_as_it_was_meant(rows: list[tuple[str, str]]) -> None:
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(["to", "text"])
    writer.writerows(rows)
    expected = [{"to": to, "text": said} if said.strip() else {"to": to} for to, said in rows]
    assert plain(text.getvalue()) == expected


@given(st.text(max_size=100))
def test_no_text_is_too_much(text: str) -> None:
    rows, _ = read_list(text, "f")
    assert all(cell.text for row in rows for cell in row.values())


@pytest.mark.parametrize(
    ("text", "is_one"), [("79991234567", True), ("+7 (999) 123-45.67", True), ("numbers.txt", False), ("", False)]
)
def test_what_a_person_takes_for_a_number(text: str, is_one: bool) -> None:
    assert looks_like_a_number(text) is is_one

"""A text that is changed in part: everything else stays as it was."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kannelkit.conf import ReadGroup, Tree, UnwritableError, parse, read
from tests.conf.texts import PIECES, TEXTS

BEFORE = """\
# Our gateway
group = core
admin-port   =  13000
# the old one:
  admin-password = "a b"
admin-port = 13001

## a link
# of ours
group = smsc
smsc = smpp
host = \\
    smsc.example
"""


def group(tree: Tree, name: str) -> ReadGroup:
    """Return the last group of this name."""
    return [each for each in tree.groups() if each.name == name][-1]


def put(name: str, value: str) -> Callable[[Tree], Tree]:
    """Return the edit that sets a directive of the first group."""
    return lambda tree: tree.with_value(tree.groups()[0], name, value)


def drop(index: int) -> Callable[[Tree], Tree]:
    """Return the edit that takes a group away."""
    return lambda tree: tree.without_group(tree.groups()[index])


# What is done, what it takes out of the text, what it puts there instead.
# fmt: off
EDITS: list[tuple[Callable[[Tree], Tree], str, str]] = [
    (lambda tree: tree, "", ""),
    (lambda tree: tree.with_value(group(tree, "core"), "admin-port", "1"), "port = 13001\n", "port = 1\n"),
    (lambda tree: tree.with_value(group(tree, "core"), "admin-port", "13001"), "", ""),
    (lambda tree: tree.with_value(group(tree, "core"), "admin-password", "c"), '"a b"', "c"),
    (lambda tree: tree.with_value(group(tree, "core"), "admin-password", " c"), '"a b"', '" c"'),
    (lambda tree: tree.with_value(group(tree, "core"), "box-allow-ip", "::1"), "1\n\n", "1\nbox-allow-ip = ::1\n\n"),
    (lambda tree: tree.with_value(group(tree, "smsc"), "host", "h"), "host = \\\n    smsc.example", "host =     h"),
    (lambda tree: tree.with_value(group(tree, "smsc"), "port", "1"), ".example\n", ".example\nport = 1\n"),
    (lambda tree: tree.without(group(tree, "core"), "admin-password"), '  admin-password = "a b"\n', ""),
    (lambda tree: tree.without(group(tree, "smsc"), "host"), "host = \\\n    smsc.example\n", ""),
    (lambda tree: tree.without(group(tree, "smsc"), "port"), "", ""),
    (lambda tree: tree.with_group("smsbox"), ".example\n", ".example\n\ngroup = smsbox\n"),
    (lambda tree: tree.with_group("x", [("a", "1"), ("a", "")]), "ple\n", 'ple\n\ngroup = x\na = 1\na = ""\n'),
    (lambda tree: tree.without_group(group(tree, "core")), BEFORE[: BEFORE.index("##")], ""),
    (lambda tree: tree.without_group(group(tree, "smsc")), BEFORE[BEFORE.index("\n##") :], ""),
]
# The same for small texts, whole.
SMALL: list[tuple[str, Callable[[Tree], Tree], str]] = [
    ("group = core\r\n", put("a", "1"), "group = core\r\na = 1\r\n"),
    ("group = core\r\na = 1 \r\n", put("a", "2"), "group = core\r\na = 2 \r\n"),
    ("group = core", put("a", "1"), "group = core\na = 1"),
    ("group = core\\", put("a", "1"), "group = core\na = 1"),
    ("group = core\\", lambda tree: tree.with_group("a"), "group = core\n\ngroup = a\n"),
    ("group = core\na =", put("a", "1"), "group = core\na = 1"),
    ("group=core\na=  \r\n", put("a", "1"), "group=core\na= 1\r\n"),
    ("group = core\na=1\na=2", lambda tree: tree.without(tree.groups()[0], "a"), "group = core"),
    ("group = core\n \tb = 1\n# x", put("a", "1"), "group = core\n \tb = 1\n \ta = 1\n# x"),
    ("group = core\ninclude = x\n", put("a", "1"), "group = core\na = 1\ninclude = x\n"),
    ("", lambda tree: tree.with_group("core"), "group = core\n"),
    ("# x", lambda tree: tree.with_group("core"), "# x\n\ngroup = core\n"),
    ("# x\n \n\n", lambda tree: tree.with_group("core"), "# x\n \n\ngroup = core\n"),
    ("# x\r\n", lambda tree: tree.with_group("a", {"b": "1"}), "# x\r\n\r\ngroup = a\r\nb = 1\r\n"),
    ("group = a\n\n\ngroup = b\n\ngroup = c\n", drop(1), "group = a\n\n\ngroup = c\n"),
    ("# x\n\n# y\ngroup = a\n# z\n\n# w\n", drop(0), "# x\n\n# w\n"),
    ("group = a", drop(0), ""),
    ("group = a\ninclude = x\ngroup = b\n\nb", drop(1), "group = a\ninclude = x\n\nb"),
    ("group = caf\udce9\n", put("a", "1"), "group = caf\udce9\na = 1\n"),
]
# fmt: on


@pytest.mark.parametrize(("edit", "old", "new"), EDITS)
def test_an_edit_changes_what_it_must(edit: Callable[[Tree], Tree], old: str, new: str) -> None:
    assert old in BEFORE
    assert edit(parse(BEFORE)).text() == BEFORE.replace(old, new, 1)


@pytest.mark.parametrize(("before", "edit", "after"), SMALL)
def test_an_edit_of_an_odd_text(before: str, edit: Callable[[Tree], Tree], after: str) -> None:
    assert edit(parse(before)).text() == after
    assert parse(after) == edit(parse(before))


@given(TEXTS | st.lists(PIECES).map("".join) | st.text())
def test_a_text_comes_out_as_it_went_in(text: str) -> None:
    tree = parse(text, "any.conf")
    assert tree.text() == text
    assert tree.groups() == read(text, "any.conf")[0]


@given(octets=st.binary(), text=TEXTS)
def test_so_do_octets_that_are_no_text(octets: bytes, text: str) -> None:
    octets = text.encode("utf-8", "surrogateescape") + octets
    tree = parse(octets.decode("utf-8", "surrogateescape"))
    assert tree.text().encode("utf-8", "surrogateescape") == octets


@given(text=TEXTS, data=st.data())
def test_an_edit_is_read_back_and_nothing_else_is_different(text: str, data: st.DataObject) -> None:
    tree = parse(text)
    before = [dict(each.values) for each in tree.groups()]
    index = data.draw(st.integers(0, len(before) - 1))
    here = tree.groups()[index]
    name = data.draw(st.sampled_from(["text", "name", "port"]))
    value = data.draw(st.text('a"\\ =#', max_size=5))
    for edited, expected in (
        (tree.with_value(here, name, value), {**before[index], name: value}),
        (tree.without(here, name), {each: old for each, old in before[index].items() if each != name}),
    ):
        assert parse(edited.text()) == edited
        remaining = [expected] if expected else []  # a group without a `group` line may have had one directive only
        assert [dict(each.values) for each in edited.groups()] == [*before[:index], *remaining, *before[index + 1 :]]
        assert abs(len(edited.lines) - len(tree.lines)) <= max(1, len(here.lines))
    edited = tree.with_group("smsbox", {name: value})
    assert parse(edited.text()) == edited
    assert [dict(each.values) for each in edited.groups()] == [*before, {"group": "smsbox", name: value}]
    edited = tree.without_group(here)
    assert parse(edited.text()) == edited
    assert [dict(each.values) for each in edited.groups()] == [*before[:index], *before[index + 1 :]]


def test_a_group_of_another_tree_is_refused() -> None:
    tree = parse(BEFORE)
    former = group(tree, "smsc")
    edited = tree.without_group(group(tree, "core"))
    edits: tuple[Callable[[], Tree], ...] = (
        lambda: edited.with_value(former, "port", "1"),
        lambda: edited.with_value(former, "host", "h"),
        lambda: edited.without(former, "host"),
        lambda: edited.without_group(former),
        lambda: parse(BEFORE, "other.conf").without_group(former),
    )
    for edit in edits:
        with pytest.raises(ValueError, match="when the group was read"):
            edit()


def test_what_cannot_be_written_is_refused() -> None:
    tree = parse(BEFORE)
    with pytest.raises(UnwritableError):
        tree.with_value(group(tree, "core"), "admin-port", "1\n2")
    with pytest.raises(UnwritableError):
        tree.with_value(group(tree, "core"), "new name", "include")
    with pytest.raises(UnwritableError):
        tree.with_group("smsc\n\ngroup = core")
    with pytest.raises(ValueError, match="without_group"):
        tree.without(group(tree, "core"), "group")


def test_comments_say_what_they_stand_above() -> None:
    comments = [(each.place.line, each.place.column, each.text, each.about) for each in parse(BEFORE).comments()]
    assert comments == [
        (1, 1, "Our gateway", 2),
        (4, 1, "the old one:", 5),
        (8, 1, "# a link", 10),
        (9, 1, "of ours", 10),
    ]
    odd = parse("#\n\ngroup = a\n \t# it goes on \\\nb = 1\nc = 1\n#  end")
    assert [(each.place.line, each.place.column, each.text, each.about) for each in odd.comments()] == [
        (1, 1, "", 0),
        (4, 3, "it goes on b = 1", 6),
        (7, 1, "end", 0),
    ]


# Where each name and each value is: line and column.
PLACES = [
    ("text = x", (1, 1), (1, 8)),
    ("\ttext=x", (1, 2), (1, 7)),
    (' text =  " x"', (1, 2), (1, 10)),
    ("text =  ", (1, 1), (1, 7)),
    ("# Ж\ntext = x", (2, 1), (2, 8)),
    ("ЖЖЖ=x", (1, 1), (1, 5)),
    ("\udcff\udcfe=x", (1, 1), (1, 4)),
    ("𝔄=x", (1, 1), (1, 3)),
    ("text = \\\n  x", (1, 1), (2, 3)),
    ("  \\\ntext = x", (2, 1), (2, 8)),
    ("te\\\nxt \\\n\\\n = \\\nx\\\ny", (1, 1), (5, 1)),
    ("a = b\\\nc\ntext = x", (3, 1), (3, 8)),
    ("text = 1\ntext = 2", (2, 1), (2, 8)),
]


@pytest.mark.parametrize(("text", "name_place", "value_place"), PLACES)
def test_names_and_values_have_their_places(
    text: str, name_place: tuple[int, int], value_place: tuple[int, int]
) -> None:
    here = parse(text, "p.conf").groups()[0]
    name = list(here.values)[-1]
    found = here.places[name], here.value_places[name]
    assert [(place.file, place.line, place.column) for place in found] == [
        ("p.conf", *name_place),
        ("p.conf", *value_place),
    ]
    assert here.place.line <= name_place[0]
    assert list(here.places) == list(here.values)
    assert len(here.value_places) == len(here.values)

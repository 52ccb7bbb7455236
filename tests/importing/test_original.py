"""What is read of a kannel.conf beside its values: comments, what Kannel forgets, and why it would not start."""

from __future__ import annotations

from pathlib import Path

import pytest

from kannelkit.conf import Opened
from kannelkit.errors import InputError
from kannelkit.importing import Imported, imported
from kannelkit.importing.original import Original, original

CORE = "group = core\nadmin-port = 1\nadmin-password = opensesame\n"


def opened_in(files: dict[str, str]) -> Original:
    return original("kannel.conf", lambda name: opened(files, name))


def opened(files: dict[str, str], name: str) -> Opened:
    if name not in files:
        raise FileNotFoundError(2, "No such file or directory")
    return Opened(name, files[name])


def made_of(text: str) -> Imported:
    return imported("kannel.conf", lambda name: Opened(name, text), Path("/nowhere/gateway.yaml"))


# Text above `group = core` -> what is carried over of it.
COMMENTS = [
    ("# one\n## two ##\n\n# three\n", ("one", "two", "three")),
    ("# title\n#admin-port = 2\n# why\n\n# kept\n", ("kept",)),
    ("#\n########\n# ====\n", ()),
    ("# the password is in the safe\n", ()),
    ("# ask for opensesame, please\n", ()),
    ("# kannelkit: ignore E101 - for lint\n", ()),
    ("# goes on \\\nadmin-port = 7\n", ("goes on admin-port = 7",)),
    ("# a = b is what it does\n", ()),
    ("# see http://h/?a=b\n", ("see http://h/?a=b",)),
    ("# \udce9t\udce9\n", ("\u00e9t\u00e9",)),
]


@pytest.mark.parametrize(("above", "expected"), COMMENTS)
def test_comments_above_a_group(above: str, expected: tuple[str, ...]) -> None:
    read = opened_in({"kannel.conf": above + CORE})
    assert read.comments.get(id(read.groups[0]), ()) == expected


def test_comments_elsewhere_are_counted() -> None:
    read = opened_in({"kannel.conf": CORE.replace("\n", "\n# inside\n", 1) + "\n# below\n\n# at the end\n"})
    assert read.comments == {}
    assert read.dropped == 3


def test_comments_stand_above_their_groups_in_the_spec() -> None:
    text = "# first\n" + CORE + "\n# second\ngroup = sendsms-user\nusername = a\npassword = b\n"
    lines = made_of(text).text.split("\n")
    assert lines[lines.index("core:") - 1] == "# first"
    assert lines[lines.index("  - username: a") - 1] == "  # second"


FORGOTTEN = [
    (
        CORE + "\n" + CORE.replace("1", "2"),
        ["kannel.conf:1:1: group core, because the one at kannel.conf:5:1 wins: admin-port = 1, admin-password = ***"],
    ),
    (CORE + "admin-port = 2\n", ["kannel.conf:2:1: admin-port = 1, because line 4 wins"]),
    (CORE + "admin-password = other\n", ["kannel.conf:3:1: admin-password = ***, because line 4 wins"]),
    (
        CORE + "\ngroup = smsc\nsmsc = fake\ninstances = 0\n",
        ["kannel.conf:5:1: group smsc, because it stands for no link: smsc = fake, instances = 0"],
    ),
]


@pytest.mark.parametrize(("text", "expected"), FORGOTTEN)
def test_what_kannel_forgets_is_listed(text: str, expected: list[str]) -> None:
    assert list(opened_in({"kannel.conf": text}).forgotten) == expected
    made = made_of(text)
    assert list(made.report.left_out) == expected
    assert all(f"#   {words}" in made.text for words in expected)


def test_octets_that_are_no_utf_8_are_told() -> None:
    made = made_of(CORE + "\ngroup = smsbox\nbearerbox-host = localhost\nreply-emptymessage = gr\udcfc\udcdf\n")
    assert "reply-emptymessage: gr\u00fc\u00df" in made.text
    assert made.report.differences == (
        "kannel.conf:7:22: reply-emptymessage has octets that are no UTF-8: taken for Latin-1 and written as UTF-8",
    )
    assert made.text.endswith(f"\n# What is not as it was:\n#   {made.report.differences[0]}\n")


BROKEN = [
    ({}, ["kannel.conf C113"]),
    ({"kannel.conf": "group = core\nadmin-port 1\n"}, ["kannel.conf:2:1 C101"]),
    ({"kannel.conf": "admin-port = 1\n"}, ["kannel.conf:1:1 C102"]),
    ({"kannel.conf": "group = kore\n"}, ["kannel.conf:1:9 C104"]),
    ({"kannel.conf": "group = core\nADMIN-PORT = 1\n"}, ["kannel.conf:2:1 C107"]),
    ({"kannel.conf": CORE + "x = 1\ny = 2\n"}, ["kannel.conf:4:1 C107", "kannel.conf:5:1 C107"]),
    ({"kannel.conf": "group = smsc\nhost = h\n"}, ["kannel.conf:1:1 C106"]),
    ({"kannel.conf": 'group = core\nlog-file = "/include/x"\n'}, ["kannel.conf:2:12 C103"]),
    ({"kannel.conf": "include = a\n"}, ["kannel.conf:1:11 C113"]),
    ({"kannel.conf": "include = a\n", "a": "include = b\n", "b": "include = a\n"}, ["b:1:11 C114"]),
    ({"kannel.conf": "include = a\n", "a": "\n  nonsense\n"}, ["a:2:3 C101"]),
    ({"kannel.conf": "\ufeffgroup = core\n"}, ["kannel.conf:1:1 C102"]),
    ({"kannel.conf": CORE + "log-file = a\0b\n"}, ["kannel.conf:4:1 C112"]),
]


@pytest.mark.parametrize(("files", "expected"), BROKEN)
def test_what_kannel_would_not_start_with_is_refused(files: dict[str, str], expected: list[str]) -> None:
    with pytest.raises(InputError) as raised:
        opened_in(files)
    assert [f"{finding.place} {finding.rule}" for finding in raised.value.findings] == expected
    assert all(finding.hint for finding in raised.value.findings)


def test_what_no_spec_can_hold_is_told_where_it_stands() -> None:
    with pytest.raises(InputError) as raised:
        made_of(CORE + "\ngroup = smsbox\nbearerbox-host = a\rb\nsendsms-port = none\n")
    assert [f"{finding.place} {finding.rule}" for finding in raised.value.findings] == [
        "kannel.conf:6:18 S202",
        "kannel.conf:7:16 S201",
    ]

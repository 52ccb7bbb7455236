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
        CORE + "\ngroup = smsc\nsmsc = smpp\ninstances = 0\n",
        ["kannel.conf:5:1: group smsc, because it stands for no link: smsc = smpp, instances = 0"],
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
        "kannel.conf:7:22: reply-emptymessage has octets that are no UTF-8: written as Latin-1 has them",
    )
    assert made.text.endswith(f"\n# What is not as it was:\n#   {made.report.differences[0]}\n")


LINK = "\ngroup = smsc\nsmsc = {}\nsmsc-id = a\nhost = h\nsmsc-username = u\nsmsc-password = p\nsystem-type =\n"
# A kind of link, a line of it that no spec holds as it is -> the line in the spec, and what is told.
REWRITTEN = [
    ("http", "throughput = 20 # a second", "throughput: 20", "throughput is no number; Kannel takes it for 20"),
    ("smpp", "throughput = 30/s", "throughput: 30", "throughput is no number; Kannel takes it for 30"),
    ("smpp", "throughput = .5", "throughput: 1", "throughput is no number; Kannel takes it for 1"),
    ("smpp", "throughput = 1e3", "throughput: 1000", "throughput is no number; Kannel takes it for 1000"),
    ("smpp", "throughput = 1e999", None, "throughput is no number; Kannel takes it for no limit"),
    ("fake", "throughput = fast", None, "throughput is no number; Kannel takes it for no limit"),
    ("smpp", "throughput = -5", None, "throughput is no number; Kannel takes it for no limit"),
    ("smpp", "port =", None, "port is no number; Kannel takes it for none"),
    ("smpp", "receive-port = none", None, "receive-port is no number; Kannel takes it for none"),
]


@pytest.mark.parametrize(("kind", "line", "expected", "told"), REWRITTEN)
def test_what_no_spec_holds_is_written_as_kannel_takes_it(
    kind: str, line: str, expected: str | None, told: str
) -> None:
    made = made_of(CORE + LINK.format(kind) + line + "\n")
    name = line.partition(" ")[0]
    assert [row.strip() for row in made.text.split("\n") if row.startswith(f"    {name}:")] == [expected] * bool(
        expected
    )
    (difference,) = made.report.differences
    assert difference.startswith("kannel.conf:12:")
    assert told in difference


def test_ports_that_are_none_are_left_out() -> None:
    made = made_of(CORE + "smsbox-port =\nwapbox-port = -\n\ngroup = smsbox\nbearerbox-host = h\nsendsms-port = no\n")
    assert "smsbox-port" not in made.text.partition("# What is not")[0]
    assert [words.partition(" is no number")[0] for words in made.report.differences] == [
        "kannel.conf:4:14: smsbox-port",
        "kannel.conf:5:15: wapbox-port",
        "kannel.conf:9:16: sendsms-port",
    ]


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
    ({"kannel.conf": "group = smsc\nsmsc = smpp\ninstances = 99999999999\n"}, ["kannel.conf:3:13 C108"]),
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
        made_of(CORE.replace("= 1", "= none") + "\ngroup = smsbox\nbearerbox-host = a\rb\n")
    assert [f"{finding.place} {finding.rule}" for finding in raised.value.findings] == [
        "kannel.conf:2:14 S201",
        "kannel.conf:6:18 S202",
    ]

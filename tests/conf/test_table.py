"""The table of directives is Kannel's own, row by row."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from kannelkit.conf import GROUPS, Directive
from kannelkit.conf.values import fault
from tests.conf.judge import kannel_reads

# One value of each kind that Kannel's reader takes.
SAMPLE = "1"

NAMES = Path(__file__).parents[1] / "cases/kannel-1.4.5-names.txt"
ROWS = [(group.name, row) for group in GROUPS.values() for row in group.directives.values()]


def names() -> tuple[Mapping[str, list[str]], set[str]]:
    """Return the names that Kannel accepts by group, and the groups that count once."""
    groups: dict[str, list[str]] = {}
    single = set()
    group = ""
    for line in NAMES.read_text().splitlines():
        if line.startswith("  "):
            groups[group].append(line.strip())
        elif line and not line.startswith("#"):
            times, group = line.split()
            groups[group] = []
            if times == "single":
                single.add(group)
    return groups, single


def test_no_group_and_no_row_is_missing_or_too_many() -> None:
    groups, single = names()
    assert {name: set(group.directives) for name, group in GROUPS.items()} == {
        name: set(rows) for name, rows in groups.items()
    }
    assert {name for name, group in GROUPS.items() if not group.repeatable} == single
    assert len(ROWS) == sum(map(len, groups.values()))


@pytest.mark.kannel
def test_kannel_takes_every_row(tmp_path: Path) -> None:
    text = "".join(
        f"group = {group.name}\n" + "".join(f"{name} = {SAMPLE}\n" for name in group.directives) + "\n"
        for group in GROUPS.values()
    )
    groups = kannel_reads(text, tmp_path)
    assert groups is not None
    assert dict(groups) == {group.name: dict.fromkeys(group.directives, SAMPLE) for group in GROUPS.values()}
    assert len(groups) == len(GROUPS)


def strangers() -> Iterator[tuple[str, str]]:
    """Yield, for each group, a directive that others have and it has not; then some more by chance."""
    chance = random.Random(145)
    everywhere = sorted({row.name for _, row in ROWS})
    for group in (*GROUPS.values(), *chance.choices(list(GROUPS.values()), k=20)):
        yield group.name, chance.choice([name for name in everywhere if name not in group.directives])


# Kannel's reader stops at the first stranger, so that the judge has to be asked once for each.
@pytest.mark.kannel
@pytest.mark.parametrize(("group", "directive"), list(strangers()))
def test_kannel_refuses_a_directive_elsewhere(tmp_path: Path, group: str, directive: str) -> None:
    assert kannel_reads(f"group = {group}\n{directive} = {SAMPLE}\n", tmp_path) is None


@pytest.mark.kannel
def test_repeatable_is_what_kannel_keeps(tmp_path: Path) -> None:
    firsts = {group.name: next(iter(group.directives)) for group in GROUPS.values()}
    groups = kannel_reads(
        "".join(f"group = {name}\n{first} = {number}\n\n" for number in (1, 2) for name, first in firsts.items()),
        tmp_path,
    )
    assert groups is not None
    kept = {name: [values for each, values in groups if each == name] for name in GROUPS}
    assert kept == {
        name: [{firsts[name]: "1"}, {firsts[name]: "2"}] if group.repeatable else [{firsts[name]: "2"}]
        for name, group in GROUPS.items()
    }


def test_passwords_are_secret() -> None:
    """What opens a door, by its name, is hidden; a user's name and a prompt's text are not."""
    secret = {(group, row.name) for group, row in ROWS if row.secret}
    likely = {
        (group, row.name)
        for group, row in ROWS
        if row.name.endswith("password") and not row.name.startswith("generic-param")
    }
    others = {
        ("smsc", "pin"),
        ("ota-setting", "secret"),
        ("wap-user-map", "pass"),
        ("radius-acct", "secret-nas"),
        ("radius-acct", "secret-radius"),
        ("sdb-connection", "url"),
    }
    assert secret == likely | others


def test_every_row_says_what_it_means_in_a_sentence_of_its_own() -> None:
    for group, row in ROWS:
        assert row.about.endswith("."), (group, row.name)
        assert row.section, (group, row.name)


def test_what_is_required_is_a_row_of_the_group() -> None:
    for group in GROUPS.values():
        assert set(group.required) <= set(group.directives)
        for kind, required in group.required_for.items():
            assert kind in KINDS
            assert all(not group.directives[name].kinds or kind in group.directives[name].kinds for name in required)


KINDS = set(GROUPS["smsc"].directives["smsc"].one_of)


def test_only_smsc_has_kinds_and_each_is_one_that_smsc_can_be() -> None:
    for group, row in ROWS:
        assert {*row.kinds, *row.one_of_for} <= (KINDS if group == "smsc" else set())


@pytest.mark.parametrize(("group", "row"), [(group, row) for group, row in ROWS if row.default is not None])
def test_a_default_is_a_value_that_the_directive_can_take(group: str, row: Directive) -> None:
    assert row.default is not None
    assert fault(row, row.default) is None


def test_what_nothing_reads_says_so() -> None:
    """Of the groups that a box reads; the test programs' two groups are read by no box."""
    for group in GROUPS.values():
        for row in group.directives.values():
            if group.change:
                assert (not row.change) == (row.about.startswith(("Read by nothing", "Meant to")))


def test_routing_is_what_a_reload_leaves_out_of_its_comparison() -> None:
    # smscconn_create in gw/smscconn.c; preferred-smsc-id-regex stands there too, but nothing routes by it
    stems = ("allowed-smsc-id", "denied-smsc-id", "allowed-prefix", "denied-prefix", "preferred-prefix")
    routing = {*stems, *(f"{stem}-regex" for stem in stems), "preferred-smsc-id", "unified-prefix"}
    # reroute, reroute-smsc-id and reroute-receiver as well, but there a reload can be the end of bearerbox
    routing |= {"reroute-dlr"}
    assert {row.name for group, row in ROWS if row.change == ("routing",)} == routing
    assert {row.name for group, row in ROWS if row.removal != row.change} == {
        *(f"{stem}-regex" for stem in stems),
        "preferred-smsc-id-regex",
    }
    assert {group for group, row in ROWS if "routing" in row.change} == {"smsc"}


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("0x1403", None),
        ("0XFFFF", None),
        ("5123", None),
        ("0x10000", "too large"),
        ("0x", "no whole"),
        ("-0x1", "no whole"),
    ],
)
def test_what_is_written_in_hexadecimal_digits(value: str, problem: str | None) -> None:
    found = fault(GROUPS["smpp-tlv"].directives["tag"], value)
    assert found is None if problem is None else found is not None and problem in found[0]
    # as in the guide
    assert [row.name for _, row in ROWS if row.hexadecimal] == ["wait-ack-expire", "msg-id-type", "tag"]

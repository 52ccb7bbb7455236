"""Which links are one account, and what becomes of what they do not share."""

from __future__ import annotations

from pathlib import Path

import pytest

from kannelkit.conf import Opened, read
from kannelkit.importing import Report, imported
from kannelkit.importing.accounts import entries

LINK = """group = smsc
smsc = smpp
smsc-id = a
host = h
port = 2775
smsc-username = u
smsc-password = p
system-type = ""
"""

# Lines that each link has beside those above (a later line wins) -> the own keys and the throughput of each entry.
MERGED = [
    ([""], [{}]),
    (["", ""], [{"connections": "2"}]),
    (["throughput = 10", "throughput = 5"], [{"connections": "2", "throughput": "15"}]),
    (["throughput = 10", ""], [{"connections": "2"}]),
    (["throughput = 10", "throughput = 0"], [{"connections": "2"}]),
    (["throughput = 7.5", "throughput = 7.5"], [{"connections": "2", "throughput": "16"}]),
    (["throughput = 7.5"], [{"throughput": "7.5"}]),
    (["throughput = 0"], [{"throughput": "0"}]),
    (["instances = 3\nthroughput = 10"], [{"connections": "3", "throughput": "30"}]),
    (["instances = 2\nthroughput = 10", "throughput = 5"], [{"connections": "3", "throughput": "25"}]),
    (["instances = x"], [{}]),
    (["instances = 100"], [{"connections": "99"}, {}]),
    (["", "host = i"], [{"backup-host": "i"}]),
    (["", "host = i\nport = 2776"], [{"backup-host": "i", "backup-port": "2776"}]),
    (["", "port = 2776"], [{"backup-host": "h", "backup-port": "2776"}]),
    (["dead-start = true", "host = i"], [{"backup-host": "h"}]),
    (["dead-start = false", "host = i\ndead-start = true"], [{"backup-host": "i"}]),
    (["", "host = i\nport = 02776"], [{}, {}]),
    (["", "", "host = i"], [{"backup-host": "i", "connections": "2"}]),
    (["", "host = i", "host = i"], [{}, {"connections": "2"}]),  # more standby links than there are links
    (["", "host = i", "host = j"], [{}, {}, {}]),
    (["", "system-type = ISO"], [{}, {}]),
    (["", "smsc-username = v"], [{}, {}]),
    (["", "smsc-id = b"], [{}, {}]),
    (["", "log-file = x"], [{}, {}]),
    (["smsc-admin-id = x\ndead-start = true", "smsc-admin-id = y"], [{"connections": "2"}]),
    (["port = 0\nreceive-port = 2775", "port = 2775"], [{}, {}]),
]
OWN = ("backup-host", "backup-port", "connections", "throughput")


@pytest.mark.parametrize(("links", "expected"), MERGED)
def test_links_that_belong_together(links: list[str], expected: list[dict[str, str]]) -> None:
    groups, _ = read("\n".join(f"{LINK}{lines}\n" for lines in links))
    made = entries(groups)
    assert [{key: text for key, text in entry.values.items() if key in OWN} for entry in made] == expected
    assert all(not {"smsc-admin-id", "dead-start", "instances"} & entry.values.keys() for entry in made)


def test_other_kinds_are_never_one() -> None:
    groups, _ = read("group = smsc\nsmsc = fake\nsmsc-id = f\ninstances = 2\n\n" * 2)
    assert [dict(entry.values) for entry in entries(groups)] == [
        {"smsc-id": "f", "smsc": "fake", "instances": "2"},
        {"smsc-id": "f", "smsc": "fake", "instances": "2"},
    ]


NAMES = [
    (["host = smpp.example"], ["smpp.example"]),
    (["host = smpp.example", "host = smpp.example\nsmsc-username = v"], ["smpp.example", "smpp.example-2"]),
    (["host = smpp.example", "host = x\nsmsc-id = SMPP.example"], ["smpp.example-2", "SMPP.example"]),
    (["host = x\nallowed-smsc-id = y;x"], ["x-2"]),
    (["host = "], ["smpp"]),
    (["host = ::1"], ["1"]),
    (["host = ::"], ["link"]),
]


@pytest.mark.parametrize(("links", "expected"), NAMES)
def test_names_for_the_nameless(links: list[str], expected: list[str]) -> None:
    unnamed = LINK.replace("smsc-id = a\n", "")
    groups, _ = read("\n".join(f"{unnamed}{lines}\n" for lines in links))
    assert [entry.name for entry in entries(groups)] == expected


def report(*links: str) -> Report:
    text = "group = core\nadmin-port = 1\nadmin-password = x\n\n" + "\n".join(f"{LINK}{lines}\n" for lines in links)
    return imported("kannel.conf", lambda name: Opened(name, text), Path("/nowhere/gateway.yaml")).report


TOLD = [
    (["smsc-admin-id = x"], ["smsc a: smsc-admin-id x went: kannelkit names the links itself"]),
    (
        ["throughput = 20", "throughput = 10"],
        [
            "smsc a: two groups became one account of two links",
            "smsc a: throughput one link of 20, one link of 10 -> two links of 15",
        ],
    ),
    (
        ["throughput = 20", ""],
        [
            "smsc a: two groups became one account of two links",
            "smsc a: throughput one link of 20, one link without limit -> two links without limit",
        ],
    ),
    (
        ["instances = 3\nthroughput = 10"],
        ["smsc a: instances became 3 connections, each a link of its own with a name of its own"],
    ),
    (["dead-start = 1"], ["smsc a: a link that stayed down until a command started it is now started with the others"]),
    (
        ["", "host = i\ndead-start = true"],
        ["smsc a: the links to i waited for a command; now they are started when the others are down"],
    ),
    (
        ["", "", "host = i\nthroughput = 9"],
        [
            "smsc a: two groups became one account of two links",
            "smsc a: the links to i were up together with the others; now they stand by until these are down",
            "smsc a: one link to i -> two links that stand by",
            "smsc a: throughput 9 at i -> that of the links at the first host",
        ],
    ),
]


@pytest.mark.parametrize(("links", "expected"), TOLD)
def test_what_differs_is_told(links: list[str], expected: list[str]) -> None:
    assert list(report(*links).differences) == expected


def test_links_that_cannot_be_one_keep_their_name() -> None:
    """A transmitter and a receiver share messages by their name, so that neither may get another one."""
    made = report("", "port = 0\nreceive-port = 2775")
    assert made.differences == ()
    assert [finding.rule for finding in made.mend] == ["S304"]
    assert made.accounts == 2

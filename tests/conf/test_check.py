"""A file that would stop Kannel, or cost a link, is told before Kannel reads it."""

from __future__ import annotations

import pytest
from hypothesis import given

from kannelkit.conf import check
from tests.conf import texts

SOUND = """group = core
admin-port = 13000
admin-password = x

group = smsc
smsc = fake
port = 10000
"""

SMPP = """group = smsc
smsc = smpp
host = 127.0.0.1
smsc-username = u
system-type = ""
"""

# A text, and the findings: rule, line, column.
FAULTS = [
    ("", ["C109 0:0", "C110 0:0"]),
    (SOUND.replace("admin-port = 13000", "admin-port 13000"), ["C106 1:1", "C101 2:1"]),
    (SOUND + "\nname = x\n", ["C102 9:1"]),
    (SOUND + "\n# comment\ninclude = /etc/kannel\n", ["C103 10:1"]),
    (SOUND + "\ngroup = sms-service\nget-url = http://h/include\n", ["C103 10:1"]),
    (SOUND + "include = /etc/kannel\nname = x\n", ["C103 8:1", "C102 9:1"]),
    (SOUND + "\ngroup = nonsense\n", ["C104 9:9"]),
    (SOUND + "\ngroup =\n", ["C104 9:8"]),
    (SOUND + "\n" + SOUND.split("\n\n")[0], ["C105 9:1"]),
    (SOUND.replace("smsc = fake\n", ""), ["C106 5:1"]),
    (SOUND + "  sendsms-port = 1\n", ["C107 8:3"]),
    (SOUND + "= 1\n", ["C107 8:1"]),
    (SOUND + "priority =  5\n", ["C108 8:13"]),
    (SOUND + "priority = \\\n  5\n", ["C108 9:3"]),
    (SOUND + "\n" + SMPP + "smsc-password = ninechars\n", ["C108 14:17"]),
    (SOUND + "\n" + SMPP, ["C106 9:1"]),
    (SOUND + "smsc-admin-id = a\n\n" + SMPP + "smsc-password = p\nsmsc-admin-id = a\n", ["C111 16:17"]),
    (SOUND + "allowed-prefix-regex = 7(\n", ["C108 8:24"]),
    (SOUND.replace("fake", "http") + "system-type = nonsense\n", ["C106 5:1", "C108 8:15"]),
    (SOUND + "host = a\0b\n", ["C112 8:1"]),
    (SOUND.split("\n\n")[0], ["C110 0:0"]),
    ("\ufeff" + SOUND, ["C102 1:1", "C109 0:0"]),
    ("\ufeff# x\n" + SOUND, ["C101 1:1"]),
]


@pytest.mark.parametrize(("text", "expected"), FAULTS)
def test_faults(text: str, expected: list[str]) -> None:
    found = check(text)
    assert [f"{finding.rule} {finding.place.line}:{finding.place.column}" for finding in found] == sorted(
        expected, key=lambda each: [int(part) for part in each.split()[1].split(":")]
    )
    assert all(finding.hint for finding in found)


HINTS = [
    (SOUND + "sendsms-port = 1\n", "it belongs in group smsbox: is a blank line or a `group` line missing above?"),
    (SOUND + "hots = 1\n", "did you mean host?"),
    (SOUND + "\ngroup = smscs\n", "did you mean smsc?"),
    (SOUND + "\n\nname = x\n", "take out the blank line"),
    (SOUND + "include = x\nname = x\n", "the include at kannel.conf:8:1 ended the group"),
    ("\ufeff" + SOUND, "byte order mark"),
]


@pytest.mark.parametrize(("text", "words"), HINTS)
def test_a_hint_says_what_is_likely_meant(text: str, words: str) -> None:
    assert any(words in finding.hint for finding in check(text))


def test_thousands_of_strange_names_are_told_at_once() -> None:
    strangers = "".join(f"stranger-{number}-{'x' * 1000} = 1\n" for number in range(5_000))
    found = check(SOUND + strangers + "\ngroup = stranger\n\n" * 5_000)
    assert [finding.rule for finding in found].count("C107") == 5_000
    assert [finding.rule for finding in found].count("C104") == 5_000
    assert all(len(finding.message) < 200 for finding in found)


@given(texts.TEXTS)
def test_no_text_is_an_error_and_every_finding_can_be_printed(text: str) -> None:
    for finding in check(text):
        assert finding.hint
        assert (finding.message + finding.hint).isprintable()


def test_a_sound_text_has_none() -> None:
    assert check(SOUND) == ()


def test_a_finding_does_not_tell_a_password() -> None:
    assert "ninechars" not in str(check(SOUND + "\n" + SMPP + "smsc-password = ninechars\n")[0])


def test_only_smpp_cuts_a_password() -> None:
    assert check(SOUND + "smsc-password = ninechars\n") == ()

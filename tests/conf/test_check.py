"""A file that would stop Kannel, or cost a link, is told before Kannel reads it."""

from __future__ import annotations

import pytest

from kannelkit.conf import check

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

FAULTS = [
    ("", ["C109 0", "C110 0"]),
    (SOUND.replace("admin-port = 13000", "admin-port 13000"), ["C106 1", "C101 2"]),
    (SOUND + "\nname = x\n", ["C102 9"]),
    (SOUND + "\n# comment\ninclude = /etc/kannel\n", ["C103 10"]),
    (SOUND + "\ngroup = sms-service\nget-url = http://h/include\n", ["C103 10"]),
    (SOUND + "\ngroup = nonsense\n", ["C104 9"]),
    (SOUND + "\n" + SOUND.split("\n\n")[0], ["C105 9"]),
    (SOUND.replace("smsc = fake\n", ""), ["C106 5"]),
    (SOUND + "sendsms-port = 1\n", ["C107 8"]),
    (SOUND + "priority = 5\n", ["C108 8"]),
    (SOUND + "\n" + SMPP + "smsc-password = ninechars\n", ["C108 14"]),
    (SOUND + "\n" + SMPP, ["C106 9"]),
    (SOUND + "smsc-admin-id = a\n\n" + SMPP + "smsc-password = p\nsmsc-admin-id = a\n", ["C111 16"]),
    (SOUND + "allowed-prefix-regex = 7(\n", ["C108 8"]),
    (SOUND.split("\n\n")[0], ["C110 0"]),
]


@pytest.mark.parametrize(("text", "expected"), FAULTS)
def test_faults(text: str, expected: list[str]) -> None:
    assert [f"{finding.rule} {finding.place.line}" for finding in check(text)] == expected


def test_a_sound_text_has_none() -> None:
    assert check(SOUND) == ()


def test_a_finding_does_not_tell_a_password() -> None:
    assert "ninechars" not in str(check(SOUND + "\n" + SMPP + "smsc-password = ninechars\n")[0])


def test_only_smpp_cuts_a_password() -> None:
    assert check(SOUND + "smsc-password = ninechars\n") == ()

"""Values that a directive takes, and those that it does not."""

from __future__ import annotations

import pytest

from kannelkit.conf import GROUPS
from kannelkit.conf.values import fault

TAKEN = [
    ("core", "admin-port", "1"),
    ("core", "admin-port", "65535"),
    ("core", "sms-resend-retry", "-1"),
    ("smsc", "throughput", "0.5"),
    ("smsc", "throughput", "30"),
    ("smsc", "port", "0"),
    ("smsc", "transceiver-mode", "Yes"),
    ("smsc", "smsc-password", "eight888"),
    ("smsc", "smsc-username", "fifteen-letters"),
    ("smsc", "system-type", ""),
    ("smsc", "allowed-prefix-regex", "^[[:digit:]]+$"),
    ("smsc", "allowed-prefix-regex", r"^\d++(?>7)\h"),
    ("core", "syslog-level", "none"),
    ("smsc", "smsc-password", ""),
    ("smsc", "smsc-password", "\udcff" * 8),
]
REFUSED = [
    ("core", "admin-port", "0", "too small"),
    ("core", "admin-port", "65536", "too large"),
    ("core", "admin-port", "1.5", "no whole number"),
    ("core", "admin-port", "٣", "no whole number"),
    ("core", "admin-port", "", "no whole number"),
    ("core", "admin-port", "010", "octal"),
    ("core", "log-level", "6", "too large"),
    ("core", "store-dump-freq", "99999999999", "too large"),
    ("core", "store-dump-freq", "9" * 5000, "too large"),
    ("core", "store-dump-freq", "-" + "9" * 5000, "too large"),
    ("core", "store-dump-freq", "0" * 5000 + "7", "octal"),
    ("smsc", "smsc-password", "\udcff" * 9, "9 octets"),
    ("smsc", "smsc-password", "жирный", "12 octets"),
    ("smsc", "throughput", "fast", "no number"),
    ("smsc", "throughput", "-1", "no number"),
    ("smsc", "transceiver-mode", "maybe", "neither"),
    ("smsc", "smsc-password", "ninechars", "9 octets"),
    ("smsc", "wait-ack-expire", "4", "too large"),
    ("smsc", "host", "", "empty"),
    ("smsc", "allowed-prefix-regex", "(7", "no regular expression"),
    ("smsc", "allowed-prefix-regex", "[7", "no regular expression"),
    ("smsc", "allowed-prefix-regex", "*7", "no regular expression"),
    ("core", "dlr-storage", "disk", "cannot be"),
    ("core", "admin-password", "", "empty"),
    ("sendsms-user", "password", "", "empty"),
]


@pytest.mark.parametrize(("group", "directive", "value"), TAKEN)
def test_taken(group: str, directive: str, value: str) -> None:
    assert fault(GROUPS[group].directives[directive], value) is None


@pytest.mark.parametrize(("group", "directive", "value", "words"), REFUSED)
def test_refused(group: str, directive: str, value: str, words: str) -> None:
    problem = fault(GROUPS[group].directives[directive], value)
    assert problem is not None
    assert words in problem[0]
    assert problem[1]

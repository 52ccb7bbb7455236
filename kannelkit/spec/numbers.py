"""A text as the number that Kannel makes of it, also where it is not written as it should be."""

from __future__ import annotations

import re

from kannelkit.conf import Directive

_LONG = re.compile(r"[ \t]*([+-]?)(0[xX][0-9a-fA-F]+|[0-9]+)")
_REAL = re.compile(r"[0-9]{1,9}(\.[0-9]*)?(?![0-9])")
_MOST_DIGITS = 20  # more are too large for anything, and Python refuses to count thousands of them

# SMS per second: what a limit may be
LEAST_RATE, MOST_RATE = 0.1, 100_000

_ONE_TO_NINE = frozenset("123456789")

# The ports that kannelkit itself has to know: it asks bearerbox and smsbox there, and writes them into links.
_KNOWN_PORTS = frozenset({"admin-port", "smsbox-port", "wapbox-port", "sendsms-port", "port", "receive-port"})
_LARGEST_PORT = 65535


def whole(text: str) -> int | None:
    """Return the whole number that the text begins with, or nothing where there is none of a usable size.

    0x10 is 16 and 010 is 8, as strtol() has it with base 0 (cfg_get_integer in gwlib/cfg.c).
    """
    if len(text) <= _MOST_DIGITS and text[:1] in _ONE_TO_NINE and text.isdigit() and text.isascii():
        return int(text)  # nearly every one
    found = _LONG.match(text)
    if found is None or len(found[2]) > _MOST_DIGITS:
        return None
    sign, digits = found.groups()
    if digits.startswith(("0x", "0X")):
        number = int(digits, 16)
    elif digits.startswith("0"):
        octal = re.match("[0-7]+", digits)
        number = int(octal[0], 8) if octal else 0
    else:
        number = int(digits)
    return -number if sign == "-" else number


def per_second(text: str) -> int | None:
    """Return the SMS per second that Kannel sends with this throughput; nothing is no limit.

    Kannel takes 0 for no limit and sends a fraction rounded up (send_messages in gw/smsc/smsc_smpp.c).
    """
    found = _REAL.match(text)
    if found is None:
        return None
    number, _, fraction = found[0].partition(".")
    return int(number) + bool(fraction.strip("0")) or None


def exactly(text: str) -> float | None:
    """Return the SMS per second that the relay lets leave at the most, a whole number as int; nothing is no limit."""
    found = _REAL.match(text)
    if found is None:
        return None
    number = float(found[0])
    return (int(number) if number.is_integer() else number) or None


def needed(directive: Directive, text: str) -> str:
    """Return why kannelkit cannot go on with such a text as the value of the directive; "" where it can."""
    if directive.name in _KNOWN_PORTS:
        port = whole(text)
        if port is None or not 0 <= port <= _LARGEST_PORT:
            return "kannelkit itself has to know the port"
    if directive.name == "throughput" and not _REAL.fullmatch(text):
        return "kannelkit computes with it"
    return ""

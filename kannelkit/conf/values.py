"""Whether a value is one that its directive can take: the same answer for a spec and for a kannel.conf."""

from __future__ import annotations

import re
import warnings

from kannelkit.conf.table import Directive

TRUE = ("true", "yes", "on", "1")
FALSE = ("false", "no", "off", "0")

_INTEGERS = frozenset({"integer", "seconds", "port"})
_FILLED = frozenset({"host", "file", "folder", "url", "regex"})  # kinds of which an empty value is none
_INTEGER = re.compile(r"-?[0-9]+")
_HEXADECIMAL = re.compile(r"0[xX][0-9a-fA-F]{1,8}")
_MOST_DIGITS = 20  # more are too large without being counted
_LONGEST_SHOWN = 60  # characters of a value that a message repeats
# Nothing in it opens, repeats or escapes, so that it cannot be broken.
_PLAIN_REGEX = re.compile(r"[^()\[\]{}*+?\\]*")
# What PCRE, which Kannel is built with, and Python's own regular expressions both refuse. A bad one is a panic when the
# link is started; other differences between the two are left to Kannel.
_BROKEN = (
    "missing ), unterminated subpattern",
    "unbalanced parenthesis",
    "unterminated character set",
    "nothing to repeat",
    "multiple repeat",
    "bad escape (end of pattern)",
)
_NUMBER = re.compile(r"[0-9]+(\.[0-9]+)?")


def fault(directive: Directive, value: str, *, smpp: bool = True) -> tuple[str, str] | None:
    """Return what is wrong with the value and what to do about it, or nothing; neither holds the value of a secret.

    The bounds in octets are SMPP's, so that they bind no link of another kind (`smpp` is false then).

    Sources: cfg_get_integer and cfg_get_bool in gwlib/cfg.c (0x10 is 16 there, 010 is 8, and a strange truth value is
    true), and the ranges at the places where each value is used.
    """
    kind = directive.kind
    if kind in _INTEGERS:
        return _integer_fault(directive, value)
    if kind == "number":
        if not _NUMBER.fullmatch(value):
            return f"is no number: {_shown(directive, value)}", "write digits"
    elif kind == "boolean":
        if value.lower() not in TRUE + FALSE:
            return f"is neither true nor false: {_shown(directive, value)}", "write true or false"
    elif not value and (directive.filled or kind in _FILLED):
        return "is empty", "leave the line out, or write a value"
    if kind == "regex" and (problem := _broken(value)):
        return f"is no regular expression: {problem}", "mend it: Kannel panics over it when the link is started"
    if directive.one_of and value not in directive.one_of:
        return f"cannot be {_shown(directive, value)}", f"one of {', '.join(directive.one_of)}"
    if smpp and directive.octets is not None and (octets := _octets(value)) > directive.octets:
        return (
            f"has {octets} octets, of which {directive.octets} fit: {directive.beyond}",
            f"use one of at most {directive.octets} octets",
        )
    return None


def _shown(directive: Directive, value: str) -> str:
    """Return the value as a message may show it: not at all when it is a secret, and not all of a long one."""
    if directive.secret:
        return "the value"
    return repr(value) if len(value) <= _LONGEST_SHOWN else f"{value[:_LONGEST_SHOWN]!r}..."


def _octets(value: str) -> int:
    """Return how many octets the value has in UTF-8; one that is no UTF-8 is one."""
    alone = sum("\udc80" <= character <= "\udcff" for character in value) if not value.isascii() else 0
    return len(value.encode("utf-8", "surrogatepass")) - 2 * alone


def _broken(pattern: str) -> str:
    if _PLAIN_REGEX.fullmatch(pattern):
        return ""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # POSIX classes such as [[:digit:]] are Kannel's business
        try:
            re.compile(pattern)
        except re.error as error:
            return error.msg if error.msg in _BROKEN else ""
        except (OverflowError, RecursionError):
            return "too large"
    return ""


def _integer_fault(directive: Directive, value: str) -> tuple[str, str] | None:
    if directive.hexadecimal and _HEXADECIMAL.fullmatch(value):
        value = str(int(value, 16))
    if not _INTEGER.fullmatch(value):
        return f"is no whole number: {_shown(directive, value)}", "write digits only"
    digits = value.lstrip("-").lstrip("0")
    if len(digits) > _MOST_DIGITS:
        return f"is too large: {_shown(directive, value)}", f"at most {2**31 - 1}"
    number = int(digits or "0") * (-1 if value.startswith("-") else 1)
    if value.lstrip("-") != (digits or "0"):
        return f"begins with a zero, so that Kannel reads it as octal: {_shown(directive, value)}", f"write {number}"
    if directive.least is not None and number < directive.least:
        return f"is too small: {number}", f"at least {directive.least}"
    if directive.most is not None and number > directive.most:
        return f"is too large: {number}", f"at most {directive.most}"
    if abs(number) > 2**31 - 1:
        return f"is too large: {number}", f"at most {2**31 - 1}"
    return None
